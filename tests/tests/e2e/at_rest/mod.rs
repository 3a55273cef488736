//! A whole institution whose signers' shares are sealed under Vault, with a key that Vault holds. A real
//! Vault, real nodes and processes; nobody restarts anything because Vault was away.

#[path = "../../../../signer/tests/at_rest/vault.rs"]
#[allow(dead_code, reason = "the signer's own tests use the rest of it")]
mod vault;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::json;
use strongroom_domain::Network;
use strongroom_tests::deployment::{Deployment, Networks};
use strongroom_tests::journey::{PATIENCE, Payment, amounts, text};

use vault::TestVault;

/// A file that only its owner reads.
pub(crate) fn write_private(path: &Path, text: &str) {
    fs::write(path, format!("{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

const NETWORK: Network = Network::LitecoinRegtest;

#[test]
fn shares_under_vault_pay_and_wait_for_it_and_vault_holds_a_key() {
    let vault = TestVault::start();
    let root = tempfile::tempdir().unwrap();
    let mut strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
    let destination = strongroom.outside_address(NETWORK);
    strongroom.desk.allow(&[(NETWORK, destination.clone())]);
    let custody = strongroom.desk.custody(NETWORK);
    let (deposit, _, fee_cap) = amounts(NETWORK);
    strongroom.deposit(&custody, deposit);
    let payment = Payment { custody, destination, amount: deposit / 10, fee_cap };
    strongroom.withdraw(&payment);

    // All files of all three holders move to Vault, each under a key of its own.
    for (number, signer) in strongroom.signers.iter_mut().take(3).enumerate() {
        let key = format!("signer-{number}");
        vault.make_kek(&key);
        signer.stop();
        signer.reseal(&format!("[sealing]\nvault_key = {key:?}\n{}", vault.table()));
        signer.start();
    }
    strongroom.withdraw(&payment);

    // Vault is sealed after the signers started and before they opened their shares: two of three
    // start anew, and the third waits for it from its start.
    strongroom.signers[0].stop();
    strongroom.signers[1].stop();
    strongroom.signers[2].stop();
    strongroom.signers[0].start();
    strongroom.signers[1].start();
    vault.seal();
    strongroom.signers[2].launch();
    let (transfer, proposal) = strongroom.desk.ask(&payment);
    strongroom.desk.approve(&proposal);
    strongroom.desk.wait_for(&transfer, &["signing"]);
    let said = || fs::read_to_string(strongroom.signers[0].log()).unwrap_or_default();
    let waits = || fs::read_to_string(strongroom.signers[2].log()).unwrap_or_default();
    until(|| said().contains("this signer's key share can't be used"), &said);
    until(|| waits().contains("waiting for the key"), &waits);
    vault.unseal();
    strongroom.settle(NETWORK, &transfer);

    // A key of Vault's: asked for while Vault is sealed, made and proven when it is back.
    vault.seal();
    let client = strongroom.desk.initiator();
    let asked = json!({
        "protocol": "vault-ed25519/1", "threshold": 1, "participants": [strongroom.signers[0].id]
    });
    let answer = client.post("/keys", &asked).ok();
    strongroom.desk.approve(&text(&answer, "proposal"));
    let key = text(&answer, "key");
    until(|| said().contains("can't be used now"), &said);
    assert_ne!(text(&client.get(&format!("/keys/{key}")).ok(), "state"), "active");
    vault.unseal();
    let key = client.wait(&format!("/keys/{key}"), PATIENCE, |key| {
        assert!(key["state"] != "failed", "the ceremony failed: {key}");
        key["state"] == "active" && key["proof"] != "awaited"
    });
    assert_eq!(text(&key, "public_key").len(), 64, "{key}");
    super::spine::the_audit_agrees(&strongroom);
    strongroom.stop();
}

fn until(holds: impl Fn() -> bool, said: &dyn Fn() -> String) {
    let started = std::time::Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{}", said());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
