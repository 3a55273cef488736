//! Which policies are taken, and when a checkpoint counts under them. Never with keys of anybody.

use super::*;
use crate::{LogKeys, NoteSignature, Timestamp, WitnessKey, leaf_hash};

fn name(text: &str) -> KeyName {
    KeyName::new(text).unwrap()
}

fn log() -> LogKeys {
    LogKeys::from_seeds(&name("log.test/1"), &[1; 32], &[2; 32]).unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000).unwrap()
}

fn witness(number: u8) -> WitnessKey {
    WitnessKey::ed25519(name(&format!("witness.test/{number}")), &[10 + number; 32]).unwrap()
}

fn ml_dsa_witness(number: u8) -> WitnessKey {
    WitnessKey::ml_dsa_44(name(&format!("witness.test/{number}")), &[10 + number; 32]).unwrap()
}

fn keys(witnesses: &[WitnessKey]) -> Vec<VerifierKey> {
    witnesses.iter().map(|witness| witness.verifier().clone()).collect()
}

fn head() -> TreeHead {
    TreeHead { size: 1, root: leaf_hash(b"entry") }
}

/// The log's checkpoint, cosigned by some.
fn note(witnesses: &[&WitnessKey]) -> Note {
    let mut note = log().sign(head(), at(1000)).unwrap().note().clone();
    let request = crate::AddCheckpoint { old: 0, proof: Vec::new(), checkpoint: note.clone() };
    let accepted = crate::witness::consider(None, &log().verifier(), &request).unwrap();
    for witness in witnesses {
        note.add(witness.cosign(&accepted, at(1001)).unwrap()).unwrap();
    }
    note
}

#[test]
fn a_charters_threshold_has_to_be_a_majority() {
    let witnesses: Vec<_> = (1..=4).map(witness).collect();
    let make = |count: usize, threshold| {
        WitnessPolicy::majority(log().verifier(), keys(&witnesses[..count]), threshold).map(drop)
    };
    for (count, majority) in [(1, 1), (2, 2), (3, 2), (4, 3)] {
        for threshold in 0..=count + 1 {
            let taken = (majority..=count).contains(&threshold);
            let error = PolicyError::NoMajority { threshold, witnesses: count };
            assert_eq!(make(count, threshold), if taken { Ok(()) } else { Err(error) });
        }
    }
    assert!(make(0, 0).is_err());
}

#[test]
fn no_key_and_no_name_is_trusted_twice() {
    let make = |keys: Vec<VerifierKey>| {
        WitnessPolicy::majority(log().verifier(), keys, 2).unwrap_err().to_string()
    };
    let [one, two] = [witness(1).verifier().clone(), witness(2).verifier().clone()];
    assert!(make(vec![one.clone(), one.clone()]).contains("a second time"));
    let renamed =
        VerifierKey::new(name("other"), KeyAlgorithm::Ed25519Cosignature, one.bytes()).unwrap();
    assert!(make(vec![one.clone(), renamed]).contains("a second time"));
    let same_name = VerifierKey::new(one.name().clone(), one.algorithm(), two.bytes()).unwrap();
    assert!(make(vec![one.clone(), same_name]).contains("a second time"));
    let [ed25519, ml_dsa_44] = log().verifier().keys().map(Clone::clone);
    assert!(make(vec![one.clone(), ml_dsa_44]).contains("or is the log"));
    assert!(make(vec![one, ed25519]).contains("not a key of a witness"));
}

#[test]
fn a_checkpoint_counts_with_both_log_signatures_and_enough_witnesses() {
    let (one, two, three) = (witness(1), ml_dsa_witness(2), witness(3));
    let all = [&one, &two, &three].map(|key| key.verifier().clone()).to_vec();
    let policy = WitnessPolicy::majority(log().verifier(), all, 2).unwrap();

    let counting = policy.counts(&note(&[&one, &two])).unwrap();
    assert_eq!((counting.origin(), counting.head()), ("log.test/1", head()));
    let names: Vec<_> = counting.cosigners().iter().map(|by| (by.name.as_str(), by.at)).collect();
    assert_eq!(names, [("witness.test/1", 1001), ("witness.test/2", 1001)]);

    let few = policy.counts(&note(&[&two])).unwrap_err();
    let cosigners = vec![Cosigner { name: name("witness.test/2"), at: 1001 }];
    assert_eq!(few, CountError::TooFew { cosigners });

    // An unknown witness is neither counted nor refused.
    let stranger = witness(9);
    assert!(policy.counts(&note(&[&one, &stranger])).is_err());
    assert!(policy.counts(&note(&[&one, &stranger, &three])).is_ok());
}

