//! Faults that are put in on purpose. A checker that does not find them would find nothing else
//! either. No flaw is ever in the product: each wraps what the product decided.

use crate::hostile::{AS_APPROVED, ONE_EFFECT, QUORUM, SOUND, STAYS_OFF};
use crate::network::{ENDS, ENDS_AT_LAST, TRUE};
use crate::server::Bounds;
use crate::{BRIEF, FROZEN, LOCKED, TRICKED};

/// What is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flaw {
    /// A signer that restarts has forgotten what it signed.
    ForgetsWhatItSigned,
    /// A signer that restarts has forgotten what it swore off.
    ForgetsWhatItSworeOff,
    /// A signer swears off what it has signed.
    SwearsAnyway,
    /// A signer looks neither at the coins that a transaction spends nor at those it signed before.
    IgnoresCoins,
    /// A signer does not read whom a transaction pays.
    IgnoresEffect,
    /// A signer has no clock: an approval never runs out.
    IgnoresExpiry,
    /// A signer waits for no time lock, and takes entries of tomorrow.
    IgnoresTimeLock,
    /// A signer passes over freezes.
    IgnoresFreezes,
    /// A signer believes whatever the log says.
    BelievesTheLog,
    /// The server lets a transfer fail without the holders' word, and nobody minds.
    FailsWithoutWords,
    /// A signer gives its part of a transaction once, and never again after its approval ran out.
    GivesNothingTwice,
    /// The saga asks nobody but the signers of the first attempt.
    AsksNobodyElse,
    /// The saga never lets a transfer fail.
    NeverGivesUp,
    /// The server voids a hold and leaves the coins set aside.
    KeepsCoins,
}

impl Flaw {
    /// Every one that the model of a hostile server must find, and by what it must show.
    pub(crate) const HOSTILE: &'static [(Self, Bounds, &'static str)] = &[
        (Self::ForgetsWhatItSigned, BRIEF, STAYS_OFF),
        (Self::ForgetsWhatItSworeOff, BRIEF, STAYS_OFF),
        (Self::SwearsAnyway, BRIEF, STAYS_OFF),
        (Self::IgnoresCoins, BRIEF, ONE_EFFECT),
        (Self::IgnoresEffect, BRIEF, AS_APPROVED),
        (Self::IgnoresExpiry, TRICKED, QUORUM),
        (Self::IgnoresTimeLock, LOCKED, QUORUM),
        (Self::IgnoresFreezes, FROZEN, QUORUM),
        (Self::BelievesTheLog, BRIEF, QUORUM),
        (Self::FailsWithoutWords, BRIEF, STAYS_OFF),
        (Self::KeepsCoins, BRIEF, SOUND),
    ];

    /// Every one that the model of an honest server must find, and by what it must show.
    pub(crate) const HONEST: &'static [(Self, &'static str)] = &[
        (Self::GivesNothingTwice, ENDS_AT_LAST),
        (Self::AsksNobodyElse, ENDS),
        (Self::NeverGivesUp, ENDS_AT_LAST),
        (Self::SwearsAnyway, TRUE),
    ];

    /// Whether what is appended goes past the audit.
    pub(crate) const fn is_unaudited(self) -> bool {
        matches!(self, Self::BelievesTheLog | Self::FailsWithoutWords | Self::KeepsCoins)
    }
}
