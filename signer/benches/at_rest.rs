//! What it costs to open a key share under each kind of key-encryption key, against opening the same
//! bytes with a key that lies in memory, as ratios. Never prints a time alone: machines differ, ratios less.
//!
//! The token is SoftHSM and the Vault is the one of scripts/vault, on this machine: a network between
//! adds its own delay to each opening.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench that can't be set up fails like a test"
)]

#[path = "../tests/at_rest/vault.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod vault;

use std::{
    env, fs,
    io::{Write, stdout},
    num::{NonZeroU64, NonZeroUsize},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use strongroom_secrets::{Existing, KeySource, Sealer, Secret};
use strongroom_signer::{
    config::{Sealing, TokenConfig},
    kek::VaultKek,
    unlocking::Holders,
};
use strongroom_vault::{Vault, VaultSettings};

use vault::TestVault;

const HOME: &str = "STRONGROOM_BENCH_HOME";
/// As long as a FROST share of 2 of 3.
const SHARE: [u8; 400] = [7; 400];
const ROUNDS: usize = 5;

/// A file that only its owner reads.
pub(crate) fn write_private(path: &Path, text: &str) {
    fs::write(path, format!("{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn main() {
    match env::var_os(HOME) {
        Some(home) => compare(Path::new(&home)),
        None => with_token(),
    }
}

/// Again, with a token in the environment: its library reads where it is when it is loaded.
fn with_token() {
    let home = tempfile::tempdir().unwrap();
    let (configuration, tokens) = (home.path().join("softhsm2.conf"), home.path().join("tokens"));
    fs::create_dir(&tokens).unwrap();
    fs::write(&configuration, format!("directories.tokendir = {}\n", tokens.display())).unwrap();
    write_private(&home.path().join("pin"), "123456");
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "strongroom"])
        .args(["--so-pin", "654321", "--pin", "123456"])
        .env("SOFTHSM2_CONF", &configuration)
        .output()
        .expect("softhsm2-util must be installed (Debian: softhsm2)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let path = home.keep();
    let mut again = Command::new(env::current_exe().unwrap());
    panic!("{}", again.env("SOFTHSM2_CONF", &configuration).env(HOME, path).exec());
}

fn compare(home: &Path) {
    let vault = TestVault::start();
    vault.make_kek("kek");
    let local = VaultSettings {
        address: format!("unix:{}", vault.socket().display()).parse().unwrap(),
        ca_certificate: None,
        ..vault.settings()
    };
    let held = |client: Vault| {
        KeySource::Held(Arc::new(VaultKek::new(Arc::new(client), "kek".to_owned())))
    };
    let config = TokenConfig {
        module: "/usr/lib/softhsm/libsofthsm2.so".into(),
        label: "strongroom".to_owned(),
        serial: None,
        pin_file: home.join("pin"),
        sessions: NonZeroUsize::MIN,
        call_limit_s: NonZeroU64::new(10).unwrap(),
        keep_alive_s: NonZeroU64::new(60).unwrap(),
    };
    let holders = Holders::of(Some(&config), None).unwrap();
    holders.token.as_ref().unwrap().make_wrapping_key("shares").unwrap();
    let token = holders.source(&Sealing::Token("shares".to_owned())).unwrap();
    let passphrase = KeySource::passphrase(&Secret::new(b"correct horse".to_vec()));

    let bare = bare();
    line("a key in memory (bare XChaCha20-Poly1305)", bare, bare);
    for (name, source, times) in [
        ("a passphrase, derived at the start", &passphrase, 2000),
        ("a token's key (SoftHSM)", &token, 500),
        ("Vault, by a Unix socket", &held(Vault::new(local).unwrap()), 300),
        ("Vault, by TLS with a handshake each time", &held(vault.client()), 100),
    ] {
        line(name, opening(source, times), bare);
    }
    line("a passphrase with its derivation (Argon2id, 64 MiB)", deriving(&passphrase), bare);
    fs::remove_dir_all(home).unwrap();
}

fn line(name: &str, time: Duration, bare: Duration) {
    let tenths = time.as_nanos().saturating_mul(10) / bare.as_nanos().max(1);
    let (whole, tenth, micros) = (tenths / 10, tenths % 10, time.as_micros());
    let text = format!("open a share under {name}: {micros} us, ratio {whole}.{tenth}\n");
    stdout().write_all(text.as_bytes()).unwrap();
}

/// The fastest of some rounds, for one opening.
fn best(times: u32, mut open: impl FnMut()) -> Duration {
    let round = |open: &mut dyn FnMut()| {
        let started = Instant::now();
        (0..times).for_each(|_| open());
        started.elapsed() / times
    };
    (0..ROUNDS).map(|_| round(&mut open)).min().unwrap()
}

/// Reading the file and one opening of the cipher.
fn bare() -> Duration {
    let home = tempfile::tempdir().unwrap();
    let (path, nonce) = (home.path().join("share"), XNonce::default());
    let cipher = XChaCha20Poly1305::new_from_slice(&[1; 32]).unwrap();
    let sealed = cipher.encrypt(&nonce, Payload { msg: &SHARE, aad: b"share" }).unwrap();
    fs::write(&path, sealed).unwrap();
    best(2000, || {
        let read = fs::read(&path).unwrap();
        cipher.decrypt(&nonce, Payload { msg: &read, aad: b"share" }).unwrap();
    })
}

fn opening(source: &KeySource, times: u32) -> Duration {
    let home = tempfile::tempdir().unwrap();
    let sealer = Sealer::create_under(home.path(), source).unwrap();
    let path = home.path().join("share");
    sealer.seal_file(&path, "share", &SHARE, Existing::Keep).unwrap();
    best(times, || {
        sealer.open_file(&path, "share").unwrap();
    })
}

fn deriving(source: &KeySource) -> Duration {
    let home = tempfile::tempdir().unwrap();
    Sealer::create_under(home.path(), source).unwrap();
    best(3, || {
        Sealer::open_under(home.path(), source).unwrap();
    })
}
