//! Where in its life a thing is, by the same names that `domain` gives. Never a state of our own
//! making.

use serde::{Serialize, Serializer};
use std::{fmt, str::FromStr};

/// Text that names no state.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no {of} state is called `{found}`: expected one of {known}")]
pub struct StateError {
    of: &'static str,
    found: String,
    known: String,
}

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident $of:literal {
        $($(#[$state_doc:meta])* $state:ident = $text:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$state_doc])* $state,)* }

        impl $name {
            /// Every state.
            pub const ALL: &'static [Self] = &[$(Self::$state),*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$state => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = StateError;

            fn from_str(text: &str) -> Result<Self, StateError> {
                Self::ALL.iter().copied().find(|state| state.name() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|state| state.name()).collect();
                    StateError { of: $of, found: text.to_owned(), known: known.join(", ") }
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    )*};
}

states! {
    /// A transfer's.
    TransferState "transfer" {
        /// A quorum is being asked.
        AwaitingApproval = "awaiting-approval",
        /// It agreed; nothing was built yet.
        Approved = "approved",
        /// A transaction was built; signers may sign it.
        Signing = "signing",
        /// A signed transaction exists.
        Signed = "signed",
        /// A node has it.
        Broadcast = "broadcast",
        /// Final on its chain.
        Confirmed = "confirmed",
        /// Over, by the policy.
        Refused = "refused",
        /// Over, by its quorum.
        Rejected = "rejected",
        /// Over, by its maker.
        Cancelled = "cancelled",
        /// Over, by its time.
        Expired = "expired",
        /// Over, after it was approved.
        Failed = "failed",
        /// Over, by a transaction on its chain that makes the payment impossible.
        Abandoned = "abandoned",
        /// Over, by an officer.
        Stopped = "stopped",
    }
    /// A proposal's.
    ProposalState "proposal" {
        /// Being answered.
        Open = "open",
        /// Enough said yes.
        Approved = "approved",
        /// Too many said no.
        Rejected = "rejected",
        /// Its time ran out.
        Expired = "expired",
        /// Its maker took it back.
        Cancelled = "cancelled",
        /// What was approved has happened.
        Fulfilled = "fulfilled",
        /// What was approved failed.
        Burnt = "burnt",
        /// An officer stopped what was approved.
        Vetoed = "vetoed",
    }
    /// A deposit's.
    DepositState "deposit" {
        /// In a block, not final.
        Confirming = "confirming",
        /// The client's.
        Credited = "credited",
        /// On no block at the moment.
        Reorganised = "reorganised",
    }
    /// A key's.
    KeyState "key" {
        /// A quorum is being asked.
        AwaitingApproval = "awaiting-approval",
        /// Its ceremony is under way.
        BeingMade = "being-made",
        /// It signs.
        Active = "active",
        /// Its wallet was rotated and is empty: it signs sweeps of what comes late.
        Retired = "retired",
        /// Its ceremony came to nothing.
        Failed = "failed",
        /// It exists, and nobody uses it.
        Quarantined = "quarantined",
    }
    /// How far a holder has come in a ceremony.
    KeyStep "key ceremony" {
        /// Its first message is in the log.
        RoundOne = "round-one",
        /// Its message of some round is in the log.
        Round = "round",
        /// It made its part.
        Confirmed = "confirmed",
        /// It has its share of another epoch.
        EpochConfirmed = "epoch-confirmed",
    }
    /// Whether a key has shown that it can sign.
    KeyProof "key proof" {
        /// It was asked for when that was not required.
        NotAsked = "not-asked",
        /// It holds nothing before it has.
        Awaited = "awaited",
        /// It has.
        Given = "given",
    }
    /// A signer's.
    SignerState "signer" {
        /// In the charter, never reached.
        Enrolled = "enrolled",
        /// It answers.
        Active = "active",
        /// It does not answer.
        Unreachable = "unreachable",
    }
}
