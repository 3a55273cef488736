//! The tables of a read model. Never migrated: another format is a new file.

use crate::error::OpenError;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// "SRrm": tells a read model from any other SQLite file.
const APPLICATION_ID: i32 = 0x5352_726d;
/// Add 1 with every change of [`TABLES`] or of what the fold writes: older files are made again.
const FORMAT: i32 = 6;

/// Every table that the fold fills, to be emptied before it is filled again.
pub(crate) const FILLED: &[&str] = &[
    "charter",
    "charter_changes",
    "personal",
    "accounts",
    "holds",
    "ledger",
    "wallets",
    "addresses",
    "transfers",
    "attempts",
    "refusals",
    "partials",
    "proposals",
    "answers",
    "deposits",
    "keys",
    "key_steps",
    "backups",
    "drills",
    "signers",
    "freezes",
    "prices",
    "screenings",
    "differences",
    "entries",
];

const TABLES: &str = "
CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL, leaf TEXT NOT NULL) STRICT;
INSERT INTO head VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE charter (
  id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL, leaf TEXT NOT NULL,
  founded_at TEXT NOT NULL, charter TEXT NOT NULL, policy TEXT NOT NULL,
  policy_position INTEGER NOT NULL) STRICT;
CREATE TABLE charter_changes (
  position INTEGER PRIMARY KEY, changed_at TEXT NOT NULL, kind TEXT NOT NULL, proposal TEXT,
  officer TEXT, change TEXT NOT NULL) STRICT;
CREATE TABLE personal (
  position INTEGER PRIMARY KEY, at TEXT NOT NULL, person TEXT NOT NULL, state TEXT NOT NULL,
  because TEXT) STRICT;
