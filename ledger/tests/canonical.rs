//! That an entry has one spelling. Never trusts the encoder to tell: mutations and foreign
//! spellings go to the parser directly.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "helpers of tests fail as tests do"
)]

use proptest::prelude::*;
use strongroom_ledger::export::{ExportError, Pair, Reader, Writer};
use strongroom_ledger::{
    Chain, ENTRY_LIMIT, Entry, EntryError, Hash, Head, MAX_INTEGER, PAYLOAD_LIMIT, Position,
    Sequences, Timestamp, leaf_hash, payload_hash,
};
use uuid::Uuid;

prop_compose! {
    fn entries()(
        position in 1..=MAX_INTEGER,
        time in 0..=Timestamp::MAX.micros(),
        stream in "[a-z0-9:._-]{1,128}",
        sequence in 1..=MAX_INTEGER,
        r#type in "[a-z0-9.-]{1,64}",
        version in 1..=u16::MAX,
        actor in "[a-z0-9:._-]{1,128}",
        (command, correlation, causation) in any::<(u128, u128, Option<u128>)>(),
        (payload, prev) in any::<([u8; 32], [u8; 32])>(),
    ) -> Entry {
        Entry {
            position: Position::new(position).unwrap(),
            time: Timestamp::from_micros(time).unwrap(),
            stream, sequence, r#type, version, actor,
            command: Uuid::from_u128(command),
            correlation: Uuid::from_u128(correlation),
            causation: causation.map(Uuid::from_u128),
            payload_sha256: Hash::new(payload),
            prev: Hash::new(prev),
        }
    }
}

