//! The format of the log, byte by byte. Never regenerated to make a test pass: it is fixed for good.
//!
//! `golden/log.jsonl` is an export of five entries, `leaves.txt` their leaves. Both were made by a
//! program in another language from the description in DESIGN.md, not by this crate.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "helpers of tests fail as tests do"
)]

use std::process::Command;

use strongroom_ledger::export::{Pair, Reader, Writer};
use strongroom_ledger::{
    Chain, ChainError, Entry, Hash, Position, Timestamp, leaf_hash, payload_hash,
};
use uuid::Uuid;

const LOG: &str = include_str!("golden/log.jsonl");
const LEAVES: &str = include_str!("golden/leaves.txt");

const PERSON: &str = "person:01936b0a-7c00-7000-8000-000000000001";
const TRANSFER: &str = "transfer:01936b0a-7c00-7000-8000-0000000000aa";

/// (micros after the first, stream, sequence, type, version, causation, payload)
type Golden = (u64, &'static str, u64, &'static str, u16, Option<u128>, &'static str);

const EVENTS: [Golden; 5] = [
    (0, "charter", 1, "charter.founded", 1, None, r#"{"name":"Golden"}"#),
    (0, "policy:default", 1, "policy.set", 2, Some(1), r#"{"quorum":{"of":3,"needs":2}}"#),
    (
        1,
        TRANSFER,
        1,
        "transfer.requested",
        1,
        Some(2),
        r#"{"amount":"21000000","note":"Zürich ☃"}"#,
    ),
    (999_999, TRANSFER, 2, "transfer.approved", u16::MAX, Some(3), "{}"),
    (86_400_000_000, "charter", 2, "charter.person-added", 1, None, r#"{"roles":["auditor"]}"#),
];

fn golden_entries() -> Vec<(Entry, &'static str)> {
    let mut chain = Chain::start();
    let id = |number: u128| Uuid::from_u128(0x0193_6b0a_7c00_7000_8000_0000_0000_0000 | number);
    let mut entries = Vec::new();
    for (after, stream, sequence, r#type, version, causation, payload) in EVENTS {
        let position = chain.head().position.next().unwrap();
        let entry = Entry {
            position,
            time: Timestamp::from_micros(1_795_367_880_000_000 + after).unwrap(),
            stream: stream.to_owned(),
            sequence,
            r#type: r#type.to_owned(),
            version,
            actor: PERSON.to_owned(),
            command: id(u128::from(position.get())),
            correlation: id(0xff),
            causation: causation.map(id),
            payload_sha256: payload_hash(payload.as_bytes()),
            prev: chain.head().leaf,
        };
        chain.extend(&entry.encode().unwrap(), payload.as_bytes()).unwrap();
        entries.push((entry, payload));
    }
    entries
}

fn pairs() -> Vec<Pair> {
    Reader::new(LOG.as_bytes()).collect::<Result<_, _>>().unwrap()
}

fn export(pairs: &[Pair]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for pair in pairs {
        writer.write(&pair.entry, &pair.payload).unwrap();
    }
    writer.finish().unwrap()
}

/// What a verifier says of a log, with a look at what follows a gap.
fn verify(pairs: &[Pair]) -> Result<Hash, ChainError> {
    let mut chain = Chain::start();
    for (index, pair) in pairs.iter().enumerate() {
        chain
            .extend(&pair.entry, &pair.payload)
            .map_err(|error| error.refine(pairs[index..].iter().map(|later| &later.entry)))?;
    }
    Ok(chain.head().leaf)
}

#[test]
fn the_encoder_writes_the_golden_bytes() {
    let mut writer = Writer::new(Vec::new());
    for (entry, payload) in golden_entries() {
        writer.write(&entry.encode().unwrap(), payload.as_bytes()).unwrap();
    }
    assert_eq!(String::from_utf8(writer.finish().unwrap()).unwrap(), LOG);
}

#[test]
fn the_parser_reads_the_golden_bytes() {
    let read: Vec<Entry> = pairs().iter().map(|one| Entry::parse(&one.entry).unwrap()).collect();
    let made: Vec<Entry> = golden_entries().into_iter().map(|(entry, _)| entry).collect();
    assert_eq!(read, made);
}

#[test]
fn the_golden_leaves_are_the_leaves() {
    let mut chain = Chain::start();
    let leaves = pairs().iter().fold(String::new(), |leaves, pair| {
        chain.extend(&pair.entry, &pair.payload).unwrap();
        format!("{leaves}{}\n", chain.head().leaf)
    });
    assert_eq!(leaves, LEAVES);
}

#[test]
fn the_golden_entries_are_plain_json_in_their_field_order() {
    for pair in pairs() {
        let json: serde_json::Value = serde_json::from_slice(&pair.entry).unwrap();
        let entry = Entry::parse(&pair.entry).unwrap();
        assert_eq!(json["position"], entry.position.get());
        assert_eq!(json["time"], entry.time.to_string());
        assert_eq!(json["payload_sha256"], entry.payload_sha256.to_string());
        assert_eq!(json["causation"].as_str(), entry.causation.map(|id| id.to_string()).as_deref());
        serde_json::from_slice::<serde_json::Value>(&pair.payload).unwrap();
    }
}

#[test]
fn each_damage_has_its_own_name() {
    let good = pairs();
    assert_eq!(verify(&good).unwrap().to_string(), LEAVES.lines().last().unwrap());
    let damaged = |damage: fn(&mut Vec<Pair>)| {
        let mut pairs = good.clone();
        damage(&mut pairs);
        verify(&pairs).unwrap_err()
    };
    let at = |position| Position::new(position).unwrap();
    assert_eq!(
        damaged(|log| drop(log.remove(2))),
        ChainError::Gap { expected: at(3), found: at(4) }
    );
    assert_eq!(
        damaged(|log| log.swap(1, 3)),
        ChainError::Swapped { expected: at(2), found: at(4) }
    );
    assert_eq!(
        damaged(|log| log.insert(2, log[1].clone())),
        ChainError::Repeated { expected: at(3), found: at(2) }
    );
    let error = damaged(|log| log[2].payload[2] ^= 1);
    assert!(matches!(error, ChainError::PayloadMismatch { position, .. } if position == at(3)));
    let error = damaged(|log| change(log, 1, "policy.set", "policy.get"));
    assert!(matches!(error, ChainError::PrevMismatch { position, .. } if position == at(3)));
    let error = damaged(|log| change(log, 1, "policy.set", "policy set"));
    assert!(matches!(error, ChainError::Malformed { position, .. } if position == at(2)));
    let error = damaged(|log| change(log, 3, "\"sequence\":2", "\"sequence\":3"));
    assert!(matches!(error, ChainError::SequenceGap { expected: 2, found: 3, .. }), "{error}");
    let error = damaged(|log| change(log, 4, "2026-11-23", "2026-11-21"));
    assert!(matches!(error, ChainError::TimeBackwards { position, .. } if position == at(5)));
}

fn change(log: &mut [Pair], index: usize, from: &str, to: &str) {
    let entry = String::from_utf8(log[index].entry.clone()).unwrap();
    assert!(entry.contains(from));
    log[index].entry = entry.replace(from, to).into_bytes();
}

/// Runs `docs/check_log.py` on an export: whether it is content, and what it says.
fn python(pairs: &[Pair]) -> (bool, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.jsonl");
    std::fs::write(&path, export(pairs)).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/check_log.py");
    let output = Command::new("python3").arg(script).arg(&path).output();
    let output = output.expect("python3 must be installed: the auditor's script is run by it");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn the_auditors_script_prints_the_head() {
    let (content, said) = python(&pairs());
    assert!(content, "{said}");
    let mut tree = strongroom_ledger::Frontier::new();
    for pair in pairs() {
        tree.push(leaf_hash(&pair.entry), |_, _, _| {});
    }
    let head = LEAVES.lines().last().unwrap();
    assert_eq!(said, format!("ok 5 {head} {}\n", tree.root()));
}

#[test]
fn the_auditors_script_takes_an_empty_file_for_no_log() {
    let (content, said) = python(&[]);
    assert!(!content && said.contains("the file is empty"), "{said}");
}

#[test]
fn the_auditors_script_finds_each_damage() {
    type Damage = fn(&mut Vec<Pair>);
    let damages: [(Damage, &str); 6] = [
        (|log| drop(log.remove(2)), "entry 3: position is 4"),
        (|log| log.swap(1, 3), "entry 2: position is 4"),
        (|log| log.insert(2, log[1].clone()), "entry 3: position is 2"),
        (|log| log[2].payload[2] ^= 1, "entry 3: payload"),
        (|log| change(log, 1, "policy.set", "policy.get"), "entry 3: prev"),
        (|log| change(log, 1, ",\"time\"", ", \"time\""), "entry 2: not canonical"),
    ];
    for (damage, expected) in damages {
        let mut log = pairs();
        damage(&mut log);
        let (content, said) = python(&log);
        assert!(!content && said.contains(expected), "{expected}: {said}");
    }
}
