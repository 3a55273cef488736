//! The rules of token keys, tried on SoftHSM. Each test runs in a process of its own, because the
//! library's state belongs to the process; nothing here stands in for the token.

use std::{
    collections::BTreeSet,
    env, fs,
    num::NonZeroUsize,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use cryptoki::{
    mechanism::Mechanism,
    object::{Attribute, AttributeType, ObjectClass},
};
use k256::ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier};
use uuid::Uuid;

use super::{
    State, Token, TokenError, TokenKey, TokenSettings, connection::Connection, keys,
    possession_digest, signature::EcdsaSignature,
};

const HOME: &str = "STRONGROOM_TEST_TOKEN_HOME";
const ID: Uuid = Uuid::from_u128(0x0192_f00d);

/// Runs `body` in a child process with a fresh SoftHSM token; `name` is the calling test's.
fn with_token(name: &str, body: impl FnOnce(&Path)) {
    if let Some(home) = env::var_os(HOME) {
        body(Path::new(&home));
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let configuration = home.path().join("softhsm2.conf");
    fs::create_dir(home.path().join("tokens")).unwrap();
    let tokens = home.path().join("tokens");
    fs::write(&configuration, format!("directories.tokendir = {}\n", tokens.display())).unwrap();
    fs::write(home.path().join("pin"), "123456\n").unwrap();
    fs::set_permissions(home.path().join("pin"), fs::Permissions::from_mode(0o600)).unwrap();
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "strongroom"])
        .args(["--so-pin", "654321", "--pin", "123456"])
        .env("SOFTHSM2_CONF", &configuration)
        .output()
        .expect("softhsm2-util must be installed (Debian: softhsm2)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let ran = Command::new(env::current_exe().unwrap())
        .args([&format!("pkcs11::tests::{name}"), "--exact", "--nocapture"])
        .env("SOFTHSM2_CONF", &configuration)
        .env(HOME, home.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{told}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert!(told.contains("1 passed"), "no test is called {name}");
}

fn settings(home: &Path) -> TokenSettings {
    TokenSettings {
        module: PathBuf::from("/usr/lib/softhsm/libsofthsm2.so"),
        label: "strongroom".into(),
        serial: None,
        pin_file: home.join("pin"),
        sessions: NonZeroUsize::new(2).unwrap(),
    }
}

fn open(home: &Path) -> Token {
    Token::open(settings(home)).unwrap()
}

/// The directory of the one token.
fn token_directory(home: &Path) -> PathBuf {
    fs::read_dir(home.join("tokens")).unwrap().next().unwrap().unwrap().path()
}

fn objects(home: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(token_directory(home)).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn assert_signs(token: &Token, key: &TokenKey) {
    token.sign_digest(key, &[9; 32]).unwrap();
}

fn with_connection<T>(token: &Token, look: impl FnOnce(&Connection) -> T) -> T {
    match &token.line.read().unwrap().state {
        State::Up(connection) => look(connection),
        State::Down | State::PinRefused => panic!("the token is down"),
    }
}

#[test]
fn a_key_is_made_in_the_token_and_stays_there() {
    with_token("a_key_is_made_in_the_token_and_stays_there", |home| {
        let token = open(home);
        let key = token.generate_secp256k1(ID, "hot 1").unwrap();
        assert_eq!(token.public_key(ID).unwrap(), key);
        let session =
            with_connection(&token, |up| token.module.open_ro_session(up.slot()).unwrap());
        let handle = keys::private_key(&session, ID).map_err(|_lapse| "no key").unwrap();
        let secret = session.get_attributes(handle, &[AttributeType::Value]);
        assert!(secret.is_err() || secret.unwrap().is_empty());
        let label = session.get_attributes(handle, &[AttributeType::Label]).unwrap();
        assert_eq!(label, [Attribute::Label(b"hot 1".to_vec())]);
    });
}

#[test]
fn signatures_are_low_s_verify_and_recover_the_key() {
    with_token("signatures_are_low_s_verify_and_recover_the_key", |home| {
        let token = open(home);
        let key = token.generate_secp256k1(ID, "k").unwrap();
        let verifying = VerifyingKey::from_sec1_bytes(&key.public).unwrap();
        let mut recoveries = BTreeSet::new();
        for number in 0..40_u8 {
            let signed = token.sign_digest(&key, &[number; 32]).unwrap();
            let signature = Signature::from_slice(&signed.compact).unwrap();
            assert_eq!(signature.normalize_s(), None, "s is in the upper half");
            verifying.verify_prehash(&[number; 32], &signature).unwrap();
            let id = signed.recovery.try_into().unwrap();
            let found = VerifyingKey::recover_from_prehash(&[number; 32], &signature, id);
            assert_eq!(found.unwrap(), verifying);
            recoveries.insert(signed.recovery);
        }
        assert_eq!(recoveries, BTreeSet::from([0, 1]));
    });
}

#[test]
fn a_proof_of_possession_signs_its_own_kind_of_digest() {
    with_token("a_proof_of_possession_signs_its_own_kind_of_digest", |home| {
        let token = open(home);
        let key = token.generate_secp256k1(ID, "k").unwrap();
        let proof = token.prove(&key, &[5; 32]).unwrap();
        let signature = Signature::from_slice(&proof.compact).unwrap();
        let verifying = VerifyingKey::from_sec1_bytes(&key.public).unwrap();
        verifying.verify_prehash(&possession_digest(ID, &[5; 32]), &signature).unwrap();
        assert!(verifying.verify_prehash(&[5; 32], &signature).is_err());
    });
}

#[test]
fn an_id_is_used_once_and_a_doubled_one_signs_nothing() {
    with_token("an_id_is_used_once_and_a_doubled_one_signs_nothing", |home| {
        let token = open(home);
        let key = token.generate_secp256k1(ID, "k").unwrap();
        let refusal = token.generate_secp256k1(ID, "other");
        assert!(matches!(refusal, Err(TokenError::KeyExists { id: ID })));
        // Somebody else's tool makes a second one, and the handle is searched anew.
        let session =
            with_connection(&token, |up| token.module.open_rw_session(up.slot()).unwrap());
        let id = Attribute::Id(ID.as_bytes().to_vec());
        let curve = Attribute::EcParams(vec![0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a]);
        let public = [id.clone(), curve, Attribute::Token(true)];
        let private = [id, Attribute::Token(true), Attribute::Sign(true)];
        session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private).unwrap();
        drop(session);
        drop(token);
        let token = open(home);
        let refusal = token.sign_digest(&key, &[1; 32]);
        assert!(matches!(refusal, Err(TokenError::SeveralKeys { id: ID, count: 2 })));
    });
}

#[test]
fn a_signature_of_another_key_does_not_leave_the_signer() {
    with_token("a_signature_of_another_key_does_not_leave_the_signer", |home| {
        let token = open(home);
        let key = token.generate_secp256k1(ID, "k").unwrap();
        let other = token.generate_secp256k1(Uuid::from_u128(2), "l").unwrap();
        let mixed = TokenKey { id: ID, public: other.public };
        let refusal = token.sign_digest(&mixed, &[1; 32]);
        assert!(matches!(refusal, Err(TokenError::WrongSignature { id: ID })));
        assert_signs(&token, &key);
    });
}

#[test]
fn more_threads_than_sessions_sign_side_by_side() {
    with_token("more_threads_than_sessions_sign_side_by_side", |home| {
        let token = open(home);
        let key = token.generate_secp256k1(ID, "k").unwrap();
        thread::scope(|scope| {
            for number in 0..8_u8 {
                let (token, key) = (&token, &key);
                scope.spawn(move || {
                    for round in 0..10_u8 {
                        token.sign_digest(key, &[number ^ (round << 4); 32]).unwrap();
                    }
                });
            }
        });
    });
}

#[test]
fn a_destroyed_key_is_missing_and_the_others_go_on() {
    with_token("a_destroyed_key_is_missing_and_the_others_go_on", |home| {
        let token = open(home);
        let kept = token.generate_secp256k1(Uuid::from_u128(2), "kept").unwrap();
        let before = objects(home);
        let key = token.generate_secp256k1(ID, "k").unwrap();
        assert_signs(&token, &key);
        for file in objects(home).difference(&before) {
            fs::remove_file(file).unwrap();
        }
        for _ in 0..2 {
            let refusal = token.sign_digest(&key, &[1; 32]);
            assert!(matches!(refusal, Err(TokenError::KeyMissing { id: ID })), "{refusal:?}");
            assert_signs(&token, &kept);
        }
    });
}

#[test]
fn a_token_that_was_away_signs_again_without_a_restart() {
    with_token("a_token_that_was_away_signs_again_without_a_restart", |home| {
        let token = open(home);
        let key = token.generate_secp256k1(ID, "k").unwrap();
        let (there, away) = (token_directory(home), home.join("away"));
        for _ in 0..2 {
            fs::rename(&there, &away).unwrap();
            for _ in 0..2 {
                let refusal = token.sign_digest(&key, &[1; 32]);
                assert!(matches!(refusal, Err(TokenError::TokenUnavailable { .. })), "{refusal:?}");
            }
            assert!(token.probe().is_err());
            fs::rename(&away, &there).unwrap();
            assert_signs(&token, &key);
            token.probe().unwrap();
        }
    });
}

#[test]
fn a_logout_or_finalize_by_another_part_of_the_process_is_mended() {
    with_token("a_logout_or_finalize_by_another_part_of_the_process_is_mended", |home| {
        let token = open(home);
        let key = token.generate_secp256k1(ID, "k").unwrap();
        let session =
            with_connection(&token, |up| token.module.open_ro_session(up.slot()).unwrap());
        session.logout().unwrap();
        drop(session);
        assert_signs(&token, &key);
        token.module.clone().finalize().unwrap();
        assert_signs(&token, &key);
        // All threads see the loss at once; the connection is made anew once for all of them.
        token.module.clone().finalize().unwrap();
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| assert_signs(&token, &key));
            }
        });
    });
}

