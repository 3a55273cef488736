//! What a call of a contract would do, as far as its data says it: an allowance, a change of who
//! controls it, or a function. What can't be read is never taken for harmless.

use super::Allowance;
use crate::Address;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The first four bytes of a call's data: which function. Text form: `0x` and 8 lower-case digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Selector(pub [u8; 4]);

/// Text that is no selector.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a selector: expected 0x and 8 lower-case hex digits")]
pub struct SelectorError(String);

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let mut bytes = [0; 4];
        let digits = text.strip_prefix("0x").unwrap_or_default();
        let read = hex::decode_to_slice(digits, &mut bytes);
        let selector = Self(bytes);
        if read.is_ok() && selector.to_string() == text {
            Ok(selector)
        } else {
            Err(SelectorError(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Selector {
    type Error = SelectorError;

    fn try_from(text: String) -> Result<Self, SelectorError> {
        text.parse()
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.to_string()
    }
}

/// A call of a contract, as its data says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Which contract.
    pub contract: Address,
    /// What it does there.
    pub meaning: Meaning,
}

/// What a call does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// It calls a function that gives nobody an allowance and changes nobody's control, as far as
    /// is known.
    Function {
        /// Which.
        selector: Selector,
    },
    /// It lets somebody spend the caller's tokens.
    Approval {
        /// Who may spend.
        spender: Address,
        /// How much.
        amount: Allowance,
    },
    /// It changes who controls the contract, or makes it run something.
    Admin {
        /// Which function.
        selector: Selector,
        /// Its name.
        name: &'static str,
        /// Whether it runs foreign code as itself.
        delegatecall: bool,
    },
    /// It can't be read: it is refused whatever the rules say.
    Unreadable,
}