CREATE TABLE accounts (
  account TEXT PRIMARY KEY, position INTEGER NOT NULL UNIQUE, opened_at TEXT NOT NULL,
  client TEXT NOT NULL, asset TEXT NOT NULL, total TEXT NOT NULL, pending TEXT NOT NULL,
  shortfall TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_of_client ON accounts (client, position);
CREATE TABLE holds (
  account TEXT NOT NULL, transfer TEXT NOT NULL, amount TEXT NOT NULL,
  position INTEGER NOT NULL UNIQUE, PRIMARY KEY (account, transfer)) STRICT, WITHOUT ROWID;
CREATE TABLE ledger (
  number INTEGER PRIMARY KEY, asset TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
  debits TEXT NOT NULL, credits TEXT NOT NULL, UNIQUE (kind, id, asset)) STRICT;
CREATE TABLE wallets (
  wallet TEXT PRIMARY KEY, position INTEGER NOT NULL UNIQUE, created_at TEXT NOT NULL,
  network TEXT NOT NULL, key TEXT NOT NULL, tier TEXT NOT NULL, successor TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE addresses (
  position INTEGER PRIMARY KEY, derived_at TEXT NOT NULL, wallet TEXT NOT NULL,
  address TEXT NOT NULL, branch TEXT NOT NULL, number INTEGER NOT NULL, account TEXT,
  UNIQUE (wallet, branch, number)) STRICT;
CREATE INDEX addresses_of_account ON addresses (account, position) WHERE account IS NOT NULL;
CREATE INDEX addresses_by_address ON addresses (address);
CREATE TABLE transfers (
  transfer TEXT PRIMARY KEY, position INTEGER NOT NULL UNIQUE, requested_at TEXT NOT NULL,
  account TEXT NOT NULL, wallet TEXT NOT NULL, asset TEXT NOT NULL, amount TEXT NOT NULL,
  destination TEXT NOT NULL, fee_cap TEXT NOT NULL, maker TEXT NOT NULL, proposal TEXT,
  decision TEXT NOT NULL, state TEXT NOT NULL, changed_position INTEGER NOT NULL,
  changed_at TEXT NOT NULL, attempt INTEGER, transaction_id TEXT, rule TEXT, because TEXT,
  block_height INTEGER, block_hash TEXT, paid TEXT, fee TEXT, client TEXT,
  delay_s INTEGER NOT NULL, approved_at TEXT) STRICT, WITHOUT ROWID;
CREATE INDEX transfers_by_state ON transfers (state, position);
CREATE INDEX transfers_of_wallet ON transfers (wallet, position);
CREATE INDEX transfers_of_account ON transfers (account, position);
CREATE TABLE attempts (
  transfer TEXT NOT NULL, attempt INTEGER NOT NULL, position INTEGER NOT NULL UNIQUE,
  authorised_at TEXT NOT NULL, purpose TEXT NOT NULL, unsigned TEXT NOT NULL, fee TEXT NOT NULL,
  key TEXT NOT NULL, signers TEXT NOT NULL, raw TEXT, transaction_id TEXT, signed_position INTEGER, signed_at TEXT,
  broadcast_position INTEGER, broadcast_at TEXT,
  PRIMARY KEY (transfer, attempt)) STRICT, WITHOUT ROWID;
CREATE TABLE refusals (
  position INTEGER PRIMARY KEY, refused_at TEXT NOT NULL, transfer TEXT NOT NULL,
  attempt INTEGER NOT NULL, signer TEXT NOT NULL, rule TEXT NOT NULL,
  because TEXT NOT NULL) STRICT;
CREATE INDEX refusals_of_transfer ON refusals (transfer, position);
CREATE TABLE partials (
  position INTEGER PRIMARY KEY, signed_at TEXT NOT NULL, transfer TEXT NOT NULL,
  attempt INTEGER NOT NULL, place INTEGER NOT NULL) STRICT;
CREATE INDEX partials_of_transfer ON partials (transfer, position);
CREATE TABLE proposals (
  proposal TEXT PRIMARY KEY, position INTEGER NOT NULL UNIQUE, leaf TEXT NOT NULL,
  opened_at TEXT NOT NULL, subject_kind TEXT NOT NULL, subject_id TEXT NOT NULL,
  subject TEXT NOT NULL, maker TEXT NOT NULL, policy_version INTEGER NOT NULL,
  quorums TEXT NOT NULL, delay_s INTEGER NOT NULL, expires_at TEXT NOT NULL,
  state TEXT NOT NULL, because TEXT,
  changed_position INTEGER NOT NULL, changed_at TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX proposals_by_state ON proposals (state, position);
CREATE TABLE answers (
  position INTEGER PRIMARY KEY, answered_at TEXT NOT NULL, proposal TEXT NOT NULL,
  approver TEXT NOT NULL, answer TEXT NOT NULL, key TEXT NOT NULL,
  signature TEXT NOT NULL) STRICT;
CREATE INDEX answers_of_proposal ON answers (proposal, position);
CREATE TABLE deposits (
  deposit TEXT PRIMARY KEY, position INTEGER NOT NULL UNIQUE, seen_at TEXT NOT NULL,
  wallet TEXT NOT NULL, account TEXT NOT NULL, address TEXT NOT NULL, amount TEXT NOT NULL,
  place TEXT NOT NULL, block_height INTEGER NOT NULL, block_hash TEXT NOT NULL,
  confirmations INTEGER, state TEXT NOT NULL, changed_position INTEGER NOT NULL,
  changed_at TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX deposits_by_state ON deposits (state, position);
CREATE INDEX deposits_of_account ON deposits (account, position);
CREATE INDEX deposits_by_address ON deposits (address);
CREATE TABLE keys (
  key TEXT PRIMARY KEY, position INTEGER NOT NULL UNIQUE, requested_at TEXT NOT NULL,
  protocol TEXT NOT NULL, threshold INTEGER NOT NULL, participants TEXT NOT NULL,
  proposal TEXT NOT NULL, maker TEXT NOT NULL, state TEXT NOT NULL, public_key TEXT, wallet TEXT,
  epoch INTEGER NOT NULL, proof TEXT NOT NULL, because TEXT, culprit TEXT,
  change TEXT, change_because TEXT,
  changed_position INTEGER NOT NULL,
  changed_at TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE key_steps (
  position INTEGER PRIMARY KEY, taken_at TEXT NOT NULL, key TEXT NOT NULL, signer TEXT NOT NULL,
  step TEXT NOT NULL) STRICT;
CREATE TABLE backups (
  position INTEGER PRIMARY KEY, key TEXT NOT NULL, signer TEXT NOT NULL, epoch INTEGER NOT NULL,
  taken_at TEXT NOT NULL, threshold INTEGER NOT NULL, officers TEXT NOT NULL) STRICT;
CREATE INDEX backups_of_key ON backups (key, signer, position);
CREATE TABLE drills (
  position INTEGER PRIMARY KEY, key TEXT NOT NULL, signer TEXT NOT NULL, epoch INTEGER NOT NULL,
  taken_at TEXT NOT NULL, officers TEXT NOT NULL) STRICT;
CREATE INDEX drills_of_key ON drills (key, signer, position);
CREATE INDEX key_steps_of_key ON key_steps (key, position);
CREATE TABLE signers (
  signer TEXT PRIMARY KEY, position INTEGER NOT NULL UNIQUE, identity_key TEXT NOT NULL,
  tls_certificate_sha256 TEXT NOT NULL, state TEXT NOT NULL, because TEXT,
  quarantined_by TEXT, quarantined_because TEXT, retired INTEGER NOT NULL,
  changed_position INTEGER NOT NULL, changed_at TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE freezes (
  freeze TEXT PRIMARY KEY, position INTEGER NOT NULL UNIQUE, set_at TEXT NOT NULL,
  scope TEXT NOT NULL, set_by TEXT NOT NULL, because TEXT NOT NULL, lifted_position INTEGER,
  lifted_at TEXT, proposal TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE prices (
  position INTEGER PRIMARY KEY, recorded_at TEXT NOT NULL, asset TEXT NOT NULL,
  reference TEXT NOT NULL, minor_units TEXT NOT NULL, at TEXT NOT NULL) STRICT;
CREATE INDEX prices_of_asset ON prices (asset, position);
CREATE TABLE screenings (
  position INTEGER PRIMARY KEY, recorded_at TEXT NOT NULL, network TEXT NOT NULL,
  address TEXT NOT NULL, verdict TEXT NOT NULL, at TEXT NOT NULL,
  screened_by TEXT NOT NULL) STRICT;
CREATE INDEX screenings_of_address ON screenings (network, address, position);
CREATE TABLE differences (
  difference TEXT PRIMARY KEY, position INTEGER NOT NULL UNIQUE, found_at TEXT NOT NULL,
  what TEXT NOT NULL, owner TEXT NOT NULL, resolved_position INTEGER, resolved_at TEXT,
  resolved_by TEXT, because TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE entries (
  position INTEGER PRIMARY KEY, time TEXT NOT NULL, stream TEXT NOT NULL,
  sequence INTEGER NOT NULL, kind TEXT NOT NULL, version INTEGER NOT NULL, actor TEXT NOT NULL,
  leaf TEXT NOT NULL) STRICT;
CREATE INDEX entries_of_stream ON entries (stream, position);
";

/// Opens the file at `path` for writing, makes it, or makes it again if another build wrote it.
pub(crate) fn writer(path: &Path) -> Result<Connection, OpenError> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    match format(&db, path)? {
        Some(FORMAT) => return Ok(db),
        Some(found) => {
            tracing::warn!(
                found,
                expected = FORMAT,
                "the read model is of another format: it is made again"
            );
            drop(db);
            remove(path)?;
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
            make(&connect(path, flags)?)?;
        }
        None => make(&db)?,
    }
    connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Opens the file at `path` for reading.
pub(crate) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let path = path.display().to_string();
    match format(&db, path.as_ref())? {
        Some(FORMAT) => Ok(db),
        Some(found) => Err(OpenError::Format { path, found, expected: FORMAT }),
        None => Err(OpenError::NotOurs { path }),
    }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, OpenError> {
    let db = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.set_prepared_statement_cache_capacity(128);
    if access.contains(OpenFlags::SQLITE_OPEN_READ_WRITE) {
        db.pragma_update(None, "journal_mode", "WAL")?;
        // A power cut may take the last batches, never a part of one: they are read again.
        db.pragma_update(None, "synchronous", "NORMAL")?;
    }
    Ok(db)
}

/// The format of a read model; `None` for an empty file.
fn format(db: &Connection, path: &Path) -> Result<Option<i32>, OpenError> {
    let number = |name| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (number("application_id")?, tables) {
        (APPLICATION_ID, _) => Ok(Some(number("user_version")?)),
        (0, 0) => Ok(None),
        _ => Err(OpenError::NotOurs { path: path.display().to_string() }),
    }
}

fn make(db: &Connection) -> Result<(), OpenError> {
    let all = db.unchecked_transaction()?;
    all.execute_batch(TABLES)?;
    all.pragma_update(None, "application_id", APPLICATION_ID)?;
    all.pragma_update(None, "user_version", FORMAT)?;
    Ok(all.commit()?)
}

fn remove(path: &Path) -> Result<(), OpenError> {
    std::fs::remove_file(path)?;
    for beside in ["-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(beside);
        match std::fs::remove_file(name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
