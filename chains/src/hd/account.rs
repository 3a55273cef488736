//! An account of a seed (BIP 44): the part of its path that is hardened, and the public key below
//! which all of its addresses lie. Never holds what could spend from them.

use std::str::FromStr;

use bitcoin::{
    NetworkKind,
    bip32::{ChildNumber, Xpub},
};
use strongroom_domain::{Address, AddressPath, Network};

use super::{NoSuchAddress, Path, PathError, Purpose, Step, coin_type};
use crate::frost::SECP;

/// Which account: `m/purpose'/coin_type'/number'`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Account {
    /// What lies below.
    pub purpose: Purpose,
    /// Where.
    pub network: Network,
    /// Counted from 0, below 2^31.
    pub number: u32,
}

/// An account's extended public key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountKey {
    account: Account,
    key: Xpub,
}

/// Why a text is not an account's key, or has no address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AccountError {
    /// Not an extended public key, or one of another serialisation (SLIP-132's `ypub`, `zpub`).
    #[error("not an extended public key: expected xpub…, or tpub… of a test network")]
    Malformed,
    /// Of the other kind of network.
    #[error("the extended public key is of {0}")]
    Network(&'static str),
    /// It stands elsewhere in its tree.
    #[error("the key is at depth {depth}, child {child}: the account is {account}")]
    Place {
        /// Steps from its root.
        depth: u8,
        /// Its number.
        child: String,
        /// What was asked for.
        account: Path,
    },
    /// A number that is too large.
    #[error(transparent)]
    Path(#[from] PathError),
    /// No address of that kind.
    #[error(transparent)]
    Address(#[from] NoSuchAddress),
    /// BIP 32 allows it in about one of 2^127 cases: take the next index.
    #[error("{0} has no key; take the next index")]
    NoChild(Path),
}

impl Account {
    /// Its path from the seed.
    pub fn path(self) -> Result<Path, AccountError> {
        let step = |number: u32| Step::hardened(number).ok_or(PathError::Number(number.into()));
        let steps =
            [step(self.purpose.number())?, step(coin_type(self.network))?, step(self.number)?];
        Ok(Path::ROOT.then(steps)?)
    }

    /// An address's path from the seed, as BIP 44 has it.
    pub fn address_path(self, place: AddressPath) -> Result<Path, AccountError> {
        let step = |number: u32| Step::normal(number).ok_or(PathError::Number(number.into()));
        Ok(self.path()?.then([step(place.branch.number())?, step(place.index)?])?)
    }
}

impl AccountKey {
    /// Reads the extended public key (BIP 32, base58check) of `account`, and refuses one that says
    /// it stands elsewhere.
    pub fn parse(account: Account, text: &str) -> Result<Self, AccountError> {
        // Base58 decoding takes quadratic time; these are 111 characters.
        if text.len() > 120 {
            return Err(AccountError::Malformed);
        }
        let key = Xpub::from_str(text).map_err(|_any| AccountError::Malformed)?;
        match (kind(account.network), key.network) {
            (NetworkKind::Main, NetworkKind::Test) => {
                return Err(AccountError::Network("a test network"));
            }
            (NetworkKind::Test, NetworkKind::Main) => {
                return Err(AccountError::Network("a main network"));
            }
            (NetworkKind::Main, NetworkKind::Main) | (NetworkKind::Test, NetworkKind::Test) => {}
        }
        let path = account.path()?;
        let number = ChildNumber::from_hardened_idx(account.number);
        if key.depth != 3 || number != Ok(key.child_number) {
            let child = key.child_number.to_string();
            return Err(AccountError::Place { depth: key.depth, child, account: path });
        }
        Ok(Self { account, key })
    }

    /// Which account it is of.
    pub const fn account(&self) -> Account {
        self.account
    }

    /// An address of the account, with its whole path from the seed.
    pub fn address(&self, place: AddressPath) -> Result<(Address, Path), AccountError> {
        let path = self.account.address_path(place)?;
        let none = || AccountError::NoChild(path.clone());
        let number = |n| ChildNumber::from_normal_idx(n).map_err(|_bit| none());
        let steps = [number(place.branch.number())?, number(place.index)?];
        let child = self.key.derive_pub(&*SECP, &steps).map_err(|_rare| none())?;
        let key = child.public_key.serialize();
        Ok((self.account.purpose.address(self.account.network, &key)?, path))
    }
}

/// How keys of a network are serialised. BIP 32 knows two kinds; Litecoin's wallets write Bitcoin's.
pub(crate) const fn kind(network: Network) -> NetworkKind {
    match network {
        Network::Bitcoin | Network::Litecoin | Network::Ethereum | Network::EthereumDev => {
            NetworkKind::Main
        }
        Network::BitcoinRegtest | Network::LitecoinRegtest => NetworkKind::Test,
    }
}
