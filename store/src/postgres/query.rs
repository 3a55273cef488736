//! Reading a log's tables. Never trusts a column that the entry itself can contradict.

use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};
use strongroom_ledger::{Chain, ChainError, Head, Position, Timestamp};

use super::columns::aggregate;
use crate::append::{Positions, StoredOutcome};
use crate::raw::{RawOutcome, RawRow};
use crate::read::{Continuity, PAGE_BYTES, PAGE_LIMIT, ReadError, Record};
use crate::sql::{hash, integer, page_rows, position};

/// How many entries at the end are verified whenever a log is opened.
const TAIL: u64 = 1000;

/// A page: `$1` rows at most, and none behind the one that takes it over `$2` bytes. The last column
/// is the bytes up to and with a row; sizes are known without reading what is long.
macro_rules! page {
    ($columns:literal) => {
        concat!(
            "SELECT position, entry, payload::text, through FROM (SELECT *,
               sum(size) OVER (ORDER BY position ROWS UNBOUNDED PRECEDING) AS through
             FROM (SELECT position, entry, payload,
                 pg_column_size(entry) + pg_column_size(payload) AS size
               FROM strongroom_log.events WHERE ",
            $columns,
            " LIMIT $1) AS rows) AS page WHERE through - size <= $2 ORDER BY position"
        )
    };
}
const FROM: &str = page!("position >= $3 ORDER BY position");
const OF_STREAM: &str = page!(
    "aggregate_type = $3 AND aggregate_id = $4 AND sequence >= $5
     ORDER BY aggregate_type, aggregate_id, sequence"
);
const OUTCOME: &str = "SELECT request_sha256, outcome, first, last FROM strongroom_log.outcomes
  WHERE caller = $1 AND key = $2";
const SEQUENCE: &str = "SELECT max(sequence) FROM strongroom_log.events
  WHERE aggregate_type = $1 AND aggregate_id = $2";

fn page_bytes() -> i64 {
    i64::try_from(PAGE_BYTES).unwrap_or(i64::MAX)
}

/// The head as the head row has it.
pub(crate) async fn head(db: &mut PgConnection) -> Result<Head, ReadError> {
    let found = sqlx::query_as("SELECT position, leaf FROM strongroom_log.head WHERE id = 1");
    let (at, leaf): (i64, Vec<u8>) = found
        .fetch_optional(db)
        .await?
        .ok_or_else(|| ReadError::corrupt(Position::START, "the head row is missing"))?;
    let position = position(at)?;
    Ok(Head { position, leaf: hash(&leaf, position)? })
}

/// A page of rows as they are, from position `from` on; whether it was cut for its bytes.
async fn rows_from(
    db: &mut PgConnection,
    from: i64,
    limit: usize,
) -> Result<(Vec<RawRow>, bool), ReadError> {
    let query = sqlx::query(FROM).bind(page_rows(limit)).bind(page_bytes()).bind(from);
    raw(&query.fetch_all(db).await?)
}

fn raw(rows: &[PgRow]) -> Result<(Vec<RawRow>, bool), ReadError> {
    let mut page = Vec::with_capacity(rows.len());
    let mut cut = false;
    for row in rows {
        let payload: String = row.try_get(2)?;
        page.push(RawRow {
            filed: row.try_get(0)?,
            entry: row.try_get(1)?,
            payload: payload.into_bytes(),
        });
        cut = row.try_get::<i64, _>(3)? > page_bytes();
    }
    Ok((page, cut))
}

/// A page of unchecked rows filed behind `after`.
pub(crate) async fn raw_after(
    db: &mut PgConnection,
    after: i64,
    limit: usize,
) -> Result<Vec<RawRow>, ReadError> {
    Ok(rows_from(db, after.saturating_add(1), limit).await?.0)
}

/// A page of the log that must reach `durable` unless its limits end it before.
pub(crate) async fn read_from(
    db: &mut PgConnection,
    from: Position,
    limit: usize,
    durable: Position,
) -> Result<Vec<Record>, ReadError> {
    let from = from.max(Position::FIRST);
    let limit = limit.min(PAGE_LIMIT);
    let (rows, cut) = rows_from(db, integer(from.get()), limit).await?;
    let mut continuity = Continuity::from(from);
    let mut page = Vec::with_capacity(rows.len());
    for row in rows {
        let record = record(row)?;
        continuity.follow(&record)?;
        page.push(record);
    }
    if !cut && page.len() < limit && continuity.next() <= durable {
        let reason = format!("it is missing, and the head is at {durable}");
        return Err(ReadError::corrupt(continuity.next(), reason));
    }
    Ok(page)
}

fn record(row: RawRow) -> Result<Record, ReadError> {
    Record::checked(position(row.filed)?, row.entry, row.payload)
}

/// A page of a stream.
pub(crate) async fn read_stream(
    db: &mut PgConnection,
    stream: &str,
    from: u64,
    limit: usize,
) -> Result<Vec<Record>, ReadError> {
    let from = from.max(1);
    let (of, id) = aggregate(stream);
    let query = sqlx::query(OF_STREAM).bind(page_rows(limit)).bind(page_bytes());
    let rows = query.bind(of).bind(id).bind(integer(from)).fetch_all(db).await?;
    let mut expected = from;
    let mut page = Vec::with_capacity(rows.len());
    for row in raw(&rows)?.0 {
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
        page.push(record);
    }
    Ok(page)
}

/// The last sequence of a stream; 0 when it does not exist.
pub(crate) async fn sequence(db: &mut PgConnection, stream: &str) -> Result<u64, ReadError> {
    let (of, id) = aggregate(stream);
    let found = sqlx::query_as(SEQUENCE).bind(of).bind(id).fetch_one(db).await?;
    let (last,): (Option<i64>,) = found;
    Ok(last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0))
}

