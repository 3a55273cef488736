//! Wallets, keys, accounts, deposits and balances, as they are read.

use crate::house::House;
use serde_json::json;

#[tokio::test]
async fn what_was_written_is_read_at_once() {
    let house = House::new();
    let server = house.serve().await;
    let (ian, eve) = (house.token("ian"), house.token("eve"));
    let body = json!({ "network": "litecoin-regtest", "key": house.free_key, "tier": "hot" });
    let created = server.post(&ian, "/wallets", "w", &body).await;
    assert_eq!(created.status, 201, "{created:?}");
    let wallet = server.get(&eve, &format!("/wallets/{}", created.text("wallet"))).await;
    assert_eq!(wallet.body["wallet"]["network"], "litecoin-regtest");
    assert_eq!(wallet.body["addresses"], json!([]));
    let wallets = server.get(&eve, "/wallets").await;
    assert_eq!(wallets.body["items"].as_array().unwrap().len(), 2);
    let key = server.get(&eve, &format!("/keys/{}", house.free_key)).await;
    assert_eq!(key.body["wallet"], created.body["wallet"]);
    assert_eq!((&key.body["state"], &key.body["threshold"]), (&json!("active"), &json!(2)));
    server.stop().await;
}

#[tokio::test]
async fn balances_are_the_ledgers_and_debits_equal_credits() {
    let house = House::new();
    let server = house.serve().await;
    let eve = house.token("eve");
    let account = server.get(&eve, &format!("/accounts/{}", house.account)).await;
    assert_eq!(account.body["account"]["available"], "100000000");
    let address = &account.body["addresses"][0];
    assert_eq!((&address["path"], &address["beyond_gap"]), (&json!("0/0"), &json!(false)));
    let full_path = address["full_path"].as_str().unwrap();
    assert!(full_path.starts_with("m/0/0 of key "), "{full_path}");
    let deposits = server.get(&eve, "/deposits?state=credited").await;
    assert_eq!(deposits.body["items"][0]["amount"], "100000000");
    let balances = server.get(&eve, "/balances").await;
    assert_eq!(balances.body[0]["asset"], "litecoin-regtest/ltc");
    assert_eq!(balances.body[0]["balanced"], true);
    assert_eq!(balances.body[0]["custody"]["debits"], "100000000");
    assert_eq!(balances.body[0]["clients"]["credits"], "100000000");
    let signers = server.get(&eve, "/signers").await;
    assert_eq!(signers.body["items"].as_array().unwrap().len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn lists_come_in_pages_that_join() {
    let house = House::new();
    let server = house.serve().await;
    let (ian, eve) = (house.token("ian"), house.token("eve"));
    for key in ["1", "2", "3"] {
        let body = json!({ "asset": "litecoin-regtest/ltc" });
        assert_eq!(server.post(&ian, "/accounts", key, &body).await.status, 201);
    }
    let all = server.get(&eve, "/accounts").await;
    let first = server.get(&eve, "/accounts?limit=3").await;
    let next = first.body["next"].as_u64().unwrap();
    let second = server.get(&eve, &format!("/accounts?limit=3&after={next}")).await;
    assert!(second.body["next"].is_null());
    let mut joined = first.body["items"].as_array().unwrap().clone();
    joined.extend(second.body["items"].as_array().unwrap().iter().cloned());
    assert_eq!(all.body["items"], json!(joined));
    assert_eq!(joined.len(), 4);
    server.stop().await;
}

#[tokio::test]
async fn a_key_is_asked_of_the_governing_quorum() {
    let house = House::new();
    let server = house.serve().await;
    let ian = house.token("ian");
    let signers = server.get(&ian, "/signers").await;
    let ids: Vec<_> = (0..2).map(|n| signers.body["items"][n]["signer"].clone()).collect();
    let body = json!({ "protocol": "frost-secp256k1-tr/1", "threshold": 2, "participants": ids });
    let asked = server.post(&ian, "/keys", "k", &body).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let waiting = server.get(&ian, "/approvals").await;
    assert_eq!(waiting.body["items"][0]["proposal"], asked.body["proposal"]);
    assert_eq!(waiting.body["items"][0]["kind"], "key-ceremony");
    let alone = json!({ "protocol": "frost-secp256k1-tr/1", "threshold": 1, "participants": ids });
    server.post(&ian, "/keys", "l", &alone).await.is_problem(422, "refused/ceremony-plan");
    server.stop().await;
}

/// Twenty addresses that nobody paid to yet do not stop a client from having one: it is said.
#[tokio::test]
async fn an_address_behind_the_gap_is_given_out_and_said_to_be() {
    let house = House::new();
    let server = house.serve().await;
    let (ian, eve) = (house.token("ian"), house.token("eve"));
    let body = json!({ "account": house.account });
    let path = format!("/wallets/{}/addresses", house.wallet);
    for number in 1..=21 {
        let given = server.post(&ian, &path, &format!("a{number}"), &body).await;
        assert_eq!(given.status, 201, "{given:?}");
        // A deposit arrived at 0/0, so the first twenty behind it are found.
        assert_eq!(given.body["path"], format!("0/{number}"));
        assert_eq!(given.body["beyond_gap"], number > 20, "{number}");
        assert!(given.text("full_path").starts_with(&format!("m/0/{number} of key ")));
    }
    let wallet = server.get(&eve, &format!("/wallets/{}", house.wallet)).await;
    let addresses = wallet.body["addresses"].as_array().unwrap();
    let beyond: Vec<_> = addresses.iter().filter(|one| one["beyond_gap"] == true).collect();
    assert_eq!(beyond.len(), 1);
    assert_eq!(beyond[0]["path"], "0/21");
    server.stop().await;
}

/// A key says whose share nobody could restore, and takes no backup of something else.
#[tokio::test]
async fn a_key_says_whose_share_has_no_backup() {
    let house = House::new();
    let server = house.serve().await;
    let (ian, eve) = (house.token("ian"), house.token("eve"));
    let path = format!("/keys/{}", house.free_key);
    let key = server.get(&eve, &path).await;
    let participants = key.body["participants"].as_array().unwrap();
    assert_eq!(key.body["not_backed_up"].as_array().unwrap(), participants);
    assert_eq!(key.body["backups"], json!([]));
    let word = json!({
        "signer": participants[0], "epoch": 1, "taken_at": "2026-01-01T00:00:00.000000Z",
        "threshold": 2, "officers": [], "commitment": ["00", "01"], "signature": "00",
    });
    let refused = server.post(&ian, &format!("{path}/backups"), "b", &word).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let word = json!({
        "signer": participants[0], "epoch": 1, "taken_at": "2026-01-01T00:00:00.000000Z",
        "officers": [], "signature": "00",
    });
    let refused = server.post(&ian, &format!("{path}/drills"), "d", &word).await;
    assert_eq!(refused.body["rule"], "key-backup", "{refused:?}");
    let forbidden = server.post(&eve, &format!("{path}/drills"), "d", &word).await;
    assert_eq!(forbidden.status, 403, "{forbidden:?}");
    let metrics = server.raw("/metrics", None).await.text();
    assert!(metrics.contains("strongroom_recovery_drills_overdue 0\n"), "{metrics}");
    assert!(!metrics.contains("strongroom_shares_without_backup 0\n"), "{metrics}");
    server.stop().await;
}
