//! Sealing the events of an existing postgres-es database into a log. Never changes that database,
//! and never interprets an event: what stood there is what the log then proves.

use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{Connection, Row};
use strongroom_ledger::{Position, payload_hash};
use uuid::Uuid;

use super::session::Target;
use crate::append::{Append, AppendError, Expected, NewEvent};
use crate::log::AppendLog;
use crate::open::{OpenError, Options};
use crate::read::ReadError;

/// An append has the events of one page, or ends with the event that takes it over this many bytes:
/// every backend takes it.
const APPEND_BYTES: usize = 256 * 1024;
/// The type of a sealed event.
const TYPE: &str = "postgres-es.event";

/// Types are not relied upon: other versions of postgres-es have other column types. The cursor sees
/// one moment of the table, and sorts it once.
const EVENTS: &str = "DECLARE sealing NO SCROLL CURSOR FOR SELECT aggregate_type::text, aggregate_id::text, sequence::bigint,
    event_type::text, event_version::text, payload::text, metadata::text
  FROM events
  ORDER BY aggregate_type::text COLLATE \"C\", aggregate_id::text COLLATE \"C\", sequence::bigint";
const PAGE: &str = "FETCH 256 FROM sealing";

/// Why a database was not sealed, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database, once it was open.
    #[error("the events cannot be read: {0}")]
    Read(#[from] sqlx::Error),
    /// The log's own entries cannot be read.
    #[error("the log: {0}")]
    Log(#[from] ReadError),
    /// The log does not take it.
    #[error("the log takes no more: {0}")]
    Append(#[from] AppendError),
    /// An event cannot be written as JSON: a bug.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The log holds something else than the beginning of this database.
    #[error(
        "entry {position} of the log is not the database's event in that place: choose an empty log, \
         or the one that an interrupted import of this database left"
    )]
    Parted {
        /// The entry.
        position: Position,
    },
}

/// An event of the database, its texts as PostgreSQL gives them.
#[derive(Serialize)]
struct Sealed {
    aggregate_type: String,
    aggregate_id: String,
    /// As postgres-es counts them; the entry's own counts what was sealed.
    sequence: i64,
    event_type: String,
    event_version: String,
    payload: String,
    metadata: String,
}

/// Appends every event of the database at `url` to `to`, by aggregate and sequence: postgres-es
/// keeps no order over all. An interrupted import goes on; gives how many were appended.
///
/// What is written to the database meanwhile is not sealed, and may keep an interrupted import from
/// going on: nobody should.
pub async fn import_postgres_es(
    url: &str,
    options: &Options,
    to: &dyn AppendLog,
    mut progress: impl FnMut(Position),
) -> Result<u64, ImportError> {
    let mut db = Target::new(url, options)?.guest().await?;
    let mut moment = db.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    sqlx::query(EVENTS).execute(&mut *moment).await?;
    let (mut place, mut appended) = (Position::START, 0);
    loop {
        let page = sqlx::query(PAGE).fetch_all(&mut *moment).await?;
        if page.is_empty() {
            return Ok(appended);
        }
        let (mut append, mut bytes) = (new_append(), 0);
        for row in &page {
            place = place.next().unwrap_or(Position::LAST);
            let event = Sealed::read(row)?.event()?;
            if place <= to.head().position {
                check(to, place, &event).await?;
                continue;
            }
            bytes += event.payload.len();
            add(&mut append, to, event).await?;
            if bytes > APPEND_BYTES {
                bytes = 0;
                let full = std::mem::replace(&mut append, new_append());
                appended += seal(to, full, &mut progress).await?;
            }
        }
        appended += seal(to, append, &mut progress).await?;
    }
}

/// Appends what was gathered; gives how many events that were.
async fn seal(
    to: &dyn AppendLog,
    append: Append,
    progress: &mut impl FnMut(Position),
) -> Result<u64, ImportError> {
    if append.events.is_empty() {
        return Ok(0);
    }
    let events = u64::try_from(append.events.len()).unwrap_or(u64::MAX);
    progress(to.append(append).await?.head.position);
    Ok(events)
}

fn new_append() -> Append {
    Append {
        expected: Vec::new(),
        events: Vec::new(),
        actor: "import:postgres-es".to_owned(),
        command: Uuid::new_v4(),
        correlation: Uuid::new_v4(),
        causation: None,
        idempotency: None,
    }
}

/// What was sealed before must be what would be sealed now.
async fn check(to: &dyn AppendLog, place: Position, event: &NewEvent) -> Result<(), ImportError> {
    let found = to.read_from(place, 1).await?;
    let same = found.first().is_some_and(|record| {
        record.entry.stream == event.stream
            && record.entry.r#type == event.r#type
            && record.payload == event.payload
    });
    if same { Ok(()) } else { Err(ImportError::Parted { position: place }) }
}

async fn add(append: &mut Append, to: &dyn AppendLog, event: NewEvent) -> Result<(), ImportError> {
    if !append.expected.iter().any(|of| of.stream == event.stream) {
        let sequence = to.stream_sequence(&event.stream).await?;
        append.expected.push(Expected { stream: event.stream.clone(), sequence });
    }
    append.events.push(event);
    Ok(())
}

impl Sealed {
    fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            aggregate_type: row.try_get(0)?,
            aggregate_id: row.try_get(1)?,
            sequence: row.try_get(2)?,
            event_type: row.try_get(3)?,
            event_version: row.try_get(4)?,
            payload: row.try_get(5)?,
            metadata: row.try_get(6)?,
        })
    }

    /// A stream for each aggregate: by a hash, because its names may hold what ours may not.
    fn event(&self) -> Result<NewEvent, serde_json::Error> {
        let name = serde_json::to_vec(&(&self.aggregate_type, &self.aggregate_id))?;
        Ok(NewEvent {
            stream: format!("postgres-es:{}", payload_hash(&name)),
            r#type: TYPE.to_owned(),
            version: 1,
            payload: serde_json::to_vec(self)?,
        })
    }
}