/// The answer that was kept for a key. Keys that PostgreSQL's text cannot hold were never kept.
pub(crate) async fn outcome(
    db: &mut PgConnection,
    caller: &str,
    key: &str,
) -> Result<Option<StoredOutcome>, ReadError> {
    if caller.contains('\0') || key.contains('\0') {
        return Ok(None);
    }
    let found = sqlx::query(OUTCOME).bind(caller).bind(key).fetch_optional(db).await?;
    found.map(|row| stored(&row, 0)).transpose()
}

/// Every answer that is kept.
pub(crate) async fn outcomes(db: &mut PgConnection) -> Result<Vec<RawOutcome>, ReadError> {
    let all =
        "SELECT caller, key, request_sha256, outcome, first, last FROM strongroom_log.outcomes";
    let rows = sqlx::query(all).fetch_all(db).await?;
    let read = |row: &PgRow| Ok(RawOutcome::of(row.try_get(0)?, row.try_get(1)?, stored(row, 2)?));
    rows.iter().map(read).collect()
}

/// An outcome whose four columns begin at `at`.
pub(crate) fn stored(row: &PgRow, at: usize) -> Result<StoredOutcome, ReadError> {
    let request: Vec<u8> = row.try_get(at)?;
    let (first, last): (Option<i64>, Option<i64>) = (row.try_get(at + 2)?, row.try_get(at + 3)?);
    let positions = match first.zip(last) {
        Some((first, last)) => Some(Positions { first: position(first)?, last: position(last)? }),
        None => None,
    };
    let request_sha256 = hash(&request, Position::START)?;
    Ok(StoredOutcome { request_sha256, outcome: row.try_get(at + 1)?, positions })
}

/// Verifies the end of the log against the head row; gives the head and the time of its entry.
pub(crate) async fn verify_tail(db: &mut PgConnection) -> Result<(Head, Timestamp), ReadError> {
    let head = head(db).await?;
    let from = Position::new(head.position.get().saturating_sub(TAIL - 1)).unwrap_or(head.position);
    let mut next = from.max(Position::FIRST);
    let mut chain: Option<Chain> = None;
    while next <= head.position {
        for record in read_from(db, next, PAGE_LIMIT, head.position).await? {
            let before = Head {
                position: record.entry.position.previous().unwrap_or(Position::START),
                leaf: record.entry.prev,
            };
            let chain = chain.get_or_insert_with(|| Chain::resume(before));
            chain.extend(&record.bytes, &record.payload)?;
            next = record.entry.position.next().unwrap_or(next);
        }
    }
    ends_at(db, head, chain.as_ref().map_or(Head::EMPTY, Chain::head)).await?;
    Ok((head, chain.map_or(Timestamp::EPOCH, |chain| chain.time())))
}

/// The head row names the last entry, and nothing lies behind it.
pub(crate) async fn ends_at(db: &mut PgConnection, row: Head, last: Head) -> Result<(), ReadError> {
    if row != last {
        let reason = format!(
            "the head row says position {} with leaf {}, the last entry {} has leaf {}",
            row.position, row.leaf, last.position, last.leaf
        );
        return Err(ReadError::corrupt(row.position, reason));
    }
    let found = sqlx::query_as("SELECT max(position) FROM strongroom_log.events");
    let (beyond,): (Option<i64>,) = found.fetch_one(db).await?;
    let beyond = position(beyond.unwrap_or(0))?;
    if beyond > row.position {
        let reason = format!("it lies behind the head at position {}", row.position);
        return Err(ReadError::corrupt(beyond, reason));
    }
    Ok(())
}
