//! Sessions as they are kept: the hash of the cookie, and when and from where it was used. Never
//! the cookie itself.

use std::{fmt, net::IpAddr};

use rand::{RngCore as _, rngs::OsRng};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use strongroom_domain::{PersonId, Timestamp};

use super::{AccessError, AccessRegister, register::Opened, secret_id::SecretId};

/// How long a session may lie unused, in seconds.
pub const IDLE_S: u64 = 15 * 60;
/// How long a session lasts at most, in seconds.
pub const LONGEST_S: u64 = 12 * 60 * 60;
/// How far behind the kept time of the last use may be, in seconds: a write costs an fsync. After a
/// crash a session may end so much earlier, never later.
const BEHIND_S: u64 = 60;

/// Which session. Not a secret: lists and logs show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(String);

/// What somebody signed in with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// A passkey.
    Passkey,
    /// A password and a one-time code.
    Password,
    /// A recovery code: good enough to enrol something better, and for nothing that matters.
    RecoveryCode,
}

/// A session that is in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub person: PersonId,
    /// How it began.
    pub method: Method,
    /// From where it began, or was last stepped up.
    pub address: IpAddr,
    /// When it began.
    pub began_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
    /// When its person last proved who they are.
    pub stepped_up_at: Option<Timestamp>,
}

/// A session, and which time of its last use is in the file.
pub(super) struct Kept {
    session: Session,
    written: Timestamp,
}

impl SessionId {
    fn generate() -> Self {
        let mut bytes = [0; 8];
        OsRng.fill_bytes(&mut bytes);
        Self(hex::encode(bytes))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Method {
    const ALL: [Self; 3] = [Self::Passkey, Self::Password, Self::RecoveryCode];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Password => "password",
            Self::RecoveryCode => "recovery-code",
        }
    }

    /// Whether who signed in so has just proven who they are.
    const fn proves(self) -> bool {
        match self {
            Self::Passkey | Self::Password => true,
            Self::RecoveryCode => false,
        }
    }
}

impl Session {
    /// Whether it is over at `now`.
    fn over(&self, now: Timestamp) -> bool {
        now >= self.seen_at.plus_seconds(IDLE_S) || now >= self.began_at.plus_seconds(LONGEST_S)
    }
}

