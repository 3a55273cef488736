//! The tables of a log, and the settings that its durability rests on. Never lets an entry be
//! changed or removed.

use rusqlite::{Connection, OpenFlags};
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;
use strongroom_ledger::TreeHead;

use super::migrate;
use crate::open::OpenError;

/// Older ones can corrupt a database when one connection commits while another resets the WAL.
const SQLITE_LEAST: i32 = 3_051_003;
/// "SRlg": tells a log from any other SQLite file.
const APPLICATION_ID: i32 = 0x5352_6c67;
pub(crate) const FORMAT: i32 = 2;
/// Had no tree: a writer adds it ([`super::migrate`]), an auditor reads it as it is.
pub(crate) const FORMAT_WITHOUT_TREE: i32 = 1;

/// Bytes of the WAL that are written again at a time.
const WAL_PIECE: usize = 1024 * 1024;

/// A stream's id is the position of its first entry. Triggers bind every connection; `REPLACE`
/// deletes silently unless `recursive_triggers` is on, so the writer turns it on.
const ENTRIES: &str = "
CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE entries (
  position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, sequence INTEGER NOT NULL,
  entry BLOB NOT NULL, payload BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX entries_of_stream ON entries (stream, sequence);
CREATE TABLE outcomes (
  caller TEXT NOT NULL, key TEXT NOT NULL, request_sha256 BLOB NOT NULL, outcome BLOB NOT NULL,
  first INTEGER, last INTEGER, PRIMARY KEY (caller, key)) STRICT, WITHOUT ROWID;
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

/// What format 2 added: the tree, and a head row that names its root. A full leaf tile holds 256
/// leaves; a subtree of level `n` covers `256^n` of them. Only full ones are stored, once.
pub(crate) const TREE: &str = "
CREATE TABLE leaf_tiles (
  number INTEGER PRIMARY KEY, hashes BLOB NOT NULL CHECK (length(hashes) = 8192)) STRICT;
CREATE TABLE subtrees (
  level INTEGER NOT NULL CHECK (level > 0), number INTEGER NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32), PRIMARY KEY (level, number)) STRICT, WITHOUT ROWID;
CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL, leaf BLOB NOT NULL,
  root BLOB NOT NULL CHECK (length(root) = 32)) STRICT;
CREATE TRIGGER leaf_tiles_stay BEFORE UPDATE ON leaf_tiles
  BEGIN SELECT RAISE(ABORT, 'leaf tiles are append-only'); END;
CREATE TRIGGER leaf_tiles_remain BEFORE DELETE ON leaf_tiles
  BEGIN SELECT RAISE(ABORT, 'leaf tiles are append-only'); END;
CREATE TRIGGER subtrees_stay BEFORE UPDATE ON subtrees
  BEGIN SELECT RAISE(ABORT, 'subtrees are append-only'); END;
CREATE TRIGGER subtrees_remain BEFORE DELETE ON subtrees
  BEGIN SELECT RAISE(ABORT, 'subtrees are append-only'); END;
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
    write_again(path)?;
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(Duration::from_secs(5))?;
    write_ahead(&db)?;
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
    if check_format(&db)? == FORMAT_WITHOUT_TREE {
        migrate::add_tree(&db)?;
    }
    Ok(db)
}

/// SQLite commits this change after its row has said `wal`: what the row says may fail to be.
fn write_ahead(db: &Connection) -> Result<(), OpenError> {
    let mut change = db.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = change.query([])?;
    while rows.next()?.is_some() {}
    let mode: String = db.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::Unavailable(format!("journal mode is {mode}, it must be wal")));
    }
    Ok(())
}

/// Makes durable the WAL that was found, before anything is read from it or written behind it, by
/// writing each of its bytes again. Never changes one: a crash here leaves what was there.
///
/// A writer that died, or whose fsync failed, leaves commits there that the system shows and may
/// never write: Linux forgets pages whose fsync failed. What is committed behind them would be lost
/// with them at the next loss of power, although its own fsync succeeded.
fn write_again(log: &Path) -> Result<(), OpenError> {
    let mut path = log.as_os_str().to_owned();
    path.push("-wal");
    let unavailable = |error: std::io::Error| OpenError::Unavailable(error.to_string());
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(unavailable)?,
    };
    let (mut piece, mut at) = (vec![0; WAL_PIECE], 0);
    loop {
        let got = file.read_at(&mut piece, at).map_err(unavailable)?;
        let Some(bytes) = piece.get(..got).filter(|bytes| !bytes.is_empty()) else { break };
        file.write_all_at(bytes, at).map_err(unavailable)?;
        at = at.saturating_add(u64::try_from(got).unwrap_or(u64::MAX));
    }
    file.sync_all().map_err(unavailable)
}

/// A connection that can only read; the log may be of an older format.
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
    let empty = TreeHead::EMPTY.root;
    db.execute_batch(&format!(
        "BEGIN EXCLUSIVE; {ENTRIES} {TREE}
         INSERT INTO head VALUES (1, 0, zeroblob(32), x'{empty}');
         PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; COMMIT;"
    ))?;
    Ok(())
}

/// The format that the file says it has.
pub(crate) fn format(db: &Connection) -> Result<i32, rusqlite::Error> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn check_format(db: &Connection) -> Result<i32, OpenError> {
    let application: i32 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if application != APPLICATION_ID {
        return Err(OpenError::NotALog);
    }
    let found = format(db)?;
    if !(FORMAT_WITHOUT_TREE..=FORMAT).contains(&found) {
        return Err(OpenError::Format { found, known: FORMAT });
    }
    Ok(found)
}
