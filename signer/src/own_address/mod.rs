//! An address as this signer itself derives it, from what it holds of the key and not from what the
//! log says the key is. Never passes on an address that the two do not agree on.

use strongroom_chains::{
    address_of,
    hd::{point_at, shown},
};
use strongroom_domain::{
    Address, AddressPath, KeyId, Network, State, WalletId,
    key::{Active, Key, Protocol},
    wallet::Holding,
};

#[cfg(test)]
mod tests;

/// Which of a wallet's addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Which {
    /// By its place.
    At(AddressPath),
    /// By what somebody was told that it is.
    Spelt(Address),
}

/// An address that this signer's own key gives and that the log gives too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnAddress {
    /// The address.
    pub address: Address,
    /// Where it lies, in words: `m/0/7 of key <id>`.
    pub path: String,
    /// Where it is valid.
    pub network: Network,
}

/// Why no address is shown.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OwnAddressError {
    /// Not in the log as far as it was read.
    #[error("this signer has not read of that {0}")]
    Unknown(&'static str),
    /// Not one of the wallet's addresses, as far as the log was read.
    #[error(
        "{0} is no address of the wallet in this signer's log: nobody would notice money there"
    )]
    NotInLog(String),
    /// The log and the key disagree: somebody lied.
    #[error(
        "DO NOT USE: the log says that {path} is {logged}, this signer's own key gives {derived}. \
         Stop deposits to the wallet and call the other signers' operators"
    )]
    Forged {
        /// In words.
        path: String,
        /// What the log has.
        logged: Address,
        /// What the key gives.
        derived: Address,
    },
    /// The log has another public key than this signer holds a part of.
    #[error("DO NOT USE: the log says that the key is {logged}, this signer holds {held}")]
    OtherKey {
        /// In the log, hex.
        logged: String,
        /// In the share or token, hex.
        held: String,
    },
    /// The key's state or protocol.
    #[error("{0}")]
    Key(String),
}

/// What the log says about a wallet whose address is asked for.
pub struct Place<'a> {
    holding: &'a Holding,
    /// The wallet's key.
    pub key: KeyId,
    /// That key, as the log has it.
    pub active: &'a Active,
}

impl<'a> Place<'a> {
    /// Finds a wallet and its key, quarantined or not: an address may be asked for because something
    /// went wrong.
    pub fn of(state: &'a State, wallet: WalletId) -> Result<Self, OwnAddressError> {
        let unknown = OwnAddressError::Unknown;
        let wallet = state.wallets.get(&wallet).ok_or(unknown("wallet"))?;
        let holding = wallet.holding().map_err(|_refusal| unknown("wallet"))?;
        let active = match state.keys.get(&holding.key).ok_or(unknown("key"))? {
            Key::Active(active) | Key::Quarantined(active) => active,
            key @ (Key::Unknown | Key::Requested(_) | Key::Ceremony(_) | Key::Failed) => {
                return Err(OwnAddressError::Key(format!("the key is {}", key.name())));
            }
        };
        Ok(Self { holding, key: holding.key, active })
    }

    /// The address, derived from `held`: the public key of the share or token key that this signer
    /// has, as it says itself.
    pub fn derive(&self, held: &[u8], which: &Which) -> Result<OwnAddress, OwnAddressError> {
        let logged_key = self.active.public_key.as_slice();
        if held != logged_key {
            let (logged, held) = (hex::encode(logged_key), hex::encode(held));
            return Err(OwnAddressError::OtherKey { logged, held });
        }
        let (place, logged) = self.logged(which)?;
        let network = self.holding.network;
        let derived = derive(self.active.plan.protocol, held, network, place)?;
        let path = shown(self.key, self.active.plan.protocol, place);
        if derived != logged {
            return Err(OwnAddressError::Forged { path, logged, derived });
        }
        Ok(OwnAddress { address: derived, path, network })
    }

    fn logged(&self, which: &Which) -> Result<(AddressPath, Address), OwnAddressError> {
        let mut addresses = self.holding.addresses.iter();
        let (found, asked) = match which {
            Which::At(path) => (addresses.find(|(_, given)| given.path == *path), path.to_string()),
            Which::Spelt(address) => {
                (addresses.find(|(known, _)| *known == address), address.to_string())
            }
        };
        let (address, given) = found.ok_or(OwnAddressError::NotInLog(asked))?;
        Ok((given.path, address.clone()))
    }
}

fn derive(
    protocol: Protocol,
    held: &[u8],
    network: Network,
    place: AddressPath,
) -> Result<Address, OwnAddressError> {
    let wrong = |error: &dyn std::fmt::Display| OwnAddressError::Key(error.to_string());
    let point = point_at(protocol, held, place).map_err(|error| wrong(&error))?;
    address_of(network, &point).map_err(|error| wrong(&error))
}
