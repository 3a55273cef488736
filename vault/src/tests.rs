//! Which addresses and settings are taken. Opens no connection: a real Vault is asked in
//! tests/tests/at_rest.

use std::{fs, time::Duration};

use crate::{Address, AddressError, Vault, VaultError, VaultSettings};

#[test]
fn an_address_is_https_this_machine_or_a_socket() {
    for good in [
        "https://vault.bank.example:8200",
        "https://10.0.0.7:8200/",
        "http://127.0.0.1:8100",
        "http://[::1]:8100",
        "unix:/run/vault/agent.sock",
    ] {
        assert!(good.parse::<Address>().is_ok(), "{good}");
    }
    for clear in ["http://10.0.0.7:8200", "http://vault.example", "http://localhost:8200"] {
        assert!(matches!(clear.parse::<Address>(), Err(AddressError::Clear(_))), "{clear}");
    }
    for more in [
        "https://vault.example/v1",
        "https://me@vault.example",
        "https://vault.example?x=1",
        "http://127.0.0.1:8100/v1",
    ] {
        assert!(matches!(more.parse::<Address>(), Err(AddressError::More(_))), "{more}");
    }
    for form in ["", "vault.example:8200", "ftp://vault.example", "unix:relative", "unix:"] {
        assert!(matches!(form.parse::<Address>(), Err(AddressError::Form(_))), "{form}");
    }
}

#[test]
fn an_authority_belongs_to_https_and_to_nothing_else() {
    let settings = |address: &str, ca: Option<&std::path::Path>| VaultSettings {
        address: address.parse().unwrap(),
        ca_certificate: ca.map(Into::into),
        token_file: None,
        mount: "transit".to_owned(),
        namespace: None,
        time_limit: Duration::from_secs(1),
    };
    let home = tempfile::tempdir().unwrap();
    let (empty, missing) = (home.path().join("empty"), home.path().join("missing"));
    fs::write(&empty, "no certificate").unwrap();

    let made = |address, ca| Vault::new(settings(address, ca)).err();
    assert!(matches!(made("https://v.example", None), Some(VaultError::Settings(_))));
    for bad in [&empty, &missing] {
        let error = made("https://v.example", Some(bad));
        assert!(matches!(error, Some(VaultError::Authority { .. })));
    }
    for here in ["http://127.0.0.1:1", "unix:/nowhere"] {
        assert!(matches!(made(here, Some(&empty)), Some(VaultError::Settings(_))));
        assert!(made(here, None).is_none());
    }
}
