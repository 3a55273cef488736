//! One group key serves many addresses: the children of a threshold key, and how far they lie from
//! it. Everything here is public; it never sees a share.
//!
//! The group's compressed point is read as a BIP 32 extended public key whose chain code is
//! `SHA-256("strongroom/frost-chain-code/v1" ‖ point)`; an address is its non-hardened child
//! `change/index`, then the BIP 86 output key of that child. Shamir shares of `s` become shares of
//! `s + tweak` by adding `tweak` to each, so holders follow without talking.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
};

use bitcoin::{
    NetworkKind, XOnlyPublicKey,
    bip32::{ChainCode, ChildNumber, Fingerprint, Xpub},
    key::TapTweak,
    secp256k1::{PublicKey, Scalar, SecretKey},
};
use sha2::{Digest, Sha256};
use strongroom_domain::{Address, AddressPath, Family, Network};

use super::{FrostError, SECP};
use crate::{KeyError, address_of, bitcoin as chain_family, hd::kind};

/// Separates this chain code from every other use of SHA-256 over a point.
const CHAIN_CODE_DOMAIN: &[u8] = b"strongroom/frost-chain-code/v1";

/// The most children that are remembered, each about 250 bytes. Beyond that all are forgotten.
const REMEMBERED: usize = 16_384;

/// Children that were derived before, by group key and path: a pure function's results, worked out
/// by this process. One payment asks for the same two or three about ten times.
static CHILDREN: RwLock<Children> = RwLock::new(Children::new());

type Children = BTreeMap<([u8; 33], KeyPath), ChildKey>;

/// An address's place below a group key: non-hardened BIP 32 `change/index`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyPath {
    /// 0 for addresses that are given out, 1 for change (as in BIP 44).
    pub change: u32,
    /// Counts addresses from 0.
    pub index: u32,
}

impl From<AddressPath> for KeyPath {
    fn from(path: AddressPath) -> Self {
        Self { change: path.branch.number(), index: path.index }
    }
}

/// A group key: 33 bytes, compressed, its Y even or odd as the ceremony left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupKey(PublicKey);

/// A child of a group key, and how far it lies from it.
#[derive(Clone, Copy)]
pub struct ChildKey {
    point: PublicKey,
    distance: SecretKey,
    output: XOnlyPublicKey,
}

impl GroupKey {
    /// Reads a compressed point.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrostError> {
        let bytes: &[u8; 33] = bytes.try_into().map_err(|_length| FrostError::GroupKey)?;
        PublicKey::from_slice(bytes).map(Self).map_err(|_point| FrostError::GroupKey)
    }

    /// The compressed point.
    pub fn to_bytes(self) -> [u8; 33] {
        self.0.serialize()
    }

    /// The chain code of the extended public key that this group key is read as.
    pub fn chain_code(self) -> [u8; 32] {
        Sha256::new()
            .chain_update(CHAIN_CODE_DOMAIN)
            .chain_update(self.0.serialize())
            .finalize()
            .into()
    }

    /// The child at `path` (BIP 32, CKDpub, twice). Derived once and remembered.
    pub fn child(self, path: KeyPath) -> Result<ChildKey, FrostError> {
        let name = (self.to_bytes(), path);
        // An entry is whole or not there: a panic elsewhere leaves nothing half done.
        let known = CHILDREN.read().unwrap_or_else(PoisonError::into_inner).get(&name).copied();
        if let Some(child) = known {
            return Ok(child);
        }
        let child = self.derive(path)?;
        let mut children = CHILDREN.write().unwrap_or_else(PoisonError::into_inner);
        if children.len() >= REMEMBERED {
            children.clear();
        }
        children.insert(name, child);
        Ok(child)
    }

    /// The extended public key that this group key is read as: a root, without a parent.
    fn root(self, network: NetworkKind) -> Xpub {
        Xpub {
            network,
            depth: 0,
            parent_fingerprint: Fingerprint::default(),
            child_number: ChildNumber::Normal { index: 0 },
            public_key: self.0,
            chain_code: ChainCode::from(self.chain_code()),
        }
    }

    /// The same as text (BIP 32, base58check): with it any wallet derives, and watches, every
    /// address of the key. Nothing below it is hardened, so nothing of it can spend.
    pub fn extended(self, network: Network) -> String {
        self.root(kind(network)).to_string()
    }

    fn derive(self, path: KeyPath) -> Result<ChildKey, FrostError> {
        let KeyPath { change, index } = path;
        let hardened = FrostError::Path { change, index };
        let none = FrostError::NoChild { change, index };
        let root = self.root(NetworkKind::Main);
        let number = |n| ChildNumber::from_normal_idx(n).map_err(|_bit| hardened.clone());
        let (change, index) = (number(change)?, number(index)?);
        let middle = root.ckd_pub(&SECP, change).map_err(|_rare| none.clone())?;
        let leaf = middle.ckd_pub(&SECP, index).map_err(|_rare| none.clone())?;
        let first = root.ckd_pub_tweak(change).map_err(|_rare| none.clone())?.0;
        let second = middle.ckd_pub_tweak(index).map_err(|_rare| none.clone())?.0;
        let distance = first.add_tweak(&Scalar::from(second)).map_err(|_rare| none)?;
        let point = leaf.public_key;
        let output = point.x_only_public_key().0.tap_tweak(&*SECP, None).0.to_x_only_public_key();
        Ok(ChildKey { point, distance, output })
    }
}

impl ChildKey {
    /// The child's compressed point, before the taproot tweak.
    pub fn to_bytes(&self) -> [u8; 33] {
        self.point.serialize()
    }

    /// What each share and each public share (times the generator) is moved by: a scalar,
    /// big-endian. Not a secret: anybody who has the group key computes it.
    pub fn distance(&self) -> [u8; 32] {
        self.distance.secret_bytes()
    }

    /// The same distance, to add to points.
    pub(super) fn offset(&self) -> Scalar {
        Scalar::from(self.distance)
    }

    /// The taproot internal key (BIP 341): the child's X coordinate.
    pub fn internal_key(&self) -> XOnlyPublicKey {
        self.point.x_only_public_key().0
    }

    /// The taproot output key without scripts (BIP 86); its address is the P2TR address.
    pub fn output_key(&self) -> XOnlyPublicKey {
        self.output
    }

    /// The address that this child can spend from: what [`address_of`](crate::address_of) its
    /// point says.
    pub fn address(&self, network: Network) -> Result<Address, KeyError> {
        match network.family() {
            Family::Bitcoin => {
                let chain = chain_family::Chain::of(network).map_err(|_| KeyError)?;
                let destination = chain_family::Destination::P2tr(self.output.serialize());
                destination.spell(chain).map_err(|_| KeyError)
            }
            Family::Ethereum => address_of(network, &self.to_bytes()),
        }
    }
}
