//! The same key and body give the first answer again, whatever it was, also after a restart.

use crate::house::{House, PEOPLE, payment, say};
use serde_json::json;

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first_time_also_after_a_restart() {
    let house = House::new();
    let server = house.serve().await;
    let (ian, cyd) = (house.token("ian"), house.token("cyd"));
    let body = json!({ "asset": "litecoin-regtest/ltc" });
    let first = server.post(&ian, "/accounts", "one", &body).await;
    assert_eq!(first.status, 201, "{first:?}");
    let head = server.get(&ian, "/log/head").await;
    assert_eq!(server.post(&ian, "/accounts", "one", &body).await, first);
    assert_eq!(server.get(&ian, "/log/head").await, head, "nothing was appended");
    server.stop().await;
    let server = house.serve().await;
    assert_eq!(server.post(&ian, "/accounts", "one", &body).await, first);
    // Another person's key is another key.
    let others = server.post(&cyd, "/accounts", "one", &body).await;
    assert_eq!(others.status, 201);
    assert_ne!(others.body["account"], first.body["account"]);
    server.stop().await;
}

/// Makes a new token and revokes the old one, as operators do.
fn renewed(house: &House, name: &str, old: &str) -> String {
    let (data, out) = (house.path("data"), house.path("new.token"));
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let (_, id, roles) = PEOPLE.iter().find(|(known, _, _)| *known == name).unwrap();
    let issue = ["token", "issue", "--data", data, "--person", id, "--out", out, "--role"];
    say(&[&issue[..], roles].concat()).unwrap();
    say(&["token", "revoke", "--data", data, old]).unwrap();
    std::fs::read_to_string(out).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_request_that_is_repeated_with_a_new_token_makes_no_second_payment() {
    let house = House::new();
    let server = house.serve().await;
    let ian = house.token("ian");
    let asked = payment(house.account, house.wallet, 5000, &house.allowed);
    let first = server.post(&ian, "/transactions", "t", &asked).await;
    assert_eq!(first.status, 202, "{first:?}");
    let renewed = renewed(&house, "ian", &server.get(&ian, "/me").await.text("token"));
    assert_eq!(server.get(&ian, "/me").await.status, 401);
    let head = server.get(&renewed, "/log/head").await;
    assert_eq!(server.post(&renewed, "/transactions", "t", &asked).await, first);
    assert_eq!(server.get(&renewed, "/log/head").await, head, "nothing was appended");
    server.stop().await;
}

#[tokio::test]
async fn a_refusal_is_repeated_too_even_when_it_would_pass_by_then() {
    let house = House::new();
    let server = house.serve().await;
    let ian = house.token("ian");
    let wallet = json!({ "network": "bitcoin-regtest", "key": house.hsm_key });
    let refused = server.post(&ian, "/wallets", "w", &wallet).await;
    refused.is_problem(422, "refused/wallet-state");
    assert_eq!(server.post(&ian, "/wallets", "w", &wallet).await, refused);
    let denied = payment(house.account, house.wallet, 5000, &house.stranger);
    let first = server.post(&ian, "/transactions", "t", &denied).await;
    first.is_problem(422, "refused/destination-allowlist");
    server.stop().await;
    let server = house.serve().await;
    assert_eq!(server.post(&ian, "/transactions", "t", &denied).await, first);
    server.stop().await;
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let house = House::new();
    let server = house.serve().await;
    let ian = house.token("ian");
    let asset = |asset: &str| json!({ "asset": asset });
    server.post(&ian, "/accounts", "one", &asset("litecoin-regtest/ltc")).await;
    let reused = server.post(&ian, "/accounts", "one", &asset("bitcoin-regtest/btc")).await;
    reused.is_problem(422, "refused/idempotency-key-reused");
    let elsewhere = json!({ "network": "litecoin-regtest", "key": house.free_key });
    let reused = server.post(&ian, "/wallets", "one", &elsewhere).await;
    reused.is_problem(422, "refused/idempotency-key-reused");
    server.stop().await;
}

#[tokio::test]
async fn a_repeated_derivation_gives_the_same_address_and_a_new_one_the_next() {
    let house = House::new();
    let server = house.serve().await;
    let ian = house.token("ian");
    let path = format!("/wallets/{}/addresses", house.wallet);
    let body = json!({ "account": house.account });
    let first = server.post(&ian, &path, "a", &body).await;
    assert_eq!(first.body["path"], "0/1", "{first:?}");
    let second = server.post(&ian, &path, "b", &body).await;
    assert_eq!(second.body["path"], "0/2");
    assert_ne!(first.body["address"], second.body["address"]);
    assert_eq!(server.post(&ian, &path, "a", &body).await, first);
    server.stop().await;
}
