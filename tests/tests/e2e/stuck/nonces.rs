//! anvil: replacement by account nonce, a pool that forgets, and a nonce that others wait for.

use serde_json::json;
use strongroom_domain::Network;
use strongroom_tests::deployment::Networks;
use strongroom_tests::journey::{amounts, text};

use super::{Desk, fee};

const GWEI: u128 = 1_000_000_000;

/// Waits until the node has a transaction, in its pool or in a block.
fn has(desk: &Desk, transaction: &str) {
    let started = std::time::Instant::now();
    let node = &desk.strongroom.networks.ethereum;
    let id = format!("0x{transaction}");
    while node.must("eth_getTransactionByHash", json!([id])).is_null() {
        assert!(started.elapsed() < strongroom_tests::journey::PATIENCE, "{id} did not come");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn what_a_node_drops_comes_again_and_what_is_too_cheap_is_replaced_by_its_nonce() {
    let root = tempfile::tempdir().unwrap();
    let network = Network::EthereumDev;
    let mut desk = Desk::found(root.path(), Networks::without_bitcoin(), network, 1);
    let cap = amounts(network).2;

    // Dropped, and handed over again.
    let transfer = desk.pay(cap);
    let first = desk.attempt(&transfer, 1, "broadcast_at");
    let id = text(&first, "transaction_id");
    let node = &desk.strongroom.networks.ethereum;
    node.must("anvil_dropTransaction", json!([format!("0x{id}")]));
    has(&desk, &id);

    // The base fee rises above all that it offers: the same nonce for more.
    let base = format!("{:#x}", 20 * GWEI);
    desk.strongroom.networks.ethereum.must("anvil_setNextBlockBaseFeePerGas", json!([base]));
    let second = desk.attempt(&transfer, 2, "broadcast_at");
    has(&desk, &text(&second, "transaction_id"));
    desk.mine();
    let story = desk.strongroom.desk.wait_for(&transfer, &["confirmed"]);
    assert_eq!(story["transaction"]["transaction_id"], second["transaction_id"]);
    assert!(fee(&story) <= text(&second, "fee").parse().unwrap());

    // Abandoned: nothing, to the wallet itself, with the same nonce.
    let before = desk.strongroom.desk.available(&desk.custody.account);
    let transfer = desk.pay(cap);
    desk.attempt(&transfer, 1, "broadcast_at");
    desk.abandon(&transfer);
    let cancelled = desk.attempt(&transfer, 2, "broadcast_at");
    assert_eq!(cancelled["purpose"], "cancellation");
    desk.mine();
    let story = desk.strongroom.desk.wait_for(&transfer, &["abandoned"]);
    let left = desk.strongroom.desk.available(&desk.custody.account);
    assert_eq!(left, before - fee(&story));
    desk.audit();
}

#[test]
fn a_nonce_that_a_later_payment_waits_for_is_used_up_by_the_saga() {
    let root = tempfile::tempdir().unwrap();
    let network = Network::EthereumDev;
    let mut desk = Desk::found(root.path(), Networks::without_bitcoin(), network, 1);
    let cap = amounts(network).2;
    let forbidden = desk.destinations.last().unwrap().clone();

    // Two payments have their nonces; no signer has heard of them.
    let (first, first_question) = desk.ask(cap);
    let (second, second_question) = desk.ask(cap);
    desk.signers("STOP");
    desk.strongroom.desk.approve(&first_question);
    desk.attempt(&first, 1, "authorised_at");
    desk.strongroom.desk.approve(&second_question);
    desk.attempt(&second, 1, "authorised_at");

    // The first one's destination is allowed no more: signers ask the policy in force.
    forbid(&desk, &forbidden);
    desk.signers("CONT");
    desk.attempt(&second, 1, "broadcast_at");
    let cancelled = desk.attempt(&first, 2, "authorised_at");
    assert_eq!(cancelled["purpose"], "cancellation");
    // A crash in the middle of it.
    desk.restart();
    desk.attempt(&first, 2, "broadcast_at");
    desk.mine();
    desk.strongroom.desk.wait_for(&second, &["confirmed"]);
    desk.strongroom.desk.wait_for(&first, &["abandoned"]);
    desk.audit();
}

fn forbid(desk: &Desk, address: &str) {
    let people = &desk.strongroom.desk;
    let client = people.initiator();
    let mut policy = client.get("/policy").ok()["policy"].take();
    let version = policy["version"].as_u64().unwrap() + 1;
    policy["version"] = json!(version);
    let all = policy["destinations"].as_array_mut().unwrap();
    all.retain(|known| known["address"] != address);
    let answer = client.post("/policies", &json!({ "policy": policy })).ok();
    people.approve(&text(&answer, "proposal"));
    client.wait("/policy", strongroom_tests::journey::PATIENCE, |now| now["version"] == version);
}
