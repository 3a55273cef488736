//! litecoind, with its own memory pool's rules: BIP 125 where it replaces, a child where it does not.

use serde_json::{Value, json};
use strongroom_domain::Network;
use strongroom_tests::deployment::Networks;
use strongroom_tests::journey::text;
use strongroom_tests::regtest::{Anvil, BitcoinRegtest as _, Core};

use super::{Desk, fee};

/// About two base units for each virtual byte: the node relays it, and its market asks for ten.
const CHEAP: u128 = 400;
const RAISED: u128 = 60_000;

fn pool(desk: &Desk) -> Vec<String> {
    let pool = desk.strongroom.networks.litecoin.must("getrawmempool", json!([]));
    let ids = pool.as_array().unwrap().iter();
    ids.map(|id| id.as_str().unwrap().to_owned()).collect()
}

fn fee_of(attempt: &Value) -> u128 {
    text(attempt, "fee").parse().unwrap()
}

#[test]
fn a_cheap_payment_is_replaced_once_its_quorum_lets_it_cost_more_or_cancelled() {
    let root = tempfile::tempdir().unwrap();
    let networks = Networks::without_bitcoin();
    let mut desk = Desk::found(root.path(), networks, Network::LitecoinRegtest, 4);

    // Replaced, within the raised cap and not before.
    let transfer = desk.pay(CHEAP);
    let first = desk.attempt(&transfer, 1, "broadcast_at");
    desk.waits_for(&transfer, "fee cap");
    assert_eq!(pool(&desk), [text(&first, "transaction_id")]);
    desk.raise(&transfer, RAISED);
    let second = desk.attempt(&transfer, 2, "broadcast_at");
    assert_eq!(pool(&desk), [text(&second, "transaction_id")], "the node has replaced it");
    assert!(fee_of(&first) <= CHEAP && fee_of(&second) > fee_of(&first));
    desk.mine();
    let story = desk.strongroom.desk.wait_for(&transfer, &["confirmed"]);
    assert_eq!(story["transaction"]["transaction_id"], second["transaction_id"]);
    assert_eq!(fee(&story), fee_of(&second));

    // The server dies when the replacement is recorded and no signer has heard of it.
    let transfer = desk.pay(CHEAP);
    desk.attempt(&transfer, 1, "broadcast_at");
    desk.signers("STOP");
    desk.raise(&transfer, RAISED);
    desk.attempt(&transfer, 2, "authorised_at");
    desk.strongroom.server.kill();
    desk.signers("CONT");
    desk.strongroom.server.start();
    desk.attempt(&transfer, 2, "broadcast_at");
    // And once more when the node has it.
    desk.restart();
    desk.mine();
    let story = desk.strongroom.desk.wait_for(&transfer, &["confirmed"]);
    assert_eq!(story["attempts"].as_array().unwrap().len(), 2);

    // The first one is faster, while the second is being signed and its server dead.
    let transfer = desk.pay(CHEAP);
    let first = desk.attempt(&transfer, 1, "broadcast_at");
    desk.signers("STOP");
    desk.raise(&transfer, RAISED);
    desk.attempt(&transfer, 2, "authorised_at");
    desk.strongroom.server.kill();
    desk.mine();
    desk.strongroom.server.start();
    let story = desk.strongroom.desk.wait_for(&transfer, &["confirmed"]);
    desk.signers("CONT");
    assert_eq!(story["transaction"]["transaction_id"], first["transaction_id"]);
    assert_eq!(fee(&story), fee_of(&first));

    // Abandoned: a quorum, and a transaction that makes the payment impossible.
    let before = desk.strongroom.desk.available(&desk.custody.account);
    let transfer = desk.pay(RAISED);
    let paid = desk.attempt(&transfer, 1, "broadcast_at");
    desk.abandon(&transfer);
    let cancelled = desk.attempt(&transfer, 2, "broadcast_at");
    assert_eq!(cancelled["purpose"], "cancellation");
    assert_eq!(pool(&desk), [text(&cancelled, "transaction_id")]);
    assert!(fee_of(&cancelled) > fee_of(&paid));
    desk.mine();
    let story = desk.strongroom.desk.wait_for(&transfer, &["abandoned"]);
    let left = desk.strongroom.desk.available(&desk.custody.account);
    assert_eq!(left, before - fee(&story), "everything but the fee is the client's again");
    desk.audit();
}

#[test]
fn where_the_node_replaces_nothing_a_child_pays_for_its_parent() {
    let root = tempfile::tempdir().unwrap();
    // litecoind's default.
    let networks =
        Networks { bitcoin: None, litecoin: Core::litecoind(), ethereum: Anvil::start() };
    let mut desk = Desk::found(root.path(), networks, Network::LitecoinRegtest, 1);
    let transfer = desk.pay(CHEAP);
    let first = desk.attempt(&transfer, 1, "broadcast_at");
    desk.waits_for(&transfer, "fee cap");
    desk.raise(&transfer, RAISED);
    // Refused by the node; signed all the same, so it is watched too.
    desk.attempt(&transfer, 2, "signed_at");
    let child = desk.attempt(&transfer, 3, "broadcast_at");
    assert_eq!(child["purpose"], "child");
    let (parent, child_id) = (text(&first, "transaction_id"), text(&child, "transaction_id"));
    let mut there = pool(&desk);
    there.sort();
    let mut expected = vec![parent.clone(), child_id];
    expected.sort();
    assert_eq!(there, expected);
    desk.mine();
    let story = desk.strongroom.desk.wait_for(&transfer, &["confirmed"]);
    assert_eq!(story["transaction"]["transaction_id"], parent.as_str());
    assert_eq!(fee(&story), fee_of(&first) + fee_of(&child), "for both together");
    desk.audit();
}
