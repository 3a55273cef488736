//! A payment's way to its quorum, and the ways that end before.

use crate::house::{House, payment};
use serde_json::json;

#[tokio::test]
async fn a_payment_is_approved_by_its_quorum_and_only_then_reported_for_signing() {
    let house = House::new();
    let server = house.serve().await;
    let (ian, eve) = (house.token("ian"), house.token("eve"));
    let body = payment(house.account, house.wallet, 1_000_000, &house.allowed);
    let asked = server.post(&ian, "/transactions", "t", &body).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let (id, proposal) = (asked.text("transaction"), asked.text("proposal"));
    let sign = format!("/transactions/{id}/sign");
    server.post(&ian, &sign, "-", &json!({})).await.is_problem(422, "refused/transfer-state");
    let account = server.get(&eve, &format!("/accounts/{}", house.account)).await;
    assert_eq!(account.body["account"]["pending"], "1010000");
    let path = format!("/approvals/{proposal}");
    for (name, reached) in [("bob", false), ("cyd", true)] {
        let answer = server.signed(&house, name, &proposal).await;
        let given = server.post(&house.token(name), &path, "a", &answer).await;
        assert_eq!(given.body["quorum_reached"], reached, "{given:?}");
    }
    let report = server.post(&ian, &sign, "-", &json!({})).await;
    assert_eq!((report.status, &report.body["state"]), (200, &json!("approved")), "{report:?}");
    let story = server.get(&eve, &format!("/transactions/{id}")).await;
    assert_eq!(story.body["proposal"]["answers"].as_array().unwrap().len(), 2);
    let kinds: Vec<_> = story.body["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds.first().unwrap(), "transfer.requested");
    assert!(kinds.contains(&"proposal.quorum-reached".to_owned()));
    assert_eq!(kinds.last().unwrap(), "transfer.approved");
    server.stop().await;
}

#[tokio::test]
async fn what_the_policy_forbids_is_recorded_with_every_verdict() {
    let house = House::new();
    let server = house.serve().await;
    let (ian, eve) = (house.token("ian"), house.token("eve"));
    let body = payment(house.account, house.wallet, 5000, &house.stranger);
    let refused = server.post(&ian, "/transactions", "t", &body).await;
    refused.is_problem(422, "refused/destination-allowlist");
    let id = refused.text("transaction");
    let story = server.get(&eve, &format!("/transactions/{id}")).await;
    assert_eq!(story.body["transaction"]["state"], "refused");
    assert_eq!(story.body["transaction"]["rule"], "destination-allowlist");
    let verdicts = story.body["transaction"]["decision"]["verdicts"].as_array().unwrap();
    assert_eq!(verdicts.len(), 3);
    let sign = format!("/transactions/{id}/sign");
    server.post(&ian, &sign, "-", &json!({})).await.is_problem(422, "refused/transfer-state");
    let listed = server.get(&eve, "/transactions?state=refused").await;
    assert_eq!(listed.body["items"][0]["transaction"], id);
    let metrics = server.send("GET", "/metrics", &[], "").await;
    let counted = "strongroom_commands_not_done_total{why=\"destination-allowlist\"} 1";
    assert!(metrics.body.as_str().unwrap().contains(counted));
    server.stop().await;
}

#[tokio::test]
async fn its_maker_takes_a_payment_back_and_its_hold_is_void() {
    let house = House::new();
    let server = house.serve().await;
    let (ian, cyd) = (house.token("ian"), house.token("cyd"));
    let body = payment(house.account, house.wallet, 1_000_000, &house.allowed);
    let asked = server.post(&ian, "/transactions", "t", &body).await;
    let path = format!("/transactions/{}/cancel", asked.text("transaction"));
    let stranger = server.post(&cyd, &path, "c", &json!({})).await;
    stranger.is_problem(422, "refused/not-the-maker");
    let cancelled = server.post(&ian, &path, "c", &json!({})).await;
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    assert_eq!(server.post(&ian, &path, "c", &json!({})).await, cancelled);
    let again = server.post(&ian, &path, "d", &json!({})).await;
    again.is_problem(422, "refused/proposal-not-open");
    let account = server.get(&ian, &format!("/accounts/{}", house.account)).await;
    assert_eq!(account.body["account"]["pending"], "0");
    server.stop().await;
}

#[tokio::test]
async fn a_policy_is_changed_by_the_governing_quorum() {
    let house = House::new();
    let server = house.serve().await;
    let ian = house.token("ian");
    let mut policy = server.get(&ian, "/policy").await.body["policy"].clone();
    policy["version"] = 2.into();
    let known = json!({
        "network": "litecoin-regtest", "address": house.stranger, "label": "no-stranger",
    });
    policy["destinations"].as_array_mut().unwrap().push(known);
    let asked = server.post(&ian, "/policies", "p", &json!({ "policy": policy })).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let proposal = asked.text("proposal");
    for name in ["bob", "cyd"] {
        let answer = server.signed(&house, name, &proposal).await;
        let path = format!("/approvals/{proposal}");
        assert_eq!(server.post(&house.token(name), &path, "a", &answer).await.status, 200);
    }
    assert_eq!(server.get(&ian, "/policy").await.body["version"], 2);
    policy["version"] = 3.into();
    policy["destinations"][0]["address"] = "rltc1wrong".into();
    let wrong = server.post(&ian, "/policies", "q", &json!({ "policy": policy })).await;
    wrong.is_problem(422, "refused/address-invalid");
    server.stop().await;
}
