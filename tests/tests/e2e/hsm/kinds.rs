//! Keys that no network spends yet: made in two tokens, proven, listed.

use strongroom_tests::deployment::{Deployment, Networks};

use super::pool::{give_twin, key};

#[test]
fn every_kind_of_token_key_is_made_in_a_pool_and_shows_that_it_signs() {
    let root = tempfile::tempdir().unwrap();
    let mut strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
    give_twin(&mut strongroom);
    for protocol in ["pkcs11-p256/1", "pkcs11-ed25519/1", "pkcs11-rsa2048/1"] {
        let made = key(&strongroom, protocol);
        assert_eq!(made["protocol"], protocol, "{made}");
        assert!(made["public_key"].as_str().is_some_and(|hex| hex.len() >= 64), "{made}");
    }
    super::super::spine::the_audit_agrees(&strongroom);
}
