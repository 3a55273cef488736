//! What is read from a log. Never hands out an entry that was not checked against its payload.

use strongroom_ledger::{ChainError, Entry, EntryRef, Hash, Position, leaf_hash, payload_hash};

/// The most records of one page.
pub const PAGE_LIMIT: usize = 1000;
/// A page ends with the record that takes it over this many bytes.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// An entry of the log with its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The entry, read.
    pub entry: Entry,
    /// The bytes of the entry, as stored and hashed.
    pub bytes: Vec<u8>,
    /// The bytes of its payload.
    pub payload: Vec<u8>,
}

/// Why a log cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Corrupt: the log is damaged. Stop and tell a person.
    #[error("the log is damaged at position {position}: {reason}")]
    Corrupt {
        /// Where.
        position: Position,
        /// What is wrong there.
        reason: String,
    },
    /// Corrupt: the log is damaged, in the words of the chain's verifier.
    #[error("the log is damaged: {0}")]
    Chain(#[from] ChainError),
    /// Unavailable: try again later.
    #[error("the log cannot be read now: {reason}")]
    Unavailable {
        /// What is in the way.
        reason: String,
    },
    /// The log was closed or has stopped, and all that it holds was read.
    #[error("the log was closed: nothing more will come")]
    Closed,
}

impl ReadError {
    pub(crate) fn corrupt(position: Position, reason: impl Into<String>) -> Self {
        Self::Corrupt { position, reason: reason.into() }
    }
}

impl Record {
    /// Reads an entry and checks its payload; `place` is where it was found.
    pub(crate) fn checked(
        place: Position,
        bytes: Vec<u8>,
        payload: Vec<u8>,
    ) -> Result<Self, ReadError> {
        let entry = EntryRef::parse(&bytes)
            .map_err(|source| ChainError::Malformed { position: place, source })?;
        let found = payload_hash(&payload);
        if found != entry.payload_sha256 {
            let expected = entry.payload_sha256;
            return Err(ChainError::PayloadMismatch { position: place, expected, found }.into());
        }
        if entry.position != place {
            let reason = format!("the entry stored there says position {}", entry.position);
            return Err(ReadError::corrupt(place, reason));
        }
        Ok(Self { entry: entry.to_entry(), bytes, payload })
    }

    /// The leaf of the entry.
    pub fn leaf(&self) -> Hash {
        leaf_hash(&self.bytes)
    }
}

/// Checks that records follow one another in a log, from `from` on.
pub(crate) struct Continuity {
    next: Position,
    leaf: Option<Hash>,
}

impl Continuity {
    pub(crate) const fn from(from: Position) -> Self {
        Self { next: from, leaf: None }
    }

    pub(crate) fn follow(&mut self, record: &Record) -> Result<(), ReadError> {
        let (expected, found) = (self.next, record.entry.position);
        if found != expected {
            return Err(ChainError::Gap { expected, found }.into());
        }
        if let Some(expected) = self.leaf.filter(|leaf| *leaf != record.entry.prev) {
            let prev = record.entry.prev;
            return Err(ChainError::PrevMismatch { position: found, expected, found: prev }.into());
        }
        self.next = found.next().unwrap_or(found);
        self.leaf = Some(record.leaf());
        Ok(())
    }

    /// The position that has to come next.
    pub(crate) const fn next(&self) -> Position {
        self.next
    }
}
