//! The verifier of the hash chain. Never moves on past an entry that it has not accepted whole.

use serde::{Deserialize, Serialize};

use crate::entry::{EntryError, EntryRef};
use crate::hash::{Hash, leaf_hash, payload_hash};
use crate::position::Position;
use crate::sequences::Sequences;
use crate::timestamp::Timestamp;

/// The end of a verified log: everything up to `position` is fixed by `leaf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Head {
    /// Place of the last entry; [`Position::START`] for an empty log.
    pub position: Position,
    /// Leaf of the last entry; zero for an empty log.
    pub leaf: Hash,
}

impl Head {
    /// The head of a log without entries.
    pub const EMPTY: Self = Self { position: Position::START, leaf: Hash::ZERO };
}

/// What is wrong with the next entry of a log. Each kind is one kind of damage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The bytes are not an entry.
    #[error("entry {position} is malformed: {source}")]
    Malformed {
        /// Where the entry was expected.
        position: Position,
        /// What its bytes get wrong.
        source: EntryError,
    },
    /// An entry is missing.
    #[error("entry {expected} is missing: the next entry is {found}")]
    Gap {
        /// The position that had to come.
        expected: Position,
        /// The position that came.
        found: Position,
    },
    /// An entry comes a second time, or one was added.
    #[error("entry {found} comes again where entry {expected} was expected: doubled or added")]
    Repeated {
        /// The position that had to come.
        expected: Position,
        /// The position that came.
        found: Position,
    },
    /// All entries are there, in another order. Only [`ChainError::refine`] can tell.
    #[error("entries are out of order: entry {found} stands where entry {expected} belongs")]
    Swapped {
        /// The position that had to come.
        expected: Position,
        /// The position that came.
        found: Position,
    },
    /// The entry before is not the one that this one was chained to.
    #[error(
        "entry {position} follows an entry with leaf {found}, but the entry before it has leaf \
         {expected}: one of them was altered or replaced"
    )]
    PrevMismatch {
        /// The entry whose `prev` disagrees.
        position: Position,
        /// The leaf of the entry before it.
        expected: Hash,
        /// What its `prev` says.
        found: Hash,
    },
    /// The payload is not the one that the entry names.
    #[error("the payload of entry {position} has SHA-256 {found}, the entry says {expected}")]
    PayloadMismatch {
        /// The entry of the payload.
        position: Position,
        /// The hash in the entry.
        expected: Hash,
        /// The hash of the payload bytes.
        found: Hash,
    },
    /// A stream skips or repeats a sequence.
    #[error("entry {position}: stream {stream} continues with {found}, expected {expected}")]
    SequenceGap {
        /// The entry with the wrong sequence.
        position: Position,
        /// Its stream.
        stream: String,
        /// The sequence that had to come.
        expected: u64,
        /// The sequence that came.
        found: u64,
    },
    /// Time runs backwards.
    #[error("entry {position} is dated {found}, before the entry before it ({previous})")]
    TimeBackwards {
        /// The entry that is too early.
        position: Position,
        /// The time of the entry before it.
        previous: Timestamp,
        /// Its own time.
        found: Timestamp,
    },
    /// The log holds as many entries as a log can.
    #[error("the log is full at position {position}")]
    Full {
        /// The last position.
        position: Position,
    },
}

impl ChainError {
    /// Tells a missing entry from one that stands elsewhere: if `later` (the entries after the one
    /// that was refused, in their order) holds the missing position, a [`ChainError::Gap`] becomes
    /// [`ChainError::Swapped`]. Other errors stay what they are.
    #[must_use]
    pub fn refine<B: AsRef<[u8]>>(self, later: impl IntoIterator<Item = B>) -> Self {
        let Self::Gap { expected, found } = self else { return self };
        let elsewhere = later.into_iter().any(|bytes| {
            EntryRef::parse(bytes.as_ref()).is_ok_and(|entry| entry.position == expected)
        });
        if elsewhere { Self::Swapped { expected, found } } else { self }
    }
}

/// Verifies a log entry by entry, in constant memory but for one counter per stream.
#[derive(Debug, Clone)]
pub struct Chain {
    head: Head,
    time: Timestamp,
    sequences: Sequences,
    /// Whether a stream without a counter is new. After [`Chain::resume`] nobody knows.
    complete: bool,
}