proptest! {
    #[test]
    fn what_was_encoded_is_read_back(entry in entries()) {
        let bytes = entry.encode().unwrap();
        prop_assert!(bytes.len() <= ENTRY_LIMIT / 2);
        prop_assert_eq!(Entry::parse(&bytes), Ok(entry));
    }

    #[test]
    fn a_changed_byte_is_refused_or_means_something_else(
        entry in entries(), at in any::<prop::sample::Index>(), change in 1..=u8::MAX,
    ) {
        let mut bytes = entry.encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        if let Ok(other) = Entry::parse(&bytes) {
            prop_assert_ne!(&other, &entry);
            prop_assert_eq!(other.encode().unwrap(), bytes);
        }
    }

    #[test]
    fn an_added_or_lost_byte_is_refused_or_means_something_else(
        entry in entries(), at in any::<prop::sample::Index>(), byte: Option<u8>,
    ) {
        let mut bytes = entry.encode().unwrap();
        let at = at.index(bytes.len());
        match byte {
            Some(byte) => bytes.insert(at, byte),
            None => drop(bytes.remove(at)),
        }
        if let Ok(other) = Entry::parse(&bytes) {
            prop_assert_eq!(other.encode().unwrap(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_refused_or_are_their_own_encoding(bytes in prop::collection::vec(any::<u8>(), 0..900)) {
        if let Ok(entry) = Entry::parse(&bytes) {
            prop_assert_eq!(entry.encode().unwrap(), bytes);
        }
    }

    #[test]
    fn a_hash_and_a_time_have_one_text(hash: [u8; 32], micros in 0..=Timestamp::MAX.micros()) {
        let (hash, time) = (Hash::new(hash), Timestamp::from_micros(micros).unwrap());
        prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        prop_assert_eq!(time.to_string().parse(), Ok(time));
        prop_assert!(hash.to_string().to_uppercase().parse::<Hash>().is_err() || !hash.to_string().contains(|c: char| c.is_alphabetic()));
    }
}

fn sample() -> Entry {
    Entry {
        position: Position::FIRST,
        time: Timestamp::from_micros(1_795_367_880_000_000).unwrap(),
        stream: "charter".to_owned(),
        sequence: 1,
        r#type: "charter.founded".to_owned(),
        version: 1,
        actor: "person:a".to_owned(),
        command: Uuid::from_u128(0xabcd),
        correlation: Uuid::from_u128(2),
        causation: None,
        payload_sha256: payload_hash(b"{}"),
        prev: Hash::ZERO,
    }
}

#[test]
fn every_other_spelling_is_refused() {
    let good = String::from_utf8(sample().encode().unwrap()).unwrap();
    assert_eq!(Entry::parse(good.as_bytes()), Ok(sample()));
    let spellings = [
        ("{\"position\":1,", "{ \"position\":1,"),
        ("\"position\":1,", "\"position\":01,"),
        ("\"position\":1,", "\"position\":+1,"),
        ("\"position\":1,", "\"position\":-1,"),
        ("\"position\":1,", "\"position\":1.0,"),
        ("\"position\":1,", "\"position\":1e0,"),
        ("\"position\":1,", "\"position\":0,"),
        ("\"position\":1,", "\"position\":,"),
        ("\"position\":1,", "\"position\":\"1\","),
        ("\"position\":1,", "\"position\":9007199254740992,"),
        ("\"position\":1,", "\"position\":99999999999999999999999999,"),
        ("\"position\":1,", "\"position\":1,\"position\":1,"),
        ("\"version\":1,", "\"version\":65536,"),
        ("\"version\":1,", "\"version\":0,"),
        ("\"version\":1,", ""),
        ("\"charter\"", "\"ch\\u0061rter\""),
        ("\"charter\"", "\"Charter\""),
        ("\"charter\"", "\"\""),
        ("\"charter\"", "\"zürich\""),
        ("\"charter.founded\"", "\"charter:founded\""),
        ("00abcd", "00ABCD"),
        ("\"00000000-0000-0000-0000-00000000abcd\"", "\"0000000000000000000000000000abcd\""),
        ("\"00000000-0000-0000-0000-00000000abcd\"", "\"0000000-00000-0000-0000-00000000abcd\""),
        ("\"causation\":null", "\"causation\":\"null\""),
        ("\"causation\":null", "\"causation\":\"\""),
        ("\"causation\":null", "\"causation\": null"),
        (".000000Z", "Z"),
        (".000000Z", ".000000+00:00"),
        ("\"}", "\"}\n"),
        ("\"}", "\"} "),
        ("\"}", "\",\"extra\":1}"),
        ("\"}", "\""),
    ];
    for (from, to) in spellings {
        assert!(good.contains(from), "{from}");
        let other = good.replacen(from, to, 1);
        assert!(Entry::parse(other.as_bytes()).is_err(), "{other}");
    }
    assert_eq!(
        Entry::parse(&[b' '; ENTRY_LIMIT + 1]),
        Err(EntryError::TooLong { found: ENTRY_LIMIT + 1 })
    );
    let swapped = good.replacen(
        "\"sequence\":1,\"type\":\"charter.founded\"",
        "\"type\":\"charter.founded\",\"sequence\":1",
        1,
    );
    assert_ne!(swapped, good);
    assert!(Entry::parse(swapped.as_bytes()).is_err());
}

#[test]
fn what_cannot_be_read_back_is_not_written() {
    let changes: [fn(&mut Entry); 8] = [
        |entry| entry.position = Position::START,
        |entry| entry.sequence = 0,
        |entry| entry.sequence = MAX_INTEGER + 1,
        |entry| entry.version = 0,
        |entry| entry.stream = "a\"b".to_owned(),
        |entry| entry.stream = "a".repeat(129),
        |entry| entry.r#type = "a_b".to_owned(),
        |entry| entry.actor = String::new(),
    ];
    for change in changes {
        let mut entry = sample();
        change(&mut entry);
        assert!(matches!(entry.encode(), Err(EntryError::Field { .. })), "{entry:?}");
    }
}

#[test]
fn a_fault_is_named_with_its_place() {
    let bytes = sample().encode().unwrap();
    let error = Entry::parse(&bytes[..20]).unwrap_err();
    assert_eq!(error.to_string(), "byte 13 of the entry: expected ,\"time\":\"");
}

#[test]
fn a_chain_resumes_from_a_head() {
    let first = sample().encode().unwrap();
    let head = Head { position: Position::FIRST, leaf: leaf_hash(&first) };
    let second = |sequence| {
        let position = Position::new(2).unwrap();
        Entry { position, sequence, prev: head.leaf, ..sample() }.encode().unwrap()
    };
    let known = || Sequences::from_iter([("charter", 1)]);
    let resumed = || Chain::resume_with(head, sample().time, known());
    assert!(resumed().extend(&second(2), b"{}").is_ok());
    assert!(resumed().extend(&second(3), b"{}").is_err());
    assert!(resumed().extend(&second(2), b"{ }").is_err());
    let mut unknowing = Chain::resume(head);
    assert!(unknowing.extend(&second(7), b"{}").is_ok(), "nobody knows how far the stream was");
    assert_eq!(unknowing.sequences().get("charter"), 7);
    assert_eq!(unknowing.head().position.get(), 2);
}

#[test]
fn a_refused_entry_changes_nothing() {
    let mut chain = Chain::start();
    let first = sample().encode().unwrap();
    assert!(chain.extend(&first, b"wrong").is_err());
    assert_eq!(chain.head(), Head::EMPTY);
    assert_eq!(chain.sequences(), &Sequences::new());
    chain.extend(&first, b"{}").unwrap();
}

#[test]
fn an_export_is_read_back_and_bounded() {
    let pair = Pair { entry: sample().encode().unwrap(), payload: vec![b'x'; PAYLOAD_LIMIT] };
    let mut writer = Writer::new(Vec::new());
    writer.write(&pair.entry, &pair.payload).unwrap();
    assert!(matches!(writer.write(b"e", b"two\nlines"), Err(ExportError::Newline { line: 4 })));
    let long = vec![b'x'; PAYLOAD_LIMIT + 1];
    assert!(matches!(writer.write(b"e", &long), Err(ExportError::TooLong { line: 6, .. })));

    let mut writer = Writer::new(Vec::new());
    writer.write(&pair.entry, &pair.payload).unwrap();
    let bytes = writer.finish().unwrap();
    assert_eq!(Reader::new(&*bytes).collect::<Result<Vec<_>, _>>().unwrap(), [pair]);
    let read = |bytes: &[u8]| Reader::new(bytes).next().unwrap().unwrap_err();
    assert!(matches!(read(&bytes[..bytes.len() - 1]), ExportError::Truncated { line: 2 }));
    assert!(matches!(read(b"e\n"), ExportError::Truncated { line: 2 }));
    assert!(matches!(read(b"e"), ExportError::Truncated { line: 1 }));
    assert!(matches!(read(&long), ExportError::TooLong { line: 1, limit: ENTRY_LIMIT }));
    assert!(matches!(read(&[b"e\n", &*long].concat()), ExportError::TooLong { line: 2, .. }));
}
