//! Reading a log's tables. Never trusts a column that the entry itself can contradict.

use rusqlite::{Connection, OptionalExtension, Row, params};
use strongroom_ledger::{Chain, ChainError, Hash, Head, Position, Timestamp};

use super::{schema, tree};
use crate::append::{Positions, StoredOutcome};
use crate::raw::RawOutcome;
use crate::read::{Continuity, PAGE_BYTES, PAGE_LIMIT, ReadError, Record};
use crate::sql::{hash, integer, page_rows, position};

/// How many entries at the end are verified whenever a log is opened.
const TAIL: u64 = 1000;

const FROM: &str = "SELECT position, entry, payload FROM entries WHERE position >= ?1
  ORDER BY position LIMIT ?2";
const OF_STREAM: &str = "SELECT position, entry, payload FROM entries
  WHERE stream = (SELECT id FROM streams WHERE name = ?1) AND sequence >= ?2
  ORDER BY sequence LIMIT ?3";
const OUTCOME: &str =
    "SELECT request_sha256, outcome, first, last FROM outcomes WHERE caller = ?1 AND key = ?2";
const STREAM: &str = "SELECT id, (SELECT max(sequence) FROM entries WHERE stream = streams.id)
  FROM streams WHERE name = ?1";

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        let damaged = matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
        );
        if damaged {
            Self::corrupt(Position::START, error.to_string())
        } else {
            Self::Unavailable { reason: error.to_string() }
        }
    }
}