impl Chain {
    /// Before the first entry.
    pub const fn start() -> Self {
        Self {
            head: Head::EMPTY,
            time: Timestamp::EPOCH,
            sequences: Sequences::new(),
            complete: true,
        }
    }

    /// After a head that was verified before, knowing nothing else.
    ///
    /// The first entry of every stream then sets its counter, and the first time is not compared:
    /// use [`Chain::resume_with`] where these were kept.
    pub const fn resume(head: Head) -> Self {
        let complete = head.position.get() == 0;
        Self { head, time: Timestamp::EPOCH, sequences: Sequences::new(), complete }
    }

    /// After a head that was verified before, with the time of its entry and the counters of
    /// **all** streams: checks everything that [`Chain::start`] checks.
    pub const fn resume_with(head: Head, time: Timestamp, sequences: Sequences) -> Self {
        Self { head, time, sequences, complete: true }
    }

    /// The last entry that was accepted.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The time of the last entry that was accepted; the epoch when that is not known.
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// The counters of the streams.
    pub const fn sequences(&self) -> &Sequences {
        &self.sequences
    }

    /// Accepts the next entry with its payload, or says what is wrong and stays where it was.
    pub fn extend<'a>(
        &mut self,
        entry_bytes: &'a [u8],
        payload_bytes: &[u8],
    ) -> Result<EntryRef<'a>, ChainError> {
        let Some(expected) = self.head.position.next() else {
            return Err(ChainError::Full { position: self.head.position });
        };
        let entry = EntryRef::parse(entry_bytes)
            .map_err(|source| ChainError::Malformed { position: expected, source })?;
        // Hashed only where its place is right: what stands elsewhere is said first.
        self.check(expected, &entry)?;
        self.extend_hashed(&entry, leaf_hash(entry_bytes), payload_hash(payload_bytes))?;
        Ok(entry)
    }

    /// As [`Chain::extend`], for who has read and hashed on another thread: `leaf` is the leaf of
    /// the very bytes that `entry` was read from, `payload` the hash of its payload's.
    pub fn extend_hashed(
        &mut self,
        entry: &EntryRef<'_>,
        leaf: Hash,
        payload: Hash,
    ) -> Result<(), ChainError> {
        let Some(expected) = self.head.position.next() else {
            return Err(ChainError::Full { position: self.head.position });
        };
        self.check(expected, entry)?;
        if payload != entry.payload_sha256 {
            let (expected, found) = (entry.payload_sha256, payload);
            return Err(ChainError::PayloadMismatch { position: entry.position, expected, found });
        }
        self.count(entry)?;
        self.head = Head { position: entry.position, leaf };
        self.time = entry.time;
        Ok(())
    }

    fn check(&self, expected: Position, entry: &EntryRef<'_>) -> Result<(), ChainError> {
        let found = entry.position;
        if found > expected {
            return Err(ChainError::Gap { expected, found });
        }
        if found < expected {
            return Err(ChainError::Repeated { expected, found });
        }
        if entry.prev != self.head.leaf {
            let (expected, found) = (self.head.leaf, entry.prev);
            return Err(ChainError::PrevMismatch { position: entry.position, expected, found });
        }
        if entry.time < self.time {
            return Err(ChainError::TimeBackwards {
                position: entry.position,
                previous: self.time,
                found: entry.time,
            });
        }
        Ok(())
    }

    /// The last check, because it is also the first change.
    fn count(&mut self, entry: &EntryRef<'_>) -> Result<(), ChainError> {
        let gap = |expected| ChainError::SequenceGap {
            position: entry.position,
            stream: entry.stream.to_owned(),
            expected,
            found: entry.sequence,
        };
        if let Some(last) = self.sequences.last(entry.stream) {
            let expected = last.saturating_add(1);
            if entry.sequence != expected {
                return Err(gap(expected));
            }
            *last = expected;
            return Ok(());
        }
        if self.complete && entry.sequence != 1 {
            return Err(gap(1));
        }
        self.sequences.set(entry.stream, entry.sequence);
        Ok(())
    }
}
