//! Ways in, as they are kept: passkeys, a sealed password with its code's secret, hashes of recovery
//! codes, and which invitations were used. Never a secret in clear.

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use strongroom_domain::{PersonId, Timestamp};
use subtle::ConstantTimeEq as _;

use super::{
    AccessError, AccessRegister, SecretId,
    session::{micros, time},
};

/// What a person signs in with. At least a passkey, or a password with its code.
pub struct Account {
    /// Whose.
    pub person: PersonId,
    /// What they call themselves when they sign in.
    pub name: String,
    /// When it was enrolled: an invitation that replaces it makes another account.
    pub enrolled_at: Timestamp,
    /// Salted hash and code's secret, both sealed.
    pub password: Option<SealedPassword>,
    /// Passkeys as JSON.
    pub passkeys: Vec<String>,
}

/// The second way in. Both parts are sealed.
pub struct SealedPassword {
    /// Salt and Argon2id tag.
    pub password: Vec<u8>,
    /// The secret of one-time codes.
    pub totp: Vec<u8>,
}

/// A passkey, with the id by which it is found.
pub struct PasskeyRow {
    /// The credential's id.
    pub credential: Vec<u8>,
    /// The passkey as JSON.
    pub passkey: String,
}

/// A first credential, as an invitation enrols it.
pub struct Enrolment {
    /// SHA-256 of the invitation.
    pub invitation: [u8; 32],
    /// Whose.
    pub person: PersonId,
    /// What they call themselves.
    pub name: String,
    /// A passkey, …
    pub passkey: Option<PasskeyRow>,
    /// … or a password, and the step of the code that proved it.
    pub password: Option<(SealedPassword, u64)>,
    /// Hashes of recovery codes.
    pub recovery_codes: Vec<[u8; 32]>,
}

/// Why nobody was enrolled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotEnrolled {
    /// The invitation was used before.
    Used,
    /// Somebody else has the name.
    NameTaken,
    /// The passkey is enrolled already.
    PasskeyKnown,
}

impl AccessRegister {
    /// Whether an invitation was used.
    pub fn invitation_used(&self, hash: &[u8; 32]) -> Result<bool, AccessError> {
        self.with(|opened| {
            let sql = "SELECT 1 FROM invitations WHERE hash = ?1";
            Ok(opened.db.prepare_cached(sql)?.exists([hash])?)
        })
    }

    /// Whether somebody else than `person` has the name.
    pub fn name_taken(&self, name: &str, person: PersonId) -> Result<bool, AccessError> {
        self.with(|opened| {
            let sql = "SELECT 1 FROM accounts WHERE name = ?1 AND person != ?2";
            Ok(opened.db.prepare_cached(sql)?.exists(params![name, person.to_string()])?)
        })
    }

