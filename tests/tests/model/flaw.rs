//! Faults that are put in on purpose. A checker that does not find them would find nothing else
//! either. No flaw is ever in the product: each wraps what the product decided.

use crate::hostile::{AS_APPROVED, ONE_EFFECT, QUORUM, SOUND, STAYS_OFF};

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
    /// A signer believes whatever the log says.
    BelievesTheLog,
    /// The server lets a transfer fail without the holders' word, and nobody minds.
    FailsWithoutWords,
    /// The server voids a hold and leaves the coins set aside.
    KeepsCoins,
}

impl Flaw {
    /// Every one that the model of a hostile server must find, and by what it must show.
    pub(crate) const HOSTILE: &'static [(Self, &'static str)] = &[
        (Self::ForgetsWhatItSigned, STAYS_OFF),
        (Self::ForgetsWhatItSworeOff, STAYS_OFF),
        (Self::SwearsAnyway, STAYS_OFF),
        (Self::IgnoresCoins, ONE_EFFECT),
        (Self::IgnoresEffect, AS_APPROVED),
        (Self::IgnoresExpiry, QUORUM),
        (Self::BelievesTheLog, QUORUM),
        (Self::FailsWithoutWords, STAYS_OFF),
        (Self::KeepsCoins, SOUND),
    ];

    /// Whether what is appended goes past the audit.
    pub(crate) const fn is_unaudited(self) -> bool {
        matches!(self, Self::BelievesTheLog | Self::FailsWithoutWords | Self::KeepsCoins)
    }
}
