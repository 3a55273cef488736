//! Wrong guesses, and how long to wait after them. Counted before the guess is looked at, and kept:
//! neither many guesses at once nor a restart gives anybody more of them.

use std::net::IpAddr;

use rusqlite::{OptionalExtension as _, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};
use strongroom_domain::{PersonId, Timestamp};

use super::{
    AccessError, AccessRegister,
    network::plain,
    session::{micros, time},
};

/// Failures are forgotten after a day without another.
const FORGOTTEN_S: u64 = 24 * 60 * 60;
/// The longest wait. With it, an account is open to about a hundred guesses a day, each of a
/// password and a code.
const LONGEST_S: u64 = 15 * 60;

/// At what, or from where, somebody guesses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    key: [u8; 32],
    /// Failures without a wait.
    free: u32,
}

/// It is too early: nothing was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LockedOut {
    /// Seconds to wait.
    pub seconds: u64,
}

impl Subject {
    /// The account of a name, whether there is one or not.
    pub fn account(name: &str) -> Self {
        Self { key: key("account", name.as_bytes()), free: 5 }
    }

    /// A recovery code of a name: who guesses at passwords locks nobody out of the way back in.
    pub fn recovery(name: &str) -> Self {
        Self { key: key("recovery", name.as_bytes()), free: 5 }
    }

    /// A code of somebody who is signed in: strangers, who are not, can't lock them out.
    pub fn step_up(person: PersonId) -> Self {
        Self { key: key("step-up", person.to_string().as_bytes()), free: 5 }
    }

    /// An address: of IPv6, its network, because one caller has all of it.
    pub fn address(address: IpAddr) -> Self {
        let bytes = match plain(address) {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().get(..8).unwrap_or_default().to_vec(),
        };
        Self { key: key("address", &bytes), free: 20 }
    }

    /// Seconds to wait after so many failures: twice as long each time.
    fn wait(&self, failures: u32) -> u64 {
        match failures.checked_sub(self.free) {
            None => 0,
            Some(over) => 1_u64.checked_shl(over).unwrap_or(u64::MAX).min(LONGEST_S),
        }
    }
}

fn key(kind: &str, what: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(kind.as_bytes());
    hasher.update([0]);
    hasher.update(what);
    hasher.finalize().into()
}

impl AccessRegister {
    /// Counts an attempt as failed for each subject, unless it is too early for one: then none is
    /// counted. [`Self::succeeded`] takes it back.
    pub fn attempt(
        &self,
        subjects: &[Subject],
        now: Timestamp,
    ) -> Result<Result<(), LockedOut>, AccessError> {
        self.with(|opened| {
            let transaction =
                opened.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut counted = Vec::new();
            for subject in subjects {
                let row: Option<(u32, i64)> = transaction
                    .prepare_cached("SELECT failures, last_at FROM attempts WHERE subject = ?1")?
                    .query_row([subject.key], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                let damaged = || AccessError::Damaged("the failed attempts".to_owned());
                let (failures, last) = match row {
                    Some((failures, last)) => (failures, time(last).ok_or_else(damaged)?),
                    None => (0, now),
                };
                let failures = if now >= last.plus_seconds(FORGOTTEN_S) { 0 } else { failures };
                let until = last.plus_seconds(subject.wait(failures));
                if until > now {
                    let left = until.micros().saturating_sub(now.micros());
                    return Ok(Err(LockedOut { seconds: left.div_ceil(1_000_000) }));
                }
                counted.push((subject, failures.saturating_add(1)));
            }
            for (subject, failures) in counted {
                transaction
                    .prepare_cached(
                        "INSERT INTO attempts (subject, failures, last_at) VALUES (?1, ?2, ?3)
                         ON CONFLICT (subject) DO UPDATE SET failures = ?2, last_at = ?3",
                    )?
                    .execute(params![subject.key, failures, micros(now)])?;
            }
            let forgotten = micros(now).saturating_sub_unsigned(FORGOTTEN_S * 1_000_000);
            transaction.execute("DELETE FROM attempts WHERE last_at < ?1", [forgotten])?;
            transaction.commit()?;
            Ok(Ok(()))
        })
    }

    /// What was tried was right: the account's failures are forgotten. The address's others stay:
    /// who has an account of their own gets no more guesses at others'.
    pub fn succeeded(&self, account: &Subject, address: &Subject) -> Result<(), AccessError> {
        self.with(|opened| {
            let transaction =
                opened.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute("DELETE FROM attempts WHERE subject = ?1", [account.key])?;
            transaction.execute(
                "UPDATE attempts SET failures = failures - 1 WHERE subject = ?1 AND failures > 0",
                [address.key],
            )?;
            transaction.commit()?;
            Ok(())
        })
    }
}
