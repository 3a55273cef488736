//! The sequencer's arithmetic, which all backends share: who may append, and what the entries
//! are. Never touches storage; a backend tells it what is known and keeps what it returns.

use strongroom_ledger::{
    EntryRef, Hash, Head, MAX_INTEGER, Position, Timestamp, TreeHead, leaf_hash, payload_hash,
};

use crate::adoption::Adopted;
use crate::append::{Append, AppendError, Appended, Positions, StoredOutcome};
use crate::clock::Clock;
use crate::tree::{Grown, Tree};

/// An append that was validated, with the hashes of its payloads: done on the caller's thread, so
/// that the sequencer's own is left for what only it can do.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) append: Append,
    pub(crate) hashes: Vec<Hash>,
    /// Where the entries are there already: they are taken as they are.
    pub(crate) adopted: Option<Adopted>,
}

/// What a backend knows at this moment, in-batch appends included.
pub(crate) trait Known {
    /// Why a backend cannot tell any more.
    type Failure;

    /// The last sequence of a stream; 0 when it does not exist.
    fn sequence(&mut self, stream: &str) -> Result<u64, Self::Failure>;

    /// The answer that was kept for a key.
    fn outcome(&mut self, caller: &str, key: &str) -> Result<Option<StoredOutcome>, Self::Failure>;
}

/// An entry to be stored.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) position: Position,
    pub(crate) stream: String,
    pub(crate) sequence: u64,
    pub(crate) entry: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

/// Where the log has come to, and the clock for what follows.
pub(crate) struct Numbering {
    pub(crate) head: Head,
    time: Timestamp,
    tree: Tree,
    clock: Clock,
}

impl Checked {
    pub(crate) fn new(append: Append) -> Result<Self, AppendError> {
        append.validate()?;
        let hashes = append.events.iter().map(|event| payload_hash(&event.payload)).collect();
        Ok(Self { append, hashes, adopted: None })
    }
}

/// Whether an append may be made. The outer result is the backend's failure, the inner one the
/// answer to the writer.
pub(crate) fn judge<K: Known>(
    known: &mut K,
    append: &Append,
) -> Result<Result<(), AppendError>, K::Failure> {
    if let Some(key) = &append.idempotency
        && let Some(stored) = known.outcome(&key.caller, &key.key)?
    {
        return Ok(Err(if stored.request_sha256 == key.request_sha256 {
            AppendError::KeyUsed(stored)
        } else {
            AppendError::KeyReused { caller: key.caller.clone(), key: key.key.clone() }
        }));
    }
    for expected in &append.expected {
        let found = known.sequence(&expected.stream)?;
        if found != expected.sequence {
            let (stream, expected) = (expected.stream.clone(), expected.sequence);
            return Ok(Err(AppendError::Conflict { stream, expected, found }));
        }
    }
    Ok(Ok(()))
}

impl Numbering {
    /// Goes on after `head`, whose entry has the time `time`; `tree` is the one over all entries up
    /// to it ([`Tree::new`] for none, [`Tree::reopen`] for a log that is there).
    pub(crate) const fn new(head: Head, time: Timestamp, tree: Tree, clock: Clock) -> Self {
        Self { head, time, tree, clock }
    }

    /// The tree up to the last entry that was made: to be stored in the batch's transaction.
    pub(crate) fn tree_head(&self) -> TreeHead {
        self.tree.head()
    }

    /// What the tree gained by the entries made since the last call: once for each batch, to be
    /// stored in its transaction.
    pub(crate) fn grown(&mut self) -> Grown {
        self.tree.take_grown()
    }

    /// Entries that are adopted were checked against one another; here the first is held against
    /// the log. Nothing was kept yet, but who copies into a log that somebody else writes to must stop.
    fn adopt(
        &self,
        adopted: Adopted,
    ) -> Result<impl Iterator<Item = (Timestamp, Vec<u8>)> + use<>, AppendError> {
        let Adopted { entries, times, follows } = adopted;
        if follows.head != self.head || follows.time < self.time {
            let (found, expected) = (self.head.position, follows.head.position);
            let reason =
                format!("the entries to adopt follow another entry {expected} than our {found}");
            return Err(AppendError::Stopped { reason });
        }
        Ok(times.into_iter().zip(entries))
    }

    /// Makes the entries of an append that was judged, passing each to `keep`.
    ///
    /// Fails only where the log is full: then nothing may follow, because a part was kept.
    pub(crate) fn number(
        &mut self,
        checked: Checked,
        mut keep: impl FnMut(Row),
    ) -> Result<Appended, AppendError> {
        let Checked { append, hashes, adopted } = checked;
        let Append { mut expected, events, actor, command, correlation, causation, .. } = append;
        let mut adopted = match adopted {
            None => {
                let now = (self.clock)();
                // Only where an entry will have it: nobody could read it from anywhere else.
                if !events.is_empty() {
                    self.time = self.time.max(now);
                }
                None
            }
            Some(adopted) => Some(self.adopt(adopted)?),
        };
        let mut first = None;
        for (event, payload_sha256) in events.into_iter().zip(hashes) {
            let last = expected.iter_mut().find(|of| of.stream == event.stream);
            let Some((position, sequence)) = self.head.position.next().zip(last.and_then(|of| {
                of.sequence = of.sequence.checked_add(1).filter(|next| *next <= MAX_INTEGER)?;
                Some(of.sequence)
            })) else {
                return Err(AppendError::Stopped { reason: "the log is full".to_owned() });
            };
            let made = || EntryRef {
                position,
                time: self.time,
                stream: &event.stream,
                sequence,
                r#type: &event.r#type,
                version: event.version,
                actor: &actor,
                command,
                correlation,
                causation,
                payload_sha256,
                prev: self.head.leaf,
            };
            let (time, entry) = match adopted.as_mut().and_then(Iterator::next) {
                Some((time, entry)) => (time, entry),
                None => (self.time, made().encode().map_err(stopped)?),
            };
            self.time = time;
            self.head = Head { position, leaf: leaf_hash(&entry) };
            self.tree.push(self.head.leaf);
            first.get_or_insert(position);
            let (stream, payload) = (event.stream, event.payload);
            keep(Row { position, stream, sequence, entry, payload });
        }
        let last = self.head.position;
        let positions = first.map(|first| Positions { first, last });
        Ok(Appended { positions, head: self.head, time: self.time })
    }
}

fn stopped(error: strongroom_ledger::EntryError) -> AppendError {
    AppendError::Stopped { reason: error.to_string() }
}
