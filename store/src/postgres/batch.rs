//! One batch: what it has to know before it is judged, and what it stores. Never more than one
//! question and one statement to the server, however many appends it has.

use std::collections::HashMap;

use sqlx::Row as _;
use sqlx::postgres::PgConnection;
use strongroom_ledger::{EntryRef, Head, Position, TreeHead};

use super::columns::{Columns, aggregate};
use super::query;
use super::sequencer::Fatal;
use crate::append::{Append, Appended, Idempotency, StoredOutcome};
use crate::numbering::{Known, Row};
use crate::sql::{integer, position};
use crate::tree::Grown;

/// The statement of a batch is its transaction too: a crash leaves all of it or nothing.
const APPEND: &str =
    "SELECT strongroom_log.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
  $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)";
const SEQUENCES: &str = "SELECT (SELECT max(sequence) FROM strongroom_log.events
    WHERE aggregate_type = asked.of AND aggregate_id = asked.id)
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (of, id, place) ORDER BY place";
const OUTCOMES: &str =
    "SELECT asked.place, kept.request_sha256, kept.outcome, kept.first, kept.last
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (caller, key, place)
  JOIN strongroom_log.outcomes AS kept ON kept.caller = asked.caller AND kept.key = asked.key";

/// The streams that were met lately, with their last sequences. The database knows them all; this
/// saves asking.
pub(crate) struct Streams {
    pub(crate) known: HashMap<String, u64>,
    pub(crate) limit: usize,
}

/// Answers to keys, by caller and key.
pub(crate) type Kept = HashMap<(String, String), StoredOutcome>;

/// What is known while a batch is made. All that its appends may ask was looked up before.
pub(crate) struct Batch<'a> {
    streams: &'a mut Streams,
    /// Those of the batch before, which may not be stored yet, and those that are.
    outcomes: Kept,
    /// Its own.
    kept: Kept,
}

impl<'a> Batch<'a> {
    pub(crate) async fn look_up<'w>(
        db: &mut PgConnection,
        streams: &'a mut Streams,
        before: Kept,
        work: impl Iterator<Item = &'w Append> + Clone,
    ) -> Result<Self, Fatal> {
        streams.look_up(db, work.clone()).await?;
        let keys = work.filter_map(|append| append.idempotency.as_ref());
        let mut outcomes = outcomes(db, keys.collect()).await?;
        outcomes.extend(before);
        Ok(Self { streams, outcomes, kept: Kept::new() })
    }

    /// Counts the entry of a row.
    pub(crate) fn count(&mut self, row: &Row) {
        if let Some(sequence) = self.streams.known.get_mut(&row.stream) {
            *sequence = row.sequence;
        }
    }

    /// Keeps the answer to a key for the appends that follow in this batch.
    pub(crate) fn keep(&mut self, key: &Idempotency, appended: &Appended) {
        let outcome = StoredOutcome {
            request_sha256: key.request_sha256,
            outcome: key.outcome.clone(),
            positions: appended.positions,
        };
        self.kept.insert((key.caller.clone(), key.key.clone()), outcome);
    }

    /// What the next batch has to know of this one.
    pub(crate) fn into_kept(self) -> Kept {
        self.kept
    }
}

impl Known for Batch<'_> {
    type Failure = Fatal;

    fn sequence(&mut self, stream: &str) -> Result<u64, Fatal> {
        let known = self.streams.known.get(stream).copied();
        known.ok_or_else(|| Fatal::Bug("a stream was not looked up"))
    }

    fn outcome(&mut self, caller: &str, key: &str) -> Result<Option<StoredOutcome>, Fatal> {
        let key = (caller.to_owned(), key.to_owned());
        Ok(self.kept.get(&key).or_else(|| self.outcomes.get(&key)).cloned())
    }
}

impl Streams {
    /// Forgets all once there are too many.
    pub(crate) fn bound(&mut self) {
        if self.known.len() > self.limit {
            self.known.clear();
        }
    }

    async fn look_up<'w>(
        &mut self,
        db: &mut PgConnection,
        work: impl Iterator<Item = &'w Append>,
    ) -> Result<(), Fatal> {
        let mut unknown: Vec<&str> = work
            .flat_map(|append| &append.expected)
            .map(|expected| expected.stream.as_str())
            .filter(|stream| !self.known.contains_key(*stream))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        unknown.sort_unstable();
        unknown.dedup();
        let (of, ids): (Vec<_>, Vec<_>) = unknown.iter().map(|stream| aggregate(stream)).unzip();
        let found: Vec<(Option<i64>,)> =
            sqlx::query_as(SEQUENCES).bind(&of).bind(&ids).fetch_all(db).await?;
        if found.len() != unknown.len() {
            return Err(Fatal::Bug("the server answered for another number of streams"));
        }
        for (stream, (last,)) in unknown.into_iter().zip(found) {
            let last = position(last.unwrap_or(0))?.get();
            self.known.insert(stream.to_owned(), last);
        }
        Ok(())
    }
}