/// The head as the head row has it.
pub(crate) fn head(db: &Connection) -> Result<Head, ReadError> {
    let (at, leaf): (i64, Vec<u8>) = db
        .prepare_cached("SELECT position, leaf FROM head WHERE id = 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or_else(|| ReadError::corrupt(Position::START, "the head row is missing"))?;
    let position = position(at)?;
    Ok(Head { position, leaf: hash(&leaf, position)? })
}

/// A page of the log that must reach `durable` unless its limits end it before.
pub(crate) fn read_from(
    db: &Connection,
    from: Position,
    limit: usize,
    durable: Position,
) -> Result<Vec<Record>, ReadError> {
    let from = from.max(Position::FIRST);
    let limit = limit.min(PAGE_LIMIT);
    let mut statement = db.prepare_cached(FROM)?;
    let mut rows = statement.query(params![integer(from.get()), page_rows(limit)])?;
    let mut continuity = Continuity::from(from);
    let mut page = Page::default();
    while let Some(row) = rows.next()? {
        let record = record(row)?;
        continuity.follow(&record)?;
        if page.push(record) {
            return Ok(page.records);
        }
    }
    if page.records.len() < limit && continuity.next() <= durable {
        let reason = format!("it is missing, and the head is at {durable}");
        return Err(ReadError::corrupt(continuity.next(), reason));
    }
    Ok(page.records)
}

/// A page of a stream.
pub(crate) fn read_stream(
    db: &Connection,
    stream: &str,
    from: u64,
    limit: usize,
) -> Result<Vec<Record>, ReadError> {
    let from = from.max(1);
    let mut statement = db.prepare_cached(OF_STREAM)?;
    let mut rows = statement.query(params![stream, integer(from), page_rows(limit)])?;
    let mut expected = from;
    let mut page = Page::default();
    while let Some(row) = rows.next()? {
        let record = record(row)?;
        let (position, found) = (record.entry.position, record.entry.sequence);
        if record.entry.stream != stream {
            let reason = format!("it is filed under stream {stream}, but belongs to another");
            return Err(ReadError::corrupt(position, reason));
        }
        if found != expected {
            let stream = stream.to_owned();
            return Err(ChainError::SequenceGap { position, stream, expected, found }.into());
        }
        expected = expected.saturating_add(1);
        if page.push(record) {
            break;
        }
    }
    Ok(page.records)
}

#[derive(Default)]
struct Page {
    records: Vec<Record>,
    bytes: usize,
}

impl Page {
    /// Whether the page is full by bytes now.
    fn push(&mut self, record: Record) -> bool {
        self.bytes += record.bytes.len() + record.payload.len();
        self.records.push(record);
        self.bytes > PAGE_BYTES
    }
}

fn record(row: &Row<'_>) -> Result<Record, ReadError> {
    Record::checked(position(row.get(0)?)?, row.get(1)?, row.get(2)?)
}

/// The id of a stream and its last sequence; `None` when it does not exist.
pub(crate) fn stream(db: &Connection, name: &str) -> Result<Option<(i64, u64)>, ReadError> {
    let found: Option<(i64, Option<i64>)> = db
        .prepare_cached(STREAM)?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((id, last)) = found else { return Ok(None) };
    let last = last.and_then(|last| u64::try_from(last).ok());
    let last = last.ok_or_else(|| ReadError::Corrupt {
        position: position(id).unwrap_or(Position::START),
        reason: format!("stream {name} has lost its entries"),
    })?;
    Ok(Some((id, last)))
}

/// The answer that was kept for a key.
pub(crate) fn outcome(
    db: &Connection,
    caller: &str,
    key: &str,
) -> Result<Option<StoredOutcome>, ReadError> {
    type Columns = (Vec<u8>, Vec<u8>, Option<i64>, Option<i64>);
    let found: Option<Columns> = db
        .prepare_cached(OUTCOME)?
        .query_row([caller, key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((request, outcome, first, last)) = found else { return Ok(None) };
    let positions = match first.zip(last) {
        Some((first, last)) => Some(Positions { first: position(first)?, last: position(last)? }),
        None => None,
    };
    let request_sha256 = hash(&request, Position::START)?;
    Ok(Some(StoredOutcome { request_sha256, outcome, positions }))
}

/// Every answer that is kept.
pub(crate) fn outcomes(db: &Connection) -> Result<Vec<RawOutcome>, ReadError> {
    let mut statement = db.prepare_cached("SELECT caller, key FROM outcomes")?;
    let mut names = statement.query([])?;
    let mut found = Vec::new();
    while let Some(name) = names.next()? {
        let (caller, key): (String, String) = (name.get(0)?, name.get(1)?);
        let gone = || ReadError::corrupt(Position::START, format!("key {key} of {caller} is gone"));
        let stored = outcome(db, &caller, &key)?.ok_or_else(gone)?;
        found.push(RawOutcome::of(caller, key, stored));
    }
    Ok(found)
}

/// Verifies the end of the log against the head row; gives the head and the time of its entry.
pub(crate) fn verify_tail(db: &Connection) -> Result<(Head, Timestamp), ReadError> {
    let head = head(db)?;
    let from = Position::new(head.position.get().saturating_sub(TAIL - 1)).unwrap_or(head.position);
    let mut next = from.max(Position::FIRST);
    let mut chain: Option<Chain> = None;
    while next <= head.position {
        let page = read_from(db, next, PAGE_LIMIT, head.position)?;
        for record in &page {
            let before = Head {
                position: record.entry.position.previous().unwrap_or(Position::START),
                leaf: record.entry.prev,
            };
            let chain = chain.get_or_insert_with(|| Chain::resume(before));
            chain.extend(&record.bytes, &record.payload)?;
            next = record.entry.position.next().unwrap_or(next);
        }
    }
    ends_at(db, head, chain.as_ref().map_or(Head::EMPTY, Chain::head))?;
    Ok((head, chain.map_or(Timestamp::EPOCH, |chain| chain.time())))
}

/// Verifies every entry from the first on, that each is filed under its stream, and the tree.
pub(crate) fn verify_all(db: &Connection) -> Result<Head, ReadError> {
    // One snapshot for the entries, the tree and the head, while a server goes on writing.
    let snapshot = db.unchecked_transaction()?;
    if schema::format(&snapshot)? == schema::FORMAT_WITHOUT_TREE {
        return walk(&snapshot, |_| Ok(()));
    }
    let mut audit = tree::Audit::new(&snapshot);
    let head = walk(&snapshot, |leaf| audit.push(leaf))?;
    audit.finish()?;
    Ok(head)
}

/// Verifies the chain and where each entry is filed; `each` gets the leaves in their order.
pub(crate) fn walk(
    db: &Connection,
    mut each: impl FnMut(Hash) -> Result<(), ReadError>,
) -> Result<Head, ReadError> {
    let mut chain = Chain::start();
    let mut statement = db.prepare(
        "SELECT e.position, e.entry, e.payload, e.sequence, s.name
         FROM entries e LEFT JOIN streams s ON s.id = e.stream ORDER BY e.position",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (bytes, payload): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?);
        let entry = chain.extend(&bytes, &payload)?;
        let filed: (i64, i64, Option<String>) = (row.get(0)?, row.get(3)?, row.get(4)?);
        let says = (integer(entry.position.get()), integer(entry.sequence), Some(entry.stream));
        if (filed.0, filed.1, filed.2.as_deref()) != says {
            let reason = format!("it is filed as {filed:?}, but says {says:?}");
            return Err(ReadError::corrupt(entry.position, reason));
        }
        each(chain.head().leaf)?;
    }
    let head = head(db)?;
    ends_at(db, head, chain.head())?;
    Ok(head)
}

fn ends_at(db: &Connection, row: Head, last: Head) -> Result<(), ReadError> {
    if row != last {
        let reason = format!(
            "the head row says position {} with leaf {}, the last entry {} has leaf {}",
            row.position, row.leaf, last.position, last.leaf
        );
        return Err(ReadError::corrupt(row.position, reason));
    }
    let beyond: Option<i64> = db
        .query_row("SELECT max(position) FROM entries", [], |row| row.get(0))
        .optional()?
        .flatten();
    let beyond = position(beyond.unwrap_or(0))?;
    if beyond > row.position {
        let reason = format!("it lies behind the head at position {}", row.position);
        return Err(ReadError::corrupt(beyond, reason));
    }
    Ok(())
}
