//! A log in memory, for the tests of those who use one. Never outlives its process; passes the
//! same conformance suite as the durable ones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use strongroom_ledger::{Hash, Head, Position, Tile, Timestamp, leaf_hash};
use tokio::sync::watch;

use crate::adoption::Adoption;
use crate::append::{Append, AppendError, Appended, StoredOutcome};
use crate::clock::{Clock, system_clock};
use crate::log::{AppendLog, BoxFuture, ReadLog};
use crate::numbering::{Checked, Known, Numbering, judge};
use crate::raw::{RawLog, RawOutcome, RawRow};
use crate::read::{Continuity, PAGE_LIMIT, ReadError, Record};
use crate::subscription::Subscription;
use crate::tree::{Source, Subtree, Tree, whole};

/// A log in memory. Clones are handles of the same log.
#[derive(Clone)]
pub struct MemoryLog {
    state: Arc<Mutex<State>>,
    heads: Arc<watch::Sender<Head>>,
}

struct State {
    numbering: Numbering,
    held: Held,
}

#[derive(Default)]
struct Held {
    records: Vec<(Vec<u8>, Vec<u8>)>,
    streams: BTreeMap<String, Vec<Position>>,
    outcomes: BTreeMap<(String, String), StoredOutcome>,
    leaf_tiles: BTreeMap<u64, Vec<Hash>>,
    subtrees: BTreeMap<(u8, u64), Hash>,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new(system_clock())
    }
}

impl MemoryLog {
    /// An empty log whose entries take their time from `clock`.
    pub fn new(clock: Clock) -> Self {
        let numbering = Numbering::new(Head::EMPTY, Timestamp::EPOCH, Tree::new(), clock);
        let state = Mutex::new(State { numbering, held: Held::default() });
        Self { state: Arc::new(state), heads: Arc::new(watch::Sender::new(Head::EMPTY)) }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn append_now(&self, checked: Checked) -> Result<Appended, AppendError> {
        self.with(|state| {
            let appended = state.append(checked)?;
            self.heads.send_replace(appended.head);
            Ok(appended)
        })
    }
}

impl State {
    fn append(&mut self, checked: Checked) -> Result<Appended, AppendError> {
        let Ok(verdict) = judge(&mut self.held, &checked.append);
        verdict?;
        let key = checked.append.idempotency.clone();
        let held = &mut self.held;
        let appended = self.numbering.number(checked, |row| {
            held.records.push((row.entry, row.payload));
            held.streams.entry(row.stream).or_default().push(row.position);
        })?;
        let grown = self.numbering.grown();
        held.leaf_tiles.extend(grown.leaf_tiles.into_iter().map(|tile| (tile.index, tile.hashes)));
        let subtree = |Subtree { level, index, hash }| ((level, index), hash);
        held.subtrees.extend(grown.subtrees.into_iter().map(subtree));
        if let Some(key) = key {
            let stored = StoredOutcome {
                request_sha256: key.request_sha256,
                outcome: key.outcome,
                positions: appended.positions,
            };
            self.held.outcomes.insert((key.caller, key.key), stored);
        }
        Ok(appended)
    }
}

impl Held {
    fn record(&self, position: Position) -> Option<Result<Record, ReadError>> {
        let index = usize::try_from(position.previous()?.get()).ok()?;
        let (bytes, payload) = self.records.get(index)?;
        Some(Record::checked(position, bytes.clone(), payload.clone()))
    }

    fn page(&self, from: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        let mut continuity = Continuity::from(from.max(Position::FIRST));
        let mut page = Vec::new();
        while page.len() < limit.min(PAGE_LIMIT) {
            let Some(record) = self.record(continuity.next()) else { break };
            let record = record?;
            continuity.follow(&record)?;
            page.push(record);
        }
        Ok(page)
    }
}

impl Held {
    fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, ReadError> {
        let size = u64::try_from(self.records.len()).unwrap_or(u64::MAX);
        let durable = Position::new(size).unwrap_or(Position::START);
        let hashes = match Source::of(tile, durable)? {
            Source::LeafTile { index, width } => {
                let tile = self.leaf_tiles.get(&index).into_iter().flatten();
                tile.take(width).copied().collect()
            }
            Source::Entries { first, width } => {
                let before = first.previous().map_or(0, Position::get);
                let entries =
                    self.records.iter().skip(usize::try_from(before).unwrap_or(usize::MAX));
                entries.take(width).map(|(entry, _)| leaf_hash(entry)).collect()
            }
            Source::Subtrees { level, first, width } => {
                let from = self.subtrees.range((level, first)..).take(width);
                from.map(|(_, hash)| *hash).collect()
            }
        };
        whole(tile, hashes)
    }
}

impl Known for Held {
    type Failure = std::convert::Infallible;

