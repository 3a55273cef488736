//! An Ed25519 key that no signer has: its ceremony, proof and refresh over REST, with real processes. No
//! network uses it yet.

use serde_json::{Value, json};
use std::io::Write as _;
use std::process::Stdio;
use strongroom_tests::deployment::{Deployment, Networks};
use strongroom_tests::journey::{PATIENCE, text};

/// What an operator does at a signer's machine, with lines typed at it.
fn at_desk(strongroom: &Deployment, signer: usize, arguments: &[&str], typed: &str) {
    let mut command = strongroom.desk.programs.signer();
    let config = strongroom.signers[signer].folder.join("signer.toml");
    command.arg(arguments[0]).arg("--config").arg(config).args(&arguments[1..]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// Two of the three pieces of a signer's share, and its word for them in the log.
fn backed_up(strongroom: &Deployment, signer: usize, key: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let word = folder.path().join("word.json");
    let officers: Vec<_> =
        strongroom.desk.institution.approvers.iter().take(3).map(|of| of.id.clone()).collect();
    let (pieces, to) = (folder.path().to_str().unwrap(), word.to_str().unwrap());
    let arguments = ["backup", "--key", key, "--officers", &officers.join(","), "--threshold", "2"];
    let arguments = [arguments.as_slice(), &["--to-files", pieces, "--word", to]].concat();
    at_desk(strongroom, signer, &arguments, "");
    let word: Value = serde_json::from_slice(&std::fs::read(&word).unwrap()).unwrap();
    strongroom.desk.initiator().post(&format!("/keys/{key}/backups"), &word).ok();
    let piece = |number| folder.path().join(format!("piece-{number}.txt"));
    [3, 1].map(|number| std::fs::read_to_string(piece(number)).unwrap()).concat()
}

#[test]
fn an_ed25519_key_in_shares_is_made_proven_refreshed_and_restored_and_outlives_a_signer() {
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

    // The second one loses its share, and officers' pieces bring it back: the key signs as before.
    let key = text(&answer, "key");
    let pieces = backed_up(&strongroom, 1, &key);
    strongroom.signers[1].stop();
    std::fs::remove_file(strongroom.signers[1].data.join(format!("share-{key}-3.sealed"))).unwrap();
    strongroom.signers[1].start();
    let lost = holders[1].clone();
    let asked = json!({"dropped": [lost.clone()], "joining": lost, "restore": true});
    let asked = strongroom.desk.initiator().post(&format!("{path}/changes"), &asked).ok();
    strongroom.desk.approve(&text(&asked, "proposal"));
    strongroom.desk.initiator().wait(&path, PATIENCE, |key| {
        key["waiting"].as_str().is_some_and(|because| because.contains("restored its share"))
    });
    strongroom.signers[1].stop();
    at_desk(&strongroom, 1, &["restore", "--key", &key], &pieces);
    strongroom.signers[1].start();
    let restored = strongroom.desk.initiator().wait(&path, PATIENCE, |key| {
        key["change"].is_null() && key["proof"] != "awaited" && key["epoch"] == json!(4)
    });
    assert_eq!(text(&restored, "public_key"), public);

    let log = strongroom.log_file().display().to_string();
    let stream = format!("key-{key}");
    let (code, told) = strongroom.desk.replay(&["explain", &stream, &log]);
    assert_eq!(code, 0, "{told}");
    for told_of in ["frost-ed25519/1", "epoch 3", "officers can give", joins.as_str()] {
        assert!(told.contains(told_of), "no {told_of} in {told}");
    }
    super::spine::the_audit_agrees(&strongroom);
    strongroom.stop();
}
