//! Identifiers: one type per thing that has a life of its own. They never carry meaning: nothing
//! reads a time or an owner out of an id.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Text that was expected to be an id, and is not one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{found}` is not a {kind}: expected a lower-case hyphenated UUID")]
pub struct IdError {
    kind: &'static str,
    found: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let refuse = || IdError { kind: stringify!($name), found: text.to_owned() };
                let id = Uuid::try_parse(text).map_err(|_| refuse())?;
                // One spelling per id, or one event could have two hashes.
                if id.as_hyphenated().to_string() == text { Ok(Self(id)) } else { Err(refuse()) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    )*};
}

ids! {
    /// One log, from its charter on.
    LogId,
    /// A person whom the charter enrols. Random: says nothing about the person.
    PersonId,
    /// A client of the institution.
    ClientId,
    /// A client's claim in one asset.
    AccountId,
    /// A key and its addresses on one network.
    WalletId,
    /// One transfer out of custody, whatever number of attempts it takes.
    TransferId,
    /// One question put to a quorum.
    ProposalId,
    /// One output or payment to an address of ours. Derived from where it is on the chain.
    DepositId,
    /// One key, held whole in an HSM or in shares.
    KeyId,
    /// One holder of keys: one `strongroom-signer` process and its data.
    SignerId,
    /// One freeze.
    FreezeId,
    /// One difference that reconciliation found.
    DifferenceId,
}

impl DepositId {
    /// The same place on the same chain always has the same id, so seeing it twice is seeing it
    /// once. `place` is the outpoint `txid:vout`, or the transaction hash where a transaction
    /// pays one address only.
    #[must_use]
    pub fn of(network: crate::Network, place: &str) -> Self {
        let digest = crate::Digest::tagged("strongroom/deposit/v1", &[network.name(), place]);
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(digest.0) {
            *to = from;
        }
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}
