//! What Vault does for a signer, and what it is not trusted with. Never accepts a key that Vault would
//! hand out.

use std::{fs, path::PathBuf, time::Duration};

use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::json;
use strongroom_secrets::Secret;
use strongroom_vault::{Vault, VaultError, VaultSettings};

use super::{vault::TestVault, write_private};

/// The Vault or OpenBao that `STRONGROOM_VAULT_URL` names, with an aes256-gcm96 key of the name
/// `strongroom-test` in it; else one of the tests' own.
fn some_vault() -> (Option<TestVault>, Vault) {
    let Ok(url) = std::env::var("STRONGROOM_VAULT_URL") else {
        let vault = TestVault::start();
        vault.make_kek("strongroom-test");
        let client = vault.client();
        return (Some(vault), client);
    };
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let settings = VaultSettings {
        address: url.parse().unwrap(),
        ca_certificate: named("STRONGROOM_VAULT_CA"),
        token_file: named("STRONGROOM_VAULT_TOKEN_FILE"),
        mount: "transit".to_owned(),
        namespace: None,
        time_limit: Duration::from_secs(10),
    };
    (None, Vault::new(settings).unwrap())
}

fn data_key() -> Secret {
    Secret::new(b"0123456789abcdef0123456789abcdef".to_vec())
}

#[test]
fn what_is_wrapped_opens_for_its_key_and_purpose_alone() {
    let (_running, vault) = some_vault();
    vault.check_wrapping_key("strongroom-test").unwrap();
    let wrapped = vault.encrypt("strongroom-test", b"purpose", &data_key()).unwrap();
    assert!(vault.decrypt("strongroom-test", b"purpose", &wrapped).unwrap() == data_key());
    for other in [b"purposf".as_slice(), b"", b"purpose "] {
        let refused = vault.decrypt("strongroom-test", other, &wrapped);
        assert!(matches!(refused, Err(VaultError::Refused { .. })));
    }
    let missing = vault.decrypt("strongroom-nothing", b"purpose", &wrapped);
    assert!(matches!(missing, Err(VaultError::Missing { .. })), "{:?}", missing.err());
    for cut in ["", "vault:v1:", "vault:v1:AAAA", "something"] {
        let refused = vault.decrypt("strongroom-test", b"purpose", cut);
        assert!(matches!(refused, Err(VaultError::Refused { .. })), "{cut}: {:?}", refused.err());
    }
}

#[test]
fn an_ed25519_key_is_made_once_and_signs_what_it_is_given() {
    let (running, vault) = some_vault();
    let name = format!("strongroom-{}", uuid::Uuid::now_v7());
    let public = vault.make_ed25519(&name).unwrap();
    assert_eq!(vault.make_ed25519(&name).unwrap(), public, "asked again after a lost answer");
    let signature = vault.sign_ed25519(&name, &public, b"a message").unwrap();
    let verifier = VerifyingKey::from_bytes(&public).unwrap();
    let signature = Signature::from_bytes(&signature);
    assert!(verifier.verify_strict(b"a message", &signature).is_ok());
    assert!(verifier.verify_strict(b"a messagf", &signature).is_err());
    let other = vault.make_ed25519(&format!("{name}-b")).unwrap();
    let wrong = vault.sign_ed25519(&name, &other, b"a message");
    assert!(matches!(wrong, Err(VaultError::WrongSignature { .. })));

    if let Some(running) = running {
        // Somebody rotates it: the key of the log stays the first version.
        running.must("POST", &format!("transit/keys/{name}/rotate"), &json!({}));
        assert_eq!(vault.ed25519(&name).unwrap(), public);
        assert!(vault.sign_ed25519(&name, &public, b"another").is_ok());
    }
}

#[test]
fn a_key_that_vault_would_hand_out_or_lose_is_not_used() {
    let vault = TestVault::start();
    let client = vault.client();
    let make = |name: &str, body: serde_json::Value| {
        vault.must("POST", &format!("transit/keys/{name}"), &body);
    };
    for (kind, check) in [
        ("aes256-gcm96", (|it: &Vault, name: &str| it.check_wrapping_key(name)) as fn(&_, &_) -> _),
        ("ed25519", |it: &Vault, name: &str| it.ed25519(name).map(drop)),
    ] {
        make(&format!("{kind}-good"), json!({ "type": kind }));
        check(&client, &format!("{kind}-good")).unwrap();
        for (name, body) in [
            ("exported", json!({ "type": kind, "exportable": true })),
            ("backed-up", json!({ "type": kind, "allow_plaintext_backup": true })),
            ("derived", json!({ "type": kind, "derived": true })),
            ("other", json!({ "type": "chacha20-poly1305" })),
        ] {
            let name = format!("{kind}-{name}");
            make(&name, body);
            let refused = check(&client, &name);
            assert!(matches!(refused, Err(VaultError::Unfit { .. })), "{name}: {refused:?}");
        }
        let deleted = format!("{kind}-good/config");
        make(&deleted, json!({ "deletion_allowed": true }));
        let refused = check(&client, &format!("{kind}-good"));
        assert!(matches!(refused, Err(VaultError::Unfit { .. })));
    }
}

