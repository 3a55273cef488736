//! The main job on every chain of this machine, with its refusals, and what must not be found
//! afterwards: secrets.

use std::path::Path;

use serde_json::{Value, json};
use strongroom_tests::deployment::{Deployment, Networks};
use strongroom_tests::journey::{Payment, amounts, fresh_key, text};

/// Everything that a secret was made of in this deployment.
fn canaries(strongroom: &Deployment) -> Vec<(String, String)> {
    let mut files = vec![strongroom.server.folder.join("passphrase")];
    for signer in &strongroom.signers {
        files.push(signer.folder.join("passphrase"));
        files.extend(signer.hsm.as_ref().map(|hsm| hsm.pin_file.clone()));
    }
    let institution = &strongroom.desk.institution;
    let people = [&institution.initiator, &institution.auditor];
    for person in people.into_iter().chain(&institution.approvers) {
        files.push(person.token_file.clone());
        files.extend(person.key.as_ref().map(|(_, passphrase)| passphrase.clone()));
    }
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap().trim().to_owned();
        // Of a token the id is public, the secret is what follows it.
        let secret = text.rsplit('_').next().unwrap().to_owned();
        assert!(secret.len() >= 16, "{}", path.display());
        (path.display().to_string(), secret)
    };
    files.iter().map(read).collect()
}

/// Every file below a folder that is no place for secrets by design.
fn files_below(folder: &Path, all: &mut Vec<std::path::PathBuf>) {
    for entry in folder.read_dir().unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_below(&path, all);
        } else {
            all.push(path);
        }
    }
}

fn assert_no_canary(strongroom: &Deployment, canaries: &[(String, String)]) {
    let mut files = Vec::new();
    files_below(&strongroom.root, &mut files);
    for path in files {
        let holds_secrets =
            canaries.iter().any(|(source, _)| *source == path.display().to_string());
        if holds_secrets {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        for (source, canary) in canaries {
            let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!found, "the secret of {source} is in {}", path.display());
        }
    }
    let processes = std::process::Command::new("ps").args(["axeww"]).output().unwrap();
    let processes = String::from_utf8_lossy(&processes.stdout).into_owned();
    for (source, canary) in canaries {
        assert!(!processes.contains(canary), "the secret of {source} is in the process list");
    }
}

#[test]
fn one_withdrawal_on_each_chain_from_request_to_proof() {
    let root = tempfile::tempdir().unwrap();
    let mut strongroom = Deployment::found(root.path(), Networks::start());
    let networks = strongroom.networks.all();
    let outside: Vec<_> =
        networks.iter().map(|network| (*network, strongroom.outside_address(*network))).collect();
    strongroom.desk.allow(&outside);
    for (network, destination) in &outside {
        let custody = strongroom.desk.custody(*network);
        let (deposit, amount, fee_cap) = amounts(*network);
        strongroom.deposit(&custody, deposit);
        let payment =
            Payment { custody: custody.clone(), destination: destination.clone(), amount, fee_cap };
        let stranger =
            Payment { destination: strongroom.stranger_address(*network), ..payment.clone() };
        let client = strongroom.desk.initiator();
        let refused = client.post("/transactions", &strongroom.desk.request(&stranger));
        assert_eq!(refused.refused(), "destination-allowlist");
        the_maker_is_no_checker(&strongroom, &payment);
        repeats_are_answered_alike(&strongroom, &payment);
        let confirmed = strongroom.withdraw(&payment);
        assert!(
            strongroom.node_knows(*network, &text(&confirmed["transaction"], "transaction_id"))
        );
        let left = strongroom.desk.available(&custody.account);
        assert!(left < deposit - amount && left >= deposit - amount - fee_cap, "{left}");
    }
    the_audit_agrees(&strongroom);
    let canaries = canaries(&strongroom);
    assert_no_canary(&strongroom, &canaries);
    strongroom.stop();
}

fn the_maker_is_no_checker(strongroom: &Deployment, payment: &Payment) {
    let desk = &strongroom.desk;
    let maker = &desk.institution.approvers[0];
    let client = desk.client(maker);
    let answer = client.post("/transactions", &desk.request(payment)).ok();
    let said = desk.approve_as(maker, &text(&answer, "proposal")).unwrap_err();
    assert!(said.contains("maker-checker"), "{said}");
    let transfer = text(&answer, "transaction");
    let early = client.post(&format!("/transactions/{transfer}/sign"), &json!({}));
    assert!((400..500).contains(&early.status), "signing before the quorum: {early:?}");
    client.post(&format!("/transactions/{transfer}/cancel"), &json!({})).ok();
}

fn repeats_are_answered_alike(strongroom: &Deployment, payment: &Payment) {
    let (client, key) = (strongroom.desk.initiator(), fresh_key());
    let body = strongroom.desk.request(payment);
    let first = client.post_as("/transactions", &body, &key).ok();
    let again = client.post_as("/transactions", &body, &key).ok();
    assert_eq!(first, again);
    let other: Value = {
        let mut body = body;
        body["amount"] = json!("1");
        body
    };
    let reused = client.post_as("/transactions", &other, &key);
    assert!((400..500).contains(&reused.status), "{reused:?}");
    let transfer = text(&first, "transaction");
    client.post(&format!("/transactions/{transfer}/cancel"), &json!({})).ok();
}

/// The auditor's tool, on the log of a server that runs.
pub(super) fn the_audit_agrees(strongroom: &Deployment) {
    let log = strongroom.log_file().display().to_string();
    let read = strongroom.server.data.join("read.db").display().to_string();
    let genesis = &strongroom.desk.institution.genesis;
    let (code, said) = strongroom.desk.replay(&["verify", &log, "--genesis", genesis]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = strongroom.desk.replay(&["compare", &log, &read]);
    assert_eq!(code, 0, "{said}");
}
