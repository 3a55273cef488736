//! The half of the sequencer that stores entries: the only connection that writes. Never tries
//! again after an fsync that failed: what is on the disk is then unknown until the log is reopened
//! and verified.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::{Connection, params};
use strongroom_ledger::{Hash, Head};
use tokio::sync::watch;

use super::lock::WriteLock;
use super::numberer::{Batch, Key, Placed};
use super::sequencer::Fatal;
use super::{State, tree};
use crate::append::StoredOutcome;
use crate::read::ReadError;

/// How many rows one statement inserts; what is left over goes in single.
const ROWS: usize = 16;
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

/// Stores batches, one at a time, in their order.
pub(crate) struct Committer {
    db: Connection,
    heads: watch::Sender<Head>,
    state: Arc<State>,
    unwritten: usize,
    _lock: WriteLock,
}

impl Committer {
    pub(crate) fn new(
        db: Connection,
        lock: WriteLock,
        heads: watch::Sender<Head>,
        state: Arc<State>,
    ) -> Self {
        db.set_prepared_statement_cache_capacity(32);
        Self { db, heads, state, unwritten: 0, _lock: lock }
    }

    /// One transaction, one fsync; the answers may be given only once it is back.
    pub(crate) fn store(&mut self, batch: &Batch) -> Result<(), Fatal> {
        if self.unwritten > CHECKPOINT_BYTES {
            self.checkpoint()?;
        }
        self.execute("BEGIN IMMEDIATE")?;
        for Placed { stream, row, .. } in batch.rows.iter().filter(|placed| placed.is_new) {
            self.db
                .prepare_cached("INSERT INTO streams VALUES (?1, ?2)")?
                .execute(params![stream, row.stream])?;
        }
        self.insert(&batch.rows)?;
        batch.outcomes.iter().try_for_each(|(key, kept)| self.keep(key, kept))?;
        tree::store(&self.db, &batch.grown)?;
        if let Some((head, root)) = batch.end {
            self.set_head(head, root)?;
        }
        self.execute("COMMIT")?;
        self.state.commits.fetch_add(1, Ordering::Relaxed);
        if let Some((head, _)) = batch.end {
            self.heads.send_replace(head);
        }
        let rows = batch.rows.iter();
        let bytes: usize = rows.map(|one| one.row.entry.len() + one.row.payload.len()).sum();
        self.unwritten += bytes + BATCH_OVERHEAD;
        Ok(())
    }

    /// Writes the WAL back. SQLite would do so by itself, but would not tell of a failed fsync.
    pub(crate) fn checkpoint(&mut self) -> Result<(), Fatal> {
        self.unwritten = 0;
        self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        Ok(())
    }

    fn keep(&self, (caller, key): &Key, kept: &StoredOutcome) -> Result<(), Fatal> {
        let first = kept.positions.map(|at| crate::sql::integer(at.first.get()));
        let last = kept.positions.map(|at| crate::sql::integer(at.last.get()));
        let request = kept.request_sha256.as_bytes();
        self.db
            .prepare_cached("INSERT INTO outcomes VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![caller, key, request, kept.outcome, first, last])?;
        Ok(())
    }

    fn insert(&self, rows: &[Placed]) -> Result<(), Fatal> {
        let groups = rows.chunks_exact(ROWS);
        let rest = groups.remainder();
        for group in groups {
            self.insert_group(INSERT_MANY, group)?;
        }
        rest.chunks(1).try_for_each(|one| self.insert_group(INSERT_ONE, one))
    }

    fn insert_group(&self, sql: &str, rows: &[Placed]) -> Result<(), Fatal> {
        let mut statement = self.db.prepare_cached(sql)?;
        let mut at = 0;
        let mut next = || {
            at += 1;
            at
        };
        for Placed { stream, row, .. } in rows {
            statement.raw_bind_parameter(next(), crate::sql::integer(row.position.get()))?;
            statement.raw_bind_parameter(next(), stream)?;
            statement.raw_bind_parameter(next(), crate::sql::integer(row.sequence))?;
            statement.raw_bind_parameter(next(), row.entry.as_slice())?;
            statement.raw_bind_parameter(next(), row.payload.as_slice())?;
        }
        statement.raw_execute()?;
        Ok(())
    }

    fn set_head(&self, head: Head, root: Hash) -> Result<(), Fatal> {
        let Head { position, leaf } = head;
        let changed = self
            .db
            .prepare_cached("UPDATE head SET position = ?1, leaf = ?2, root = ?3 WHERE id = 1")?
            .execute(params![
                crate::sql::integer(position.get()),
                leaf.as_bytes(),
                root.as_bytes()
            ])?;
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
}
