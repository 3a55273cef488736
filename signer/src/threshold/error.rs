//! Why a round came to nothing. Never carries a secret.

use std::collections::BTreeSet;

use strongroom_chains::frost::FrostError;
use thiserror::Error;

use super::{MOST_HOLDERS, MOST_MESSAGES, Place};

/// Why a round came to nothing. The machine is gone; another session begins from round 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RoundError {
    /// No such holder.
    #[error(
        "holder {} of {}-of-{} is none: it takes 2 <= threshold <= holders <= {MOST_HOLDERS} and \
         1 <= holder <= holders",
        _0.holder, _0.threshold, _0.holders
    )]
    Place(Place),
    /// No session of this key, or one that is too large.
    #[error(
        "signers {signers:?} of {threshold} for {messages} messages: a session has as many holders \
         as sign, this one among them, and 1 to {MOST_MESSAGES} messages"
    )]
    Session {
        /// Who should sign.
        signers: BTreeSet<u16>,
        /// How many must.
        threshold: u16,
        /// How many messages.
        messages: usize,
    },
    /// No change that these shares can go through.
    #[error("the shares can't change like this: {0}")]
    Change(&'static str),
    /// Messages are missing, or there are some from strangers.
    #[error("messages came from holders {found:?}, but must come from {wanted:?}")]
    Senders {
        /// Who sent something.
        found: BTreeSet<u16>,
        /// Who should have.
        wanted: BTreeSet<u16>,
    },
    /// What is shown as this holder's own message is not what it said.
    #[error("another message is shown as this holder's than it said")]
    NotMine,
    /// Bytes that do not decode: their sender is to blame.
    #[error("holder {0} sent a malformed message")]
    Malformed(u16),
    /// A proof, a commitment or a share that does not hold: its sender cheated or is broken.
    #[error("holder {culprit}: {because}")]
    Culprit {
        /// Who.
        culprit: u16,
        /// What does not hold.
        because: String,
    },
    /// It came to nothing, and nobody is proven wrong: another session may do.
    #[error("the protocol failed: {0}")]
    Failed(String),
    /// This holder's own share or result is damaged.
    #[error("this holder's own part is damaged: {0}")]
    Own(String),
}

impl RoundError {
    /// Who is proven to have cheated, or to be broken.
    pub const fn culprit(&self) -> Option<u16> {
        match self {
            Self::Malformed(culprit) | Self::Culprit { culprit, .. } => Some(*culprit),
            Self::Place(_)
            | Self::Session { .. }
            | Self::Change(_)
            | Self::Senders { .. }
            | Self::NotMine
            | Self::Failed(_)
            | Self::Own(_) => None,
        }
    }

    /// Whether another session may come to a good end with the same holders.
    pub const fn is_recoverable(&self) -> bool {
        match self {
            Self::Senders { .. } | Self::NotMine | Self::Failed(_) => true,
            Self::Place(_)
            | Self::Session { .. }
            | Self::Change(_)
            | Self::Malformed(_)
            | Self::Culprit { .. }
            | Self::Own(_) => false,
        }
    }
}

impl From<FrostError> for RoundError {
    fn from(error: FrostError) -> Self {
        match &error {
            FrostError::Commitment(holder) | FrostError::Share(holder) => Self::Malformed(*holder),
            FrostError::Culprits(holders) => match holders.first() {
                Some(culprit) => Self::Culprit { culprit: *culprit, because: error.to_string() },
                None => Self::Failed(error.to_string()),
            },
            FrostError::GroupKey
            | FrostError::Path { .. }
            | FrostError::NoChild { .. }
            | FrostError::PublicPackage
            | FrostError::NoHolder
            | FrostError::Holders { .. }
            | FrostError::TooFew { .. }
            | FrostError::Stranger(_)
            | FrostError::Unverified
            | FrostError::Commitments(_) => Self::Failed(error.to_string()),
        }
    }
}
