//! Crashes of the watcher and outages of its node: they lose nothing and double nothing.

use super::{CONFIRMATIONS, Custody, PAID, deposit_of};
use strongroom_commands::deposits::Cursors as _;
use strongroom_domain::{DepositId, Network};
use strongroom_store::ReadLog as _;
use strongroom_tests::regtest::{BitcoinRegtest, Core};

async fn assert_all_credited_once(custody: &Custody, deposits: &[DepositId]) {
    for deposit in deposits {
        custody.until_credited(*deposit).await;
        assert_eq!(custody.history(*deposit).await, ["seen", "credited"]);
    }
    let all = u128::from(PAID) * u128::try_from(deposits.len()).unwrap();
    assert_eq!((custody.total(), custody.held()), (all, all));
    custody.assert_replays().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_is_killed_at_any_point_loses_and_doubles_nothing() {
    let node = Core::litecoind();
    let custody = Custody::open(Network::LitecoinRegtest).await;
    let mut deposits = Vec::new();
    for round in 0..12 {
        let txid = node.fund(custody.address.as_str(), PAID);
        deposits.push(deposit_of(&node, &custody, &txid));
        let watching = custody.watch_bitcoin(&node);
        node.mine(1);
        // Somewhere in the work on that block, a little later each time.
        tokio::time::sleep(std::time::Duration::from_millis(4 * round)).await;
        watching.kill().await;
    }
    node.mine(CONFIRMATIONS);
    let watching = custody.watch_bitcoin(&node);
    assert_all_credited_once(&custody, &deposits).await;
    watching.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_or_stale_cursor_means_reading_again_and_nothing_else() {
    let node = Core::litecoind();
    let custody = Custody::open(Network::LitecoinRegtest).await;
    let txid = node.fund(custody.address.as_str(), PAID);
    let mut deposits = vec![deposit_of(&node, &custody, &txid)];
    node.mine(CONFIRMATIONS);
    let mut watching = custody.watch_bitcoin(&node);
    assert_all_credited_once(&custody, &deposits).await;
    watching.until_read(node.height()).await;
    watching.kill().await;
    let entries = custody.log.head();
    let kept = custody.cursors().load(custody.network).expect("a cursor");
    let elsewhere = |change: fn(&mut strongroom_commands::deposits::Cursor)| {
        let mut cursor = kept.clone();
        change(&mut cursor);
        cursor
    };
    let stale = [
        elsewhere(|cursor| cursor.blocks.iter_mut().for_each(|at| at.hash = "00".repeat(32))),
        elsewhere(|cursor| cursor.blocks.iter_mut().for_each(|at| at.hash = "none".to_owned())),
        elsewhere(|cursor| cursor.blocks.iter_mut().for_each(|at| at.height += 1000)),
        elsewhere(|cursor| cursor.blocks.last_mut().unwrap().hash = "00".repeat(32)),
        elsewhere(|cursor| cursor.blocks.reverse()),
        elsewhere(|cursor| cursor.blocks.clear()),
        elsewhere(|cursor| cursor.log.position += 1000),
        elsewhere(|cursor| cursor.log.position -= 1),
        elsewhere(|cursor| cursor.log.position = 0),
        kept.clone(),
    ];
    for cursor in stale {
        custody.cursors().save(custody.network, &cursor);
        let mut watching = custody.watch_bitcoin(&node);
        watching.until_read(node.height()).await;
        watching.kill().await;
        assert_eq!(custody.log.head(), entries, "{cursor:?}");
    }
    std::fs::remove_dir_all(custody.cursors.path()).unwrap();
    let watching = custody.watch_bitcoin(&node);
    let txid = node.fund(custody.address.as_str(), PAID);
    deposits.push(deposit_of(&node, &custody, &txid));
    node.mine(CONFIRMATIONS);
    assert_all_credited_once(&custody, &deposits).await;
    watching.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_log_hides_no_deposit() {
    let node = Core::litecoind();
    let before = Custody::open(Network::LitecoinRegtest).await;
    let custody = Custody::open(Network::LitecoinRegtest).await;
    let txid = node.fund(custody.address.as_str(), PAID);
    let deposit = deposit_of(&node, &custody, &txid);
    node.mine(CONFIRMATIONS);
    // The cursor of a log that knew nothing of this address is beyond the deposit.
    let mut watching = before.watch_bitcoin(&node);
    watching.until_read(node.height()).await;
    watching.kill().await;
    let cursor = before.cursors().load(before.network).expect("a cursor");
    custody.cursors().save(custody.network, &cursor);
    let watching = custody.watch_bitcoin(&node);
    assert_all_credited_once(&custody, &[deposit]).await;
    watching.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_down_is_waited_for_and_no_block_is_skipped() {
    let mut node = Core::litecoind();
    let custody = Custody::open(Network::LitecoinRegtest).await;
    let mut watching = custody.watch_bitcoin(&node);
    let txid = node.fund(custody.address.as_str(), PAID);
    let mut deposits = vec![deposit_of(&node, &custody, &txid)];
    node.mine(1);
    custody.until_confirming(deposits[0]).await;
    node.stop();
    watching.until_in_trouble().await;
    assert_eq!(custody.total(), 0);
    node.restart();
    let txid = node.fund(custody.address.as_str(), PAID);
    deposits.push(deposit_of(&node, &custody, &txid));
    node.mine(CONFIRMATIONS);
    assert_all_credited_once(&custody, &deposits).await;
    watching.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_starts_while_its_node_is_down() {
    let mut node = Core::litecoind();
    let custody = Custody::open(Network::LitecoinRegtest).await;
    let txid = node.fund(custody.address.as_str(), PAID);
    let deposit = deposit_of(&node, &custody, &txid);
    node.mine(CONFIRMATIONS);
    node.stop();
    let mut watching = custody.watch_bitcoin(&node);
    watching.until_in_trouble().await;
    node.restart();
    assert_all_credited_once(&custody, &[deposit]).await;
    watching.kill().await;
}
