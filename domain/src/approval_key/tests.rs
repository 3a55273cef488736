//! Answers of every kind of key, made as a file, a token or an authenticator makes them, and every
//! way in which one can be less than that.

use super::*;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::{SigningKey, signature::Signer as _};
use sha2::{Digest as _, Sha256};

const TEXT: &str = "Strongroom approval statement, version 2\n\nI agree.\n";
const RP: &str = "custody.example";
const ORIGIN: &str = "https://approve.custody.example";
/// A person was there and verified; the passkey is synced and says so.
const FLAGS: u8 = 0b0001_1101;

fn secret() -> SigningKey {
    SigningKey::from_slice(&crate::Digest::of(b"a passkey").0).expect("a scalar")
}

fn point() -> Bytes {
    Bytes(secret().verifying_key().to_encoded_point(true).as_bytes().to_vec())
}

fn passkey() -> ApprovalKey {
    let (credential, rp_id, origin) = (Bytes(vec![7; 16]), RP.to_owned(), ORIGIN.to_owned());
    ApprovalKey::WebAuthn { key: point(), credential, rp_id, origin }
}

/// What Chromium writes.
fn client_data() -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(TEXT));
    format!(
        r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{ORIGIN}","crossOrigin":false,"other_keys_can_be_added_here":"do not compare clientDataJSON against a template. See https://goo.gl/yabPex"}}"#
    )
}

fn authenticator_data(rp: &str, flags: u8) -> Vec<u8> {
    let mut data = Sha256::digest(rp).to_vec();
    data.push(flags);
    data.extend_from_slice(&[0, 0, 0, 9]);
    data
}

fn asserted(authenticator_data: Vec<u8>, client_data: &str) -> Evidence {
    let mut signed = authenticator_data.clone();
    signed.extend_from_slice(&Sha256::digest(client_data));
    let signature: Signature = secret().sign(&signed);
    Evidence::Assertion {
        authenticator_data: Bytes(authenticator_data),
        client_data: Bytes(client_data.as_bytes().to_vec()),
        signature: Bytes(signature.to_der().as_bytes().to_vec()),
    }
}

fn good() -> Evidence {
    asserted(authenticator_data(RP, FLAGS), &client_data())
}

#[test]
fn a_passkey_vouches_for_the_statement_that_it_was_asked_about() {
    assert!(passkey().check().is_ok());
    assert!(passkey().verify(TEXT, &good()));
    assert!(!passkey().verify(&TEXT.replace("agree", "Agree"), &good()));
    // Not backed up, and without the fields that a browser may leave out.
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(TEXT));
    let short =
        format!(r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{ORIGIN}"}}"#);
    assert!(passkey().verify(TEXT, &asserted(authenticator_data(RP, 0b0000_0101), &short)));
}

