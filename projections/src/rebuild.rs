//! A read model made from nothing, for auditors. Never goes on with a file that was there before.

use crate::{
    apply,
    error::{OpenError, RunError},
    fold::Item,
    schema,
};
use rusqlite::Connection;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use strongroom_domain::{Head, Recorded};

/// A new read model that is being filled.
pub struct Rebuild {
    db: Connection,
    path: PathBuf,
    items: Vec<Item>,
}

impl Rebuild {
    /// Begins a read model at `path`, which must not exist.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        drop(OpenOptions::new().write(true).create_new(true).open(path)?);
        Ok(Self { db: schema::writer(path)?, path: path.to_owned(), items: Vec::new() })
    }

    /// Adds the next entry of a log that the caller has verified, and who caused it.
    pub fn push(&mut self, recorded: Recorded, actor: String) -> Result<(), RunError> {
        self.items.push(Item { recorded, actor });
        if self.items.len() >= 1000 { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), RunError> {
        apply::batch(&self.db, &self.items)?;
        self.items.clear();
        Ok(())
    }

    /// Writes what waits, and makes all of it durable in the one file.
    pub fn finish(mut self) -> Result<Head, RunError> {
        self.flush()?;
        let head = apply::head(&self.db)?;
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.db.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        drop(self.db);
        let unwritten =
            |error: std::io::Error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
        let folder = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let synced = File::open(&self.path).and_then(|file| file.sync_all());
        synced.and_then(|()| File::open(folder)?.sync_all()).map_err(unwritten)?;
        Ok(head)
    }
}