#[test]
fn a_witness_that_signs_twice_counts_once() {
    let (one, two) = (witness(1), witness(2));
    let all = [&one, &two].map(|key| key.verifier().clone()).to_vec();
    let policy = WitnessPolicy::majority(log().verifier(), all, 2).unwrap();
    let mut twice = note(&[&one]);
    let request = crate::AddCheckpoint { old: 0, proof: Vec::new(), checkpoint: twice.clone() };
    let accepted = crate::witness::consider(None, &log().verifier(), &request).unwrap();
    twice.add(one.cosign(&accepted, at(2000)).unwrap()).unwrap();
    let cosigners = vec![Cosigner { name: name("witness.test/1"), at: 2000 }];
    assert_eq!(policy.counts(&twice), Err(CountError::TooFew { cosigners }));
}

#[test]
fn a_signature_of_the_log_that_is_missing_or_wrong_is_no_checkpoint() {
    let one = witness(1);
    let policy =
        WitnessPolicy::majority(log().verifier(), vec![one.verifier().clone()], 1).unwrap();
    let good = note(&[&one]);
    policy.counts(&good).unwrap();
    for missing in 0..3 {
        let mut lines = good.signatures().to_vec();
        lines.remove(missing);
        let error = policy.counts(&Note::new(good.text().to_owned(), lines)).unwrap_err();
        assert_eq!(missing == 2, matches!(error, CountError::TooFew { .. }), "{error}");
    }
    let keys = [log().verifier().keys().map(Clone::clone).to_vec(), vec![one.verifier().clone()]];
    for (wrong, key) in keys.concat().iter().enumerate() {
        let mut lines = good.signatures().to_vec();
        let mut bytes = lines[wrong].bytes().to_vec();
        bytes[20] ^= 1;
        lines[wrong] = NoteSignature::new(key.name(), key.id(), bytes);
        let error = policy.counts(&Note::new(good.text().to_owned(), lines)).unwrap_err();
        assert!(error.to_string().contains("is not by that key"), "line {wrong}: {error}");
    }
}

#[test]
fn a_known_witness_with_a_wrong_signature_spoils_the_note() {
    let (one, two, three) = (witness(1), witness(2), witness(3));
    let policy = WitnessPolicy::majority(
        log().verifier(),
        [&one, &two, &three].map(|key| key.verifier().clone()).to_vec(),
        2,
    )
    .unwrap();
    let mut spoilt = note(&[&one, &two]);
    let false_line =
        NoteSignature::new(three.verifier().name(), three.verifier().id(), vec![7; 72]);
    spoilt.add(false_line).unwrap();
    assert!(
        matches!(policy.counts(&spoilt), Err(CountError::Wrong(wrong)) if wrong.name == name("witness.test/3"))
    );
}

#[test]
fn another_log_is_not_known() {
    let policy =
        WitnessPolicy::majority(log().verifier(), vec![witness(1).verifier().clone()], 1).unwrap();
    let other = LogKeys::from_seeds(&name("log.test/2"), &[1; 32], &[2; 32]).unwrap();
    let note = other.sign(head(), at(1)).unwrap().note().clone();
    let error = CountError::UnknownLog { origin: "log.test/2".to_owned() };
    assert_eq!(policy.counts(&note), Err(error));
}

fn log_lines() -> String {
    log().verifier().keys().map(|key| format!("log {key}\n")).concat()
}

fn witness_lines(count: u8) -> String {
    let lines =
        (1..=count).map(|number| format!("witness W{number} {}\n", witness(number).verifier()));
    lines.collect::<Vec<_>>().concat()
}

fn read(rest: &str) -> Result<WitnessPolicy, PolicyTextError> {
    format!("{}{}{rest}", log_lines(), witness_lines(4)).parse()
}

#[test]
fn a_policy_text_is_read_and_printed() {
    let witnesses: Vec<_> = (1..=3).map(witness).collect();
    let policy = WitnessPolicy::majority(log().verifier(), keys(&witnesses), 2).unwrap();
    let text = policy.to_string();
    assert_eq!(text.parse::<WitnessPolicy>().unwrap(), policy);
    assert!(text.ends_with("\ngroup witnesses 2 w1 w2 w3\nquorum witnesses\n"), "{text}");

    let spaced = format!(
        " # a comment\n\t\n{}witness  A\t{} https://witness.test/a \nquorum A\n",
        log_lines(),
        witness(1).verifier()
    );
    let policy: WitnessPolicy = spaced.parse().unwrap();
    assert_eq!(policy.witnesses()[0].url(), Some("https://witness.test/a"));
    assert_eq!(policy.to_string().parse::<WitnessPolicy>().unwrap(), policy);
}

