//! Proposals whose time is over, and what is left alone.

use crate::house::clock;
use crate::institution::Institution;
use strongroom_commands::payment::due;
use strongroom_domain::{Command, Network, Timestamp};

const ETH: Network = Network::EthereumDev;

#[tokio::test]
async fn open_and_approved_transfers_expire_and_their_holds_are_voided() {
    let of = Institution::found().await;
    let desk = of.funded(ETH, &[1_000]).await;
    let house = &of.house;
    let open = house.intent(&desk, 10, 5);
    let approved = house.intent(&desk, 20, 5);
    let soon = clock().plus_seconds(60);
    let first = house.request(open.clone(), soon).await;
    let second = house.request(approved.clone(), soon.plus_seconds(60)).await;
    house.approve(second).await;
    let look = |now: Timestamp| house.bus.read(|state| due(state, now));
    assert!(look(clock()).is_empty());
    assert_eq!(look(soon), [first]);
    let all = look(soon.plus_seconds(60));
    assert_eq!(all.len(), 2);
    assert!(all.contains(&first) && all.contains(&second));
}

#[tokio::test]
async fn what_is_over_is_not_due_again() {
    let of = Institution::found().await;
    let desk = of.funded(ETH, &[1_000]).await;
    let house = &of.house;
    let intent = house.intent(&desk, 10, 5);
    let transfer = intent.transfer;
    let later = clock().plus_seconds(600);
    let proposal = house.request(intent, later).await;
    house.run(Command::CancelProposal { proposal, by: house.maker }).await;
    assert_eq!(house.state_of(transfer), "cancelled");
    assert!(house.bus.read(|state| due(state, later)).is_empty());
}
