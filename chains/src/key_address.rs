//! The address of a key at a path: one answer for sagas, signers, the API and auditors. Never an address
//! that the key's protocol can't spend from.

use crate::{
    KeyError, address_of,
    bitcoin::{
        Chain,
        multisig::{Places, PlacesError},
    },
    hd::{NoKey, point_at},
};
use strongroom_domain::{
    Address, AddressPath, Family, Network,
    key::{Active, Custody},
};

/// Why a key has no such address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyAddressError {
    /// No key lies there.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// What lies there is no key of the network's.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The cosigners are no wallet.
    #[error(transparent)]
    Places(#[from] PlacesError),
    /// Coins are counted by scripts on Bitcoin's family only.
    #[error("a multisig key has no address on {network} at {path}")]
    Elsewhere {
        /// Where it was asked for.
        network: Network,
        /// At which path.
        path: AddressPath,
    },
}

/// The address at `path` below the key, on `network`: derived from public parts that are in the log.
pub fn key_address(
    active: &Active,
    network: Network,
    path: AddressPath,
) -> Result<Address, KeyAddressError> {
    let protocol = active.plan.protocol;
    match (protocol.custody(), network.family()) {
        (Custody::Shares | Custody::Whole, Family::Bitcoin | Family::Ethereum) => {
            let point = point_at(protocol, active.public_key.as_slice(), path)?;
            Ok(address_of(network, &point)?)
        }
        (Custody::Cosigners, Family::Bitcoin) => {
            let elsewhere = KeyAddressError::Elsewhere { network, path };
            let Ok(chain) = Chain::of(network) else { return Err(elsewhere) };
            let places = Places::of_key(active)?;
            places.descriptor.address(chain, path).ok_or(elsewhere)
        }
        (Custody::Cosigners, Family::Ethereum) => Err(KeyAddressError::Elsewhere { network, path }),
    }
}