    /// Uses the invitation and enrols, all or nothing. What the person had before, sessions and tokens
    /// too, is gone: a new invitation is how a lost or stolen credential is replaced.
    pub fn enrol(
        &self,
        enrolment: &Enrolment,
        now: Timestamp,
    ) -> Result<Result<(), NotEnrolled>, AccessError> {
        self.with(|opened| {
            opened.sessions.clear();
            let transaction =
                opened.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let person = enrolment.person.to_string();
            let used = transaction.execute(
                "INSERT OR IGNORE INTO invitations (hash, person, used_at) VALUES (?1, ?2, ?3)",
                params![enrolment.invitation, person, micros(now)],
            )?;
            if used == 0 {
                return Ok(Err(NotEnrolled::Used));
            }
            let mut replaced = 0;
            for table in ["sessions", "passkeys", "recovery_codes", "accounts"] {
                let sql = format!("DELETE FROM {table} WHERE person = ?1");
                replaced = transaction.execute(&sql, [&person])?;
            }
            if replaced > 0 {
                let sql = "UPDATE tokens SET revoked_at = ?2 WHERE person = ?1 AND revoked_at IS NULL";
                transaction.execute(sql, params![person, now.to_string()])?;
                opened.seen.clear();
            }
            let (sealed, step) = enrolment.password.as_ref().map_or((None, 0), |(sealed, step)| {
                (Some(sealed), i64::try_from(*step).unwrap_or(i64::MAX))
            });
            let named = transaction.execute(
                "INSERT OR IGNORE INTO accounts (person, name, password, totp, totp_step, enrolled_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    person,
                    enrolment.name,
                    sealed.map(|sealed| &sealed.password),
                    sealed.map(|sealed| &sealed.totp),
                    step,
                    micros(now)
                ],
            )?;
            if named == 0 {
                return Ok(Err(NotEnrolled::NameTaken));
            }
            if let Some(passkey) = &enrolment.passkey
                && !add_passkey(&transaction, enrolment.person, passkey, now)?
            {
                return Ok(Err(NotEnrolled::PasskeyKnown));
            }
            put_recovery_codes(&transaction, enrolment.person, &enrolment.recovery_codes)?;
            transaction.commit()?;
            Ok(Ok(()))
        })
    }

    /// The account of a name.
    pub fn account_named(&self, name: &str) -> Result<Option<Account>, AccessError> {
        self.with(|opened| account(&opened.db, "name", name))
    }

    /// The account of a person.
    pub fn account_of(&self, person: PersonId) -> Result<Option<Account>, AccessError> {
        self.with(|opened| account(&opened.db, "person", &person.to_string()))
    }

    /// One more passkey for who has the session; `None` where that has ended meanwhile, `false` where
    /// the passkey is enrolled already.
    pub fn add_passkey(
        &self,
        session: &SecretId,
        passkey: &PasskeyRow,
        now: Timestamp,
    ) -> Result<Option<bool>, AccessError> {
        self.with(|opened| {
            let transaction =
                opened.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let Some(person) = session_of(&transaction, session)? else { return Ok(None) };
            let added = add_passkey(&transaction, person, passkey, now)?;
            transaction.commit()?;
            Ok(Some(added))
        })
    }

    /// What a passkey has become by being used: its counter goes on. `false` where the person has no
    /// such passkey any more.
    pub fn passkey_used(
        &self,
        person: PersonId,
        passkey: &PasskeyRow,
        now: Timestamp,
    ) -> Result<bool, AccessError> {
        self.with(|opened| {
            let used = opened.db.execute(
                "UPDATE passkeys SET passkey = ?3, used_at = ?4 WHERE credential = ?1 AND person = ?2",
                params![passkey.credential, person.to_string(), passkey.passkey, micros(now)],
            )?;
            Ok(used == 1)
        })
    }

    /// Takes a code's time step; `false` where it, or a later one, was taken before (RFC 6238
    /// section 5.2: a code works once).
    pub fn take_totp_step(&self, person: PersonId, step: u64) -> Result<bool, AccessError> {
        self.with(|opened| {
            let taken = opened.db.execute(
                "UPDATE accounts SET totp_step = ?2 WHERE person = ?1 AND totp_step < ?2",
                params![person.to_string(), i64::try_from(step).unwrap_or(i64::MAX)],
            )?;
            Ok(taken == 1)
        })
    }

    /// Uses up a recovery code; `false` where it is none, or was used.
    pub fn take_recovery_code(
        &self,
        person: PersonId,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<bool, AccessError> {
        self.with(|opened| {
            let transaction =
                opened.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let person = person.to_string();
            let codes: Vec<[u8; 32]> = transaction
                .prepare_cached(
                    "SELECT hash FROM recovery_codes WHERE person = ?1 AND used_at IS NULL",
                )?
                .query_map([&person], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            // All of them, whichever it is.
            let known =
                codes.iter().fold(subtle::Choice::from(0), |known, code| known | code.ct_eq(hash));
            if !bool::from(known) {
                return Ok(false);
            }
            transaction.execute(
                "UPDATE recovery_codes SET used_at = ?3 WHERE person = ?1 AND hash = ?2",
                params![person, hash, micros(now)],
            )?;
            transaction.commit()?;
            Ok(true)
        })
    }

    /// New recovery codes instead of all old ones, for who has the session; `false` where that has
    /// ended meanwhile.
    pub fn replace_recovery_codes(
        &self,
        session: &SecretId,
        hashes: &[[u8; 32]],
    ) -> Result<bool, AccessError> {
        self.with(|opened| {
            let transaction =
                opened.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let Some(person) = session_of(&transaction, session)? else { return Ok(false) };
            let of = [person.to_string()];
            transaction.execute("DELETE FROM recovery_codes WHERE person = ?1", of)?;
            put_recovery_codes(&transaction, person, hashes)?;
            transaction.commit()?;
            Ok(true)
        })
    }

    /// A sealed secret of the server's own; `make` makes it the first time.
    pub fn secret(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<Vec<u8>, AccessError>,
    ) -> Result<Vec<u8>, AccessError> {
        self.with(|opened| {
            let sql = "SELECT sealed FROM secrets WHERE name = ?1";
            let read = |db: &Connection| db.query_row(sql, [name], |row| row.get(0)).optional();
            if let Some(sealed) = read(&opened.db)? {
                return Ok(sealed);
            }
            let add = "INSERT OR IGNORE INTO secrets (name, sealed) VALUES (?1, ?2)";
            opened.db.execute(add, params![name, make()?])?;
            read(&opened.db)?.ok_or_else(|| AccessError::Damaged(format!("secret {name}")))
        })
    }
}

/// Whose session it is, as long as there is one.
fn session_of(db: &Connection, session: &SecretId) -> Result<Option<PersonId>, AccessError> {
    let sql = "SELECT person FROM sessions WHERE hash = ?1";
    let person: Option<String> =
        db.query_row(sql, [session.hash()], |row| row.get(0)).optional()?;
    let damaged = |_| AccessError::Damaged("a session's person".to_owned());
    person.map(|person| person.parse().map_err(damaged)).transpose()
}

fn add_passkey(
    db: &Connection,
    person: PersonId,
    passkey: &PasskeyRow,
    now: Timestamp,
) -> Result<bool, AccessError> {
    let added = db.execute(
        "INSERT OR IGNORE INTO passkeys (credential, person, passkey, added_at)
         VALUES (?1, ?2, ?3, ?4)",
        params![passkey.credential, person.to_string(), passkey.passkey, micros(now)],
    )?;
    Ok(added == 1)
}

fn put_recovery_codes(
    transaction: &Transaction<'_>,
    person: PersonId,
    hashes: &[[u8; 32]],
) -> Result<(), AccessError> {
    for hash in hashes {
        transaction.execute(
            "INSERT INTO recovery_codes (person, hash) VALUES (?1, ?2)",
            params![person.to_string(), hash],
        )?;
    }
    Ok(())
}

fn account(db: &Connection, by: &str, value: &str) -> Result<Option<Account>, AccessError> {
    type Found = (String, String, Option<Vec<u8>>, Option<Vec<u8>>, i64);
    let sql =
        format!("SELECT person, name, password, totp, enrolled_at FROM accounts WHERE {by} = ?1");
    let read = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Found> {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    };
    let found = db.prepare_cached(&sql)?.query_row([value], read).optional()?;
    let Some((person, name, password, totp, enrolled_at)) = found else { return Ok(None) };
    let passkeys: Vec<String> = db
        .prepare_cached("SELECT passkey FROM passkeys WHERE person = ?1 ORDER BY added_at")?
        .query_map([&person], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let password = password.zip(totp).map(|(password, totp)| SealedPassword { password, totp });
    let damaged = || AccessError::Damaged(format!("account {person}"));
    let person = person.parse().map_err(|_| damaged())?;
    let enrolled_at = time(enrolled_at).ok_or_else(damaged)?;
    Ok(Some(Account { person, name, enrolled_at, password, passkeys }))
}
