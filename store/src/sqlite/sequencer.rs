//! The one thread that writes. Never answers before the fsync, and never tries again after one
//! that failed: what is on the disk is then unknown until the log is reopened and verified.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;

use rusqlite::{Connection, params};
use strongroom_ledger::Head;
use tokio::sync::{oneshot, watch};

use super::lock::WriteLock;
use super::{State, query, tree};
use crate::append::{AppendError, Appended, Idempotency, StoredOutcome};
use crate::numbering::{Checked, Known, Numbering, Row, judge};
use crate::open::Options;
use crate::read::ReadError;

/// How many rows one statement inserts; what is left over goes in single.
const ROWS: usize = 16;
/// A batch ends with the append that takes it over this many bytes.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// After about this many bytes the WAL is written back into the database. Fewer would cost
/// throughput (each time is an fsync more), more would make some appends wait longer.
const CHECKPOINT_BYTES: usize = 8 * 1024 * 1024;

/// What a batch adds to the WAL besides its entries, about: pages that are written again.
const BATCH_OVERHEAD: usize = 16 * 1024;

const INSERT_ONE: &str = "INSERT INTO entries VALUES (?,?,?,?,?)";
/// [`ROWS`] rows.
const INSERT_MANY: &str = "INSERT INTO entries VALUES (?,?,?,?,?),(?,?,?,?,?),(?,?,?,?,?),
  (?,?,?,?,?),(?,?,?,?,?),(?,?,?,?,?),(?,?,?,?,?),(?,?,?,?,?),(?,?,?,?,?),(?,?,?,?,?),(?,?,?,?,?),
  (?,?,?,?,?),(?,?,?,?,?),(?,?,?,?,?),(?,?,?,?,?),(?,?,?,?,?)";

pub(crate) type Answer = oneshot::Sender<Result<Appended, AppendError>>;

/// An append on its way, and where its answer goes.
pub(crate) struct Request {
    pub(crate) checked: Checked,
    pub(crate) answer: Answer,
}

/// What makes a sequencer stop for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fatal {
    #[error("SQLite failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("{0}")]
    Append(#[from] AppendError),
}

pub(crate) struct Sequencer {
    db: Connection,
    queue: Receiver<Request>,
    heads: watch::Sender<Head>,
    state: Arc<State>,
    numbering: Numbering,
    streams: Streams,
    batch: usize,
    unwritten: usize,
    _lock: WriteLock,
}

/// The streams that were met lately. The database knows them all; this saves asking.
struct Streams {
    known: HashMap<String, Stream>,
    limit: usize,
}

#[derive(Clone, Copy)]
struct Stream {
    /// 0 until the stream has an entry.
    id: i64,
    sequence: u64,
}

/// What is known while a batch is made: the cache for streams, the open transaction for keys.
struct Batch<'a> {
    db: &'a Connection,
    streams: &'a mut Streams,
}

impl Known for Batch<'_> {
    type Failure = Fatal;

    fn sequence(&mut self, stream: &str) -> Result<u64, Fatal> {
        if let Some(known) = self.streams.known.get(stream) {
            return Ok(known.sequence);
        }
        let (id, sequence) = query::stream(self.db, stream)?.unwrap_or((0, 0));
        self.streams.known.insert(stream.to_owned(), Stream { id, sequence });
        Ok(sequence)
    }

    fn outcome(&mut self, caller: &str, key: &str) -> Result<Option<StoredOutcome>, Fatal> {
        Ok(query::outcome(self.db, caller, key)?)
    }
}

impl Sequencer {
    pub(crate) fn new(
        db: Connection,
        lock: WriteLock,
        queue: Receiver<Request>,
        heads: watch::Sender<Head>,
        state: Arc<State>,
        numbering: Numbering,
        options: &Options,
    ) -> Self {
        db.set_prepared_statement_cache_capacity(32);
        let streams = Streams { known: HashMap::new(), limit: options.streams };
        let batch = options.batch.max(1);
        Self { db, queue, heads, state, numbering, streams, batch, unwritten: 0, _lock: lock }
    }

    /// Serves the queue until every handle is gone or something fails.
    pub(crate) fn run(mut self) {
        while let Ok(first) = self.queue.recv() {
            let (work, answers): (Vec<_>, Vec<_>) = self.gather(first);
            match self.serve(work) {
                Ok(results) => answers.into_iter().zip(results).for_each(|(answer, result)| {
                    // A writer that does not wait any more loses the answer, not the append.
                    let _ = answer.send(result);
                }),
                // Before the answers are dropped, so that who waits for one learns why.
                Err(fatal) => return self.stop(&fatal),
            }
            if let Err(fatal) = self.checkpoint_if_due() {
                return self.stop(&fatal);
            }
        }
        if let Err(fatal) = self.checkpoint() {
            self.stop(&fatal);
        }
    }

    fn stop(&self, fatal: &Fatal) {
        let reason = fatal.to_string();
        tracing::error!(%reason, "the log has stopped; reopen and verify it");
        // Requests still queued find the reason when the sender of their answer is dropped.
        let _ = self.state.stopped.set(reason);
    }

    /// Whatever is queued by now shares the next fsync.
    fn gather(&self, first: Request) -> (Vec<Checked>, Vec<Answer>) {
        let mut bytes = first.checked.append.weight();
        let (mut work, mut answers) = (vec![first.checked], vec![first.answer]);
        while work.len() < self.batch && bytes <= BATCH_BYTES {
            let Ok(next) = self.queue.try_recv() else { break };
            bytes += next.checked.append.weight();
            work.push(next.checked);
            answers.push(next.answer);
        }
        (work, answers)
    }

