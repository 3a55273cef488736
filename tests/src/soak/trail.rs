//! What the log says of each transfer, read while the server runs. Never writes to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use strongroom_ledger::EntryRef;

/// Events that end a transfer, and say why.
const ENDS: [&str; 8] = [
    "transfer.confirmed",
    "transfer.refused",
    "transfer.failed",
    "transfer.rejected",
    "transfer.cancelled",
    "transfer.expired",
    "transfer.stopped",
    "transfer.abandoned",
];

/// Events that nobody but a machine that found fault, or a person, writes.
const TROUBLE: [&str; 4] =
    ["key.quarantined", "signer.quarantined", "reconciliation.difference-found", "freeze.set"];

pub(super) struct Trail {
    log: Connection,
    read: i64,
    /// By stream, and by type of event: when it was written first.
    first: BTreeMap<String, BTreeMap<String, u64>>,
    /// Types of events that must not be there.
    pub(super) trouble: BTreeSet<String>,
}

impl Trail {
    pub(super) fn open(log: &Path) -> Self {
        let log = Connection::open_with_flags(log, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let (first, trouble) = (BTreeMap::new(), BTreeSet::new());
        Self { log: log.expect("a log"), read: 0, first, trouble }
    }

    /// What was written since the last time.
    pub(super) fn read_on(&mut self) {
        let sql = "SELECT position, entry FROM entries WHERE position > ?1 ORDER BY position";
        let mut statement = self.log.prepare_cached(sql).expect("a statement");
        let mut rows = statement.query([self.read]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            self.read = row.get(0).expect("a position");
            let bytes: Vec<u8> = row.get(1).expect("an entry");
            let entry = EntryRef::parse(&bytes).expect("an entry");
            if TROUBLE.contains(&entry.r#type) {
                self.trouble.insert(format!("{} of {}", entry.r#type, entry.stream));
            }
            if entry.stream.starts_with("transfer-") {
                let story = self.first.entry(entry.stream.to_owned()).or_default();
                story.entry(entry.r#type.to_owned()).or_insert(entry.time.micros());
            }
        }
    }

    /// When this first happened to a transfer, in microseconds since 1970.
    pub(super) fn when(&self, transfer: &str, event: &str) -> Option<u64> {
        self.first.get(&format!("transfer-{transfer}"))?.get(event).copied()
    }

    /// How it ended.
    pub(super) fn end(&self, transfer: &str) -> Option<&'static str> {
        ENDS.into_iter().find(|event| self.when(transfer, event).is_some())
    }

    /// What happened to it last.
    pub(super) fn last(&self, transfer: &str) -> String {
        let story = self.first.get(&format!("transfer-{transfer}"));
        let last = story.and_then(|story| story.iter().max_by_key(|(_, when)| **when));
        last.map_or_else(|| "nothing".to_owned(), |(event, _)| event.clone())
    }
}
