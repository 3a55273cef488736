//! SHA-256 values and the three ways the log makes them. Never hashes anything but the bytes it is
//! given: no re-serialisation stands between what is stored and what is hashed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

/// The domain separator of a leaf (RFC 6962 section 2.1): a leaf can never be taken for a tree node.
const LEAF_PREFIX: [u8; 1] = [0x00];
/// The domain separator of a tree node (the same section).
const NODE_PREFIX: [u8; 1] = [0x01];

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// 32 bytes of SHA-256; as text 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

/// Why a text is not a [`struct@Hash`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 lower-case hexadecimal digits")]
pub struct HashError;

impl Hash {
    /// What `prev` of the first entry holds: there is no entry before it.
    pub const ZERO: Self = Self([0; 32]);

    /// Takes the 32 bytes as they are.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 digits as bytes, without an allocation.
    pub fn to_hex(&self) -> [u8; 64] {
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            if let [high, low] = pair {
                *high = digit(byte >> 4);
                *low = digit(byte & 0x0f);
            }
        }
        text
    }

    /// Reads exactly 64 lower-case digits.
    pub fn from_hex(text: &[u8]) -> Result<Self, HashError> {
        if text.len() != 64 {
            return Err(HashError);
        }
        let mut bytes = [0; 32];
        decode(text, &mut bytes).ok_or(HashError)?;
        Ok(Self(bytes))
    }
}

/// The leaf of an entry: `SHA-256(0x00 ‖ entry)`; `prev` of the next entry.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash(Sha256::new_with_prefix(LEAF_PREFIX).chain_update(entry).finalize().into())
}

/// The node over two nodes or leaves: `SHA-256(0x01 ‖ left ‖ right)`.
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    let digest = Sha256::new_with_prefix(NODE_PREFIX).chain_update(left.0).chain_update(right.0);
    Hash(digest.finalize().into())
}

/// The hash of a payload: plain SHA-256, so that `sha256sum` agrees.
pub fn payload_hash(payload: &[u8]) -> Hash {
    Hash(Sha256::digest(payload).into())
}

fn digit(nibble: u8) -> u8 {
    DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0')
}

/// The value of every byte as a hexadecimal digit; 0xff where it is none. A table, because this is
/// what a verifier spends its time on after hashing.
const VALUES: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut value: u8 = 0;
    while value < 16 {
        #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
        {
            table[DIGITS[value as usize] as usize] = value;
        }
        value += 1;
    }
    table
};

/// Fills `bytes` from twice as many lower-case digits; `None` on any other byte.
pub(crate) fn decode(text: &[u8], bytes: &mut [u8]) -> Option<()> {
    let mut seen = 0;
    for (pair, byte) in text.chunks_exact(2).zip(bytes) {
        let [high, low] = pair else { return None };
        let (high, low) = (value(*high), value(*low));
        seen |= high | low;
        *byte = (high << 4) | (low & 0x0f);
    }
    (seen < 16).then_some(())
}

fn value(digit: u8) -> u8 {
    VALUES.get(usize::from(digit)).copied().unwrap_or(0xff)
}

impl fmt::Display for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_hex().iter().try_for_each(|digit| fmt::Write::write_char(out, char::from(*digit)))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        Self::from_hex(text.as_bytes())
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