    /// One transaction, one fsync; the results may be told only once it is back.
    fn serve(&mut self, work: Vec<Checked>) -> Result<Vec<Result<Appended, AppendError>>, Fatal> {
        self.streams.bound();
        let before = self.numbering.head;
        self.execute("BEGIN IMMEDIATE")?;
        let mut rows = Vec::with_capacity(work.len() * 2);
        let mut results = Vec::with_capacity(work.len());
        for checked in work {
            results.push(self.place(checked, &mut rows)?);
        }
        self.insert(&rows)?;
        if self.numbering.head != before {
            tree::store(&self.db, &self.numbering.grown())?;
            self.set_head()?;
        }
        self.execute("COMMIT")?;
        self.state.commits.fetch_add(1, Ordering::Relaxed);
        if self.numbering.head != before {
            self.heads.send_replace(self.numbering.head);
        }
        let bytes: usize = rows.iter().map(|(_, row)| row.entry.len() + row.payload.len()).sum();
        self.unwritten += bytes + BATCH_OVERHEAD;
        Ok(results)
    }

    /// Judges one append and makes its rows.
    fn place(
        &mut self,
        checked: Checked,
        rows: &mut Vec<(i64, Row)>,
    ) -> Result<Result<Appended, AppendError>, Fatal> {
        let mut known = Batch { db: &self.db, streams: &mut self.streams };
        if let Err(refused) = judge(&mut known, &checked.append)? {
            return Ok(Err(refused));
        }
        let key = checked.append.idempotency.clone();
        let from = rows.len();
        let appended = self.numbering.number(checked, |row| rows.push((0, row)))?;
        for (id, row) in rows.iter_mut().skip(from) {
            *id = self.streams.place(&self.db, row)?;
        }
        if let Some(key) = key {
            self.keep(&key, &appended)?;
        }
        Ok(Ok(appended))
    }

    fn keep(&self, key: &Idempotency, appended: &Appended) -> Result<(), Fatal> {
        let first = appended.positions.map(|at| query::integer(at.first.get()));
        let last = appended.positions.map(|at| query::integer(at.last.get()));
        self.db.prepare_cached("INSERT INTO outcomes VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(
            params![key.caller, key.key, key.request_sha256.as_bytes(), key.outcome, first, last],
        )?;
        Ok(())
    }

    fn insert(&self, rows: &[(i64, Row)]) -> Result<(), Fatal> {
        let groups = rows.chunks_exact(ROWS);
        let rest = groups.remainder();
        for group in groups {
            self.insert_group(INSERT_MANY, group)?;
        }
        rest.chunks(1).try_for_each(|one| self.insert_group(INSERT_ONE, one))
    }

    fn insert_group(&self, sql: &str, rows: &[(i64, Row)]) -> Result<(), Fatal> {
        let mut statement = self.db.prepare_cached(sql)?;
        let mut at = 0;
        let mut next = || {
            at += 1;
            at
        };
        for (stream, row) in rows {
            statement.raw_bind_parameter(next(), query::integer(row.position.get()))?;
            statement.raw_bind_parameter(next(), stream)?;
            statement.raw_bind_parameter(next(), query::integer(row.sequence))?;
            statement.raw_bind_parameter(next(), row.entry.as_slice())?;
            statement.raw_bind_parameter(next(), row.payload.as_slice())?;
        }
        statement.raw_execute()?;
        Ok(())
    }

    fn set_head(&self) -> Result<(), Fatal> {
        let Head { position, leaf } = self.numbering.head;
        let root = self.numbering.tree_head().root;
        let changed = self
            .db
            .prepare_cached("UPDATE head SET position = ?1, leaf = ?2, root = ?3 WHERE id = 1")?
            .execute(params![query::integer(position.get()), leaf.as_bytes(), root.as_bytes()])?;
        if changed == 1 {
            Ok(())
        } else {
            Err(ReadError::corrupt(position, "the head row is missing").into())
        }
    }

    fn execute(&self, sql: &str) -> Result<(), Fatal> {
        self.db.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    fn checkpoint_if_due(&mut self) -> Result<(), Fatal> {
        if self.unwritten > CHECKPOINT_BYTES { self.checkpoint() } else { Ok(()) }
    }

    /// Writes the WAL back. SQLite would do so by itself, but would not tell of a failed fsync.
    fn checkpoint(&mut self) -> Result<(), Fatal> {
        self.unwritten = 0;
        self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        Ok(())
    }
}

impl Streams {
    /// Forgets all once there are too many; only between batches, because a batch's own streams
    /// are not in the database before it ends.
    fn bound(&mut self) {
        if self.known.len() > self.limit {
            self.known.clear();
        }
    }

    /// Counts an entry of a stream, and gives the stream's id; a new stream is stored.
    fn place(&mut self, db: &Connection, row: &Row) -> Result<i64, Fatal> {
        let lost = || ReadError::corrupt(row.position, "its stream was not looked up");
        let stream = self.known.get_mut(&row.stream).ok_or_else(lost)?;
        if stream.id == 0 {
            stream.id = query::integer(row.position.get());
            db.prepare_cached("INSERT INTO streams VALUES (?1, ?2)")?
                .execute(params![stream.id, row.stream])?;
        }
        stream.sequence = row.sequence;
        Ok(stream.id)
    }
}
