//! Reading entries from the server, each held against what was known at open. Never passes on an
//! entry that changed since, and never a shorter answer for one that is gone.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use kurrentdb::RecordedEvent;
use strongroom_ledger::{ChainError, Hash, Head, Position, Tile};
use tokio::sync::watch;

use super::connection::{Connection, ReadFailure};
use super::index::{Index, Place};
use super::opening::gone;
use super::record;
use super::refusals::{fetch, tombstone};
use crate::append::StoredOutcome;
use crate::log::{BoxFuture, ReadLog};
use crate::read::{Continuity, PAGE_BYTES, PAGE_LIMIT, ReadError, Record};
use crate::subscription::Subscription;

/// Entries of other streams that are read along rather than asking the server again.
const ALONG: u64 = 16;
/// How often a page is asked for whose connection was lost on the way.
const TRIES: usize = 3;

/// What readers and the sequencer share.
pub(super) struct Shared {
    pub(super) connection: Connection,
    /// The stream of refusals.
    pub(super) refusals: String,
    pub(super) index: RwLock<Index>,
    pub(super) stopped: OnceLock<String>,
}

/// Outlives the writing part in subscriptions.
#[derive(Clone)]
pub(super) struct Reading {
    pub(super) shared: Arc<Shared>,
    pub(super) heads: watch::Receiver<Head>,
}

