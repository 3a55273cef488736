//! Reading the log without trusting who wrote it: an entry is recorded only if the rules, applied
//! again to everything before it, allow it. Signers and auditors read this way. Nothing here
//! knows why the writer wrote what it did.

mod due;
mod facts;
mod governed;
mod keys;
mod lawful;
mod near;
mod own_clock;
mod standing;

pub use standing::Authorised;

use crate::{Corrupt, Head, Recorded, Refusal, Rule, State, Timestamp, TransferId, usage::Late};

/// A fold of the log whose every entry was checked against the rules. There is no other way to
/// make one than from the first entry on.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Audited {
    state: State,
    due: due::Due,
}

/// An entry that the rules do not allow.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Violation {
    /// The history could not have happened.
    #[error("entry {position}: {error}")]
    Corrupt {
        /// Which entry.
        position: u64,
        /// What does not fit.
        error: Corrupt,
    },
    /// It could have happened, and was not allowed to.
    #[error("entry {position} breaks a rule: {refusal}")]
    Unlawful {
        /// Which entry.
        position: u64,
        /// Which rule, and how.
        refusal: Refusal,
    },
    /// Entries that stand together disagree.
    #[error("entry {position} follows entry {head}: an entry is missing or out of place")]
    Order {
        /// Which entry.
        position: u64,
        /// The last one recorded.
        head: u64,
    },
}

impl Audited {
    /// What the log says.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Up to where it was read.
    pub const fn head(&self) -> Head {
        self.state.head
    }

    /// Checks one entry against the rules and records it. The caller has verified its bytes and
    /// the chain. After an error this fold must not be used any more.
    pub fn extend(&mut self, recorded: &Recorded) -> Result<(), Violation> {
        let position = recorded.head.position;
        if Some(position) != self.state.head.position.checked_add(1) {
            return Err(Violation::Order { position, head: self.state.head.position });
        }
        lawful::check(&self.state, &mut self.due, recorded)
            .map_err(|refusal| Violation::Unlawful { position, refusal })?;
        self.state.evolve(recorded).map_err(|error| Violation::Corrupt { position, error })
    }

    /// Whether the log ends with a whole append: nothing must follow what stands there.
    pub fn is_whole(&self) -> bool {
        self.due.is_empty()
    }

    /// Whether this attempt stands on a quorum: the proof that a signer needs. `now` is the
    /// signer's own clock.
    pub fn authorised(
        &self,
        transfer: TransferId,
        attempt: u32,
        now: Timestamp,
    ) -> Result<Authorised<'_>, Refusal> {
        standing::authorised(&self.state, transfer, attempt, (now, false))
    }

    /// As [`Self::authorised`], for a signer that has consumed these bytes in time, or others that
    /// they exclude: its approval may have expired since.
    pub fn authorised_again(
        &self,
        transfer: TransferId,
        attempt: u32,
        now: Timestamp,
    ) -> Result<Authorised<'_>, Refusal> {
        standing::authorised(&self.state, transfer, attempt, (now, true))
    }

    /// Whether the policy in force lets the transfer be asked for by a reader's own clock: as if at
    /// `seen`, where its date is not taken on trust, and beside what is `late`. Returns how many seconds it
    /// waits by that, once it is approved.
    pub fn demand_as_seen(
        &self,
        transfer: TransferId,
        seen: Option<Timestamp>,
        late: &Late,
    ) -> Result<u64, Refusal> {
        own_clock::demand(&self.state, transfer, (seen, late))
    }
}

fn refuse<T>(rule: Rule, because: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(rule, because))
}