async fn outcomes(db: &mut PgConnection, keys: Vec<&Idempotency>) -> Result<Kept, Fatal> {
    let mut found = HashMap::new();
    if keys.is_empty() {
        return Ok(found);
    }
    let (callers, names): (Vec<&str>, Vec<&str>) =
        keys.iter().map(|key| (key.caller.as_str(), key.key.as_str())).unzip();
    let rows = sqlx::query(OUTCOMES).bind(&callers).bind(&names).fetch_all(db).await?;
    for row in rows {
        let place: i64 = row.try_get(0)?;
        let place = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
        let key = place.and_then(|place| keys.get(place));
        let key =
            key.ok_or_else(|| Fatal::Bug("the server answered for a key that was not asked"))?;
        found.insert((key.caller.clone(), key.key.clone()), query::stored(&row, 1)?);
    }
    Ok(found)
}

/// What a batch stores, column by column, as `unnest` takes it.
#[derive(Default)]
pub(crate) struct Writing {
    types: Vec<String>,
    ids: Vec<String>,
    sequences: Vec<i64>,
    event_types: Vec<String>,
    event_versions: Vec<String>,
    payloads: Vec<String>,
    metadatas: Vec<String>,
    entries: Vec<Vec<u8>>,
    callers: Vec<String>,
    keys: Vec<String>,
    requests: Vec<Vec<u8>>,
    outcomes: Vec<Vec<u8>>,
    firsts: Vec<Option<i64>>,
    lasts: Vec<Option<i64>>,
}

impl Writing {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.keys.is_empty()
    }

    pub(crate) fn add(&mut self, row: Row) -> Result<(), Fatal> {
        let bug = || Fatal::Bug("an entry that was just made cannot be read");
        let columns = Columns::of(&EntryRef::parse(&row.entry).map_err(|_| bug())?);
        self.types.push(columns.aggregate_type);
        self.ids.push(columns.aggregate_id);
        self.sequences.push(integer(row.sequence));
        self.event_types.push(columns.event_type);
        self.event_versions.push(columns.event_version);
        self.payloads.push(String::from_utf8(row.payload).map_err(|_| bug())?);
        self.metadatas.push(columns.metadata);
        self.entries.push(row.entry);
        Ok(())
    }

    pub(crate) fn keep(&mut self, key: Idempotency, appended: &Appended) {
        let place = |position: Position| integer(position.get());
        self.firsts.push(appended.positions.map(|at| place(at.first)));
        self.lasts.push(appended.positions.map(|at| place(at.last)));
        self.callers.push(key.caller);
        self.keys.push(key.key);
        self.requests.push(key.request_sha256.as_bytes().to_vec());
        self.outcomes.push(key.outcome);
    }

    /// Sends it. False where the head in the database is not `old` or the term is over: then nothing
    /// was stored. After an error it is unknown whether all of it was.
    pub(crate) async fn store(
        self,
        db: &mut PgConnection,
        term: i64,
        old: Head,
        new: (Head, TreeHead),
        grown: &Grown,
    ) -> Result<bool, sqlx::Error> {
        let tiles = grown.leaf_tiles.iter();
        let (tiles, tile_hashes): (Vec<_>, Vec<_>) =
            tiles.map(|tile| (integer(tile.index), tile.bytes())).unzip();
        let levels: Vec<i16> = grown.subtrees.iter().map(|one| i16::from(one.level)).collect();
        let (subtrees, hashes): (Vec<_>, Vec<_>) = grown
            .subtrees
            .iter()
            .map(|one| (integer(one.index), one.hash.as_bytes().as_slice()))
            .unzip();
        let (stored,): (bool,) = sqlx::query_as(APPEND)
            .bind(term)
            .bind(integer(old.position.get()))
            .bind(old.leaf.as_bytes().as_slice())
            .bind(integer(new.0.position.get()))
            .bind(new.0.leaf.as_bytes().as_slice())
            .bind(new.1.root.as_bytes().as_slice())
            .bind(self.types)
            .bind(self.ids)
            .bind(self.sequences)
            .bind(self.event_types)
            .bind(self.event_versions)
            .bind(self.payloads)
            .bind(self.metadatas)
            .bind(self.entries)
            .bind(tiles)
            .bind(tile_hashes)
            .bind(levels)
            .bind(subtrees)
            .bind(hashes)
            .bind(self.callers)
            .bind(self.keys)
            .bind(self.requests)
            .bind(self.outcomes)
            .bind(self.firsts)
            .bind(self.lasts)
            .fetch_one(db)
            .await?;
        Ok(stored)
    }
}
