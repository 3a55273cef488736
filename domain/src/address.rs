//! Addresses and the paths that lead to them, as the log writes them. Whether an address is
//! valid on its network is never decided here: `chains` parses it before it gets this far.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An address in its network's one canonical spelling (bech32 in lower case, EIP-55 mixed case).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

/// Text that can't be an address on any network.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an address is 1 to 128 ASCII letters and digits; found {0} characters or another sign")]
pub struct AddressError(usize);

impl Address {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        let fits = (1..=128).contains(&text.len());
        if fits && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            Ok(Self(text))
        } else {
            Err(AddressError(text.chars().count()))
        }
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

/// Which of a wallet's addresses: the non-hardened BIP 32 path `branch/index` below its key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressPath {
    /// Who the address is for.
    pub branch: Branch,
    /// Counted from 0, below 2^31.
    pub index: u32,
}

/// Unused deposit addresses in a row behind which wallets that only know a key stop looking (BIP 44,
/// "Address gap limit"). Nothing refuses a further one: clients need addresses before they pay.
pub const GAP_LIMIT: u32 = 20;

/// BIP 44's split between addresses that are given out and those that take change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Branch {
    /// Given to a client: 0.
    Deposit,
    /// For what is left of our own coins: 1.
    Change,
}

impl Branch {
    /// Its number in a BIP 44 path.
    pub const fn number(self) -> u32 {
        match self {
            Self::Deposit => 0,
            Self::Change => 1,
        }
    }
}

impl fmt::Display for AddressPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.branch.number(), self.index)
    }
}
