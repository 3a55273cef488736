//! Reading a whole log when it is opened. Never believes the server: every entry is verified, and
//! a stream that the server may let entries vanish from is refused.

use strongroom_ledger::{Chain, ChainError, EntryRef, Position, Timestamp};

use super::connection::{Connection, ReadFailure};
use super::index::{Index, Place};
use super::record;
use super::refusals::{Found, tombstone};
use crate::read::ReadError;
use crate::tree::Tree;

/// What a stream's metadata must not say: each lets the server drop events.
const VANISH: [&str; 3] = ["$maxCount", "$maxAge", "$tb"];

/// A log as it was found.
pub(super) struct Rebuilt {
    pub(super) index: Index,
    pub(super) tree: Tree,
    /// Of the last entry.
    pub(super) time: Timestamp,
    chain: Chain,
}

/// Refuses a stream that was deleted or cut, or that the server cuts by itself.
pub(super) async fn check_metadata(connection: &Connection, stream: &str) -> Result<(), ReadError> {
    let corrupt = |reason: String| ReadError::corrupt(Position::START, reason);
    let event = match connection.last(&format!("$${stream}")).await {
        Ok(None) | Err(ReadFailure::NotFound) => return Ok(()),
        Ok(Some(event)) => event,
        Err(ReadFailure::Tombstone) => return Err(tombstone(stream)),
        Err(ReadFailure::Unavailable(reason)) => return Err(ReadError::Unavailable { reason }),
    };
    let metadata: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&event.data)
        .map_err(|error| corrupt(format!("the metadata of {stream} cannot be read: {error}")))?;
    match VANISH.iter().find(|name| metadata.contains_key(**name)) {
        None => Ok(()),
        Some(name) => Err(corrupt(format!(
            "the metadata of stream {stream} has {name}, by which the server lets entries vanish: \
             nobody but an administrator could set it; what it has dropped is gone"
        ))),
    }
}

impl Rebuilt {
    /// Reads and verifies the log from the first entry to the last.
    pub(super) async fn read(connection: &Connection) -> Result<Self, ReadError> {
        let mut rebuilt = Self {
            index: Index::default(),
            tree: Tree::new(),
            time: Timestamp::EPOCH,
            chain: Chain::start(),
        };
        let mut left = connection.address.retries;
        loop {
            let before = rebuilt.chain.head();
            match rebuilt.follow(connection).await {
                // Goes on where the connection was lost; gives up when nothing more comes.
                Err(ReadError::Unavailable { .. })
                    if rebuilt.chain.head() != before || left > 0 =>
                {
                    left = left.saturating_sub(1);
                }
                ended => return ended.map(|()| rebuilt),
            }
        }
    }

    async fn follow(&mut self, connection: &Connection) -> Result<(), ReadError> {
        let stream = &connection.address.stream;
        let next = self.chain.head().position.get();
        let mut reading = match connection.read(stream, next, usize::MAX).await {
            Ok(reading) => reading,
            Err(failure) => return self.ended(stream, failure),
        };
        loop {
            match reading.next().await {
                Ok(Some(event)) => self.take(&event)?,
                Ok(None) => return Ok(()),
                Err(failure) => return self.ended(stream, failure),
            }
        }
    }

    fn ended(&self, stream: &str, failure: ReadFailure) -> Result<(), ReadError> {
        let last = self.chain.head().position;
        match failure {
            ReadFailure::NotFound if last == Position::START => Ok(()),
            ReadFailure::NotFound => Err(gone(last, stream)),
            ReadFailure::Tombstone => Err(tombstone(stream)),
            ReadFailure::Unavailable(reason) => Err(ReadError::Unavailable { reason }),
        }
    }

    fn take(&mut self, event: &kurrentdb::RecordedEvent) -> Result<(), ReadError> {
        let found = record::position(event.revision)?;
        let before = self.chain.head().position;
        let expected = before.next().ok_or(ChainError::Full { position: before })?;
        if found > expected {
            return Err(ChainError::Gap { expected, found }.into());
        }
        let (entry, _) = record::lines(event);
        let entry: EntryRef<'_> = self.chain.extend(entry, &event.data)?;
        let (stream, time, r#type) = (entry.stream.to_owned(), entry.time, entry.r#type);
        record::check_id(event).map_err(|why| ReadError::corrupt(expected, why))?;
        record::check_type(expected, event, r#type)?;
        if let Some(outcome) = record::outcome(expected, event)? {
            let named = |why| ReadError::corrupt(expected, why);
            outcome.stored(Some(expected)).map_err(named)?;
            let name = record::Outcome::place(&outcome.caller, &outcome.key);
            if self.index.keep(name, Place::Entry(expected)).is_some() {
                return Err(named(format!(
                    "key {} of {} is there twice",
                    outcome.key, outcome.caller
                )));
            }
        }
        let leaf = self.chain.head().leaf;
        self.tree.push(leaf);
        self.index.push(&stream, leaf);
        self.index.grow(self.tree.take_grown());
        self.time = time;
        Ok(())
    }

    /// Adds the refusals, each of which was judged at an end of this log.
    pub(super) fn with_refusals(mut self, refusals: &[Found]) -> Result<Self, ReadError> {
        for Found { revision, name, judged } in refusals {
            if judged.position > Position::START
                && self.index.leaf(judged.position) != Some(judged.leaf)
            {
                let reason = format!(
                    "the outcome at revision {revision} was judged when entry {} had leaf {}, \
                     which this log does not have: it was cut or replaced",
                    judged.position, judged.leaf
                );
                return Err(ReadError::corrupt(judged.position, reason));
            }
            // Two servers at once: what is in the log counts, because it happened.
            if let Some(Place::Entry(position)) = self.index.keep(*name, Place::Refusal(*revision))
            {
                tracing::error!(revision, %position, "a key has a refusal and events; the events count");
            }
        }
        Ok(self)
    }
}

/// There were entries, and now there is no stream.
pub(super) fn gone(last: Position, stream: &str) -> ReadError {
    let reason = format!("stream {stream} is gone: deleted or truncated, by somebody who may");
    ReadError::corrupt(last, reason)
}
