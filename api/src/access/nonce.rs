//! Nonces of requests that machines signed, kept until their signatures have expired anyway. Never
//! takes one twice, also over a restart.
//!
//! A file of its own without an fsync for each: what a power cut loses is older than a signature may
//! be when the machine is up again.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, params};
use strongroom_domain::{PersonId, Timestamp};

use super::{AccessError, session::micros};

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS nonces (
        machine TEXT NOT NULL,
        nonce TEXT NOT NULL,
        until INTEGER NOT NULL,
        PRIMARY KEY (machine, nonce)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS nonces_until ON nonces (until);
";

/// The nonces of one server.
pub struct Nonces(Mutex<Connection>);

impl Nonces {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self, AccessError> {
        let db = Connection::open(path)?;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        db.execute_batch(SCHEMA)?;
        Ok(Self(Mutex::new(db)))
    }

    /// Takes a machine's nonce, to be kept until `until`; `false` where it is taken.
    pub fn take(
        &self,
        machine: PersonId,
        nonce: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, AccessError> {
        // What a panicking thread left here is a connection: still good.
        let db = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        db.prepare_cached("DELETE FROM nonces WHERE until < ?1")?.execute([micros(now)])?;
        let taken = db
            .prepare_cached(
                "INSERT OR IGNORE INTO nonces (machine, nonce, until) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![machine.to_string(), nonce, micros(until)])?;
        Ok(taken == 1)
    }
}