#[test]
fn a_vault_that_is_away_is_unavailable_and_the_same_client_works_when_it_is_back() {
    let mut vault = TestVault::start();
    vault.make_kek("kek");
    let client = vault.client();
    let wrapped = client.encrypt("kek", b"p", &data_key()).unwrap();
    let opens = || client.decrypt("kek", b"p", &wrapped);
    let unavailable =
        || assert!(matches!(opens(), Err(VaultError::Unavailable { .. })), "{:?}", opens().err());

    vault.seal();
    unavailable();
    vault.unseal();
    assert!(opens().unwrap() == data_key());

    vault.kill();
    unavailable();
    vault.run();
    // It starts sealed, as every Vault does.
    unavailable();
    vault.unseal();
    assert!(opens().unwrap() == data_key());
}

#[test]
fn a_vault_that_hangs_is_left_after_the_time_limit() {
    let vault = TestVault::start();
    vault.make_kek("kek");
    let settings = VaultSettings { time_limit: Duration::from_millis(500), ..vault.settings() };
    let client = Vault::new(settings).unwrap();
    vault.signal("STOP");
    let hung = client.encrypt("kek", b"p", &data_key());
    assert!(matches!(hung, Err(VaultError::Unavailable { .. })), "{:?}", hung.err());
    vault.signal("CONT");
    vault.client().encrypt("kek", b"p", &data_key()).unwrap();
}

#[test]
fn a_stranger_in_vaults_place_gets_no_token() {
    let vault = TestVault::start();
    vault.make_kek("kek");
    let stranger = TestVault::start();
    // The right address, another authority.
    let settings = VaultSettings { ca_certificate: Some(stranger.authority()), ..vault.settings() };
    let refused = Vault::new(settings).unwrap().encrypt("kek", b"p", &data_key());
    let Err(VaultError::Unavailable { what, .. }) = refused else { panic!("{:?}", refused.err()) };
    assert!(what.contains("certificate"), "{what}");

    // The right authority, another name.
    let other = vault.address().replace("127.0.0.1", "127.0.0.2").parse().unwrap();
    let settings = VaultSettings { address: other, ..vault.settings() };
    let refused = Vault::new(settings).unwrap().encrypt("kek", b"p", &data_key());
    assert!(matches!(refused, Err(VaultError::Unavailable { .. })), "{:?}", refused.err());
}

#[test]
fn a_token_is_read_anew_and_one_without_the_right_is_denied() {
    let vault = TestVault::start();
    vault.make_kek("kek");
    let client = vault.client();
    let good = fs::read_to_string(vault.token_file()).unwrap();
    write_private(&vault.token_file(), "hvs.no-such-token");
    let denied = client.encrypt("kek", b"p", &data_key());
    assert!(matches!(denied, Err(VaultError::Denied { .. })), "{:?}", denied.err());
    assert!(!denied.err().unwrap().to_string().contains("no-such-token"));
    for bad in ["two words", "käse", "a\tb"] {
        write_private(&vault.token_file(), bad);
        let refused = client.encrypt("kek", b"p", &data_key());
        assert!(matches!(refused, Err(VaultError::TokenForm(_))), "{:?}", refused.err());
    }
    fs::write(vault.token_file(), &good).unwrap();
    client.encrypt("kek", b"p", &data_key()).unwrap();
    // The policy lets a signer use its keys, not read or change anything else.
    let settings = VaultSettings { mount: "sys".to_owned(), ..vault.settings() };
    let elsewhere = Vault::new(settings).unwrap().check_wrapping_key("kek");
    assert!(elsewhere.is_err());
}

#[test]
fn an_agents_socket_is_as_good_as_an_address() {
    let vault = TestVault::start();
    vault.make_kek("kek");
    let settings = VaultSettings {
        address: format!("unix:{}", vault.socket().display()).parse().unwrap(),
        ca_certificate: None,
        ..vault.settings()
    };
    let client = Vault::new(settings).unwrap();
    let wrapped = client.encrypt("kek", b"p", &data_key()).unwrap();
    assert!(vault.client().decrypt("kek", b"p", &wrapped).unwrap() == data_key());
}
