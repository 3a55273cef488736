//! Fewer witnesses than the charter asks for: nothing is signed, although enough holders of the key
//! are there; everything else goes on, and the server says what is missing.

use strongroom_domain::Network;
use strongroom_tests::deployment::{Deployment, Networks};
use strongroom_tests::journey::{PATIENCE, Payment, amounts, text};

#[test]
fn with_fewer_witnesses_than_the_charter_asks_nothing_is_signed_and_all_else_goes_on() {
    let network = Network::LitecoinRegtest;
    let root = tempfile::tempdir().unwrap();
    let mut strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
    let destination = strongroom.outside_address(network);
    strongroom.desk.allow(&[(network, destination.clone())]);
    let custody = strongroom.desk.custody(network);
    let (deposit, amount, fee_cap) = amounts(network);
    // Two of the four witnesses stay, and with them two of the key's three holders.
    for gone in [0, 3] {
        strongroom.signers[gone].kill();
    }
    strongroom.deposit(&custody, deposit);
    let payment = Payment { custody, destination, amount, fee_cap };
    let (transfer, proposal) = strongroom.desk.ask(&payment);
    strongroom.desk.approve(&proposal);
    let path = format!("/transactions/{transfer}");
    let waiting = strongroom.desk.initiator().wait(&path, PATIENCE, |story| {
        story["waiting"].as_str().is_some_and(|because| because.contains("of 3 cosignatures"))
    });
    assert_eq!(waiting["transaction"]["state"], "signing");
    let view = strongroom.desk.initiator().get("/log/checkpoint").ok();
    assert!(view["size"].as_u64() < view["entries"].as_u64(), "{view}");
    assert_eq!(view["silent"].as_array().unwrap().len(), 2, "{view}");
    // The one with the HSM holds no share of this key; as a witness it is enough.
    strongroom.signers[3].start();
    let confirmed = strongroom.settle(network, &transfer);
    assert_eq!(text(&confirmed["transaction"], "state"), "confirmed");
    let (_, proven) = strongroom.receipt(&transfer, "transfer.confirmed");
    assert!(proven.contains("transfer.confirmed"), "{proven}");
    strongroom.stop();
}
