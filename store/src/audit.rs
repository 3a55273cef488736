//! A log opened for nothing but reading, also while a server writes to it. Never has a connection
//! that could write.

use std::io::Write;
use std::path::Path;

use rusqlite::{Connection, params};
use strongroom_ledger::export::{ExportError, Writer};
use strongroom_ledger::{Head, Position, TreeHead};

use crate::append::StoredOutcome;
use crate::log::BoxFuture;
use crate::open::OpenError;
use crate::raw::{RawLog, RawOutcome, RawRow};
use crate::read::{PAGE_LIMIT, ReadError, Record};
use crate::sqlite::backup::{self, BackupError};
use crate::sqlite::{query, schema, tree};

/// A log in a SQLite file, for audit. Nothing is checked when it is opened.
pub struct AuditLog {
    db: Connection,
}

impl AuditLog {
    /// Opens the log at `path`. SQLite wants to place two files beside it, so the directory must
    /// be writable or a server must have the log open; copy it elsewhere otherwise.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        schema::check_sqlite()?;
        Ok(Self { db: schema::reader(path.as_ref())? })
    }

    /// The head as the file claims it.
    pub fn head(&self) -> Result<Head, ReadError> {
        query::head(&self.db)
    }

    /// The tree as the file claims it; `None` for a log of format 1, which has none.
    pub fn tree_head(&self) -> Result<Option<TreeHead>, ReadError> {
        if schema::format(&self.db)? == schema::FORMAT_WITHOUT_TREE {
            return Ok(None);
        }
        tree::head(&self.db).map(Some)
    }

    /// A page of checked entries; see [`crate::ReadLog::read_from`].
    pub fn read_from(&self, from: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        query::read_from(&self.db, from, limit, self.head()?.position)
    }

    /// A page of a stream's checked entries; see [`crate::ReadLog::read_stream`].
    pub fn read_stream(
        &self,
        stream: &str,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Record>, ReadError> {
        query::read_stream(&self.db, stream, from, limit)
    }

    /// The answer that was kept for a key; see [`crate::ReadLog::outcome`].
    pub fn outcome(&self, caller: &str, key: &str) -> Result<Option<StoredOutcome>, ReadError> {
        query::outcome(&self.db, caller, key)
    }

    /// A page of unchecked rows filed behind `after` (0 for the first), at most
    /// [`crate::PAGE_LIMIT`]. Empty at the end.
    pub fn raw_after(&self, after: i64, limit: usize) -> Result<Vec<RawRow>, ReadError> {
        let sql = "SELECT position, entry, payload FROM entries WHERE position > ?1
                   ORDER BY position LIMIT ?2";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map(params![after, crate::sql::page_rows(limit)], |row| {
            Ok(RawRow { filed: row.get(0)?, entry: row.get(1)?, payload: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Verifies every entry from the first on, where each is filed, the tree and the head.
    pub fn verify_all(&self) -> Result<Head, ReadError> {
        query::verify_all(&self.db)
    }

    /// Copies the log as it is at this moment to `to`, also while a server of another process writes
    /// to it; see [`crate::SqliteLog::backup`].
    pub fn backup(&self, to: &Path) -> Result<Head, BackupError> {
        backup::copy(&self.db, to)
    }

    /// Writes the log as it stands, unchecked, as an export; gives the number of entries.
    pub fn export<W: Write>(&self, out: W) -> Result<u64, AuditExportError> {
        let mut writer = Writer::new(out);
        let (mut after, mut count) = (0, 0);
        loop {
            let page = self.raw_after(after, PAGE_LIMIT)?;
            for row in &page {
                writer.write(&row.entry, &row.payload)?;
                after = row.filed;
                count += 1;
            }
            if page.is_empty() {
                writer.finish()?;
                return Ok(count);
            }
        }
    }
}

/// Read on the caller's thread: a page is short.
impl RawLog for AuditLog {
    fn head(&mut self) -> BoxFuture<'_, Result<Head, ReadError>> {
        Box::pin(std::future::ready(Self::head(self)))
    }

    fn raw_after(
        &mut self,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RawRow>, ReadError>> {
        Box::pin(std::future::ready(Self::raw_after(self, after, limit)))
    }

    fn outcomes(&mut self) -> BoxFuture<'_, Result<Vec<RawOutcome>, ReadError>> {
        Box::pin(async move { query::outcomes(&self.db) })
    }
}

/// Why a log cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum AuditExportError {
    /// The log.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The export.
    #[error(transparent)]
    Write(#[from] ExportError),
}
