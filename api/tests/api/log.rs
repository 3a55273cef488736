//! The log, as it is stored.

use crate::house::House;
use sha2::{Digest as _, Sha256};

#[tokio::test]
async fn what_is_served_of_the_log_can_be_checked_byte_by_byte() {
    let house = House::new();
    let server = house.serve().await;
    let eve = house.token("eve");
    let head = server.get(&eve, "/log/head").await;
    let mut leaf = "0".repeat(64);
    let mut after = 0;
    loop {
        let page = server.get(&eve, &format!("/events?limit=5&after={after}")).await;
        for event in page.body["items"].as_array().unwrap() {
            let entry = event["entry"].as_str().unwrap();
            let parsed: serde_json::Value = serde_json::from_str(entry).unwrap();
            assert_eq!(parsed["prev"], leaf);
            let payload = event["payload"].as_str().unwrap();
            assert_eq!(parsed["payload_sha256"], hex::encode(Sha256::digest(payload)));
            leaf = hex::encode(Sha256::new_with_prefix([0]).chain_update(entry).finalize());
            assert_eq!(event["leaf"], leaf);
            after += 1;
            assert_eq!(event["position"], after);
        }
        if page.body["next"].is_null() {
            break;
        }
    }
    assert_eq!((&head.body["position"], &head.body["leaf"]), (&after.into(), &leaf.into()));
    server.stop().await;
}

#[tokio::test]
async fn no_token_and_no_passphrase_is_in_the_log_or_the_public_files() {
    let house = House::new();
    let server = house.serve().await;
    let ian = house.token("ian");
    let body = serde_json::json!({ "asset": "litecoin-regtest/ltc" });
    server.post(&ian, "/accounts", "k", &body).await;
    server.stop().await;
    let secret = ian.rsplit('_').next().unwrap().to_owned();
    for needle in [secret.as_str(), "the server's passphrase"] {
        for file in std::fs::read_dir(house.path("data")).unwrap() {
            let path = file.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(needle.len()).any(|part| part == needle.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}