impl Shared {
    pub(super) fn index<T>(&self, read: impl FnOnce(&Index) -> T) -> T {
        read(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn failed(&self, place: Position, failure: ReadFailure) -> ReadError {
        let stream = &self.connection.address.stream;
        match failure {
            ReadFailure::NotFound => gone(place, stream),
            ReadFailure::Tombstone => tombstone(stream),
            ReadFailure::Unavailable(reason) => ReadError::Unavailable { reason },
        }
    }

    /// The records from `from` on, `count` of them, or fewer where they are large.
    async fn range(&self, from: Position, count: u64) -> Result<Vec<Record>, ReadError> {
        for _ in 1..TRIES {
            match self.try_range(from, count).await {
                Err(ReadError::Unavailable { .. }) => {}
                ended => return ended,
            }
        }
        self.try_range(from, count).await
    }

    async fn try_range(&self, from: Position, count: u64) -> Result<Vec<Record>, ReadError> {
        let count = usize::try_from(count).unwrap_or(PAGE_LIMIT).min(PAGE_LIMIT);
        let stream = &self.connection.address.stream;
        let revision = from.previous().map_or(0, Position::get);
        let mut reading = self
            .connection
            .read(stream, revision, count)
            .await
            .map_err(|failure| self.failed(from, failure))?;
        let mut continuity = Continuity::from(from);
        let (mut page, mut bytes) = (Vec::new(), 0);
        while page.len() < count && bytes <= PAGE_BYTES {
            let expected = continuity.next();
            let event = reading.next().await.map_err(|failure| self.failed(expected, failure))?;
            let Some(event) = event else {
                let reason = "it was durable, but the server's stream ends before it: truncated";
                return Err(ReadError::corrupt(expected, reason));
            };
            let record = self.record(expected, &event)?;
            continuity.follow(&record)?;
            bytes += record.bytes.len() + record.payload.len();
            page.push(record);
        }
        Ok(page)
    }

    fn record(&self, expected: Position, event: &RecordedEvent) -> Result<Record, ReadError> {
        let found = record::position(event.revision)?;
        if found != expected {
            return Err(ChainError::Gap { expected, found }.into());
        }
        let record = record::record(expected, event)?;
        if self.index(|index| index.leaf(expected)) != Some(record.leaf()) {
            return Err(ReadError::corrupt(expected, "it is another entry than at open"));
        }
        Ok(record)
    }

    async fn stream_page(
        &self,
        stream: &str,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Record>, ReadError> {
        let wanted = self.index(|index| index.positions(stream, from, limit.min(PAGE_LIMIT)));
        let (mut page, mut bytes): (Vec<Record>, _) = (Vec::new(), 0);
        while let Some(first) = wanted.get(page.len()).copied() {
            let rest = wanted.get(page.len()..).unwrap_or_default();
            let near = rest.windows(2).take_while(|pair| match pair {
                [one, next] => next.get() - one.get() <= ALONG,
                _ => false,
            });
            let last = rest.get(near.count()).copied().unwrap_or(first);
            let records = self.range(first, last.get() - first.get() + 1).await?;
            for record in records.into_iter().filter(|record| record.entry.stream == stream) {
                let expected = u64::try_from(page.len())
                    .ok()
                    .and_then(|so_far| from.max(1).checked_add(so_far));
                if Some(record.entry.sequence) != expected {
                    let reason = format!("it has sequence {} of {stream}", record.entry.sequence);
                    return Err(ReadError::corrupt(record.entry.position, reason));
                }
                bytes += record.bytes.len() + record.payload.len();
                page.push(record);
            }
            if bytes > PAGE_BYTES {
                break;
            }
        }
        Ok(page)
    }

    /// The answer that was kept for a key.
    pub(super) async fn stored(
        &self,
        caller: &str,
        key: &str,
    ) -> Result<Option<StoredOutcome>, ReadError> {
        let name = record::Outcome::place(caller, key);
        let position = match self.index(|index| index.outcome(name)) {
            None => return Ok(None),
            Some(Place::Entry(position)) => position,
            Some(Place::Refusal(revision)) => {
                let of = (caller, key);
                return fetch(&self.connection, &self.refusals, revision, of).await.map(Some);
            }
        };
        let stream = &self.connection.address.stream;
        let revision = position.previous().map_or(0, Position::get);
        let failed = |failure| self.failed(position, failure);
        let mut reading = self.connection.read(stream, revision, 1).await.map_err(failed)?;
        let event = reading.next().await.map_err(failed)?;
        let missing = || ReadError::corrupt(position, "it was durable, and is missing: truncated");
        let event = event.ok_or_else(missing)?;
        self.record(position, &event)?;
        let outcome = record::outcome(position, &event)?
            .filter(|found| (found.caller.as_str(), found.key.as_str()) == (caller, key))
            .ok_or_else(|| ReadError::corrupt(position, "it has another outcome than at open"))?;
        outcome.stored(Some(position)).map(Some).map_err(|why| ReadError::corrupt(position, why))
    }
}

impl ReadLog for Reading {
    fn head(&self) -> Head {
        *self.heads.borrow()
    }

    fn read_from(
        &self,
        from: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        Box::pin(async move {
            // Taken before the read: whatever was durable by then must be found.
            let durable = self.head().position.get();
            let from = from.max(Position::FIRST);
            let there = (durable + 1).saturating_sub(from.get());
            let count = there.min(u64::try_from(limit).unwrap_or(u64::MAX));
            if count == 0 {
                return Ok(Vec::new());
            }
            self.shared.range(from, count).await
        })
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a str,
        from: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Record>, ReadError>> {
        Box::pin(self.shared.stream_page(stream, from, limit))
    }

    fn stream_sequence<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Result<u64, ReadError>> {
        Box::pin(async move { Ok(self.shared.index(|index| index.sequence(stream))) })
    }

    fn outcome<'a>(
        &'a self,
        caller: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredOutcome>, ReadError>> {
        Box::pin(self.shared.stored(caller, key))
    }

    fn tiles<'a>(&'a self, tiles: &'a [Tile]) -> BoxFuture<'a, Result<Vec<Vec<Hash>>, ReadError>> {
        let hashes = |index: &Index| tiles.iter().map(|tile| index.hashes(*tile)).collect();
        Box::pin(async move { self.shared.index(hashes) })
    }

    fn subscribe(&self, from: Position) -> Subscription {
        Subscription::new(Arc::new(self.clone()), self.heads.clone(), from)
    }
}
