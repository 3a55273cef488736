//! Files of a signer under a token's key and Vault's: what opens them, what does not, and how they move
//! from one to another. Never a key that the test itself could look at.

use std::{
    env, fs,
    num::{NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use strongroom_secrets::{Existing, KeySource, Reseal, ResealError, SealError, Sealer, Secret};
use strongroom_signer::{
    config::{Sealing, TokenConfig},
    kek::VaultKek,
    unlocking::Holders,
};

use super::{vault::TestVault, write_private};

const CONTEXT: &str = "strongroom/frost-share/v1 key:1 signer:1 epoch:1";
const HOME: &str = "STRONGROOM_TEST_TOKEN_HOME";

fn under(vault: &TestVault, key: &str) -> KeySource {
    KeySource::Held(Arc::new(VaultKek::new(Arc::new(vault.client()), key.to_owned())))
}

fn is_unavailable<T>(result: &Result<T, SealError>) -> bool {
    matches!(result, Err(error) if error.is_unavailable())
}

/// A share sealed in `home`.
fn sealed(home: &Path, source: &KeySource) -> (Sealer, PathBuf) {
    let sealer = Sealer::create_under(home, source).unwrap();
    let path = home.join("share-1-1.sealed");
    sealer.seal_file(&path, CONTEXT, b"the share", Existing::Keep).unwrap();
    (sealer, path)
}

fn opens(sealer: &Sealer, path: &Path) -> bool {
    sealer.open_file(path, CONTEXT).is_ok_and(|it| it == Secret::new(b"the share".to_vec()))
}

#[test]
fn a_share_under_vault_waits_for_vault_and_opens_when_it_is_back() {
    let (home, mut vault) = (tempfile::tempdir().unwrap(), TestVault::start());
    vault.make_kek("kek");
    let (sealer, path) = sealed(home.path(), &under(&vault, "kek"));
    assert!(opens(&sealer, &path));

    vault.seal();
    assert!(is_unavailable(&sealer.open_file(&path, CONTEXT)));
    let unwritten = home.path().join("share-2-1.sealed");
    let kept = sealer.seal_file(&unwritten, "other", b"x", Existing::Keep);
    assert!(is_unavailable(&kept) && !unwritten.exists());
    vault.unseal();
    assert!(opens(&sealer, &path));

    vault.kill();
    assert!(is_unavailable(&sealer.open_file(&path, CONTEXT)));
    assert!(is_unavailable(&Sealer::open_under(home.path(), &under(&vault, "kek")).map(drop)));
    vault.run();
    vault.unseal();
    assert!(opens(&sealer, &path), "the sealer of before, without a restart");
    assert!(opens(&Sealer::open_under(home.path(), &under(&vault, "kek")).unwrap(), &path));
}

#[test]
fn a_wrong_key_is_told_from_one_that_is_away() {
    let (home, vault, other) =
        (tempfile::tempdir().unwrap(), TestVault::start(), TestVault::start());
    vault.make_kek("kek");
    vault.make_kek("another");
    other.make_kek("kek");
    let (_, path) = sealed(home.path(), &under(&vault, "kek"));

    let named = Sealer::open_under(home.path(), &under(&vault, "another")).err().unwrap();
    assert!(matches!(named, SealError::OtherKey { .. }), "{named}");
    assert!(named.to_string().contains("reseal"), "{named}");
    let elsewhere = Sealer::open_under(home.path(), &under(&other, "kek")).err().unwrap();
    assert!(matches!(elsewhere, SealError::Refused { .. }), "{elsewhere}");
    assert!(elsewhere.to_string().contains("refuses it"), "{elsewhere}");
    let passphrase = KeySource::passphrase(&Secret::new(b"kek".to_vec()));
    let passphrase = Sealer::open_under(home.path(), &passphrase).err().unwrap();
    assert!(matches!(passphrase, SealError::OtherKey { .. }), "{passphrase}");
    let gone = Sealer::open_under(home.path(), &under(&vault, "never-made")).err().unwrap();
    assert!(matches!(gone, SealError::OtherKey { .. }), "{gone}");
    assert!(opens(&Sealer::open_under(home.path(), &under(&vault, "kek")).unwrap(), &path));
}

#[test]
fn a_share_of_another_key_signer_epoch_or_directory_is_refused() {
    let vault = TestVault::start();
    vault.make_kek("kek");
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (sealer, path) = sealed(home.path(), &under(&vault, "kek"));
    for context in [
        "strongroom/frost-share/v1 key:2 signer:1 epoch:1",
        "strongroom/frost-share/v1 key:1 signer:2 epoch:1",
        "strongroom/frost-share/v1 key:1 signer:1 epoch:2",
        "strongroom/dkls-share/v1 key:1 signer:1 epoch:1",
        "",
    ] {
        let refused = sealer.open_file(&path, context);
        assert!(matches!(refused, Err(SealError::Refused { .. })), "{context}");
    }
    // Under the very same key of Vault, in the directory of another signer.
    let (neighbour, _) = sealed(other.path(), &under(&vault, "kek"));
    assert!(matches!(neighbour.open_file(&path, CONTEXT), Err(SealError::Foreign { .. })));
}

#[test]
fn every_bit_of_a_share_under_vault_counts() {
    let (home, vault) = (tempfile::tempdir().unwrap(), TestVault::start());
    vault.make_kek("kek");
    // Without a handshake for each of two thousand.
    let client = strongroom_vault::VaultSettings {
        address: format!("unix:{}", vault.socket().display()).parse().unwrap(),
        ca_certificate: None,
        ..vault.settings()
    };
    let client = Arc::new(strongroom_vault::Vault::new(client).unwrap());
    let source = KeySource::Held(Arc::new(VaultKek::new(client, "kek".to_owned())));
    let (sealer, path) = sealed(home.path(), &source);
    let bytes = fs::read(&path).unwrap();
    assert!(sealer.open_sealed(CONTEXT, &bytes).is_ok());
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let opened = sealer.open_sealed(CONTEXT, &changed);
        assert!(opened.is_err() && !is_unavailable(&opened), "bit {bit}");
    }
}

/// Runs `body` in a process of its own, with a fresh token: the library's state belongs to a process.
fn with_token(name: &str, body: impl FnOnce(&Path)) {
    if let Some(home) = env::var_os(HOME) {
        body(Path::new(&home));
        return;
    }
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
    let ran = Command::new(env::current_exe().unwrap())
        .args([&format!("shares::{name}"), "--exact", "--nocapture"])
        .env("SOFTHSM2_CONF", &configuration)
        .env(HOME, home.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{told}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert!(told.contains("1 passed"), "no test is called {name}");
}

/// This process's token, opened as the program opens it.
fn holders(home: &Path) -> Holders {
    let module = env::var_os("STRONGROOM_SOFTHSM_MODULE");
    let module = module.unwrap_or_else(|| "/usr/lib/softhsm/libsofthsm2.so".into());
    let config = TokenConfig {
        module: module.into(),
        label: "strongroom".to_owned(),
        serial: None,
        pin_file: home.join("pin"),
        sessions: NonZeroUsize::new(2).unwrap(),
        call_limit_s: NonZeroU64::new(10).unwrap(),
        keep_alive_s: NonZeroU64::new(60).unwrap(),
    };
    Holders::of(Some(&config), None).unwrap()
}

#[test]
fn a_share_under_a_token_waits_for_the_token_and_opens_when_it_is_back() {
    with_token("a_share_under_a_token_waits_for_the_token_and_opens_when_it_is_back", |home| {
        let data = tempfile::tempdir().unwrap();
        let holders = holders(home);
        let source = |label: &str| holders.source(&Sealing::Token(label.to_owned())).unwrap();
        // No key is made by chance: under a new one old shares don't open.
        assert!(is_unavailable(&Sealer::create_under(data.path(), &source("shares")).map(drop)));
        assert!(!data.path().join("seal").exists());
        holders.token.as_ref().unwrap().make_wrapping_key("shares").unwrap();
        holders.token.as_ref().unwrap().make_wrapping_key("others").unwrap();
        let (sealer, path) = sealed(data.path(), &source("shares"));
        assert!(opens(&sealer, &path));
        let wrong = Sealer::open_under(data.path(), &source("others")).err().unwrap();
        assert!(matches!(wrong, SealError::OtherKey { .. }), "{wrong}");

        let (tokens, away) = (home.join("tokens"), home.join("away"));
        fs::rename(&tokens, &away).unwrap();
        assert!(is_unavailable(&sealer.open_file(&path, CONTEXT)));
        fs::rename(&away, &tokens).unwrap();
        assert!(opens(&sealer, &path), "the sealer of before, without a restart");

        let bytes = fs::read(&path).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let opened = sealer.open_sealed(CONTEXT, &changed);
            assert!(opened.is_err() && !is_unavailable(&opened), "bit {bit}");
        }
    });
}

#[test]
fn files_move_between_a_passphrase_a_token_and_vault_and_back() {
    with_token("files_move_between_a_passphrase_a_token_and_vault_and_back", |home| {
        let data = tempfile::tempdir().unwrap();
        let mut vault = TestVault::start();
        vault.make_kek("kek");
        let holders = holders(home);
        holders.token.as_ref().unwrap().make_wrapping_key("shares").unwrap();
        let passphrase = || KeySource::passphrase(&Secret::new(b"correct horse".to_vec()));
        let token = || holders.source(&Sealing::Token("shares".to_owned())).unwrap();
        let path = sealed(data.path(), &passphrase()).1;
        let stages = [passphrase(), token(), under(&vault, "kek"), passphrase()];
        for pair in stages.windows(2) {
            let moved = Reseal::begin(data.path(), &pair[0], &pair[1], &|_| None).unwrap().finish();
            assert_eq!(moved.unwrap(), 2);
            assert!(opens(&Sealer::open_under(data.path(), &pair[1]).unwrap(), &path));
            let old = Sealer::open_under(data.path(), &pair[0]).err().unwrap();
            assert!(matches!(old, SealError::OtherKey { .. }), "{old}");
        }

        // The new key goes away in the middle.
        let mut reseal =
            Reseal::begin(data.path(), &passphrase(), &under(&vault, "kek"), &|_| None).unwrap();
        reseal.step().unwrap().unwrap();
        vault.kill();
        let stuck = reseal.finish();
        assert!(matches!(&stuck, Err(ResealError::Seal(error)) if error.is_unavailable()));
        assert!(opens(&Sealer::open_under(data.path(), &passphrase()).unwrap(), &path));
        vault.run();
        vault.unseal();
        let again = Reseal::begin(data.path(), &passphrase(), &under(&vault, "kek"), &|_| None);
        again.unwrap().finish().unwrap();
        assert!(opens(&Sealer::open_under(data.path(), &under(&vault, "kek")).unwrap(), &path));
    });
}
