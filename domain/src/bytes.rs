//! Bytes that are written as hex in events and messages. They never have two spellings.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Public bytes: a key, a signature, a transaction, a sealed box. Text form: lower-case hex.
///
/// Never a secret: it prints.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bytes(pub Vec<u8>);

/// Text that was expected to be hex.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not lower-case hex with an even number of digits")]
pub struct BytesError;

impl Bytes {
    /// The bytes themselves.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// As an array, if there are exactly `N` of them.
    pub fn array<const N: usize>(&self) -> Option<[u8; N]> {
        self.0.as_slice().try_into().ok()
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Bytes {
    type Err = BytesError;

    fn from_str(text: &str) -> Result<Self, BytesError> {
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(BytesError);
        }
        hex::decode(text).map(Self).map_err(|_| BytesError)
    }
}

impl TryFrom<String> for Bytes {
    type Error = BytesError;

    fn try_from(text: String) -> Result<Self, BytesError> {
        text.parse()
    }
}

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        bytes.to_string()
    }
}
