//! The tables of a log, and the settings that its durability rests on. Never lets an entry be
//! changed or removed.

use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

use crate::open::OpenError;

/// Older ones can corrupt a database when one connection commits while another resets the WAL.
const SQLITE_LEAST: i32 = 3_051_003;
/// "SRlg": tells a log from any other SQLite file.
const APPLICATION_ID: i32 = 0x5352_6c67;
const FORMAT: i32 = 1;

/// A stream's id is the position of its first entry. Triggers bind every connection; `REPLACE`
/// deletes silently unless `recursive_triggers` is on, so the writer turns it on.
const SCHEMA: &str = "
CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE entries (
  position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, sequence INTEGER NOT NULL,
  entry BLOB NOT NULL, payload BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX entries_of_stream ON entries (stream, sequence);
CREATE TABLE outcomes (
  caller TEXT NOT NULL, key TEXT NOT NULL, request_sha256 BLOB NOT NULL, outcome BLOB NOT NULL,
  first INTEGER, last INTEGER, PRIMARY KEY (caller, key)) STRICT, WITHOUT ROWID;
CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL, leaf BLOB NOT NULL) STRICT;
INSERT INTO head VALUES (1, 0, zeroblob(32));
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries
  BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entries_remain BEFORE DELETE ON entries
  BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER streams_stay BEFORE UPDATE ON streams
  BEGIN SELECT RAISE(ABORT, 'streams are append-only'); END;
CREATE TRIGGER streams_remain BEFORE DELETE ON streams
  BEGIN SELECT RAISE(ABORT, 'streams are append-only'); END;
CREATE TRIGGER outcomes_stay BEFORE UPDATE ON outcomes
  BEGIN SELECT RAISE(ABORT, 'outcomes are append-only'); END;
CREATE TRIGGER outcomes_remain BEFORE DELETE ON outcomes
  BEGIN SELECT RAISE(ABORT, 'outcomes are append-only'); END;
";

/// Checks the SQLite that is linked, not the one that was built against.
pub(crate) fn check_sqlite() -> Result<(), OpenError> {
    let found = rusqlite::version_number();
    if found < SQLITE_LEAST {
        return Err(OpenError::SqliteTooOld { found, least: SQLITE_LEAST });
    }
    Ok(())
}

/// The one connection that writes. Makes the tables where the file is new.
pub(crate) fn writer(path: &Path) -> Result<Connection, OpenError> {
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(Duration::from_secs(5))?;
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::Unavailable(format!("journal mode is {mode}, it must be wal")));
    }
    // The checkpoint is ours: SQLite's automatic one swallows a failed fsync.
    db.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA recursive_triggers = ON;
         PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536;
         PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;",
    )?;
    let synchronous: i32 = db.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    if synchronous != 2 {
        return Err(OpenError::Unavailable(format!("synchronous is {synchronous}, not FULL (2)")));
    }
    if is_new(&db)? {
        create(&db)?;
    }
    check_format(&db)?;
    Ok(db)
}

/// A connection that can only read.
pub(crate) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.execute_batch(
        "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;",
    )?;
    check_format(&db)?;
    Ok(db)
}

fn is_new(db: &Connection) -> Result<bool, OpenError> {
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(tables == 0)
}

fn create(db: &Connection) -> Result<(), OpenError> {
    db.execute_batch(&format!(
        "BEGIN EXCLUSIVE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {FORMAT}; COMMIT;"
    ))?;
    Ok(())
}

fn check_format(db: &Connection) -> Result<(), OpenError> {
    let application: i32 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let format: i32 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if application != APPLICATION_ID {
        return Err(OpenError::NotALog);
    }
    if format != FORMAT {
        return Err(OpenError::Format { found: format, known: FORMAT });
    }
    Ok(())
}
