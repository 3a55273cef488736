//! Addresses of every network, from text or from a key. Never accepts a second spelling of one.

use crate::{KeyError, bitcoin, ethereum};
use strongroom_domain::{Address, Amount, Family, Network};

/// Why text is not an address that we would pay.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// Neither form fits.
    #[error("not an address of {network}")]
    NotAnAddress {
        /// The network that was asked for.
        network: Network,
    },
    /// Its check digits do not fit: very likely a slip of the pen.
    #[error("the checksum is wrong: a character is mistyped or missing; ask for the address again")]
    Checksum,
    /// A valid form, but elsewhere.
    #[error("an address of another network ({found}); {network} addresses look like {expected}")]
    WrongNetwork {
        /// What gave it away.
        found: String,
        /// The network that was asked for.
        network: Network,
        /// Its family.
        family: Family,
        /// How its addresses begin.
        expected: String,
    },
    /// The same address, spelt otherwise than the log spells it.
    #[error("not the canonical spelling: write {right}")]
    NotCanonical {
        /// The one spelling.
        right: Address,
    },
    /// A spelling that another network still uses.
    #[error(
        "an old spelling that other networks share: if it is meant for {network}, write {right}"
    )]
    LegacySpelling {
        /// The network that was asked for.
        network: Network,
        /// The one spelling.
        right: Address,
    },
    /// BIP 173 forbids it, and EIP-55 gives case a meaning that does not fit here.
    #[error("mixes upper and lower case: expected lower case only (BIP 173)")]
    MixedCase,
    /// Segwit version 0 with the newer checksum.
    #[error("segwit version 0 needs a bech32 checksum; this is bech32m (BIP 350)")]
    Bech32Expected,
    /// Segwit version 1 with the older checksum.
    #[error("segwit version 1 needs a bech32m checksum; this is bech32 (BIP 350)")]
    Bech32mExpected,
    /// Anyone could spend from it today.
    #[error(
        "segwit version {version} has no rules yet, so anyone could take the money: expected 0 or 1"
    )]
    WitnessVersion {
        /// The version found.
        version: u8,
    },
    /// Wrong length or padding.
    #[error("the segwit program has a wrong length or padding (BIP 141, BIP 173)")]
    Program,
    /// No key could ever spend from it.
    #[error("a taproot address whose key is not a point of the curve: nobody could spend from it")]
    NotAPoint,
    /// Not text of an address at all.
    #[error(transparent)]
    Text(#[from] strongroom_domain::AddressError),
}

/// Checks an address that came from outside. `Ok` only for the one canonical spelling of an
/// address that this network can pay.
pub fn parse_address(network: Network, text: &str) -> Result<Address, AddressError> {
    let refuse = |_| AddressError::NotAnAddress { network };
    match network.family() {
        Family::Bitcoin => {
            let chain = bitcoin::Chain::of(network).map_err(refuse)?;
            bitcoin::Destination::parse(chain, text)?.spell(chain)
        }
        Family::Ethereum => ethereum::parse_address(network, text),
    }
}

/// The least that nodes relay to this address, in base units: below it a payment is dust. Nothing
/// where the network has no such rule.
pub fn least_payment(network: Network, address: &Address) -> Result<Amount, AddressError> {
    let refuse = |_| AddressError::NotAnAddress { network };
    match network.family() {
        Family::Bitcoin => {
            let chain = bitcoin::Chain::of(network).map_err(refuse)?;
            let script = bitcoin::Destination::parse(chain, address.as_str())?.script();
            let least = bitcoin::dust_limit(chain, &script);
            Ok(Amount::new(least.unwrap_or(chain.max_money).into()))
        }
        Family::Ethereum => Ok(Amount::ZERO),
    }
}

/// The address that the holder of `key` (a compressed secp256k1 point) can spend from: P2TR key
/// path (BIP 86) on Bitcoin, the account on Ethereum.
pub fn address_of(network: Network, key: &[u8; 33]) -> Result<Address, KeyError> {
    match network.family() {
        Family::Bitcoin => {
            let chain = bitcoin::Chain::of(network).map_err(|_| KeyError)?;
            bitcoin::Destination::p2tr(key)?.spell(chain).map_err(|_| KeyError)
        }
        Family::Ethereum => ethereum::address_of(key),
    }
}
