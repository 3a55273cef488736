//! Signing against published vectors (`tests/SOURCES.md`). Never random: a seed gives one signature.

use std::fmt::Debug;
use std::marker::PhantomData;

use zeroize::ZeroizeOnDrop;

use super::*;
use crate::{LogKeys, WitnessKey};

fn unhex(text: &serde_json::Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn ml_dsa_44_signs_as_published() {
    let cases = include_str!("../../tests/golden/ml-dsa-44-sign.jsonl");
    for case in cases.lines() {
        let case: serde_json::Value = serde_json::from_str(case).unwrap();
        let seed = unhex(&case["seed"]).try_into().unwrap();
        let name = KeyName::new("test").unwrap();
        let key = SigningKey::new(name, KeyAlgorithm::MlDsa44Cosignature, &seed).unwrap();
        assert_eq!(key.verifier.bytes(), unhex(&case["key"]), "{}", case["case"]);
        let signature = key.secret.sign(&unhex(&case["message"])).unwrap();
        assert_eq!(signature, unhex(&case["signature"]), "{}", case["case"]);
    }
    assert_eq!(cases.lines().count(), 9);
}

/// RFC 8032 section 7.1, test 2.
#[test]
fn ed25519_signs_as_published() {
    let hex = |text: &str| unhex(&serde_json::Value::from(text));
    let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    let name = KeyName::new("test").unwrap();
    let key = SigningKey::new(name, KeyAlgorithm::Ed25519, &seed.try_into().unwrap()).unwrap();
    let public = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    assert_eq!(key.verifier.bytes(), public);
    let signature = hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    assert_eq!(key.secret.sign(&[0x72]).unwrap(), signature);
}

/// Whether a type can print itself: the method on the type itself is taken before the trait's.
struct Probe<T>(PhantomData<T>);

trait Silent {
    const PRINTS: bool = false;
}

impl<T> Silent for Probe<T> {}

impl<T: Debug> Probe<T> {
    const PRINTS: bool = true;
}

#[test]
fn private_halves_cannot_be_printed() {
    let printing = [
        // What can print is seen by the probe.
        Probe::<VerifierKey>::PRINTS,
        Probe::<SigningKey>::PRINTS,
        Probe::<Secret>::PRINTS,
        Probe::<LogKeys>::PRINTS,
        Probe::<WitnessKey>::PRINTS,
    ];
    assert_eq!(printing, [true, false, false, false, false]);
}

#[test]
fn private_halves_are_wiped_when_dropped() {
    // Holds because it compiles.
    fn wiped<T: ZeroizeOnDrop>() {}
    wiped::<ed25519_dalek::SigningKey>();
    wiped::<ml_dsa::SigningKey<MlDsa44>>();
    wiped::<ml_dsa::ExpandedSigningKey<MlDsa44>>();
}
