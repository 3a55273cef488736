//! Where tokens are kept: `access.db`, beside the log and apart from it. Never holds a secret.
//! Several processes may use it at once: what the command line revokes, the server refuses next.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use strongroom_domain::{PersonId, Timestamp, charter::Role};

use super::token::{TokenId, TokenParts, TokenText};

const SCHEMA: &str = "
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

/// The tokens of one server.
pub struct AccessRegister(Mutex<Opened>);

struct Opened {
    db: Connection,
    /// Tokens that were presented before, as of `version`.
    seen: HashMap<TokenId, (Grant, [u8; 32])>,
    /// SQLite's count of what other connections have changed.
    version: i64,
}

/// Whose a token is, and for what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The token.
    pub token: TokenId,
    /// Its person.
    pub person: PersonId,
    /// What it may be used for, as far as the charter still agrees.
    pub roles: BTreeSet<Role>,
}

/// A token as it is listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Listed {
    /// Its id.
    pub token: String,
    /// Its person.
    pub person: PersonId,
    /// Its roles.
    pub roles: BTreeSet<Role>,
    /// When it was made.
    pub issued_at: String,
    /// When it stopped being one.
    pub revoked_at: Option<String>,
}

/// Why tokens can't be kept or looked up.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Unavailable.
    #[error("the tokens' file cannot be used: {0}")]
    Database(#[from] rusqlite::Error),
    /// Corrupt.
    #[error("the tokens' file is damaged at token {0}: restore it, or issue new tokens")]
    Damaged(String),
    /// Refused.
    #[error("there is no token {0} that could be revoked")]
    Unknown(String),
    /// Refused.
    #[error("a token needs at least one role")]
    NoRole,
}

impl AccessRegister {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self, AccessError> {
        let db = Connection::open(path)?;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        db.execute_batch(SCHEMA)?;
        Ok(Self(Mutex::new(Opened { db, seen: HashMap::new(), version: -1 })))
    }

    /// Makes a token; its text can't be had a second time.
    pub fn issue(
        &self,
        person: PersonId,
        roles: &BTreeSet<Role>,
        now: Timestamp,
    ) -> Result<(TokenText, TokenId), AccessError> {
        if roles.is_empty() {
            return Err(AccessError::NoRole);
        }
        let (text, parts) = TokenText::generate();
        self.with(|opened| {
            opened.db.execute(
                "INSERT INTO tokens (id, hash, person, roles, issued_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    parts.id.as_str(),
                    parts.hash(),
                    person.to_string(),
                    write_roles(roles),
                    now.to_string()
                ],
            )?;
            Ok(())
        })?;
        Ok((text, parts.id))
    }

    /// From now on it is refused.
    pub fn revoke(&self, id: &str, now: Timestamp) -> Result<(), AccessError> {
        self.with(|opened| {
            let changed = opened.db.execute(
                "UPDATE tokens SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
                params![id, now.to_string()],
            )?;
            // Its own changes do not move a connection's data_version.
            opened.seen.clear();
            if changed == 1 { Ok(()) } else { Err(AccessError::Unknown(id.to_owned())) }
        })
    }

    /// Every token there ever was.
    pub fn list(&self) -> Result<Vec<Listed>, AccessError> {
        type Row = (String, String, String, String, Option<String>);
        self.with(|opened| {
            let mut statement = opened.db.prepare(
                "SELECT id, person, roles, issued_at, revoked_at FROM tokens ORDER BY issued_at, id",
            )?;
            let rows = statement.query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })?;
            let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
            rows.into_iter()
                .map(|(token, person, roles, issued_at, revoked_at)| {
                    let damaged = || AccessError::Damaged(token.clone());
                    Ok(Listed {
                        person: person.parse().map_err(|_| damaged())?,
                        roles: read_roles(&roles).ok_or_else(damaged)?,
                        issued_at,
                        revoked_at,
                        token,
                    })
                })
                .collect()
        })
    }

    /// Whose token this is; `None` for one that is unknown, revoked or wrong.
    pub fn find(&self, presented: &TokenParts) -> Result<Option<Grant>, AccessError> {
        self.with(|opened| {
            let version =
                opened.db.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
            if version != opened.version {
                opened.version = version;
                opened.seen.clear();
            }
            if !opened.seen.contains_key(&presented.id) {
                let Some(found) = load(&opened.db, &presented.id)? else { return Ok(None) };
                opened.seen.insert(presented.id.clone(), found);
            }
            let found = opened.seen.get(&presented.id);
            let found = found.filter(|(_, stored)| presented.fits(stored));
            Ok(found.map(|(grant, _)| grant.clone()))
        })
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut Opened) -> Result<T, AccessError>,
    ) -> Result<T, AccessError> {
        // What a panicking thread left here is a cache and a connection: both still good.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn load(db: &Connection, id: &TokenId) -> Result<Option<(Grant, [u8; 32])>, AccessError> {
    let mut statement = db.prepare_cached(
        "SELECT hash, person, roles FROM tokens WHERE id = ?1 AND revoked_at IS NULL",
    )?;
    let row: Option<([u8; 32], String, String)> = statement
        .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((hash, person, roles)) = row else { return Ok(None) };
    let damaged = || AccessError::Damaged(id.to_string());
    let person = person.parse().map_err(|_| damaged())?;
    let roles = read_roles(&roles).ok_or_else(damaged)?;
    Ok(Some((Grant { token: id.clone(), person, roles }, hash)))
}

/// A role's name, as in the charter.
pub(crate) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Initiator => "initiator",
        Role::Approver => "approver",
        Role::Auditor => "auditor",
    }
}

/// The role of that name.
pub(crate) fn role_of(name: &str) -> Option<Role> {
    [Role::Initiator, Role::Approver, Role::Auditor]
        .into_iter()
        .find(|role| role_name(*role) == name)
}

fn write_roles(roles: &BTreeSet<Role>) -> String {
    roles.iter().map(|role| role_name(*role)).collect::<Vec<_>>().join(" ")
}

fn read_roles(text: &str) -> Option<BTreeSet<Role>> {
    text.split(' ').map(role_of).collect()
}
