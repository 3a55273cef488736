//! The copy's rules on real files and real entries.

use std::{fs, path::Path};

use strongroom_ledger::{Entry, EntryRef, Head, Position, Timestamp, leaf_hash, payload_hash};
use tempfile::tempdir;
use uuid::Uuid;

use super::{LogCopy, LogCopyError, Opened};

/// Entries and payloads of one stream, chained, and the head after each.
struct Log {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
    heads: Vec<Head>,
}

fn log(length: u64, flavour: &str) -> Log {
    let mut head = Head::EMPTY;
    let mut log = Log { pairs: Vec::new(), heads: Vec::new() };
    for number in 1..=length {
        let payload = format!("{{\"{flavour}\":{number}}}").into_bytes();
        let entry = Entry {
            position: head.position.next().unwrap(),
            time: Timestamp::EPOCH,
            stream: "account:1".into(),
            sequence: number,
            r#type: "counted".into(),
            version: 1,
            actor: "tester".into(),
            command: Uuid::from_u128(1),
            correlation: Uuid::from_u128(2),
            causation: None,
            payload_sha256: payload_hash(&payload),
            prev: head.leaf,
        };
        let bytes = entry.encode().unwrap();
        head = Head { position: entry.position, leaf: leaf_hash(&bytes) };
        log.pairs.push((bytes, payload));
        log.heads.push(head);
    }
    log
}

fn open(path: &Path, acknowledged: Head) -> Result<(Opened, Vec<u64>), LogCopyError> {
    let mut seen = Vec::new();
    let opened = LogCopy::open(path, acknowledged, |entry: &EntryRef<'_>, _| {
        seen.push(entry.position.get());
        Ok(())
    })?;
    Ok((opened, seen))
}

fn push(copy: &mut LogCopy, pairs: &[(Vec<u8>, Vec<u8>)]) {
    for (entry, payload) in pairs {
        copy.verify(entry, payload).unwrap();
    }
    copy.commit().unwrap();
}

/// A committed copy of the first three entries of [`log`]`(5, "n")`, and its bytes.
fn three(path: &Path) -> (Log, Vec<u8>) {
    let log = log(5, "n");
    LogCopy::create(path).unwrap();
    push(&mut open(path, Head::EMPTY).unwrap().0.copy, &log.pairs[..3]);
    let bytes = fs::read(path).unwrap();
    (log, bytes)
}

#[test]
fn what_was_committed_is_folded_again_and_goes_on_from_there() {
    let home = tempdir().unwrap();
    let path = home.path().join("log");
    let (log, bytes) = three(&path);
    assert_eq!(bytes.split(|byte| *byte == b'\n').count(), 7);
    assert!(matches!(LogCopy::create(&path), Err(LogCopyError::Io { .. })));
    let (mut opened, seen) = open(&path, log.heads[2]).unwrap();
    assert_eq!((seen, opened.cut), (vec![1, 2, 3], 0));
    push(&mut opened.copy, &log.pairs[3..]);
    assert_eq!(opened.copy.head(), log.heads[4]);
    assert_eq!(open(&path, log.heads[4]).unwrap().1, [1, 2, 3, 4, 5]);
}

#[test]
fn staged_entries_are_on_disk_only_after_the_commit() {
    let home = tempdir().unwrap();
    let path = home.path().join("log");
    let (log, bytes) = three(&path);
    let (mut opened, _) = open(&path, log.heads[2]).unwrap();
    opened.copy.verify(&log.pairs[3].0, &log.pairs[3].1).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes);
    drop(opened);
    assert_eq!(open(&path, log.heads[2]).unwrap().1, [1, 2, 3]);
}

#[test]
fn an_entry_that_does_not_extend_the_copy_is_refused_and_changes_nothing() {
    let home = tempdir().unwrap();
    let path = home.path().join("log");
    let (log, _) = three(&path);
    let other = super::tests::log(5, "m");
    let (mut opened, _) = open(&path, log.heads[2]).unwrap();
    let wrong = [&log.pairs[2], &log.pairs[4], &other.pairs[3]];
    for (entry, payload) in wrong {
        assert!(matches!(opened.copy.verify(entry, payload), Err(LogCopyError::Chain(_))));
    }
    let refusal = opened.copy.verify(&log.pairs[3].0, b"{\"n\":9}").err();
    assert!(matches!(refusal, Some(LogCopyError::Chain(_))));
    assert_eq!(opened.copy.head(), log.heads[2]);
    push(&mut opened.copy, &log.pairs[3..]);
}

#[test]
fn a_tail_torn_at_any_byte_behind_the_acknowledged_head_is_cut_off() {
    let home = tempdir().unwrap();
    let path = home.path().join("log");
    let (log, bytes) = three(&path);
    let (entry, payload) = &log.pairs[3];
    let next = [entry.as_slice(), b"\n", payload, b"\n"].concat();
    for length in 0..next.len() {
        fs::write(&path, [bytes.as_slice(), &next[..length]].concat()).unwrap();
        let (opened, seen) = open(&path, log.heads[2]).unwrap();
        assert_eq!((seen, opened.cut), (vec![1, 2, 3], u64::try_from(length).unwrap()));
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    fs::write(&path, [bytes.as_slice(), &next].concat()).unwrap();
    assert_eq!(open(&path, log.heads[2]).unwrap().1, [1, 2, 3, 4]);
}

#[test]
fn a_copy_that_lost_or_changed_what_was_acknowledged_does_not_open() {
    let home = tempdir().unwrap();
    let path = home.path().join("log");
    let (log, bytes) = three(&path);
    assert!(matches!(open(&path, log.heads[3]), Err(LogCopyError::Short { .. })));
    let forked = Head { leaf: log.heads[1].leaf, ..log.heads[2] };
    assert!(matches!(open(&path, forked), Err(LogCopyError::Forked { .. })));
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        fs::write(&path, &changed).unwrap();
        assert!(open(&path, log.heads[2]).is_err(), "byte {place}");
    }
    let position = Position::new(3).unwrap();
    assert_eq!(log.heads[2].position, position);
}

#[test]
fn what_the_fold_refuses_does_not_open() {
    let home = tempdir().unwrap();
    let path = home.path().join("log");
    let (log, _) = three(&path);
    let opened = LogCopy::open(&path, log.heads[2], |_, _| Err("no".into()));
    assert!(matches!(opened.err(), Some(LogCopyError::Fold { position: 1, .. })));
}
