//! What it costs to know who asks: a session, a password, a passkey and a signed request, each
//! against the one operation of cryptography that it cannot do without, as ratios. Never prints a
//! time alone: machines differ, ratios less.

#![expect(clippy::float_arithmetic, reason = "ratios of times")]

use std::{error::Error, hint::black_box, io::Write as _, time::Instant};

use argon2::{Algorithm, Argon2, Params, Version};
use axum::http::{HeaderMap, Method, Uri};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey};
use rand::rngs::OsRng;
use strongroom_api::{
    access::{AccessRegister, Enrolment, Method as Way, Nonces, PasskeyRow},
    sign_in::{
        PasswordHash,
        request_signature::{Claimed, Parts, check_digest},
    },
};
use strongroom_domain::{PersonId, Timestamp};
use strongroom_secrets::SecretText;
use uuid::Uuid;
use webauthn_authenticator_rs::{WebauthnAuthenticator as _, softpasskey::SoftPasskey};
use webauthn_rs::WebauthnBuilder;

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 7;
const NOW: u64 = 1_795_367_880;
const ID: &str = "00000000-0000-4000-8000-0000000000b1";

fn main() -> Outcome<()> {
    let now = Timestamp::from_micros(NOW * 1_000_000);
    let mut out = std::io::stdout();
    let password = password()?;
    writeln!(out, "a password against bare Argon2id of the same parameters: {password:.2}")?;
    let bare = ed25519()?;
    writeln!(out, "the rest, against one bare Ed25519 verification:")?;
    writeln!(out, "  a session (open, used before): {:.2}", session(now)? / bare)?;
    writeln!(out, "  a signed request of 1 KiB: {:.2}", signed(now)? / bare)?;
    writeln!(out, "  its nonce, kept: {:.2}", nonce(now)? / bare)?;
    writeln!(out, "  a passkey: {:.2}", passkey()? / bare)?;
    Ok(())
}

/// Seconds for one: the best of some rounds, which other work on the machine disturbs least.
fn best(times: u32, mut work: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..times {
            work()?;
        }
        best = best.min(start.elapsed().as_secs_f64() / f64::from(times));
    }
    Ok(best)
}

fn password() -> Outcome<f64> {
    let text = SecretText::new("four unrelated words here".to_owned());
    let hash = PasswordHash::of(&text)?;
    let ours = best(4, || {
        black_box(hash.fits(&text)?);
        Ok(())
    })?;
    let params = Params::new(19 * 1024, 2, 1, Some(32)).map_err(|error| error.to_string())?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let bare = best(4, || {
        let mut tag = [0; 32];
        argon
            .hash_password_into(text.expose().as_bytes(), &[7; 16], &mut tag)
            .map_err(|error| error.to_string())?;
        black_box(tag);
        Ok(())
    })?;
    Ok(ours / bare)
}

fn ed25519() -> Outcome<f64> {
    let key = SigningKey::generate(&mut OsRng);
    let message = [3; 300];
    let (signature, key) = (key.sign(&message), key.verifying_key());
    best(2000, || Ok(key.verify_strict(black_box(&message), &signature)?))
}

fn session(now: Timestamp) -> Outcome<f64> {
    let folder = tempfile::tempdir()?;
    let register = AccessRegister::open(&folder.path().join("access.db"))?;
    let person = PersonId(Uuid::from_u128(1));
    let passkey = Some(PasskeyRow { credential: vec![1], passkey: "a passkey".to_owned() });
    let (name, recovery_codes) = ("ada".to_owned(), Vec::new());
    let enrolment =
        Enrolment { invitation: [1; 32], person, name, passkey, password: None, recovery_codes };
    register.enrol(&enrolment, now)?.map_err(|why| format!("{why:?}"))?;
    let account = (person, now);
    let begun = register.begin_session(account, Way::Passkey, "192.0.2.1".parse()?, now)?;
    let (secret, _) = begun.ok_or("no account")?;
    best(2000, || {
        let found = register.session(&secret, now)?;
        black_box(found.ok_or("no session")?);
        Ok(())
    })
}

fn nonce(now: Timestamp) -> Outcome<f64> {
    let folder = tempfile::tempdir()?;
    let nonces = Nonces::open(&folder.path().join("nonces.db"))?;
    let (machine, mut count) = (PersonId(Uuid::from_u128(1)), 0_u64);
    best(500, || {
        count += 1;
        let nonce = format!("nonce-{count:020}");
        let taken = nonces.take(machine, &nonce, now.plus_seconds(30), now)?;
        if taken { Ok(()) } else { Err("taken".into()) }
    })
}

fn signed(now: Timestamp) -> Outcome<f64> {
    let key = SigningKey::generate(&mut OsRng);
    let (method, uri) = (Method::POST, "/api/v1/transactions".parse::<Uri>()?);
    let body = vec![b'x'; 1024];
    let digest = STANDARD.encode(<sha2::Sha256 as sha2::Digest>::digest(&body));
    let digest = format!("sha-256=:{digest}:");
    let params = format!(
        "(\"@method\" \"@target-uri\" \"content-digest\" \"idempotency-key\");created={NOW};\
         expires={};nonce=\"0123456789abcdef\";keyid=\"{ID}\"",
        NOW + 30
    );
    let base = format!(
        "\"@method\": POST\n\"@target-uri\": https://custody.example/api/v1/transactions\n\
         \"content-digest\": {digest}\n\"idempotency-key\": k\n\"@signature-params\": {params}"
    );
    let signature = STANDARD.encode(key.sign(base.as_bytes()).to_bytes());
    let mut headers = HeaderMap::new();
    headers.insert("content-digest", digest.parse()?);
    headers.insert("idempotency-key", "k".parse()?);
    headers.insert("signature-input", format!("s={params}").parse()?);
    headers.insert("signature", format!("s=:{signature}:").parse()?);
    let key = key.verifying_key();
    best(1000, || {
        let claimed = Claimed::read(&headers, now)?;
        let (scheme, authority) = ("https", "custody.example");
        let parts = Parts { method: &method, scheme, authority, uri: &uri, headers: &headers };
        claimed.verify(&key, &parts)?;
        Ok(check_digest(&headers, &body)?)
    })
}

fn passkey() -> Outcome<f64> {
    let origin = "https://custody.example".parse()?;
    let webauthn = WebauthnBuilder::new("custody.example", &origin)?.build()?;
    let mut authenticator = SoftPasskey::new(true);
    let (asked, state) =
        webauthn.start_passkey_registration(Uuid::from_u128(1), "ada", "ada", None)?;
    let failed = |error| format!("the authenticator: {error:?}");
    let made = authenticator.do_registration(origin.clone(), asked).map_err(failed)?;
    let passkey = webauthn.finish_passkey_registration(&made, &state)?;
    let (asked, state) = webauthn.start_passkey_authentication(&[passkey])?;
    let shown = authenticator.do_authentication(origin, asked).map_err(failed)?;
    best(200, || {
        black_box(webauthn.finish_passkey_authentication(&shown, &state)?);
        Ok(())
    })
}
