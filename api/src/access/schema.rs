//! What `access.db` looks like, and how an older one becomes that. Never drops what somebody can
//! sign in with.

use rusqlite::Connection;

/// Version 1 had the tokens alone, without bounds, and said nothing of its version.
const VERSION: i64 = 2;

const TOKENS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS tokens (
        id TEXT PRIMARY KEY,
        hash BLOB NOT NULL CHECK (length(hash) = 32),
        person TEXT NOT NULL,
        roles TEXT NOT NULL,
        issued_at TEXT NOT NULL,
        revoked_at TEXT
    ) STRICT;
";

const SIGN_IN: &str = "
    ALTER TABLE tokens ADD COLUMN clients TEXT;
    ALTER TABLE tokens ADD COLUMN networks TEXT NOT NULL DEFAULT '';
    -- One person's way in. password and totp are sealed; both or none.
    CREATE TABLE accounts (
        person TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        password BLOB,
        totp BLOB,
        totp_step INTEGER NOT NULL DEFAULT 0,
        enrolled_at INTEGER NOT NULL,
        CHECK ((password IS NULL) = (totp IS NULL))
    ) STRICT;
    CREATE TABLE passkeys (
        credential BLOB PRIMARY KEY,
        person TEXT NOT NULL REFERENCES accounts (person),
        passkey TEXT NOT NULL,
        added_at INTEGER NOT NULL,
        used_at INTEGER
    ) STRICT;
    CREATE INDEX passkeys_of ON passkeys (person);
    CREATE TABLE recovery_codes (
        person TEXT NOT NULL REFERENCES accounts (person),
        hash BLOB NOT NULL CHECK (length(hash) = 32),
        used_at INTEGER,
        PRIMARY KEY (person, hash)
    ) STRICT;
    -- Invitations that were used: none works twice.
    CREATE TABLE invitations (
        hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
        person TEXT NOT NULL,
        used_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE sessions (
        hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
        id TEXT NOT NULL UNIQUE,
        person TEXT NOT NULL,
        method TEXT NOT NULL,
        address TEXT NOT NULL,
        began_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        stepped_up_at INTEGER
    ) STRICT;
    CREATE INDEX sessions_of ON sessions (person);
    -- Wrong guesses, by the hash of what was guessed at or from where.
    CREATE TABLE attempts (
        subject BLOB PRIMARY KEY CHECK (length(subject) = 32),
        failures INTEGER NOT NULL,
        last_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE secrets (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
";

/// Makes what is missing. Two processes may do it at once: the second finds it done.
pub(super) fn prepare(db: &mut Connection) -> rusqlite::Result<()> {
    db.execute_batch(TOKENS)?;
    let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version < VERSION {
        transaction.execute_batch(SIGN_IN)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}
