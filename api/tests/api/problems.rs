//! Every kind of failure has its own stable type.

use crate::house::{House, payment};
use serde_json::json;

#[tokio::test]
async fn what_is_malformed_is_told_what_would_be_right() {
    let house = House::new();
    let server = house.serve().await;
    let ian = house.token("ian");
    let unknown = json!({ "asset": "litecoin-regtest/ltc", "colour": "red" });
    let answer = server.post(&ian, "/accounts", "1", &unknown).await;
    answer.is_problem(400, "malformed");
    assert!(answer.text("detail").contains("unknown field `colour`"));
    let answer = server.post(&ian, "/accounts", "2", &json!({ "asset": "gold" })).await;
    answer.is_problem(400, "malformed");
    assert!(answer.text("detail").contains("expected `<network>/<symbol>`"));
    let bearer = format!("Bearer {ian}");
    let headers = [("authorization", bearer.as_str())];
    let without = server.send("POST", "/api/v1/accounts", &headers, "{}").await;
    without.is_problem(400, "idempotency-key-missing");
    let headers = [headers[0], ("idempotency-key", "two words")];
    let spaced = server.send("POST", "/api/v1/accounts", &headers, "{}").await;
    spaced.is_problem(400, "idempotency-key-malformed");
    let headers = [headers[0], ("idempotency-key", "k"), ("content-type", "text/plain")];
    for path in ["/api/v1/accounts", "/graphql"] {
        let text = server.send("POST", path, &headers, "{}").await;
        text.is_problem(415, "media-type");
    }
    server.get(&ian, "/accounts/7").await.is_problem(400, "malformed");
    server.get(&ian, "/accounts?limit=501").await.is_problem(400, "malformed");
    server.get(&ian, "/accounts?limit=0").await.is_problem(400, "malformed");
    server.get(&ian, "/accounts?colour=red").await.is_problem(400, "malformed");
    server.get(&ian, "/transactions?state=odd").await.is_problem(400, "malformed");
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_wrong_methods_are_told_apart() {
    let house = House::new();
    let server = house.serve().await;
    let eve = house.token("eve");
    for list in ["accounts", "keys", "wallets", "transactions", "approvals"] {
        let path = format!("/{list}/00000000-0000-7000-8000-00000000ffff");
        server.get(&eve, &path).await.is_problem(404, "not-found");
    }
    server.send("GET", "/nowhere", &[], "").await.is_problem(404, "not-found");
    server.send("DELETE", "/api/v1/accounts", &[], "").await.is_problem(405, "method");
    server.stop().await;
}

#[tokio::test]
async fn rules_answer_with_their_id() {
    let house = House::new();
    let server = house.serve().await;
    let ian = house.token("ian");
    let ask = async |key: &str, amount: u64, to| {
        let body = payment(house.account, house.wallet, amount, to);
        server.post(&ian, "/transactions", key, &body).await
    };
    let above = ask("1", 50_000_001, &house.allowed).await;
    above.is_problem(422, "refused/amount-tier");
    let mut other = payment(house.account, house.wallet, 5000, &house.allowed);
    other["destination"] = "rltc1nonsense".into();
    let nonsense = server.post(&ian, "/transactions", "2", &other).await;
    nonsense.is_problem(422, "refused/address-invalid");
    for (key, amount) in [("3", 50_000_000), ("4", 49_000_000)] {
        assert_eq!(ask(key, amount, &house.allowed).await.status, 202);
    }
    let overdrawn = ask("5", 2_000_000, &house.allowed).await;
    overdrawn.is_problem(422, "refused/account-overdraw");
    // A token's key has one address.
    let wallet = json!({ "network": "ethereum-dev", "key": house.hsm_key });
    let wallet = server.post(&ian, "/wallets", "6", &wallet).await;
    let account =
        server.post(&ian, "/accounts", "7", &json!({ "asset": "ethereum-dev/eth" })).await;
    let path = format!("/wallets/{}/addresses", wallet.text("wallet"));
    let body = json!({ "account": account.body["account"] });
    let first = server.post(&ian, &path, "8", &body).await;
    assert!(first.text("address").starts_with("0x"), "{first:?}");
    let second = server.post(&ian, &path, "9", &body).await;
    second.is_problem(422, "refused/wallet-single-address");
    server.stop().await;
}

#[tokio::test]
async fn a_log_that_takes_no_more_stops_the_server_with_a_reason() {
    let house = House::new();
    let server = house.serve().await;
    let ian = house.token("ian");
    assert_eq!(server.send("GET", "/readyz", &[], "").await.status, 200);
    let vandal = rusqlite::Connection::open(house.path("data/log.db")).unwrap();
    vandal.execute_batch("DROP TABLE entries").unwrap();
    let body = json!({ "asset": "litecoin-regtest/ltc" });
    let answer = server.post(&ian, "/accounts", "1", &body).await;
    answer.is_problem(500, "corrupt");
    let because = server.stopped().await.to_string();
    assert!(because.contains("Restart"), "{because}");
}
