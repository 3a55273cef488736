//! The name of a key, as C2SP signed-note spells it. Never a name that a signature line could not hold.

use std::fmt;
use std::str::FromStr;

/// The most bytes that a name may have: the ML-DSA-44 message counts them in one byte.
pub const KEY_NAME_LIMIT: usize = 255;

/// The name of a key: 1 to 255 bytes without white space, `+` and control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

/// Why a text is not a [`KeyName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key's name has 1 to 255 bytes, without white space, '+' and control characters")]
pub struct KeyNameError;

impl KeyName {
    /// Takes the name as it is.
    pub fn new(name: &str) -> Result<Self, KeyNameError> {
        if name.len() > KEY_NAME_LIMIT || !is_name(name) {
            return Err(KeyNameError);
        }
        Ok(Self(name.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a signature line can hold it: the rule without our limit.
pub(crate) fn is_name(name: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || c < ' ' || c == '+';
    !name.is_empty() && !name.contains(forbidden)
}

impl fmt::Display for KeyName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for KeyName {
    type Err = KeyNameError;

    fn from_str(name: &str) -> Result<Self, KeyNameError> {
        Self::new(name)
    }
}
