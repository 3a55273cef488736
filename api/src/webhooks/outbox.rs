//! What waits to be told: `webhooks.db`, beside the log and apart from it. Lost, it costs messages
//! and no money: a new file begins at the end of the log, or where the configuration says.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use strongroom_domain::{ProposalId, Timestamp, TransferId};

use super::{
    message::Written,
    rows::{Delivery, Message, Standing},
};

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS webhooks (
        id TEXT PRIMARY KEY,
        cursor INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS messages (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        webhook TEXT NOT NULL,
        id TEXT NOT NULL,
        kind TEXT NOT NULL,
        position INTEGER NOT NULL,
        lane TEXT NOT NULL,
        body TEXT NOT NULL,
        delivery TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        next_at INTEGER NOT NULL,
        last TEXT,
        UNIQUE (webhook, id)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS waiting ON messages (webhook, lane, place)
        WHERE delivery = 'waiting';
    CREATE TABLE IF NOT EXISTS questions (
        proposal TEXT PRIMARY KEY,
        transfer TEXT NOT NULL
    ) STRICT;
";
const COLUMNS: &str =
    "place, webhook, id, kind, position, lane, body, delivery, attempts, next_at, last";
/// Delivered messages that are kept for each webhook, so that they can be sent again.
const KEPT: u64 = 10_000;

/// The file.
pub struct Outbox(Mutex<Connection>);

/// Why it can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// Unavailable.
    #[error("webhooks.db cannot be used: {0}")]
    Database(#[from] rusqlite::Error),
    /// Corrupt.
    #[error("webhooks.db is damaged at message {0}: move it away, and messages begin anew")]
    Damaged(u64),
}

impl Outbox {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self, OutboxError> {
        let db = Connection::open(path)?;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        db.execute_batch(SCHEMA)?;
        Ok(Self(Mutex::new(db)))
    }

    /// How far the log was told to a webhook; one that is new begins at `start`.
    pub(super) fn begin(&self, webhook: &str, start: u64) -> Result<u64, OutboxError> {
        let db = self.db();
        db.execute(
            "INSERT OR IGNORE INTO webhooks VALUES (?1, ?2)",
            params![webhook, kept(start)],
        )?;
        let cursor = "SELECT cursor FROM webhooks WHERE id = ?1";
        Ok(db.query_row(cursor, [webhook], |row| number(row, 0))?)
    }

    /// Puts messages for a webhook and moves its cursor, both or neither.
    pub(super) fn advance(
        &self,
        webhook: &str,
        messages: &[Written],
        cursor: u64,
    ) -> Result<(), OutboxError> {
        let mut db = self.db();
        let all = db.transaction()?;
        for message in messages {
            insert(&all, webhook, message)?;
        }
        all.execute(
            "UPDATE webhooks SET cursor = ?2 WHERE id = ?1",
            params![webhook, kept(cursor)],
        )?;
        all.execute(
            "DELETE FROM messages WHERE webhook = ?1 AND delivery = 'delivered' AND place <= (
                SELECT place FROM messages WHERE webhook = ?1 AND delivery = 'delivered'
                ORDER BY place DESC LIMIT 1 OFFSET ?2)",
            params![webhook, kept(KEPT)],
        )?;
        Ok(all.commit()?)
    }

    /// Puts one message, unless it is there.
    pub(super) fn put(&self, webhook: &str, message: &Written) -> Result<(), OutboxError> {
        Ok(insert(&self.db(), webhook, message)?)
    }

    /// Remembers which payment a proposal is about.
    pub(super) fn asks_about(
        &self,
        proposal: ProposalId,
        transfer: TransferId,
    ) -> Result<(), OutboxError> {
        let ids = [proposal.to_string(), transfer.to_string()];
        self.db().execute("INSERT OR IGNORE INTO questions VALUES (?1, ?2)", ids)?;
        Ok(())
    }

    /// Which payment a proposal is about, where that is known.
    pub(super) fn about(&self, proposal: ProposalId) -> Result<Option<TransferId>, OutboxError> {
        let found = "SELECT transfer FROM questions WHERE proposal = ?1";
        let db = self.db();
        let found: Option<String> =
            db.query_row(found, [proposal.to_string()], |row| row.get(0)).optional()?;
        Ok(found.and_then(|id| id.parse().ok()))
    }

    /// The first waiting message of each lane that is due; and when the next of the others is.
    pub(super) fn due(
        &self,
        webhook: &str,
        now: Timestamp,
        most: u32,
    ) -> Result<(Vec<Message>, Option<u64>), OutboxError> {
        let db = self.db();
        // A lane's first message holds back the others of the lane, due or not.
        let first = format!(
            "SELECT {COLUMNS} FROM messages AS one WHERE webhook = ?1 AND delivery = 'waiting'
             AND NOT EXISTS (SELECT 1 FROM messages AS before WHERE before.webhook = one.webhook
                 AND before.lane = one.lane AND before.delivery = 'waiting'
                 AND before.place < one.place)
             ORDER BY next_at, place LIMIT ?2"
        );
        let mut statement = db.prepare_cached(&first)?;
        let found = statement.query_and_then(params![webhook, most], message)?;
        let (due, later): (Vec<_>, Vec<_>) = found
            .collect::<Result<Vec<_>, OutboxError>>()?
            .into_iter()
            .partition(|one| one.next_at <= now.micros());
        Ok((due, later.first().map(|one| one.next_at)))
    }

    /// It was taken.
    pub(super) fn delivered(&self, place: u64, last: &str) -> Result<(), OutboxError> {
        self.db().execute(
            "UPDATE messages SET delivery = 'delivered', attempts = attempts + 1, last = ?2
             WHERE place = ?1",
            params![kept(place), last],
        )?;
        Ok(())
    }

    /// It was not taken; `next_at` says when to try again, `None` that it is given up.
    pub(super) fn failed(
        &self,
        place: u64,
        last: &str,
        next_at: Option<u64>,
    ) -> Result<(), OutboxError> {
        let delivery = next_at.map_or(Delivery::GivenUp, |_| Delivery::Waiting);
        self.db().execute(
            "UPDATE messages SET delivery = ?2, attempts = attempts + 1, last = ?3,
             next_at = coalesce(?4, next_at) WHERE place = ?1",
            params![kept(place), delivery.name(), last, next_at.map(kept)],
        )?;
        Ok(())
    }

    /// Lets a message be sent once more, now. `None` where there is no such message.
    pub(super) fn resend(&self, webhook: &str, id: &str) -> Result<Option<Message>, OutboxError> {
        let db = self.db();
        db.execute(
            "UPDATE messages SET delivery = 'waiting', attempts = 0, next_at = 0
             WHERE webhook = ?1 AND id = ?2",
            [webhook, id],
        )?;
        let found = format!("SELECT {COLUMNS} FROM messages WHERE webhook = ?1 AND id = ?2");
        let mut statement = db.prepare_cached(&found)?;
        statement.query_and_then([webhook, id], message)?.next().transpose()
    }

    /// Messages behind a place, oldest first.
    pub fn list(
        &self,
        webhook: &str,
        delivery: Option<Delivery>,
        (after, limit): (u64, u32),
    ) -> Result<Vec<Message>, OutboxError> {
        let db = self.db();
        let listed = format!(
            "SELECT {COLUMNS} FROM messages WHERE webhook = ?1 AND place > ?2
             AND (?3 IS NULL OR delivery = ?3) ORDER BY place LIMIT ?4"
        );
        let mut statement = db.prepare_cached(&listed)?;
        let delivery = delivery.map(Delivery::name);
        statement.query_and_then(params![webhook, kept(after), delivery, limit], message)?.collect()
    }

    /// A webhook in figures.
    pub fn standing(&self, webhook: &str) -> Result<Standing, OutboxError> {
        let figures = "SELECT coalesce((SELECT cursor FROM webhooks WHERE id = ?1), 0),
            (SELECT count(*) FROM messages WHERE webhook = ?1 AND delivery = 'waiting'),
            (SELECT count(*) FROM messages WHERE webhook = ?1 AND delivery = 'given-up')";
        let db = self.db();
        let standing = db.query_row(figures, [webhook], |row| {
            let (cursor, waiting) = (number(row, 0)?, number(row, 1)?);
            Ok(Standing { cursor, waiting, given_up: number(row, 2)? })
        });
        Ok(standing?)
    }

    fn db(&self) -> std::sync::MutexGuard<'_, Connection> {
        // A panicking thread leaves no transaction behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn insert(db: &Connection, webhook: &str, message: &Written) -> rusqlite::Result<()> {
    let Written { id, kind, position, lane, body } = message;
    // Told before: the cursor was lost, or an announcement is made twice.
    let mut statement = db.prepare_cached(
        "INSERT OR IGNORE INTO messages
            (webhook, id, kind, position, lane, body, delivery, attempts, next_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', 0, 0)",
    )?;
    statement.execute(params![webhook, id, kind, kept(*position), lane, body])?;
    Ok(())
}

/// A number as SQLite keeps it: positions and times are far below its largest.
fn kept(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let stored: i64 = row.get(column)?;
    Ok(u64::try_from(stored).unwrap_or(0))
}

fn message(row: &Row<'_>) -> Result<Message, OutboxError> {
    let place = number(row, 0)?;
    let delivery: String = row.get(7)?;
    Ok(Message {
        place,
        webhook: row.get(1)?,
        id: row.get(2)?,
        kind: row.get(3)?,
        position: number(row, 4)?,
        lane: row.get(5)?,
        body: row.get(6)?,
        delivery: Delivery::of(&delivery).ok_or(OutboxError::Damaged(place))?,
        attempts: row.get(8)?,
        next_at: number(row, 9)?,
        last: row.get(10)?,
    })
}