impl AccessRegister {
    /// Begins a session: a new id, whatever the browser had before. `None` where the account that was
    /// shown, enrolled at that time, was replaced meanwhile.
    pub fn begin_session(
        &self,
        (person, enrolled_at): (PersonId, Timestamp),
        method: Method,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Option<(SecretId, Session)>, AccessError> {
        let session = Session {
            id: SessionId::generate(),
            person,
            method,
            address,
            began_at: now,
            seen_at: now,
            stepped_up_at: method.proves().then_some(now),
        };
        let secret = SecretId::generate();
        let begun = self.with(|opened| {
            sweep(&opened.db, now)?;
            opened.keep(secret.hash(), session.clone(), enrolled_at)
        })?;
        Ok(begun.then_some((secret, session)))
    }

    /// The session of a presented cookie, if it is in force at `now`; it counts as used then.
    pub fn session(
        &self,
        secret: &SecretId,
        now: Timestamp,
    ) -> Result<Option<Session>, AccessError> {
        let hash = secret.hash();
        self.with(|opened| {
            opened.refresh()?;
            if !opened.sessions.contains_key(&hash) {
                let Some(session) = load(&opened.db, &hash)? else { return Ok(None) };
                let written = session.seen_at;
                opened.sessions.insert(hash, Kept { session, written });
            }
            let Some(kept) = opened.sessions.get_mut(&hash) else { return Ok(None) };
            if kept.session.over(now) {
                opened.forget(&hash)?;
                return Ok(None);
            }
            kept.session.seen_at = kept.session.seen_at.max(now);
            if kept.session.seen_at >= kept.written.plus_seconds(BEHIND_S) {
                let seen = micros(kept.session.seen_at);
                opened
                    .db
                    .prepare_cached("UPDATE sessions SET seen_at = ?2 WHERE hash = ?1")?
                    .execute(params![hash, seen])?;
                kept.written = kept.session.seen_at;
            }
            Ok(Some(kept.session.clone()))
        })
    }

    /// The same session under a new id, as proven again at `now` from `address`. `None` where it has
    /// ended meanwhile.
    pub fn step_up(
        &self,
        secret: &SecretId,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Option<(SecretId, Session)>, AccessError> {
        let Some(mut session) = self.session(secret, now)? else { return Ok(None) };
        session.stepped_up_at = Some(now);
        session.address = address;
        let fresh = SecretId::generate();
        let kept = self.with(|opened| {
            // Of two at once, one finds the old id gone.
            opened.rename(&secret.hash(), fresh.hash(), session.clone())
        })?;
        Ok(kept.then_some((fresh, session)))
    }

    /// Ends a session.
    pub fn end_session(&self, secret: &SecretId) -> Result<(), AccessError> {
        self.with(|opened| opened.forget(&secret.hash())).map(drop)
    }

    /// Ends one of a person's sessions by its id; whether there was one.
    pub fn end_session_of(&self, person: PersonId, id: &str) -> Result<bool, AccessError> {
        self.with(|opened| {
            opened.sessions.clear();
            let ended = opened.db.execute(
                "DELETE FROM sessions WHERE person = ?1 AND id = ?2",
                params![person.to_string(), id],
            )?;
            Ok(ended > 0)
        })
    }

    /// Ends every session of a person; how many there were.
    pub fn end_sessions(&self, person: PersonId) -> Result<usize, AccessError> {
        self.with(|opened| {
            opened.sessions.clear();
            let of = [person.to_string()];
            Ok(opened.db.execute("DELETE FROM sessions WHERE person = ?1", of)?)
        })
    }

    /// The sessions of a person that are in force, newest first.
    pub fn sessions(&self, person: PersonId, now: Timestamp) -> Result<Vec<Session>, AccessError> {
        self.with(|opened| {
            let sql = format!("{SELECT} WHERE person = ?1 ORDER BY began_at DESC, id");
            let mut statement = opened.db.prepare_cached(&sql)?;
            let rows = statement.query_map([person.to_string()], |row| Ok(read(row)))?;
            let mut sessions = rows.collect::<Result<Result<Vec<_>, _>, _>>()??;
            sessions.retain(|session| !session.over(now));
            Ok(sessions)
        })
    }
}

impl Opened {
    /// Whether the account is still the one that was enrolled then.
    fn keep(
        &mut self,
        hash: [u8; 32],
        session: Session,
        enrolled_at: Timestamp,
    ) -> Result<bool, AccessError> {
        let kept = self.db.execute(
            "INSERT INTO sessions
                 (hash, id, person, method, address, began_at, seen_at, stepped_up_at)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
             WHERE EXISTS (SELECT 1 FROM accounts WHERE person = ?3 AND enrolled_at = ?9)",
            params![
                hash,
                session.id.as_str(),
                session.person.to_string(),
                session.method.name(),
                session.address.to_string(),
                micros(session.began_at),
                micros(session.seen_at),
                session.stepped_up_at.map(micros),
                micros(enrolled_at),
            ],
        )?;
        if kept == 1 {
            let written = session.seen_at;
            self.sessions.insert(hash, Kept { session, written });
        }
        Ok(kept == 1)
    }

    /// The session under another id, as it is now; whether it was there.
    fn rename(
        &mut self,
        old: &[u8; 32],
        new: [u8; 32],
        session: Session,
    ) -> Result<bool, AccessError> {
        self.sessions.remove(old);
        let renamed = self.db.execute(
            "UPDATE sessions SET hash = ?2, address = ?3, seen_at = ?4, stepped_up_at = ?5
             WHERE hash = ?1",
            params![
                old,
                new,
                session.address.to_string(),
                micros(session.seen_at),
                session.stepped_up_at.map(micros),
            ],
        )?;
        if renamed == 1 {
            let written = session.seen_at;
            self.sessions.insert(new, Kept { session, written });
        }
        Ok(renamed == 1)
    }

    /// Whether there was one.
    fn forget(&mut self, hash: &[u8; 32]) -> Result<bool, AccessError> {
        self.sessions.remove(hash);
        Ok(self.db.execute("DELETE FROM sessions WHERE hash = ?1", [hash])? > 0)
    }
}

/// Removes what is over in any case.
fn sweep(db: &Connection, now: Timestamp) -> Result<(), AccessError> {
    let before =
        |seconds: u64| micros(now).saturating_sub_unsigned(seconds.saturating_mul(1_000_000));
    // An hour of grace: the file may be behind what is remembered.
    db.execute(
        "DELETE FROM sessions WHERE began_at < ?1 OR seen_at < ?2",
        params![before(LONGEST_S), before(IDLE_S.saturating_add(3600))],
    )?;
    Ok(())
}

const SELECT: &str =
    "SELECT id, person, method, address, began_at, seen_at, stepped_up_at FROM sessions";

fn load(db: &Connection, hash: &[u8; 32]) -> Result<Option<Session>, AccessError> {
    let mut statement = db.prepare_cached(&format!("{SELECT} WHERE hash = ?1"))?;
    statement.query_row([hash], |row| Ok(read(row))).optional()?.transpose()
}

fn read(row: &Row<'_>) -> Result<Session, AccessError> {
    let id: String = row.get(0)?;
    let damaged = || AccessError::Damaged(format!("session {id}"));
    let (person, method, address): (String, String, String) =
        (row.get(1)?, row.get(2)?, row.get(3)?);
    let stepped_up_at: Option<i64> = row.get(6)?;
    Ok(Session {
        person: person.parse().map_err(|_| damaged())?,
        method: Method::ALL.into_iter().find(|one| one.name() == method).ok_or_else(damaged)?,
        address: address.parse().map_err(|_| damaged())?,
        began_at: time(row.get(4)?).ok_or_else(damaged)?,
        seen_at: time(row.get(5)?).ok_or_else(damaged)?,
        stepped_up_at: stepped_up_at.map(|at| time(at).ok_or_else(damaged)).transpose()?,
        id: SessionId(id),
    })
}

/// A time as SQLite keeps it.
pub(super) fn micros(at: Timestamp) -> i64 {
    i64::try_from(at.micros()).unwrap_or(i64::MAX)
}

pub(super) fn time(micros: i64) -> Option<Timestamp> {
    u64::try_from(micros).ok().map(Timestamp::from_micros)
}
