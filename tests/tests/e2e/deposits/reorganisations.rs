//! What a chain takes back is taken back by an event, whether it was credited or not. Nothing is
//! ever taken back in silence.

use super::{CONFIRMATIONS, Custody, PAID, PAID_WEI, deposit_at_hash, deposit_of};
use strongroom_domain::Network;
use strongroom_tests::regtest::{Anvil, BitcoinRegtest, Core};

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_before_the_credit_delays_it() {
    let node = Core::litecoind();
    let custody = Custody::open(Network::LitecoinRegtest).await;
    let mut watching = custody.watch_bitcoin(&node);
    let txid = node.fund(custody.address.as_str(), PAID);
    let deposit = deposit_of(&node, &custody, &txid);
    node.mine(1);
    custody.until_confirming(deposit).await;
    let first = node.block_hash(node.height());
    // The payment returns to the memory pool and is in the new branch's first block.
    node.reorganise(1);
    custody
        .until("seen in another block", |state| {
            let seen = state.deposits[&deposit].seen().unwrap();
            seen.block.hash != first && state.deposits[&deposit].name() == "confirming"
        })
        .await;
    watching.until_read(node.height()).await;
    assert_eq!(custody.total(), 0);
    node.mine(CONFIRMATIONS - 2);
    custody.until_credited(deposit).await;
    assert_eq!(custody.history(deposit).await, ["seen", "reorganised", "seen-again", "credited"]);
    assert_eq!((custody.total(), custody.held()), (u128::from(PAID), u128::from(PAID)));
    custody.assert_replays().await;
    watching.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credited_deposit_that_is_mined_again_is_credited_again() {
    let node = Core::litecoind();
    let custody = Custody::open(Network::LitecoinRegtest).await;
    let watching = custody.watch_bitcoin(&node);
    let txid = node.fund(custody.address.as_str(), PAID);
    let deposit = deposit_of(&node, &custody, &txid);
    let first = node.mine(CONFIRMATIONS).remove(0);
    custody.until_credited(deposit).await;
    node.reorganise(CONFIRMATIONS);
    custody
        .until("credited in another block", |state| {
            let found = &state.deposits[&deposit];
            found.seen().unwrap().block.hash != first && found.name() == "credited"
        })
        .await;
    assert_eq!(
        custody.history(deposit).await,
        ["seen", "credited", "reorganised", "seen-again", "credited"]
    );
    assert_eq!((custody.total(), custody.held()), (u128::from(PAID), u128::from(PAID)));
    custody.assert_replays().await;
    watching.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credited_deposit_whose_coins_went_elsewhere_is_reversed() {
    let node = Core::litecoind();
    let custody = Custody::open(Network::LitecoinRegtest).await;
    let mut watching = custody.watch_bitcoin(&node);
    let txid = node.fund(custody.address.as_str(), PAID);
    let deposit = deposit_of(&node, &custody, &txid);
    node.mine(CONFIRMATIONS);
    custody.until_credited(deposit).await;
    node.reorganise_away(&txid);
    custody.until("reversed", |state| super::is(state, deposit, "reorganised")).await;
    watching.until_read(node.height()).await;
    assert_eq!(custody.history(deposit).await, ["seen", "credited", "reorganised"]);
    assert_eq!((custody.total(), custody.held()), (0, 0));
    custody.assert_replays().await;
    watching.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_while_the_watcher_was_down_is_found() {
    let node = Core::litecoind();
    let custody = Custody::open(Network::LitecoinRegtest).await;
    let watching = custody.watch_bitcoin(&node);
    let gone = node.fund(custody.address.as_str(), PAID);
    let gone_deposit = deposit_of(&node, &custody, &gone);
    node.mine(CONFIRMATIONS);
    custody.until_credited(gone_deposit).await;
    watching.kill().await;
    node.reorganise_away(&gone);
    let new = node.fund(custody.address.as_str(), 2 * PAID);
    let new_deposit = deposit_of(&node, &custody, &new);
    node.mine(CONFIRMATIONS);
    let watching = custody.watch_bitcoin(&node);
    custody.until_credited(new_deposit).await;
    assert_eq!(custody.history(gone_deposit).await, ["seen", "credited", "reorganised"]);
    assert_eq!(custody.total(), 2 * u128::from(PAID));
    watching.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_is_shorter_for_a_while_takes_nothing_back() {
    let node = Core::litecoind();
    let custody = Custody::open(Network::LitecoinRegtest).await;
    let mut watching = custody.watch_bitcoin(&node);
    let txid = node.fund(custody.address.as_str(), PAID);
    let deposit = deposit_of(&node, &custody, &txid);
    node.mine(CONFIRMATIONS);
    custody.until_credited(deposit).await;
    // The node loses its last blocks, as one that is restored from a backup does, and finds them again.
    let lowest = node.height() - u64::from(CONFIRMATIONS) + 1;
    let (lost, height) = (node.block_hash(lowest), node.height());
    node.take_back(CONFIRMATIONS);
    let behind = watching.progress.wait_for(|progress| progress.tip < Some(height));
    drop(tokio::time::timeout(super::PATIENCE, behind).await.expect("it looks").unwrap());
    node.must("reconsiderblock", serde_json::json!([lost]));
    node.mine(1);
    watching.until_read(height + 1).await;
    assert_eq!(custody.history(deposit).await, ["seen", "credited"]);
    watching.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ether_deposit_that_is_reorganised_away_is_reversed() {
    let node = Anvil::start();
    let custody = Custody::open(Network::EthereumDev).await;
    let watching = custody.watch_anvil(&node);
    let hash = node.fund(custody.address.as_str(), PAID_WEI);
    let deposit = deposit_at_hash(&custody, &hash);
    node.mine(CONFIRMATIONS);
    custody.until_credited(deposit).await;
    node.reorganise(CONFIRMATIONS);
    node.mine(1);
    custody.until("reversed", |state| super::is(state, deposit, "reorganised")).await;
    assert_eq!(custody.history(deposit).await, ["seen", "credited", "reorganised"]);
    assert_eq!((custody.total(), custody.held()), (0, 0));
    custody.assert_replays().await;
    watching.kill().await;
}
