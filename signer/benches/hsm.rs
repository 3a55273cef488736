//! What the signer's care costs: a signature through `Token` (handle cache, attributes looked at once,
//! low s, verification) against bare `C_Sign` of the same token, with one session and with eight; and
//! making keys, against bare `C_GenerateKeyPair`. By the clock, and of the processor, which other
//! programs disturb less. Never prints a time without its ratio: machines differ, ratios less.
//!
//! Each side runs in a process of its own, because a process opens a token once; they take turns.

use std::{
    env, fs, io::Write, num::NonZeroUsize, os::unix::fs::PermissionsExt, path::Path,
    process::Command, thread, time::Instant,
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::Mechanism,
    object::{Attribute, ObjectClass},
    session::{Session, UserType},
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
const SIGNATURES: u32 = 400;
/// Sessions at once, in the second measurement.
const MANY: u32 = 8;
/// Of each kind.
const KEYS: u32 = 10;
const SECP256K1: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];

fn main() -> Outcome<()> {
    let (Ok(side), Ok(home)) = (env::var(SIDE), env::var(HOME)) else { return compare() };
    report(match side.as_str() {
        "ours-1" => ours(Path::new(&home), 1)?,
        "ours-8" => ours(Path::new(&home), MANY)?,
        "bare-1" => bare(1)?,
        "bare-8" => bare(MANY)?,
        "ours-ec" => ours_making(Path::new(&home), KeyKind::Secp256k1)?,
        "ours-rsa" => ours_making(Path::new(&home), KeyKind::Rsa2048)?,
        "bare-ec" => bare_making(false)?,
        "bare-rsa" => bare_making(true)?,
        other => return Err(format!("no side is called {other}").into()),
    })
}

fn report(spent: Spent) -> Outcome<()> {
    writeln!(std::io::stdout(), "{} {}", spent.wall, spent.processor)?;
    Ok(())
}

/// Nanoseconds for one of what was done.
#[derive(Clone, Copy)]
struct Spent {
    wall: u128,
    processor: u128,
}

impl Spent {
    const MOST: Self = Self { wall: u128::MAX, processor: u128::MAX };

    fn of(started: Instant, processor: u128, times: u32) -> Self {
        let times = u128::from(times);
        Self { wall: started.elapsed().as_nanos() / times, processor: processor / times }
    }

    fn best(self, other: Self) -> Self {
        let (wall, processor) = (self.wall.min(other.wall), self.processor.min(other.processor));
        Self { wall, processor }
    }
}

/// Nanoseconds that this thread has run.
fn processor() -> Outcome<u128> {
    // It is counted when the thread leaves the processor.
    thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().ok_or("no schedstat")?.parse()?)
}

fn ratio(ours: u128, bare: u128) -> String {
    let percent = ours.saturating_mul(100).checked_div(bare).unwrap_or(0);
    format!("{}.{:02}", percent / 100, percent % 100)
}

/// Does something on so many threads, each of which says how often it did it.
fn on_threads<W: FnOnce() -> Outcome<u32> + Send>(works: Vec<W>) -> Outcome<Spent> {
    let start = Instant::now();
    let (times, spent) = thread::scope(|scope| -> Outcome<(u32, u128)> {
        let measured = |work: W| {
            let times = work().map_err(|error| error.to_string())?;
            Ok::<_, String>((times, processor().map_err(|error| error.to_string())?))
        };
        let running: Vec<_> =
            works.into_iter().map(|work| scope.spawn(move || measured(work))).collect();
        let mut sum = (0, 0);
        for each in running {
            let (times, spent) = each.join().map_err(|_| "a thread died")??;
            sum = (sum.0 + times, sum.1 + spent);
        }
        Ok(sum)
    })?;
    Ok(Spent::of(start, spent, times))
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
    let run = |side: &str| -> Outcome<Spent> {
        let output = Command::new(env::current_exe()?)
            .env("SOFTHSM2_CONF", &configuration)
            .env(SIDE, side)
            .env(HOME, home.path())
            .output()?;
        let told = String::from_utf8(output.stdout)?;
        let problem = || String::from_utf8_lossy(&output.stderr).into_owned();
        let (wall, processor) = told.trim().split_once(' ').ok_or_else(problem)?;
        Ok(Spent { wall: wall.parse()?, processor: processor.parse()? })
    };
    let mut out = std::io::stdout();
    for (what, kind, rounds) in [
        ("signature, 1 session", "1", ROUNDS),
        ("signature, 8 sessions", "8", ROUNDS),
        ("secp256k1 key", "ec", 3),
        ("RSA-2048 key", "rsa", 3),
    ] {
        let (mut ours, mut bare) = (Spent::MOST, Spent::MOST);
        for _ in 0..rounds {
            ours = ours.best(run(&format!("ours-{kind}"))?);
            bare = bare.best(run(&format!("bare-{kind}"))?);
        }
        writeln!(
            out,
            "HSM {what}: Token {} us, bare {} us, ratio {}; of the processor {} and {} us, ratio {} \
             (best of {rounds})",
            ours.wall / 1000,
            bare.wall / 1000,
            ratio(ours.wall, bare.wall),
            ours.processor / 1000,
            bare.processor / 1000,
            ratio(ours.processor, bare.processor),
        )?;
    }
    Ok(())
}

