//! The rules of token keys, tried on SoftHSM. Each test runs in a process of its own, because the
//! library's state belongs to the process; nothing here stands in for the token.

mod faults;
mod kinds;
mod wrapping;

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
use uuid::Uuid;

use super::{
    KeyKind, State, Token, TokenError, TokenKey, TokenSettings, connection::Connection, keys,
    possession_digest,
};

const HOME: &str = "STRONGROOM_TEST_TOKEN_HOME";
const ID: Uuid = Uuid::from_u128(0x0192_f00d);

/// Runs `body` in a child process with a fresh SoftHSM token; `name` is the calling test's, below this
/// module.
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
    token.sign(key, &[9; 32]).unwrap();
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
        let key = token.generate(KeyKind::Secp256k1, ID, "hot 1").unwrap();
        assert_eq!(token.public_key(KeyKind::Secp256k1, ID).unwrap(), key);
        let session =
            with_connection(&token, |up| token.module.open_ro_session(up.slot()).unwrap());
        let handle =
            keys::private_key(&session, ID, KeyKind::Secp256k1).map_err(|_lapse| "no key").unwrap();
        let secret = session.get_attributes(handle, &[AttributeType::Value]);
        assert!(secret.is_err() || secret.unwrap().is_empty());
        let label = session.get_attributes(handle, &[AttributeType::Label]).unwrap();
        assert_eq!(label, [Attribute::Label(b"hot 1".to_vec())]);
    });
}

#[test]
fn a_proof_of_possession_signs_its_own_kind_of_digest() {
    with_token("a_proof_of_possession_signs_its_own_kind_of_digest", |home| {
        let token = open(home);
        let key = token.generate(KeyKind::Secp256k1, ID, "k").unwrap();
        let proof = token.prove(&key, &[5; 32]).unwrap();
        assert!(key.public.verifies(&possession_digest(ID, &[5; 32]), &proof));
        assert!(!key.public.verifies(&[5; 32], &proof));
    });
}

#[test]
fn an_id_is_used_once_and_a_doubled_one_signs_nothing() {
    with_token("an_id_is_used_once_and_a_doubled_one_signs_nothing", |home| {
        let token = open(home);
        let key = token.generate(KeyKind::Secp256k1, ID, "k").unwrap();
        let refusal = token.generate(KeyKind::Secp256k1, ID, "other");
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
        let refusal = token.sign(&key, &[1; 32]);
        assert!(matches!(refusal, Err(TokenError::SeveralKeys { id: ID, count: 2 })));
    });
}

#[test]
fn a_signature_of_another_key_does_not_leave_the_signer() {
    with_token("a_signature_of_another_key_does_not_leave_the_signer", |home| {
        let token = open(home);
        let key = token.generate(KeyKind::Secp256k1, ID, "k").unwrap();
        let other = token.generate(KeyKind::Secp256k1, Uuid::from_u128(2), "l").unwrap();
        let mixed = TokenKey { id: ID, public: other.public.clone() };
        let refusal = token.sign(&mixed, &[1; 32]);
        assert!(matches!(refusal, Err(TokenError::WrongSignature { id: ID })));
        assert_signs(&token, &key);
    });
}

#[test]
fn more_threads_than_sessions_sign_side_by_side() {
    with_token("more_threads_than_sessions_sign_side_by_side", |home| {
        let token = open(home);
        let key = token.generate(KeyKind::Secp256k1, ID, "k").unwrap();
        thread::scope(|scope| {
            for number in 0..8_u8 {
                let (token, key) = (&token, &key);
                scope.spawn(move || {
                    for round in 0..10_u8 {
                        token.sign(key, &[number ^ (round << 4); 32]).unwrap();
                    }
                });
            }
        });
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
        assert!(matches!(
            token.public_key(KeyKind::Secp256k1, ID),
            Err(TokenError::KeyMissing { id: ID })
        ));
        drop(token);
        open(home).probe().unwrap();
    });
}

#[test]
fn both_public_and_private_halves_are_found_by_their_class() {
    with_token("both_public_and_private_halves_are_found_by_their_class", |home| {
        let token = open(home);
        token.generate(KeyKind::Secp256k1, ID, "k").unwrap();
        let session =
            with_connection(&token, |up| token.module.open_rw_session(up.slot()).unwrap());
        let public = [Attribute::Class(ObjectClass::PUBLIC_KEY)];
        for handle in session.find_objects(&public).unwrap() {
            session.destroy_object(handle).unwrap();
        }
        // The private half alone cannot say what its public key is.
        assert!(matches!(
            token.public_key(KeyKind::Secp256k1, ID),
            Err(TokenError::KeyMissing { id: ID })
        ));
    });
}