#[test]
fn a_refused_pin_is_not_tried_again() {
    with_token("a_refused_pin_is_not_tried_again", |home| {
        let token = open(home);
        let key = token.generate_secp256k1(ID, "k").unwrap();
        drop(token);
        fs::write(home.join("pin"), "111111").unwrap();
        let refusal = Token::open(settings(home)).err();
        assert!(matches!(refusal, Some(TokenError::PinRefused)), "{refusal:?}");
        fs::write(home.join("pin"), "123456").unwrap();

        let mut token = open(home);
        token.pin = strongroom_secrets::SecretText::new("111111".into());
        token.module.clone().finalize().unwrap();
        for _ in 0..2 {
            let refusal = token.sign_digest(&key, &[1; 32]);
            assert!(matches!(refusal, Err(TokenError::PinRefused)), "{refusal:?}");
        }
        assert!(matches!(token.line.read().unwrap().state, State::PinRefused));
    });
}

#[test]
fn a_process_opens_one_token_and_says_what_it_did_not_find() {
    with_token("a_process_opens_one_token_and_says_what_it_did_not_find", |home| {
        let wrong = TokenSettings { label: "other".into(), ..settings(home) };
        let refusal = Token::open(wrong).err().unwrap();
        assert!(refusal.to_string().contains("strongroom"), "{refusal}");
        let wrong = TokenSettings { serial: Some("0".into()), ..settings(home) };
        assert!(matches!(Token::open(wrong), Err(TokenError::NoToken { .. })));
        let wrong = TokenSettings { module: "/nowhere.so".into(), ..settings(home) };
        assert!(matches!(Token::open(wrong), Err(TokenError::Module { .. })));
        let token = open(home);
        assert!(matches!(Token::open(settings(home)), Err(TokenError::SecondToken)));
        assert!(matches!(token.public_key(ID), Err(TokenError::KeyMissing { id: ID })));
        drop(token);
        open(home).probe().unwrap();
    });
}