fn open(home: &Path, sessions: u32) -> Outcome<Token> {
    Ok(Token::open(TokenSettings {
        module: MODULE.into(),
        label: "strongroom".into(),
        serial: None,
        pin_file: home.join("pin"),
        sessions: NonZeroUsize::new(usize::try_from(sessions)?).ok_or("no sessions")?,
    })?)
}

/// One signature by `Token`, with so many threads at it.
fn ours(home: &Path, threads: u32) -> Outcome<Spent> {
    let token = open(home, threads)?;
    let key = match token.generate(KeyKind::Secp256k1, ID, "bench") {
        Err(TokenError::KeyExists { .. }) => token.public_key(KeyKind::Secp256k1, ID)?,
        made => made?,
    };
    let sign = |number: u32| token.prove(&key, &digest(number)).map(drop);
    sign(0)?;
    let sign = &sign;
    let work = |of: u32| {
        move || {
            (0..SIGNATURES).try_for_each(|n| sign(n.wrapping_add(of << 16)))?;
            Ok(SIGNATURES)
        }
    };
    on_threads((0..threads).map(work).collect())
}

fn ours_making(home: &Path, kind: KeyKind) -> Outcome<Spent> {
    let token = open(home, 1)?;
    let (start, before) = (Instant::now(), processor()?);
    for _ in 0..KEYS {
        token.generate(kind, Uuid::new_v4(), "bench")?;
    }
    Ok(Spent::of(start, processor()? - before, KEYS))
}

fn digest(number: u32) -> [u8; 32] {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    digest
}

/// A session that is logged in, and what keeps the library loaded.
fn logged_in() -> Outcome<(Pkcs11, Session)> {
    let module = Pkcs11::new(MODULE)?;
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))?;
    let slot = *module.get_slots_with_initialized_token()?.first().ok_or("no token")?;
    let session = module.open_rw_session(slot)?;
    session.login(UserType::User, Some(&AuthPin::new("123456".into())))?;
    Ok((module, session))
}

/// One `C_SignInit` and `C_Sign` with the handle at hand.
fn bare(threads: u32) -> Outcome<Spent> {
    let (module, session) = logged_in()?;
    let slot = *module.get_slots_with_initialized_token()?.first().ok_or("no token")?;
    let template =
        [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Id(ID.as_bytes().to_vec())];
    let handle = *session.find_objects(&template)?.first().ok_or("no key")?;
    session.sign(&Mechanism::Ecdsa, handle, &[0; 32])?;
    let sessions: Vec<_> =
        (0..threads).map(|_| module.open_ro_session(slot)).collect::<Result<_, _>>()?;
    let work = |session: Session| {
        move || {
            for number in 0..SIGNATURES {
                session.sign(&Mechanism::Ecdsa, handle, &digest(number))?;
            }
            Ok(SIGNATURES)
        }
    };
    on_threads(sessions.into_iter().map(work).collect())
}

/// One `C_GenerateKeyPair`.
fn bare_making(rsa: bool) -> Outcome<Spent> {
    let (_module, session) = logged_in()?;
    let (start, before) = (Instant::now(), processor()?);
    for _ in 0..KEYS {
        let id = Attribute::Id(Uuid::new_v4().as_bytes().to_vec());
        let private = [id.clone(), Attribute::Token(true), Attribute::Sign(true)];
        let mut public = vec![id, Attribute::Token(true), Attribute::Verify(true)];
        let mechanism = if rsa {
            public.push(Attribute::ModulusBits(2048.into()));
            public.push(Attribute::PublicExponent(vec![1, 0, 1]));
            Mechanism::RsaPkcsKeyPairGen
        } else {
            public.push(Attribute::EcParams(SECP256K1.to_vec()));
            Mechanism::EccKeyPairGen
        };
        session.generate_key_pair(&mechanism, &public, &private)?;
    }
    Ok(Spent::of(start, processor()? - before, KEYS))
}
