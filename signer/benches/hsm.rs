//! What the signer's care costs: a signature through `Token` (handle cache, low-S, recovery id,
//! verification) against bare `C_Sign` of the same token, as a ratio. Never prints a time alone:
//! machines differ, ratios less.
//!
//! Each side runs in a process of its own, because a process opens a token once; they take turns.

use std::{
    env, fs, io::Write, num::NonZeroUsize, os::unix::fs::PermissionsExt, path::Path,
    process::Command, time::Instant,
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::Mechanism,
    object::{Attribute, ObjectClass},
    session::UserType,
    types::AuthPin,
};
use strongroom_signer::pkcs11::{KeyKind, Token, TokenError, TokenSettings};
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const SIDE: &str = "STRONGROOM_BENCH_SIDE";
const HOME: &str = "STRONGROOM_BENCH_HOME";
const ID: Uuid = Uuid::from_u128(1);
const ROUNDS: usize = 5;
const SIGNATURES: u32 = 500;

fn main() -> Outcome<()> {
    match (env::var(SIDE), env::var(HOME)) {
        (Ok(side), Ok(home)) if side == "ours" => report(ours(Path::new(&home))?),
        (Ok(_), Ok(_)) => report(bare()?),
        _ => compare(),
    }
}

fn report(nanoseconds: u128) -> Outcome<()> {
    writeln!(std::io::stdout(), "{nanoseconds}")?;
    Ok(())
}

fn compare() -> Outcome<()> {
    let home = tempfile::tempdir()?;
    let configuration = home.path().join("softhsm2.conf");
    let tokens = home.path().join("tokens");
    fs::create_dir(&tokens)?;
    fs::write(&configuration, format!("directories.tokendir = {}\n", tokens.display()))?;
    fs::write(home.path().join("pin"), "123456\n")?;
    fs::set_permissions(home.path().join("pin"), fs::Permissions::from_mode(0o600))?;
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "strongroom"])
        .args(["--so-pin", "654321", "--pin", "123456"])
        .env("SOFTHSM2_CONF", &configuration)
        .output()?;
    if !made.status.success() {
        return Err(String::from_utf8_lossy(&made.stderr).into());
    }
    let run = |side: &str| -> Outcome<u128> {
        let output = Command::new(env::current_exe()?)
            .env("SOFTHSM2_CONF", &configuration)
            .env(SIDE, side)
            .env(HOME, home.path())
            .output()?;
        let told = String::from_utf8(output.stdout)?;
        let problem = || String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(told.trim().parse().map_err(|_number| problem())?)
    };
    let (mut fastest_ours, mut fastest_bare) = (u128::MAX, u128::MAX);
    for _ in 0..ROUNDS {
        fastest_ours = fastest_ours.min(run("ours")?);
        fastest_bare = fastest_bare.min(run("bare")?);
    }
    let percent = fastest_ours.saturating_mul(100).checked_div(fastest_bare).unwrap_or(0);
    writeln!(
        std::io::stdout(),
        "HSM signature: Token {} us, bare C_Sign {} us, ratio {}.{:02} (best of {ROUNDS} x {SIGNATURES})",
        fastest_ours / 1000,
        fastest_bare / 1000,
        percent / 100,
        percent % 100,
    )?;
    Ok(())
}

/// Nanoseconds for one signature by `Token`.
fn ours(home: &Path) -> Outcome<u128> {
    let token = Token::open(TokenSettings {
        module: MODULE.into(),
        label: "strongroom".into(),
        serial: None,
        pin_file: home.join("pin"),
        sessions: NonZeroUsize::MIN,
    })?;
    let key = match token.generate(KeyKind::Secp256k1, ID, "bench") {
        Err(TokenError::KeyExists { .. }) => token.public_key(KeyKind::Secp256k1, ID)?,
        made => made?,
    };
    token.prove(&key, &[0; 32])?;
    let start = Instant::now();
    for number in 0..SIGNATURES {
        let mut challenge = [0; 32];
        challenge[..4].copy_from_slice(&number.to_be_bytes());
        token.prove(&key, &challenge)?;
    }
    Ok(start.elapsed().as_nanos() / u128::from(SIGNATURES))
}

/// Nanoseconds for one `C_SignInit` and `C_Sign` with the handle at hand.
fn bare() -> Outcome<u128> {
    let module = Pkcs11::new(MODULE)?;
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))?;
    let slot = *module.get_slots_with_initialized_token()?.first().ok_or("no token")?;
    let session = module.open_ro_session(slot)?;
    session.login(UserType::User, Some(&AuthPin::new("123456".into())))?;
    let template =
        [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Id(ID.as_bytes().to_vec())];
    let handle = *session.find_objects(&template)?.first().ok_or("no key")?;
    session.sign(&Mechanism::Ecdsa, handle, &[0; 32])?;
    let start = Instant::now();
    for number in 0..SIGNATURES {
        let mut digest = [0; 32];
        digest[..4].copy_from_slice(&number.to_be_bytes());
        session.sign(&Mechanism::Ecdsa, handle, &digest)?;
    }
    Ok(start.elapsed().as_nanos() / u128::from(SIGNATURES))
}
