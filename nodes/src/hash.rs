//! The names of blocks and transactions, as nodes print them. Never hashes anything itself.

use std::fmt;
use std::str::FromStr;

/// The text was no 32-byte hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a hash is 64 hexadecimal digits, with or without 0x; this has {length} characters or others in it"
)]
pub struct HashError {
    /// Characters given, without a leading `0x`.
    pub length: usize,
}

fn parse(text: &str) -> Result<[u8; 32], HashError> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes)
        .map_err(|_| HashError { length: digits.chars().count() })?;
    Ok(bytes)
}

macro_rules! printed_hash {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// The bytes are in the order in which nodes and explorers print them (Bitcoin prints the
        /// reverse of the order it hashes in). Printed as 64 lower-case digits without `0x`.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// From bytes in printed order.
            pub const fn from_printed_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The bytes in printed order.
            pub const fn printed_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = HashError;
            fn from_str(text: &str) -> Result<Self, HashError> {
                parse(text).map(Self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

printed_hash! {
    /// A block's hash.
    BlockHash
}
printed_hash! {
    /// A transaction's id: Bitcoin's txid (never the wtxid), Ethereum's transaction hash.
    TransactionId
}

#[cfg(test)]
mod tests {
    use super::{BlockHash, HashError};

    #[test]
    fn a_hash_prints_as_it_was_read_and_takes_both_spellings() {
        let plain = "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9";
        let bare: BlockHash = plain.parse().unwrap();
        let prefixed: BlockHash = format!("0x{plain}").parse().unwrap();
        assert_eq!(bare, prefixed);
        assert_eq!(bare.to_string(), plain);
    }

    #[test]
    fn what_is_not_32_bytes_is_no_hash() {
        for (text, length) in [("", 0), ("0x", 0), ("53", 2), ("zz", 2)] {
            assert_eq!(text.parse::<BlockHash>(), Err(HashError { length }));
        }
        assert!("zz".repeat(32).parse::<BlockHash>().is_err());
        assert!("53".repeat(33).parse::<BlockHash>().is_err());
    }
}