#[test]
fn client_data_that_differs_in_anything_is_refused() {
    let changed = |from: &str, to: &str| {
        let data = client_data();
        assert!(data.contains(from), "{from}");
        asserted(authenticator_data(RP, FLAGS), &data.replacen(from, to, 1))
    };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(TEXT));
    let padded = format!("{challenge}=");
    for (from, to) in [
        ("webauthn.get", "webauthn.create"),
        ("webauthn.get", "payment.get"),
        (ORIGIN, "https://custody.example"),
        (ORIGIN, "https://approve.custody.example.evil.test"),
        (ORIGIN, "https://approve.custody.example/"),
        (ORIGIN, "http://approve.custody.example"),
        (ORIGIN, "https://approve.custody.example:8443"),
        ("false", "true"),
        ("false", "null"),
        ("false", r#"false,"topOrigin":"https://evil.test""#),
        (challenge.as_str(), "AAAA"),
        (challenge.as_str(), padded.as_str()),
        (r#"{"type""#, r#"{"type":"webauthn.get","type""#),
        (r#"{"type""#, r#"{"challenge":"x","type""#),
        ("{\"type\"", "\u{feff}{\"type\""),
    ] {
        assert!(!passkey().verify(TEXT, &changed(from, to)), "{from} as {to}");
    }
    for trailing in [" x", "{}", "\0"] {
        let data = client_data() + trailing;
        assert!(!passkey().verify(TEXT, &asserted(authenticator_data(RP, FLAGS), &data)));
    }
    let long = client_data().replacen("do not", &"x".repeat(4_096), 1);
    assert!(!passkey().verify(TEXT, &asserted(authenticator_data(RP, FLAGS), &long)));
}

#[test]
fn an_authenticator_must_know_the_party_and_have_verified_a_present_person() {
    let with = |data| passkey().verify(TEXT, &asserted(data, &client_data()));
    assert!(!with(authenticator_data("evil.test", FLAGS)));
    assert!(!with(authenticator_data("approve.custody.example", FLAGS)));
    for flags in [0, 0b0000_0001, 0b0000_0100, FLAGS | 0b0100_0000, FLAGS | 0b1000_0000] {
        assert!(!with(authenticator_data(RP, flags)), "{flags:#010b}");
    }
    // Backed up, yet not eligible to be.
    assert!(!with(authenticator_data(RP, 0b0001_0101)));
    let mut longer = authenticator_data(RP, FLAGS);
    longer.push(0);
    assert!(!with(longer));
    let mut shorter = authenticator_data(RP, FLAGS);
    shorter.pop();
    assert!(!with(shorter));
    assert!(!with(Vec::new()));
}

#[test]
fn the_signature_covers_both_parts_and_nothing_trails_it() {
    let Evidence::Assertion { authenticator_data, client_data, signature } = good() else {
        unreachable!()
    };
    let with = |authenticator_data: &Bytes, client_data: &Bytes, signature: &Bytes| {
        let (authenticator_data, client_data) = (authenticator_data.clone(), client_data.clone());
        let signature = signature.clone();
        let evidence = Evidence::Assertion { authenticator_data, client_data, signature };
        passkey().verify(TEXT, &evidence)
    };
    assert!(with(&authenticator_data, &client_data, &signature));
    let mut counted = authenticator_data.clone();
    counted.0[36] = 10;
    assert!(!with(&counted, &client_data, &signature));
    let mut spaced = client_data.clone();
    spaced.0.push(b' ');
    assert!(!with(&authenticator_data, &spaced, &signature));
    let mut trailing = signature.clone();
    trailing.0.push(0);
    assert!(!with(&authenticator_data, &client_data, &trailing));
    let raw = Signature::from_der(signature.as_slice()).expect("DER").to_bytes().to_vec();
    assert!(!with(&authenticator_data, &client_data, &Bytes(raw)));
    assert!(!with(&authenticator_data, &client_data, &Bytes::default()));
}

/// ECDSA has two signatures for each: authenticators and tokens make either.
#[test]
fn a_high_s_is_as_good_as_a_low_one() {
    let Evidence::Assertion { authenticator_data, client_data, signature } = good() else {
        unreachable!()
    };
    let made = Signature::from_der(signature.as_slice()).expect("DER");
    let (r, s) = made.split_scalars();
    let other = Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).expect("the other s");
    assert_ne!(made, other);
    let signature = Bytes(other.to_der().as_bytes().to_vec());
    let evidence = Evidence::Assertion { authenticator_data, client_data, signature };
    assert!(passkey().verify(TEXT, &evidence));
}

#[test]
fn a_p256_key_signs_the_statement_itself() {
    let key = ApprovalKey::P256 { key: point() };
    let signature: Signature = secret().sign(TEXT.as_bytes());
    let evidence = |bytes: &[u8]| Evidence::Signature { signature: Bytes(bytes.to_vec()) };
    let raw = signature.to_bytes();
    assert!(key.verify(TEXT, &evidence(&raw)));
    assert!(!key.verify("another text", &evidence(&raw)));
    assert!(!key.verify(TEXT, &evidence(signature.to_der().as_bytes())));
    assert!(!key.verify(TEXT, &evidence(&raw[..63])));
    assert!(!key.verify(TEXT, &evidence(&[0; 64])));
}

#[test]
fn a_key_answers_in_its_own_way_only() {
    let signature: Signature = secret().sign(TEXT.as_bytes());
    let plain = Evidence::Signature { signature: Bytes(signature.to_bytes().to_vec()) };
    assert!(!passkey().verify(TEXT, &plain));
    assert!(!ApprovalKey::P256 { key: point() }.verify(TEXT, &good()));
    let ed25519 = ed25519_dalek::SigningKey::from_bytes(&[3; 32]);
    let key = ApprovalKey::Ed25519 { key: Bytes(ed25519.verifying_key().to_bytes().to_vec()) };
    let signature =
        Bytes(ed25519_dalek::Signer::sign(&ed25519, TEXT.as_bytes()).to_bytes().to_vec());
    assert!(key.verify(TEXT, &Evidence::Signature { signature }));
    assert!(!key.verify(TEXT, &plain));
    assert!(!key.verify(TEXT, &good()));
}

#[test]
fn only_keys_with_fitting_names_are_enrolled() {
    let with = |credential: usize, rp_id: &str, origin: &str| {
        let (rp_id, origin) = (rp_id.to_owned(), origin.to_owned());
        let credential = Bytes(vec![1; credential]);
        ApprovalKey::WebAuthn { key: point(), credential, rp_id, origin }.check().is_ok()
    };
    assert!(with(16, RP, ORIGIN));
    assert!(with(1_023, RP, "https://custody.example:8443"));
    assert!(with(16, "localhost", "http://localhost:3008"));
    for (credential, rp_id, origin) in [
        (0, RP, ORIGIN),
        (1_024, RP, ORIGIN),
        (16, "", ORIGIN),
        (16, "example", "https://custodyexample"),
        (16, RP, "https://evilcustody.example"),
        (16, RP, "https://custody.example.evil.test"),
        (16, RP, "http://custody.example"),
        (16, RP, "https://custody.example/"),
        (16, RP, "https://custody.example:"),
        (16, RP, "https://custody.example:0443"),
        (16, RP, "https://custody.example:x"),
        (16, RP, "https://Custody.example"),
        (16, RP, "https://user@custody.example"),
        (16, RP, "custody.example"),
        (16, RP, "android:apk-key-hash:x"),
    ] {
        assert!(!with(credential, rp_id, origin), "{rp_id} {origin}");
    }
    let whole = secret().verifying_key().to_encoded_point(false);
    for bytes in [whole.as_bytes().to_vec(), vec![2; 32], [vec![2], vec![0xff; 32]].concat()] {
        let refusal = ApprovalKey::P256 { key: Bytes(bytes) }.check().expect_err("no key");
        assert_eq!(refusal.rule, Rule::ApprovalKeyInvalid);
    }
    assert!(ApprovalKey::P256 { key: point() }.check().is_ok());
    assert!(ApprovalKey::Ed25519 { key: Bytes(vec![0; 32]) }.check().is_err());
}

#[test]
fn keys_and_evidence_have_one_spelling() {
    let json = serde_json::to_string(&passkey()).expect("JSON");
    assert!(json.starts_with(r#"{"webauthn":{"key":"0"#), "{json}");
    assert_eq!(serde_json::from_str::<ApprovalKey>(&json).ok(), Some(passkey()));
    let json = serde_json::to_string(&good()).expect("JSON");
    assert!(json.starts_with(r#"{"assertion":{"authenticator_data":""#), "{json}");
    assert_eq!(serde_json::from_str::<Evidence>(&json).ok(), Some(good()));
    assert!(serde_json::from_str::<ApprovalKey>(r#"{"p256":{"key":"00","more":1}}"#).is_err());
}
