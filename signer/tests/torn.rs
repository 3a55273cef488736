//! A signer's files as a crash may leave them: its journal and its copy of the log, of a whole life
//! (`hostile/restarts/life.rs` in `tests/` wrote them), cut after every line and at every byte of the
//! last record. What was acknowledged is there again, or the signer does not start; never anything else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy takes helpers of an integration test for product code"
)]

use std::path::{Path, PathBuf};

use strongroom_domain::{
    Digest, Head, Timestamp,
    charter::{CharterEvent, FoundedV2},
};
use strongroom_signer::{
    consumption::Consumptions,
    follower::{FollowError, Follower, Pinned, Remembered},
    journal::{Journal, JournalError},
    log_copy::LogCopyError,
};

/// Lines of the log, each with its payload behind it.
const LINES: usize = 375;

struct Life {
    copy: Vec<u8>,
    journal: Vec<u8>,
    /// Where each entry with its payload ends, in bytes, with its head.
    ends: Vec<(usize, Head)>,
    home: tempfile::TempDir,
}

fn kept(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/life").join(name)).unwrap()
}

impl Life {
    fn whole() -> Self {
        let (copy, journal) = (kept("log.jsonl"), kept("journal"));
        let (mut ends, mut at) = (Vec::new(), 0);
        let mut lines = copy.split_inclusive(|byte| *byte == b'\n');
        while let (Some(entry), Some(payload)) = (lines.next(), lines.next()) {
            at += entry.len() + payload.len();
            let leaf = strongroom_ledger::leaf_hash(&entry[..entry.len() - 1]);
            let position = u64::try_from(ends.len()).unwrap() + 1;
            ends.push((at, Head { position, leaf: Digest(*leaf.as_bytes()) }));
        }
        assert_eq!((ends.len(), at), (LINES, copy.len()));
        Self { copy, journal, ends, home: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// As the first signer of the charter.
    fn pinned(&self) -> Pinned {
        let payload = self.copy.split(|byte| *byte == b'\n').nth(1).unwrap();
        let founded: FoundedV2 = serde_json::from_slice(payload).unwrap();
        assert!(matches!(CharterEvent::from(founded.clone()), CharterEvent::FoundedV2(_)));
        let me = founded.charter.signers[0].clone();
        Pinned {
            genesis: self.ends[0].1.leaf,
            signer: me.id,
            identity_key: me.identity_key.array().unwrap(),
            witness_key: me.witness_key.array().unwrap(),
        }
    }

    /// What a signer makes of this much of its copy, when its journal acknowledged `acknowledged`.
    fn follow(&self, bytes: &[u8], acknowledged: Head) -> Result<Head, FollowError> {
        let path = self.file("log.jsonl", bytes);
        let known = Remembered { acknowledged, ..Remembered::default() };
        let late = Timestamp::from_micros(u64::MAX / 4);
        Follower::open(&path, known, self.pinned(), late).map(|follower| follower.head())
    }

    fn last(&self) -> (usize, usize, Head) {
        let [.., (before, head), (end, _)] = self.ends[..] else { panic!() };
        (before, end, head)
    }
}

/// The same code path as a start: each line of the 375 is one that a crash may have left as the last.
#[test]
fn a_log_copy_that_ends_after_any_of_375_lines_is_followed_from_there() {
    let life = Life::whole();
    for (end, head) in &life.ends {
        let found = life.follow(&life.copy[..*end], *head).unwrap();
        assert_eq!(found, *head);
    }
}

#[test]
fn a_log_copy_cut_at_any_byte_of_its_last_record_is_cut_back_to_what_was_acknowledged() {
    let life = Life::whole();
    let (before, end, head) = life.last();
    for cut in before..end {
        assert_eq!(life.follow(&life.copy[..cut], head).unwrap(), head, "cut at byte {cut}");
        let left = std::fs::read(life.home.path().join("log.jsonl")).unwrap();
        assert!(left == life.copy[..before], "cut at byte {cut}");
    }
    // Acknowledged, and not there: it does not start, and leaves the file alone.
    let whole = life.ends[LINES - 1].1;
    for cut in (before..end).step_by(37) {
        let refused = life.follow(&life.copy[..cut], whole);
        assert!(matches!(
            refused,
            Err(FollowError::Copy(
                LogCopyError::Short { .. } | LogCopyError::Export(_) | LogCopyError::Chain(_)
            ))
        ));
        assert_eq!(std::fs::read(life.home.path().join("log.jsonl")).unwrap(), life.copy[..cut]);
    }
}

/// The records of a journal that is cut there, and how much of it is kept.
fn records(life: &Life, bytes: &[u8]) -> Result<(usize, usize), JournalError> {
    let path = life.file("journal", bytes);
    let opened = Journal::open::<serde_json::Value>(&path)?;
    let kept = std::fs::metadata(&path).unwrap().len();
    Ok((opened.records.len(), usize::try_from(kept).unwrap()))
}

#[test]
fn a_journal_cut_anywhere_gives_the_whole_writes_before_the_cut() {
    let life = Life::whole();
    let lines: Vec<&[u8]> = life.journal.split_inclusive(|byte| *byte == b'\n').collect();
    // How many lines of its write follow a line: 0 ends it.
    let follows = |line: &[u8]| -> usize {
        let text = std::str::from_utf8(line).unwrap();
        text.split(' ').nth(3).unwrap().parse().unwrap()
    };
    let (mut at, mut whole, mut number) = (0, (0, 0), 0);
    for line in &lines {
        at += line.len();
        number += 1;
        if follows(line) == 0 {
            whole = (number, at);
        }
        assert_eq!(records(&life, &life.journal[..at]).unwrap(), whole, "line {number}");
        // What the signer makes of it: a state, every time.
        Consumptions::open(&life.file("journal", &life.journal[..at])).unwrap();
    }
    assert_eq!(whole.1, life.journal.len());
    let last = lines.last().unwrap().len();
    let complete = records(&life, &life.journal).unwrap();
    for cut in life.journal.len() - last..life.journal.len() {
        let (found, kept) = records(&life, &life.journal[..cut]).unwrap();
        assert!(found < complete.0 && kept <= cut, "cut at byte {cut}");
        Consumptions::open(&life.file("journal", &life.journal[..cut])).unwrap();
    }
    assert!(lines.len() > 200, "a journal of a whole life has {} records", lines.len());
}

/// A byte of an acknowledged record that changed on the disk is no crash.
#[test]
fn a_journal_with_a_changed_byte_before_its_last_write_does_not_open() {
    let life = Life::whole();
    let end = life.journal.len();
    for place in (0..end * 9 / 10).step_by(end / 97) {
        let mut bytes = life.journal.clone();
        bytes[place] ^= 1;
        let refused = records(&life, &bytes);
        assert!(matches!(refused, Err(JournalError::Corrupt { .. })), "byte {place}");
    }
}