#[test]
fn groups_hold_as_they_say() {
    let (one, two, three, four) = (witness(1), witness(2), witness(3), witness(4));
    let policy =
        read("group A any W1 W2\ngroup B all W3 W4\ngroup both all A B\nquorum both\n").unwrap();
    let counts = |witnesses: &[&WitnessKey]| policy.counts(&note(witnesses)).is_ok();
    assert!(counts(&[&two, &three, &four]));
    assert!(counts(&[&one, &two, &three, &four]));
    assert!(!counts(&[&one, &two, &three]));
    assert!(!counts(&[&three, &four]));
    let single = read("quorum W2\n").unwrap();
    assert!(single.counts(&note(&[&two])).is_ok() && single.counts(&note(&[&one])).is_err());
    // Any k from 1 on is taken from a file: whoever writes it decides for himself.
    assert!(read("group G 1 W1 W2 W3 W4\nquorum G\n").is_ok());
}

#[test]
fn a_policy_text_that_says_something_else_is_refused() {
    for (text, expected) in [
        ("", "exactly one quorum"),
        ("quorum W1\nquorum W2\n", "exactly one quorum"),
        ("quorum W5\n", "line 7 of the policy: the name W5 has to be that of a witness"),
        ("quorum G\ngroup G 1 W1\n", "has to be that of a witness or group on a line before"),
        ("group G 0 W1\nquorum G\n", "1 to 1 of its 1 members"),
        ("group G 3 W1 W2\nquorum G\n", "1 to 2 of its 2 members"),
        ("group G 02 W1 W2\nquorum G\n", "1 to 2 of its 2 members"),
        ("group G most W1 W2\nquorum G\n", "1 to 2 of its 2 members"),
        ("group G all\nquorum G\n", "expected 'log"),
        ("group G all none\nquorum G\n", "name none has to be"),
        ("group none all W1\nquorum none\n", "not 'none'"),
        ("group W1 all W2\nquorum W1\n", "a new one"),
        ("group G all W1 W1\nquorum G\n", "one group, once"),
        ("group G all W1\ngroup H all W1 G\nquorum H\n", "one group, once"),
        ("quorum none\n", "asks for no witness"),
        ("quorum W1", "each with a newline"),
        ("quorum W1\r\n", "each with a newline"),
        ("quorum W1 W2\n", "expected 'log"),
        ("nonsense\n", "expected 'log"),
        ("log nonsense\n", "a key is written"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let repeated = format!("witness W9 {}\nquorum W1\n", witness(1).verifier());
    assert!(read(&repeated).unwrap_err().to_string().contains("line 7"));
    let twice = format!("log {}\nquorum W1\n", log().verifier().keys()[0]);
    assert!(read(&twice).unwrap_err().to_string().contains("that of another key"));
}

#[test]
fn a_log_needs_both_its_keys() {
    let [ed25519, ml_dsa_44] = log().verifier().keys().map(|key| format!("log {key}\n"));
    let rest = format!("{}quorum W1\n", witness_lines(1));
    let error = |logs: &str| format!("{logs}{rest}").parse::<WitnessPolicy>().unwrap_err();
    assert_eq!(error(""), PolicyTextError::NoLog);
    assert!(matches!(error(&ed25519), PolicyTextError::LogKeys { .. }));
    assert!(matches!(error(&ml_dsa_44), PolicyTextError::LogKeys { .. }));
    let other = LogKeys::from_seeds(&name("log.test/1"), &[3; 32], &[4; 32]).unwrap();
    let [other, _] = other.verifier().keys().map(|key| format!("log {key}\n"));
    assert!(matches!(error(&(ed25519.clone() + &other)), PolicyTextError::LogKeys { .. }));
    assert!(matches!(error(&(ed25519 + &ml_dsa_44 + &other)), PolicyTextError::LogKeys { .. }));
}

#[test]
fn no_witnesses_has_a_type_of_its_own() {
    let text = format!("{}quorum none\n", log_lines());
    assert_eq!(text.parse::<WitnessPolicy>(), Err(PolicyTextError::Unwitnessed));
    let policy: UnwitnessedPolicy = text.parse().unwrap();
    assert_eq!(policy.verify(&note(&[])).unwrap().head(), head());
    let witnessed = format!("{}{}quorum W1\n", log_lines(), witness_lines(1));
    assert_eq!(witnessed.parse::<UnwitnessedPolicy>(), Err(PolicyTextError::Witnessed));
}