#[test]
fn both_public_and_private_halves_are_found_by_their_class() {
    with_token("both_public_and_private_halves_are_found_by_their_class", |home| {
        let token = open(home);
        token.generate_secp256k1(ID, "k").unwrap();
        let session =
            with_connection(&token, |up| token.module.open_rw_session(up.slot()).unwrap());
        let public = [Attribute::Class(ObjectClass::PUBLIC_KEY)];
        for handle in session.find_objects(&public).unwrap() {
            session.destroy_object(handle).unwrap();
        }
        // The private half alone cannot say what its public key is.
        assert!(matches!(token.public_key(ID), Err(TokenError::KeyMissing { id: ID })));
    });
}

#[test]
fn only_a_der_octet_string_around_a_point_is_a_public_key() {
    let point = hex::decode("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
    let point: [u8; 33] = point.unwrap().try_into().unwrap();
    let der = [[0x04, 33].as_slice(), &point].concat();
    assert_eq!(keys::compressed(&der), Some(point));
    assert_eq!(keys::compressed(&point), None);
    assert_eq!(keys::compressed(&der[..34]), None);
    assert_eq!(keys::compressed(&[der.as_slice(), &[0]].concat()), None);
    assert_eq!(keys::compressed(&[0x04]), None);
    assert_eq!(EcdsaSignature::checked(&[1; 63], &point, &[0; 32]), None);
    assert_eq!(EcdsaSignature::checked(&[1; 64], &point, &[0; 32]), None);
}
