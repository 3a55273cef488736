//! Numbers and addresses as EIP-1474 writes them. Never holds more than 128 bits: no amount of wei
//! that exists needs more, and one that claims to is refused.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// A QUANTITY: `0x` and hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quantity(pub(super) u128);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        parse(&text).map(Self).ok_or_else(|| {
            let shown: String = text.chars().take(80).collect();
            serde::de::Error::custom(format!("'{shown}' is no quantity of at most 128 bits"))
        })
    }
}

fn parse(text: &str) -> Option<u128> {
    let digits = text.strip_prefix("0x")?;
    // from_str_radix would take a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(digits, 16).ok()
}

/// As the node wants it: without leading zeros.
pub(super) fn hex(number: u64) -> String {
    format!("{number:#x}")
}

/// The text was no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an Ethereum address is 0x and 40 hexadecimal digits")]
pub struct AddressError;

/// An account's 20 bytes. Reads any case and prints lower case: the checksum of EIP-55 is for people
/// and is checked where they type, in `chains`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 20]);

impl Address {
    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl FromStr for Address {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut bytes = [0; 20];
        let digits = text.strip_prefix("0x").ok_or(AddressError)?;
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| AddressError)?;
        Ok(Self(bytes))
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, AddressError, parse};

    #[test]
    fn quantities_are_read_exactly_up_to_128_bits() {
        for (text, number) in [
            ("0x0", Some(0)),
            ("0x16345785d8a0000", Some(100_000_000_000_000_000)),
            ("0xffffffffffffffffffffffffffffffff", Some(u128::MAX)),
            ("0x100000000000000000000000000000000", None),
            ("0x", None),
            ("16", None),
            ("0x-1", None),
            ("0x+1", None),
            ("", None),
        ] {
            assert_eq!(parse(text), number, "{text}");
        }
    }

    #[test]
    fn an_address_has_twenty_bytes() {
        let text = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), text.to_lowercase());
        for text in ["", "0x", "f39fd6e51aad88f6f4ce6ab8827279cfffb92266", "0xf39f"] {
            assert_eq!(text.parse::<Address>(), Err(AddressError), "{text}");
        }
    }
}