    fn sequence(&mut self, stream: &str) -> Result<u64, Self::Failure> {
        let count = self.streams.get(stream).map_or(0, Vec::len);
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    fn outcome(&mut self, caller: &str, key: &str) -> Result<Option<StoredOutcome>, Self::Failure> {
        Ok(self.outcomes.get(&(caller.to_owned(), key.to_owned())).cloned())
    }
}

impl ReadLog for MemoryLog {
    fn head(&self) -> Head {
        *self.heads.borrow()
    }

    fn read_from(
        &self,
        from: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        Box::pin(async move { self.with(|state| state.held.page(from, limit)) })
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a str,
        from: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Record>, ReadError>> {
        let skipped = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
        Box::pin(async move {
            self.with(|state| {
                let held = &state.held;
                let positions = held.streams.get(stream).into_iter().flatten().skip(skipped);
                positions
                    .take(limit.min(PAGE_LIMIT))
                    .filter_map(|position| held.record(*position))
                    .collect()
            })
        })
    }

    fn stream_sequence<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Result<u64, ReadError>> {
        Box::pin(async move {
            let Ok(sequence) = self.with(|state| state.held.sequence(stream));
            Ok(sequence)
        })
    }

    fn outcome<'a>(
        &'a self,
        caller: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredOutcome>, ReadError>> {
        Box::pin(async move {
            let Ok(outcome) = self.with(|state| state.held.outcome(caller, key));
            Ok(outcome)
        })
    }

    fn tiles<'a>(&'a self, tiles: &'a [Tile]) -> BoxFuture<'a, Result<Vec<Vec<Hash>>, ReadError>> {
        let held = |state: &mut State| tiles.iter().map(|tile| state.held.hashes(*tile)).collect();
        Box::pin(async move { self.with(held) })
    }

    fn subscribe(&self, from: Position) -> Subscription {
        Subscription::new(Arc::new(self.clone()), self.heads.subscribe(), from)
    }
}

impl AppendLog for MemoryLog {
    fn append(&self, append: Append) -> BoxFuture<'static, Result<Appended, AppendError>> {
        let appended = Checked::new(append).and_then(|checked| self.append_now(checked));
        Box::pin(async move { appended })
    }

    fn adopt(&self, adoption: Adoption) -> BoxFuture<'static, Result<Appended, AppendError>> {
        let appended = Checked::adopting(adoption).and_then(|checked| self.append_now(checked));
        Box::pin(async move { appended })
    }

    fn stop_reason(&self) -> Option<String> {
        None
    }
}

impl RawLog for MemoryLog {
    fn head(&mut self) -> BoxFuture<'_, Result<Head, ReadError>> {
        Box::pin(async move { Ok(*self.heads.borrow()) })
    }

    fn raw_after(
        &mut self,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RawRow>, ReadError>> {
        let (after, limit) = (usize::try_from(after).unwrap_or(0), limit.min(PAGE_LIMIT));
        let page = self.with(|state| {
            let rows = state.held.records.iter().zip(1_i64..).skip(after).take(limit);
            let row = |((entry, payload), filed): (&(Vec<u8>, Vec<u8>), i64)| RawRow {
                filed,
                entry: entry.clone(),
                payload: payload.clone(),
            };
            rows.map(row).collect()
        });
        Box::pin(async move { Ok(page) })
    }

    fn outcomes(&mut self) -> BoxFuture<'_, Result<Vec<RawOutcome>, ReadError>> {
        let all = self.with(|state| {
            let kept = state.held.outcomes.iter();
            let kept = kept.map(|((caller, key), stored)| {
                RawOutcome::of(caller.clone(), key.clone(), stored.clone())
            });
            kept.collect()
        });
        Box::pin(async move { Ok(all) })
    }
}
