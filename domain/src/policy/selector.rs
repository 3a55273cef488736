//! The name of a contract's function, as calls carry it. Never says what the function does.

use base16ct::lower;
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
        write!(f, "0x{}", lower::encode_string(&self.0))
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
        let read = lower::decode(digits, &mut bytes).map(<[u8]>::len);
        let selector = Self(bytes);
        match read {
            Ok(4) => Ok(selector),
            Ok(_) | Err(_) => Err(SelectorError(text.to_owned())),
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
