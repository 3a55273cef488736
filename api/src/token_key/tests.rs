//! Approval keys in SoftHSM. Each test runs in a process of its own, because the library's state
//! belongs to the process; nothing here stands in for the token.

use std::{env, fs, path::Path, process::Command};

use strongroom_domain::approval_key::Evidence;

use super::*;

const HOME: &str = "STRONGROOM_TEST_TOKEN_KEY_HOME";
const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// DER of the printable string `edwards25519` (PKCS#11 3.0 §6.3.15).
const EDWARDS: [u8; 14] = *b"\x13\x0cedwards25519";
const TEXT: &str = "Strongroom approval statement, version 2\n\nI agree.\n";

/// Runs `body` in a child process with a fresh SoftHSM token; `name` is the calling test's.
fn with_token(name: &str, body: impl FnOnce()) {
    if env::var_os(HOME).is_some() {
        body();
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (configuration, tokens) = (home.path().join("softhsm2.conf"), home.path().join("tokens"));
    fs::create_dir(&tokens).unwrap();
    fs::write(&configuration, format!("directories.tokendir = {}\n", tokens.display())).unwrap();
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "approvers"])
        .args(["--so-pin", "654321", "--pin", "123456"])
        .env("SOFTHSM2_CONF", &configuration)
        .output()
        .expect("softhsm2-util must be installed (Debian: softhsm2)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let ran = Command::new(env::current_exe().unwrap())
        .args([&format!("token_key::tests::{name}"), "--exact", "--nocapture"])
        .env("SOFTHSM2_CONF", &configuration)
        .env(HOME, home.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{told}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert!(told.contains("1 passed"), "no test is called {name}");
}

/// A key pair in the token, as its owner's own tool makes one.
fn generate(label: &str, mechanism: &Mechanism<'_>, curve: &[u8]) {
    let module = Pkcs11::new(MODULE).unwrap();
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slot = module.get_slots_with_initialized_token().unwrap()[0];
    let session = module.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&AuthPin::new("123456".to_owned().into()))).unwrap();
    let common = [Attribute::Token(true), Attribute::Label(label.as_bytes().to_vec())];
    let public = [Attribute::Verify(true), Attribute::EcParams(curve.to_vec())];
    let private = [Attribute::Private(true), Attribute::Sensitive(true), Attribute::Sign(true)];
    session
        .generate_key_pair(
            mechanism,
            &[common.as_slice(), &public].concat(),
            &[common.as_slice(), &private].concat(),
        )
        .unwrap();
    drop(session);
    module.finalize().unwrap();
}

fn open(token: &str, key: &str, pin: &str) -> Result<TokenKey, TokenKeyError> {
    let (token, key) = (token.to_owned(), key.to_owned());
    let place = TokenPlace { module: Path::new(MODULE).to_owned(), token, key };
    let pin_file = tempfile::NamedTempFile::new().unwrap();
    fs::write(pin_file.path(), format!("{pin}\n")).unwrap();
    TokenKey::open(&place, &strongroom_secrets::read_secret_text(pin_file.path()).unwrap())
}

fn signs(key: &TokenKey) {
    let signature = key.sign(TEXT).unwrap();
    let evidence = Evidence::Signature { signature };
    assert!(key.public().verify(TEXT, &evidence));
    assert!(!key.public().verify("another text", &evidence));
}

#[test]
fn a_token_signs_with_p256() {
    with_token("a_token_signs_with_p256", || {
        generate("ann", &Mechanism::EccKeyPairGen, &P256);
        let key = open("approvers", "ann", "123456").unwrap();
        assert!(matches!(key.public(), EnrolledKey::P256 { .. }));
        signs(&key);
    });
}

#[test]
fn a_token_signs_with_ed25519() {
    with_token("a_token_signs_with_ed25519", || {
        generate("ann", &Mechanism::EccEdwardsKeyPairGen, &EDWARDS);
        let key = open("approvers", "ann", "123456").unwrap();
        assert!(matches!(key.public(), EnrolledKey::Ed25519 { .. }));
        signs(&key);
    });
}

#[test]
fn a_key_on_another_curve_approves_nothing() {
    with_token("a_key_on_another_curve_approves_nothing", || {
        let secp256k1 = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];
        generate("ann", &Mechanism::EccKeyPairGen, &secp256k1);
        assert!(matches!(open("approvers", "ann", "123456"), Err(TokenKeyError::Unfit(_))));
    });
}

#[test]
fn a_token_that_is_not_there_is_said() {
    with_token("a_token_that_is_not_there_is_said", || {
        generate("ann", &Mechanism::EccKeyPairGen, &P256);
        let error = open("others", "ann", "123456").err().unwrap();
        assert!(!error.to_string().contains("000000"), "{error}");
        assert!(matches!(error, TokenKeyError::Tokens { found: 0, .. }), "{error}");
    });
}

#[test]
fn a_key_that_is_not_there_is_said() {
    with_token("a_key_that_is_not_there_is_said", || {
        generate("ann", &Mechanism::EccKeyPairGen, &P256);
        let error = open("approvers", "ben", "123456").err().unwrap();
        assert!(!error.to_string().contains("000000"), "{error}");
        assert!(matches!(error, TokenKeyError::Keys { found: 0, .. }), "{error}");
    });
}

#[test]
fn a_wrong_pin_is_said_and_not_repeated() {
    with_token("a_wrong_pin_is_said_and_not_repeated", || {
        generate("ann", &Mechanism::EccKeyPairGen, &P256);
        let error = open("approvers", "ann", "000000").err().unwrap();
        assert!(!error.to_string().contains("000000"), "{error}");
        assert!(matches!(error, TokenKeyError::Token { call: "C_Login", .. }), "{error}");
    });
}
