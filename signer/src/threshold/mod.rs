//! Threshold protocols as state machines: what holders of a key say to one another, round by round.
//! A machine does no I/O, reads no log and no clock, and never says anything twice in two ways: the
//! caller carries what it said, and keeps it for whoever asks again.
//!
//! Everything that is said has a sender; what is spoken is for all, a letter is for one. What is
//! missing, doubled, from a stranger or malformed is an error that names who is to blame, where the
//! protocol can tell.

pub mod any;
mod error;
pub mod frost_tr;
#[cfg(test)]
pub(crate) mod harness;

pub use error::RoundError;

use std::collections::{BTreeMap, BTreeSet};

use strongroom_chains::frost::KeyPath;
use strongroom_domain::key::Protocol;
use strongroom_secrets::Secret;

use crate::frost::ShareName;

/// More holders than any ceremony's plan names; bounds the work that one order can ask for.
pub const MOST_HOLDERS: u16 = 10;

/// More inputs than a transaction of ours has; bounds the work that one order can ask for.
pub const MOST_MESSAGES: usize = 64;

/// By the sender's number, or by the receiver's.
pub type ByHolder<T> = BTreeMap<u16, T>;

/// A holder's place among the holders of a key: they are numbered from 1, without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// This holder's number.
    pub holder: u16,
    /// Shares needed to sign.
    pub threshold: u16,
    /// Shares that there are.
    pub holders: u16,
}

/// What a machine says in a round.
pub struct Said {
    /// For all. May be empty.
    pub spoken: Vec<u8>,
    /// For one each, secret: to be sealed for its receiver.
    pub letters: ByHolder<Secret>,
}

/// What a machine hears of a round: what its peers said in the one before.
pub struct Heard<'a> {
    /// What was said to all, what this machine said itself included.
    pub spoken: &'a ByHolder<Vec<u8>>,
    /// What was said to this holder alone.
    pub letters: &'a ByHolder<Secret>,
}

/// What a round ends with.
pub enum Step<M: Machine> {
    /// The next round's messages, and the machine that waits for the answers.
    Said(M, Said),
    /// The protocol is over.
    Done(M::Output),
}

/// A protocol under way. It is moved into each step: whatever fails, its secrets are gone.
pub trait Machine: Sized {
    /// What it ends with.
    type Output;

    /// Who must have spoken to all, and who must have written a letter, before [`Machine::step`].
    fn awaits(&self) -> Awaited;

    /// Takes what was heard.
    fn step(self, heard: &Heard<'_>) -> Result<Step<Self>, RoundError>;
}

/// Whose messages a machine waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Awaited {
    /// To all.
    pub spoken: BTreeSet<u16>,
    /// To this holder.
    pub letters: BTreeSet<u16>,
}

impl Awaited {
    /// Exactly those were heard.
    pub fn check(&self, heard: &Heard<'_>) -> Result<(), RoundError> {
        senders(heard.spoken, &self.spoken)?;
        senders(heard.letters, &self.letters)
    }
}

fn senders<T>(found: &ByHolder<T>, wanted: &BTreeSet<u16>) -> Result<(), RoundError> {
    let found: BTreeSet<u16> = found.keys().copied().collect();
    if found == *wanted {
        Ok(())
    } else {
        Err(RoundError::Senders { found, wanted: wanted.clone() })
    }
}

/// What a share signs: never a digest that somebody hands over, always one that the signer's own
/// checks made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// 32 bytes, as the chain's rules or the proof's make them.
    pub digest: [u8; 32],
    /// Which child of the key signs; none: the key itself.
    pub path: Option<KeyPath>,
}

/// Who signs what, under a name of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Never used before for other messages or signers.
    pub id: [u8; 32],
    /// Exactly as many as the threshold, this holder among them.
    pub signers: BTreeSet<u16>,
    /// In order.
    pub messages: Vec<Message>,
}

/// Ceremonies and signing of a protocol whose keys are in shares.
pub trait ThresholdProtocol {
    /// Its name.
    const PROTOCOL: Protocol;
    /// One holder's share.
    type Share;
    /// Making a key.
    type Generation: Machine<Output = Self::Share>;
    /// Signing: ends with a signature of each message, 64 bytes, verified.
    type Signing: Machine<Output = Vec<[u8; 64]>>;

    /// Round 1 of making a key that never exists anywhere.
    fn generate(name: ShareName, place: Place) -> Result<(Self::Generation, Said), RoundError>;

    /// Round 1 of signing.
    fn sign(
        share: std::sync::Arc<Self::Share>,
        session: Session,
    ) -> Result<(Self::Signing, Said), RoundError>;
}

/// A protocol whose shares can be replaced while the key stays: all at once (refresh), and among them
/// one that is lost or new (repair).
pub trait Refreshing: ThresholdProtocol {
    /// Changing the shares.
    type Change: Machine<Output = Self::Share>;

    /// Round 1 of a change. The threshold stays (CVE-2025-58359), and so does the key.
    fn change(
        held: Held<'_, Self::Share>,
        name: ShareName,
        change: &Change,
    ) -> Result<(Self::Change, Said), RoundError>;
}

/// What a holder goes into a change with.
pub enum Held<'a, S> {
    /// Its share.
    Share(&'a S),
    /// Nothing but the key's public package: its share is lost, or it is new.
    Nothing {
        /// As the log has it.
        package: &'a [u8],
    },
    /// Its share's secret, from officers' pieces of its backup. All that it had agreed on with the
    /// other holders is lost.
    Restored {
        /// The key's public package, as the log has it.
        package: &'a [u8],
        /// As the backup has it.
        scalar: &'a Secret,
    },
}

/// Which change: the same for all of its holders but for the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where this holder will be.
    pub place: Place,
    /// Who gets a share and has none, or has no more than its secret.
    pub joiner: Option<u16>,
    /// Who gives it its share: at least as many as the threshold, and not the joiner. Nobody, where
    /// the joiner's secret was restored from a backup.
    pub helpers: BTreeSet<u16>,
}

impl Place {
    /// A place that there can be.
    pub fn check(self) -> Result<Self, RoundError> {
        let Self { holder, threshold, holders } = self;
        let sound = (2..=holders).contains(&threshold)
            && (1..=holders).contains(&holder)
            && holders <= MOST_HOLDERS;
        if sound { Ok(self) } else { Err(RoundError::Place(self)) }
    }

    /// All holders' numbers.
    pub fn all(self) -> BTreeSet<u16> {
        (1..=self.holders).collect()
    }

    /// All holders' numbers but this one's.
    pub fn others(self) -> BTreeSet<u16> {
        self.all().into_iter().filter(|number| *number != self.holder).collect()
    }
}
