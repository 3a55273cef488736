//! An identity is made once, opens as it was made, and leaves no secret in clear.

use std::{fs, os::unix::fs::PermissionsExt};

use ed25519_dalek::{Signature, VerifyingKey};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use sha2::{Digest, Sha256};
use strongroom_secrets::{Existing, SealError, Secret};
use tempfile::tempdir;

use super::{Enrolment, Identity, IdentityError};

fn passphrase() -> Secret {
    Secret::new(b"open sesame".to_vec())
}

#[test]
fn an_identity_opens_with_the_keys_that_it_enrolled() {
    let home = tempdir().unwrap();
    let directory = home.path().join("signer");
    let enrolment = Identity::create(&directory, "signer 1", &passphrase()).unwrap();
    let written = fs::read_to_string(directory.join("enrolment.json")).unwrap();
    assert_eq!(serde_json::from_str::<Enrolment>(&written).unwrap(), enrolment);
    assert_eq!(enrolment.signer.get_version_num(), 7);

    let (identity, _) = Identity::open(&directory, &passphrase()).unwrap();
    assert_eq!(identity.signer(), enrolment.signer);
    assert_eq!(hex::encode(identity.sealing().public().to_bytes()), enrolment.sealing_key);
    let certificate = CertificateDer::from_pem_slice(enrolment.tls_certificate.as_bytes()).unwrap();
    assert_eq!(&certificate, identity.certificate());
    assert_eq!(hex::encode(Sha256::digest(&certificate)), enrolment.tls_certificate_sha256);
    let key: [u8; 32] = hex::decode(&enrolment.identity_key).unwrap().try_into().unwrap();
    let signature = Signature::from_bytes(&identity.confirm(b"a statement"));
    VerifyingKey::from_bytes(&key).unwrap().verify_strict(b"a statement", &signature).unwrap();
}

#[test]
fn an_identity_is_made_once_and_opens_for_its_passphrase_alone() {
    let home = tempdir().unwrap();
    Identity::create(home.path(), "a", &passphrase()).unwrap();
    let before = fs::read(home.path().join("identity.sealed")).unwrap();
    assert!(matches!(
        Identity::create(home.path(), "b", &passphrase()),
        Err(IdentityError::Seal(SealError::Write(_)))
    ));
    assert_eq!(fs::read(home.path().join("identity.sealed")).unwrap(), before);
    let wrong = Identity::open(home.path(), &Secret::new(b"open".to_vec()));
    assert!(matches!(wrong, Err(IdentityError::Seal(SealError::Refused { .. }))));
}

#[test]
fn no_file_holds_a_secret_in_clear_or_is_open_to_others() {
    let home = tempdir().unwrap();
    let directory = home.path().join("signer");
    Identity::create(&directory, "a", &passphrase()).unwrap();
    let (identity, _) = Identity::open(&directory, &passphrase()).unwrap();
    let sealing = identity.sealing().to_secret();
    let secrets = [
        identity.confirming.to_bytes().to_vec(),
        sealing.expose().to_vec(),
        identity.witness.to_bytes().to_vec(),
        identity.tls_key.expose().to_vec(),
    ];
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
        let bytes = fs::read(&path).unwrap();
        for secret in &secrets {
            assert!(!bytes.windows(32).any(|window| window == &secret[secret.len() - 32..]));
        }
    }
    assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn an_identity_of_the_earlier_format_says_so_and_stays_as_it_is() {
    let home = tempdir().unwrap();
    Identity::create(home.path(), "a", &passphrase()).unwrap();
    let (identity, sealer) = Identity::open(home.path(), &passphrase()).unwrap();
    let file = home.path().join("identity.sealed");
    let now = identity.to_secret();
    let body = now.expose().strip_prefix(super::FORMAT).unwrap();
    let earlier = [&body[..80], &body[112..]].concat();
    let put = |bytes: &[u8]| {
        sealer.seal_file(&file, super::CONTEXT, bytes, Existing::Replace).unwrap();
        Identity::open(home.path(), &passphrase()).err()
    };
    let refused = put(&earlier).unwrap();
    assert!(matches!(refused, IdentityError::Earlier { .. }), "{refused}");
    assert!(refused.to_string().contains("Make a new signer"));
    assert!(matches!(put(&earlier[..40]), Some(IdentityError::Malformed { .. })));
    assert!(put(now.expose()).is_none());
}

#[test]
fn a_name_that_could_mislead_a_reader_is_refused() {
    let home = tempdir().unwrap();
    for name in ["", "a\nb", "a\u{202e}b", "\u{1b}[2J", "a/b", &"a".repeat(65)] {
        let refusal = Identity::create(home.path(), name, &passphrase());
        assert!(matches!(refusal, Err(IdentityError::Name)));
    }
}
