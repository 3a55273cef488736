//! `strongroom-signer init` as an operator runs it. Nothing but the real program is run here.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail like the test itself")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use strongroom_secrets::Secret;
use strongroom_signer::identity::{Enrolment, Identity};

const PASSPHRASE: &str = "canary-passphrase-7f3a";

fn init(home: &Path, mode: u32) -> Output {
    let file = home.join("passphrase");
    fs::write(&file, format!("{PASSPHRASE}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    Command::new(env!("CARGO_BIN_EXE_strongroom-signer"))
        .args(["init", "--name", "signer 1", "--data"])
        .arg(home.join("data"))
        .arg("--passphrase-file")
        .arg(file)
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat()
}

#[test]
fn init_prints_the_enrolment_of_an_identity_that_opens() {
    let home = tempfile::tempdir().unwrap();
    let output = init(home.path(), 0o600);
    assert!(output.status.success(), "{}", told(&output));
    let enrolment: Enrolment = serde_json::from_slice(&output.stdout).unwrap();
    let passphrase = Secret::new(PASSPHRASE.as_bytes().to_vec());
    let (identity, _) = Identity::open(&home.path().join("data"), &passphrase).unwrap();
    assert_eq!(identity.signer(), enrolment.signer);
    assert!(!told(&output).contains(PASSPHRASE));
}

#[test]
fn init_refuses_a_second_identity_and_an_exposed_passphrase() {
    let home = tempfile::tempdir().unwrap();
    let exposed = init(home.path(), 0o644);
    assert!(!exposed.status.success());
    assert!(told(&exposed).contains("chmod 600"), "{}", told(&exposed));
    assert!(!home.path().join("data").exists());
    assert!(init(home.path(), 0o600).status.success());
    let second = init(home.path(), 0o600);
    assert!(!second.status.success());
    assert!(told(&second).contains("exists already"), "{}", told(&second));
    assert!(!(told(&second) + &told(&exposed)).contains(PASSPHRASE));
}
