//! Bytes that are written as hex in events and messages. They never have two spellings.

use base16ct::lower;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// Public bytes: a key, a signature, a transaction, a sealed box. Text form: lower-case hex.
///
/// Never a secret: it prints.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
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
        f.write_str(&lower::encode_string(&self.0))
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
        lower::decode_vec(text).map(Self).map_err(|_| BytesError)
    }
}

/// By hand, because letters of threshold ECDSA are long: one pass into the text, none through a copy.
impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&lower::encode_string(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

/// Reads the text form.
struct Text;

impl de::Visitor<'_> for Text {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lower-case hex with an even number of digits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Bytes;

    #[test]
    fn bytes_have_one_spelling() {
        for (text, bytes) in [("", vec![]), ("00ff", vec![0, 255]), ("0a", vec![10])] {
            let read: Bytes = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert_eq!(read, Bytes(bytes));
            assert_eq!(serde_json::to_string(&read).unwrap(), format!("\"{text}\""));
            assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn any_other_spelling_is_refused() {
        for text in ["0", "0A", "0x0a", "0xa", "0X0a", " 0a", "0a ", "0g", "\u{e9}\u{e9}", "0\u{0}"]
        {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
            let json = serde_json::to_string(text).unwrap();
            let refused = serde_json::from_str::<Bytes>(&json).unwrap_err().to_string();
            assert!(refused.contains("lower-case hex"), "{refused}");
        }
        assert!(serde_json::from_str::<Bytes>("[1, 2]").is_err());
    }
}
