//! An Ed25519 key that no signer has: its ceremony, proof and refresh over REST, with real processes. No
//! network uses it yet.

use serde_json::{Value, json};
use strongroom_tests::deployment::{Deployment, Networks};
use strongroom_tests::journey::{PATIENCE, text};

#[test]
fn an_ed25519_key_in_shares_is_made_proven_and_refreshed_and_outlives_a_signer() {
    let root = tempfile::tempdir().unwrap();
    let mut strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
    let holders: Vec<_> = strongroom.desk.signers.iter().take(3).cloned().collect();
    let client = strongroom.desk.initiator();
    let asked =
        json!({"protocol": "frost-ed25519/1", "threshold": 2, "participants": holders.clone()});
    let answer = client.post("/keys", &asked).ok();
    strongroom.desk.approve(&text(&answer, "proposal"));
    let path = format!("/keys/{}", text(&answer, "key"));
    let proven = |key: &Value| {
        assert!(key["state"] != "failed", "the ceremony failed: {key}");
        key["state"] == "active" && key["proof"] != "awaited"
    };
    let made = client.wait(&path, PATIENCE, proven);
    let public = text(&made, "public_key");
    assert_eq!(public.len(), 64, "32 bytes: {public}");
    // No network takes it: the rule says so.
    let wallet = json!({"network": "ethereum-dev", "key": text(&answer, "key")});
    assert_eq!(client.post("/wallets", &wallet).refused(), "wallet-state");

    let change = |strongroom: &Deployment, body: &Value, epoch: u64| {
        let client = strongroom.desk.initiator();
        let asked = client.post(&format!("{path}/changes"), body).ok();
        strongroom.desk.approve(&text(&asked, "proposal"));
        client.wait(&path, PATIENCE, |key| {
            key["change"].is_null() && key["proof"] != "awaited" && key["epoch"] == json!(epoch)
        })
    };
    let refreshed = change(&strongroom, &json!({}), 2);
    assert_eq!(text(&refreshed, "public_key"), public);
    // The first one dies: the others give its share to the fourth, and the two of them that are left
    // show by themselves that the key signs.
    strongroom.signers[0].kill();
    let joins = strongroom.desk.signers[3].clone();
    let replaced = change(&strongroom, &json!({"dropped": [holders[0]], "joining": joins}), 3);
    assert_eq!(text(&replaced, "public_key"), public);
    strongroom.signers[0].start();
    let log = strongroom.log_file().display().to_string();
    let stream = format!("key-{}", text(&answer, "key"));
    let (code, told) = strongroom.desk.replay(&["explain", &stream, &log]);
    assert_eq!(code, 0, "{told}");
    for told_of in ["frost-ed25519/1", "epoch 3", joins.as_str()] {
        assert!(told.contains(told_of), "no {told_of} in {told}");
    }
    super::spine::the_audit_agrees(&strongroom);
    strongroom.stop();
}
