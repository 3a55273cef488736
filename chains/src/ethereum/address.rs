//! Account addresses in their one spelling, EIP-55. Never takes an address without its checksum:
//! a slip of the pen would pay a stranger.

use crate::{AddressError, KeyError};
use alloy_primitives::{Address as Account, keccak256};
use k256::{PublicKey, elliptic_curve::sec1::ToEncodedPoint};
use strongroom_domain::{Address, Network};

/// Reads an address and checks its EIP-55 checksum. The same on every network of the family.
pub fn parse_address(network: Network, text: &str) -> Result<Address, AddressError> {
    account(network, text).and_then(spell)
}

/// The account of a compressed secp256k1 key: the last 20 bytes of the Keccak-256 of the point
/// without its tag byte (Yellow Paper, appendix F).
pub fn address_of(key: &[u8; 33]) -> Result<Address, KeyError> {
    spell(account_of(key)?).map_err(|_| KeyError)
}

pub(super) fn account(network: Network, text: &str) -> Result<Account, AddressError> {
    let refuse = || AddressError::NotAnAddress { network };
    let digits = text.strip_prefix("0x").ok_or_else(refuse)?;
    let mut bytes = [0; 20];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| refuse())?;
    let account = Account::from(bytes);
    let right = spell(account)?;
    if right.as_str() == text {
        return Ok(account);
    }
    let lower = !digits.bytes().any(|b| b.is_ascii_uppercase());
    let upper = !digits.bytes().any(|b| b.is_ascii_lowercase());
    // In one case there was no checksum, so we can say what it would have been. A wrong checksum
    // is another matter: we don't know which address was meant.
    if lower || upper {
        Err(AddressError::NotCanonical { right })
    } else {
        Err(AddressError::Checksum)
    }
}

pub(super) fn account_of(key: &[u8; 33]) -> Result<Account, KeyError> {
    let point = PublicKey::from_sec1_bytes(key).map_err(|_| KeyError)?.to_encoded_point(false);
    let untagged = point.as_bytes().get(1..).ok_or(KeyError)?;
    let hash = keccak256(untagged);
    Ok(Account::from_slice(hash.get(12..).ok_or(KeyError)?))
}

pub(super) fn spell(account: Account) -> Result<Address, AddressError> {
    Ok(account.to_checksum(None).parse()?)
}
