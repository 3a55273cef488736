//! Keys and signatures as published, and their refusals. Never makes a signature.

use super::*;

fn unhex(text: &serde_json::Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn name(text: &str) -> KeyName {
    KeyName::new(text).unwrap()
}

#[test]
fn ml_dsa_44_verifies_as_published() {
    let cases = include_str!("../../tests/golden/ml-dsa-44-verify.jsonl");
    for case in cases.lines() {
        let case: serde_json::Value = serde_json::from_str(case).unwrap();
        let key =
            VerifierKey::new(name("test"), KeyAlgorithm::MlDsa44Cosignature, &unhex(&case["key"]));
        let accepted = key.is_ok_and(|key| match &key.public {
            Public::MlDsa44(key) => {
                without_context(key, &unhex(&case["message"]), &unhex(&case["signature"])).is_some()
            }
            Public::Ed25519(_) => unreachable!("made as ML-DSA-44"),
        });
        assert_eq!(accepted, case["valid"], "{} {}", case["case"], case["comment"]);
    }
    assert!(cases.lines().count() > 10);
}

/// C2SP signed-note, "Example".
const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

#[test]
fn the_example_of_the_specification_verifies() {
    let key: VerifierKey = VKEY.parse().unwrap();
    let note: Note = NOTE.parse().unwrap();
    assert_eq!((key.to_string(), note.to_string()), (VKEY.to_owned(), NOTE.to_owned()));
    assert_eq!(key.signed(&note), Ok(Some(0)));
    let altered: Note = NOTE.replace("message", "massage").parse().unwrap();
    key.signed(&altered).unwrap_err();
    let other: Note = NOTE.replace("example.com/foo", "example.com/bar").parse().unwrap();
    assert_eq!(key.signed(&other), Ok(None), "another name is another key");
}

#[test]
fn a_key_has_one_spelling() {
    let wrong = |vkey: &str| vkey.parse::<VerifierKey>().unwrap_err().to_string();
    assert!(wrong("").contains("a key is written"));
    assert!(wrong("name+00000000").contains("a key is written"));
    assert!(wrong("name+00000000+").contains("a key is written"));
    assert!(wrong("name+00000000+!").contains("a key is written"));
    assert!(wrong(&VKEY.replace("foo", "f oo")).contains("a key's name"));
    assert!(wrong(&VKEY.replace("foo", "fop")).contains("has the id"));
    assert!(wrong(&VKEY.replace("530d903a", "530D903A")).contains("has the id 530d903a"));
    assert!(wrong("name+00000000+Av8=").contains("type 0x02 are not known"));
    assert!(wrong("name+00000000+Af8=").contains("has 32 bytes, this has 1"));
    let weak = VerifierKey::new(name("name"), KeyAlgorithm::Ed25519, &[0; 32]);
    assert_eq!(weak.unwrap_err(), KeyError::Weak);
    let short = VerifierKey::new(name("name"), KeyAlgorithm::MlDsa44Cosignature, &[0; 1311]);
    assert!(short.unwrap_err().to_string().contains("0x06 has 1312 bytes, this has 1311"));
}

#[test]
fn a_name_is_one_that_a_line_can_hold() {
    for wrong in ["", "a b", "a\u{a0}b", "a+b", "a\nb", "a\u{2003}b", &"a".repeat(256)] {
        assert_eq!(KeyName::new(wrong), Err(KeyNameError), "{wrong:?}");
    }
    for right in ["a", "münchen.example/log", &"a".repeat(255)] {
        assert_eq!(name(right).as_str(), right);
    }
}
