//! Events as they are stored: a type, a version and a JSON payload. Never edited: a new shape is
//! a new version beside the old one.

use crate::{
    account, charter, deposit, freeze, key, person, price, proposal, reconciliation, screening,
    signer, transfer, wallet,
};

/// Declares an aggregate's events: each variant has its own payload struct, stored type and
/// version. The type is not repeated inside the payload: the log's entry carries it.
macro_rules! events {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident = $kind:literal, $version:literal;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum $name {
            $($(#[$variant_doc])* $variant($variant),)*
        }

        impl $name {
            /// Its stored type and version.
            pub const fn kind(&self) -> (&'static str, u16) {
                match self { $(Self::$variant(_) => ($kind, $version),)* }
            }

            /// Every stored type and version of this aggregate.
            pub const KINDS: &'static [(&'static str, u16)] = &[$(($kind, $version)),*];

            /// Its payload: JSON without white space, fields in the order of their declaration.
            pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
                match self { $(Self::$variant(payload) => serde_json::to_vec(payload),)* }
            }

            /// `None` where the type and version are not this aggregate's.
            pub fn decode(
                kind: &str,
                version: u16,
                payload: &[u8],
            ) -> Option<Result<Self, serde_json::Error>> {
                match (kind, version) {
                    $(($kind, $version) => {
                        Some(serde_json::from_slice(payload).map(Self::$variant))
                    })*
                    _ => None,
                }
            }
        }

        $(impl From<$variant> for $name {
            fn from(payload: $variant) -> Self {
                Self::$variant(payload)
            }
        })*
    };
}
pub(crate) use events;

macro_rules! all_events {
    ($($(#[$doc:meta])* $variant:ident($event:ty)),* $(,)?) => {
        /// Any event of any aggregate.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum Event {
            $($(#[$doc])* $variant($event),)*
        }

        impl Event {
            /// Its stored type and version.
            pub const fn kind(&self) -> (&'static str, u16) {
                match self { $(Self::$variant(event) => event.kind(),)* }
            }

            /// Its stored payload.
            pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
                match self { $(Self::$variant(event) => event.encode(),)* }
            }

            /// Reads a stored event. Fields that are unknown, missing or double are refused;
            /// [`crate::Recorded::read`] also refuses every spelling but the one of `encode`.
            pub fn decode(kind: &str, version: u16, payload: &[u8]) -> Result<Self, DecodeError> {
                $(if let Some(decoded) = <$event>::decode(kind, version, payload) {
                    return decoded.map(Self::$variant).map_err(|error| DecodeError::Malformed {
                        kind: kind.to_owned(),
                        version,
                        error: error.to_string(),
                    });
                })*
                Err(DecodeError::Unknown { kind: kind.to_owned(), version })
            }
        }

        $(impl From<$event> for Event {
            fn from(event: $event) -> Self {
                Self::$variant(event)
            }
        })*
    };
}

all_events! {
    /// The charter.
    Charter(charter::CharterEvent),
    /// A proposal.
    Proposal(proposal::ProposalEvent),
    /// A client's account.
    Account(account::AccountEvent),
    /// A wallet.
    Wallet(wallet::WalletEvent),
    /// A transfer.
    Transfer(transfer::TransferEvent),
    /// A deposit.
    Deposit(deposit::DepositEvent),
    /// A key.
    Key(key::KeyEvent),
    /// A signer.
    Signer(signer::SignerEvent),
    /// A person's data.
    Person(person::PersonEvent),
    /// The freezes.
    Freeze(freeze::FreezeEvent),
    /// The reference prices.
    Price(price::PriceEvent),
    /// The screenings.
    Screening(screening::ScreeningEvent),
    /// The differences.
    Reconciliation(reconciliation::ReconciliationEvent),
}

/// A stored event that this build can't read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// Written by a newer build, or not an event of ours.
    #[error("event {kind} version {version} is unknown to this build: use a newer one")]
    Unknown {
        /// Stored type.
        kind: String,
        /// Stored version.
        version: u16,
    },
    /// The type is known and the payload does not fit it.
    #[error("the payload of {kind} version {version} does not fit its type: {error}")]
    Malformed {
        /// Stored type.
        kind: String,
        /// Stored version.
        version: u16,
        /// Where and why.
        error: String,
    },
}
