//! Where tokens and ways to sign in are kept: `access.db`, beside the log and apart from it. Never
//! holds a secret that is not sealed.
//! Several processes may use it at once: what the command line revokes, the server refuses next.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use ipnet::IpNet;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use strongroom_domain::{ClientId, PersonId, Timestamp, charter::Role};

use super::{
    schema,
    session::Kept,
    token::{TokenId, TokenParts, TokenText},
};

/// The tokens, accounts and sessions of one server.
pub struct AccessRegister(Mutex<Opened>);

pub(super) struct Opened {
    pub(super) db: Connection,
    /// Tokens that were presented before, as of `version`.
    pub(super) seen: HashMap<TokenId, (Grant, [u8; 32])>,
    /// Sessions that were used before, by their hash, as of `version`.
    pub(super) sessions: HashMap<[u8; 32], Kept>,
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
    /// For whose data, and from where.
    pub bounds: Bounds,
}

/// What a token is confined to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Bounds {
    /// For whose data only; `None`: for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<BTreeSet<ClientId>>,
    /// From where it may be used; from anywhere, where there are none.
    pub networks: Vec<IpNet>,
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
    /// What it is confined to.
    #[serde(flatten)]
    pub bounds: Bounds,
    /// When it was made.
    pub issued_at: String,
    /// When it stopped being one.
    pub revoked_at: Option<String>,
}

/// Why tokens can't be kept or looked up.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Unavailable.
    #[error("access.db cannot be used: {0}")]
    Database(#[from] rusqlite::Error),
    /// Corrupt.
    #[error("access.db is damaged at {0}: restore it, or issue new tokens and invitations")]
    Damaged(String),
    /// Corrupt, or another directory's.
    #[error("access.db: {0}")]
    Seal(#[from] strongroom_secrets::SealError),
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
        let mut db = Connection::open(path)?;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        schema::prepare(&mut db)?;
        let (seen, sessions) = (HashMap::new(), HashMap::new());
        Ok(Self(Mutex::new(Opened { db, seen, sessions, version: -1 })))
    }

    /// Makes a token; its text can't be had a second time.
    pub fn issue(
        &self,
        person: PersonId,
        roles: &BTreeSet<Role>,
        bounds: &Bounds,
        now: Timestamp,
    ) -> Result<(TokenText, TokenId), AccessError> {
        if roles.is_empty() {
            return Err(AccessError::NoRole);
        }
        let (text, parts) = TokenText::generate();
        self.with(|opened| {
            opened.db.execute(
                "INSERT INTO tokens (id, hash, person, roles, issued_at, clients, networks)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    parts.id.as_str(),
                    parts.hash(),
                    person.to_string(),
                    write_roles(roles),
                    now.to_string(),
                    bounds.clients.as_ref().map(write),
                    write(&bounds.networks)
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
        type Row = (String, String, String, String, Option<String>, Option<String>, String);
        self.with(|opened| {
            let mut statement = opened.db.prepare(
                "SELECT id, person, roles, issued_at, revoked_at, clients, networks FROM tokens
                 ORDER BY issued_at, id",
            )?;
            let rows = statement.query_map([], |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                    row.get(6)?,
                ))
            })?;
            let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
            rows.into_iter()
                .map(|(token, person, roles, issued_at, revoked_at, clients, networks)| {
                    let damaged = || AccessError::Damaged(format!("token {token}"));
                    Ok(Listed {
                        person: person.parse().map_err(|_| damaged())?,
                        roles: read_roles(&roles).ok_or_else(damaged)?,
                        bounds: read_bounds(clients, &networks).ok_or_else(damaged)?,
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
            opened.refresh()?;
            if !opened.seen.contains_key(&presented.id) {
                let Some(found) = load(&opened.db, &presented.id)? else { return Ok(None) };
                opened.seen.insert(presented.id.clone(), found);
            }
            let found = opened.seen.get(&presented.id);
            let found = found.filter(|(_, stored)| presented.fits(stored));
            Ok(found.map(|(grant, _)| grant.clone()))
        })
    }

    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&mut Opened) -> Result<T, AccessError>,
    ) -> Result<T, AccessError> {
        // What a panicking thread left here is a cache and a connection: both still good.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Opened {
    /// Forgets what it remembers where another connection has changed something.
    pub(super) fn refresh(&mut self) -> Result<(), AccessError> {
        let version =
            self.db.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if version != self.version {
            self.version = version;
            self.seen.clear();
            self.sessions.clear();
        }
        Ok(())
    }
}

fn load(db: &Connection, id: &TokenId) -> Result<Option<(Grant, [u8; 32])>, AccessError> {
    type Row = ([u8; 32], String, String, Option<String>, String);
    let mut statement = db.prepare_cached(
        "SELECT hash, person, roles, clients, networks FROM tokens
         WHERE id = ?1 AND revoked_at IS NULL",
    )?;
    let read = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Row> {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    };
    let row = statement.query_row([id.as_str()], read).optional()?;
    let Some((hash, person, roles, clients, networks)) = row else { return Ok(None) };
    let damaged = || AccessError::Damaged(format!("token {id}"));
    let person = person.parse().map_err(|_| damaged())?;
    let roles = read_roles(&roles).ok_or_else(damaged)?;
    let bounds = read_bounds(clients, &networks).ok_or_else(damaged)?;
    Ok(Some((Grant { token: id.clone(), person, roles, bounds }, hash)))
}

/// A role's name, as in the charter.
pub(crate) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Initiator => "initiator",
        Role::Approver => "approver",
        Role::Officer => "officer",
        Role::KeyCustodian => "key-custodian",
        Role::Compliance => "compliance",
        Role::Auditor => "auditor",
        Role::Regulator => "regulator",
        Role::Administrator => "administrator",
    }
}

/// The role of that name.
pub(crate) fn role_of(name: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role_name(*role) == name)
}

fn write_roles(roles: &BTreeSet<Role>) -> String {
    roles.iter().map(|role| role_name(*role)).collect::<Vec<_>>().join(" ")
}

fn read_roles(text: &str) -> Option<BTreeSet<Role>> {
    text.split(' ').map(role_of).collect()
}

fn write<T: ToString>(parts: impl IntoIterator<Item = T>) -> String {
    parts.into_iter().map(|part| part.to_string()).collect::<Vec<_>>().join(" ")
}

fn read<T: FromStr, C: FromIterator<T>>(text: &str) -> Option<C> {
    text.split_whitespace().map(|part| part.parse().ok()).collect()
}

fn read_bounds(clients: Option<String>, networks: &str) -> Option<Bounds> {
    let clients = match clients {
        Some(clients) => Some(read(&clients)?),
        None => None,
    };
    Some(Bounds { clients, networks: read(networks)? })
}
