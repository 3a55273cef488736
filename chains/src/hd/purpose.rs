//! What the first steps of a path promise (BIP 43): which kind of address lies below, and of which
//! coin (SLIP-44). Never guesses a purpose from an address.

use bitcoin::{CompressedPublicKey, secp256k1::PublicKey};
use strongroom_domain::{Address, Family, Network};

use crate::{
    address_of,
    bitcoin::{Chain, Destination},
};

/// A purpose that our families have addresses for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Purpose {
    /// BIP 44: P2PKH; on Ethereum the account.
    Bip44,
    /// BIP 49: P2WPKH inside P2SH.
    Bip49,
    /// BIP 84: P2WPKH.
    Bip84,
    /// BIP 86: P2TR, key path alone.
    Bip86,
}

/// A purpose says nothing about that network, or the bytes are no key.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoSuchAddress {
    /// Ethereum has one kind of address.
    #[error("purpose {purpose}' has no addresses on {network}: expected 44'")]
    Purpose {
        /// Its number.
        purpose: u32,
        /// Where.
        network: Network,
    },
    /// Not a compressed point.
    #[error(transparent)]
    Key(#[from] crate::KeyError),
}

impl Purpose {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Bip44, Self::Bip49, Self::Bip84, Self::Bip86];

    /// The number that a path begins with, hardened.
    pub const fn number(self) -> u32 {
        match self {
            Self::Bip44 => 44,
            Self::Bip49 => 49,
            Self::Bip84 => 84,
            Self::Bip86 => 86,
        }
    }

    /// The one whose addresses our own keys have: BIP 86 in Bitcoin's family, BIP 44 on Ethereum.
    pub const fn ours(network: Network) -> Self {
        match network.family() {
            Family::Bitcoin => Self::Bip86,
            Family::Ethereum => Self::Bip44,
        }
    }

    /// The address of a compressed key under this purpose.
    pub fn address(self, network: Network, key: &[u8; 33]) -> Result<Address, NoSuchAddress> {
        let missing = NoSuchAddress::Purpose { purpose: self.number(), network };
        let Ok(chain) = Chain::of(network) else {
            return match self {
                Self::Bip44 => Ok(address_of(network, key)?),
                Self::Bip49 | Self::Bip84 | Self::Bip86 => Err(missing),
            };
        };
        let point = PublicKey::from_slice(key).map_err(|_point| crate::KeyError)?;
        let hash = CompressedPublicKey(point);
        let destination = match self {
            Self::Bip44 => Destination::P2pkh(*hash.pubkey_hash().as_ref()),
            Self::Bip49 => {
                let inner = Destination::P2wpkh(*hash.wpubkey_hash().as_ref()).script();
                Destination::P2sh(*inner.script_hash().as_ref())
            }
            Self::Bip84 => Destination::P2wpkh(*hash.wpubkey_hash().as_ref()),
            Self::Bip86 => Destination::p2tr(key)?,
        };
        Ok(destination.spell(chain).map_err(|_spelling| crate::KeyError)?)
    }
}

/// A network's coin type (SLIP-44). Test networks share 1. A development chain of Ethereum has
/// Ethereum's 60: its keys are the same on every chain, and every wallet for it derives there.
pub const fn coin_type(network: Network) -> u32 {
    match network {
        Network::Bitcoin => 0,
        Network::BitcoinRegtest | Network::LitecoinRegtest => 1,
        Network::Litecoin => 2,
        Network::Ethereum | Network::EthereumDev => 60,
    }
}
