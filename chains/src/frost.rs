//! Threshold Schnorr keys seen from outside (FROST, RFC 9591, with the taproot changes of BIP 340
//! and 341): the group key, its addresses' child keys, checking shares and combining them. Never
//! touches a key share or a signing nonce: the server links this, and it holds no secrets.

mod child;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use bitcoin::{
    XOnlyPublicKey,
    secp256k1::{self, Message, PublicKey, Secp256k1, VerifyOnly, schnorr::Signature},
};
use frost_core::CheaterDetection;
use frost_secp256k1_tr::{
    self as frost, Identifier, SigningPackage,
    keys::{PublicKeyPackage, Tweak, VerifyingShare},
    round1::SigningCommitments,
    round2::SignatureShare,
};
use thiserror::Error;

pub use child::{ChildKey, GroupKey, KeyPath};

pub(crate) static SECP: LazyLock<Secp256k1<VerifyOnly>> =
    LazyLock::new(Secp256k1::verification_only);

/// More than any key has: what a public package is searched for.
const MOST_HOLDERS: u16 = 32;

/// Holder number → bytes of what that holder sent. Numbers count from 1 in the charter's order.
pub type ByHolder = BTreeMap<u16, Vec<u8>>;

/// What was wrong with something public in a threshold signature.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrostError {
    /// Not 33 bytes of a compressed point on secp256k1 (SEC 1, section 2.3.3).
    #[error("the group key is not a compressed secp256k1 point")]
    GroupKey,
    /// `change` or `index` has the hardened bit.
    #[error(
        "path {change}/{index}: both numbers must be below 2^31, public keys have no hardened children"
    )]
    Path {
        /// First number.
        change: u32,
        /// Second number.
        index: u32,
    },
    /// BIP 32 and BIP 341 allow it in about one of 2^127 cases: take the next index.
    #[error("path {change}/{index} has no key; take the next index")]
    NoChild {
        /// First number.
        change: u32,
        /// Second number.
        index: u32,
    },
    /// Undecodable, or without its threshold.
    #[error("the public key package is malformed")]
    PublicPackage,
    /// Holder numbers start at 1.
    #[error("0 is not a holder; holders count from 1")]
    NoHolder,
    /// A commitment that does not decode: its sender is to blame.
    #[error("holder {0} sent a malformed commitment")]
    Commitment(u16),
    /// A share that does not decode: its sender is to blame.
    #[error("holder {0} sent a malformed signature share")]
    Share(u16),
    /// Commitments and shares are not from the same holders.
    #[error(
        "commitments are from holders {committed:?} but shares from {shared:?}; both sets must be equal"
    )]
    Holders {
        /// Who committed.
        committed: BTreeSet<u16>,
        /// Who sent shares.
        shared: BTreeSet<u16>,
    },
    /// Not enough for the key.
    #[error("{found} shares, the key needs {needed}")]
    TooFew {
        /// How many there are.
        found: usize,
        /// The threshold.
        needed: u16,
    },
    /// Somebody who is no holder of the key.
    #[error("{0} is not a holder of this key")]
    Stranger(u16),
    /// These holders' shares do not fit their public shares: proven to have cheated, or broken.
    #[error("wrong signature shares from holders {0:?}")]
    Culprits(BTreeSet<u16>),
    /// Every share fits, the sum does not verify: the public package is not this key's.
    #[error("the combined signature does not verify under the output key")]
    Unverified,
    /// The commitments cannot be used together, e.g. one is the point at infinity.
    #[error("these commitments cannot be signed under: {0}")]
    Commitments(String),
}

/// A group key with the public share of each holder: what a ceremony publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPublic {
    package: PublicKeyPackage,
    key: GroupKey,
    threshold: u16,
    holders: BTreeMap<u16, Identifier>,
}

impl GroupPublic {
    /// Reads what a ceremony wrote. Holders have numbers from 1 to 32; where one left, its number is
    /// missing.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrostError> {
        let malformed = FrostError::PublicPackage;
        let package = PublicKeyPackage::deserialize(bytes).map_err(|_any| malformed.clone())?;
        let threshold = package.min_signers().ok_or_else(|| malformed.clone())?;
        let key = package.verifying_key().serialize().map_err(|_any| malformed.clone())?;
        let key = GroupKey::from_bytes(&key)?;
        let count =
            u16::try_from(package.verifying_shares().len()).map_err(|_large| malformed.clone())?;
        let mut holders = BTreeMap::new();
        for number in 1..=MOST_HOLDERS {
            let id = identifier(number)?;
            if package.verifying_shares().contains_key(&id) {
                holders.insert(number, id);
            }
        }
        let complete = holders.len() == usize::from(count);
        let canonical = package.serialize().is_ok_and(|again| again == bytes);
        if threshold < 2 || threshold > count || !complete || !canonical {
            return Err(malformed);
        }
        Ok(Self { package, key, threshold, holders })
    }

    /// The bytes that [`GroupPublic::from_bytes`] reads.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FrostError> {
        self.package.serialize().map_err(|_any| FrostError::PublicPackage)
    }

    /// The group key.
    pub fn key(&self) -> GroupKey {
        self.key
    }

    /// How many shares sign (*t*).
    pub fn threshold(&self) -> u16 {
        self.threshold
    }

    /// The holders' numbers, from 1.
    pub fn holders(&self) -> impl Iterator<Item = u16> + '_ {
        self.holders.keys().copied()
    }

    /// A holder's public share: the point that its secret share is the discrete logarithm of,
    /// compressed.
    pub fn public_share(&self, holder: u16) -> Result<Vec<u8>, FrostError> {
        let id = self.holders.get(&holder).ok_or(FrostError::Stranger(holder))?;
        let share = self.package.verifying_shares().get(id).ok_or(FrostError::Stranger(holder))?;
        share.serialize().map_err(|_any| FrostError::PublicPackage)
    }

    /// Checks one share against its holder's public share.
    ///
    /// [`FrostError::Culprits`] names the holder when it does not fit.
    pub fn verify_share(
        &self,
        path: KeyPath,
        message: &[u8; 32],
        commitments: &ByHolder,
        holder: u16,
        share: &[u8],
    ) -> Result<(), FrostError> {
        let id = *self.holders.get(&holder).ok_or(FrostError::Stranger(holder))?;
        let package = self.tweaked(path, &[holder])?;
        let signing = signing_package(commitments, message)?;
        let share = SignatureShare::deserialize(share).map_err(|_any| FrostError::Share(holder))?;
        let public = package.verifying_shares().get(&id).ok_or(FrostError::Stranger(holder))?;
        frost_core::verify_signature_share(id, public, &share, &signing, package.verifying_key())
            .map_err(|error| self.explain(&error))
    }

    /// Combines the shares of at least *t* holders into a BIP 340 signature of `message` under
    /// `key().child(path).output_key()`, verified before it is returned.
    pub fn combine(
        &self,
        path: KeyPath,
        message: &[u8; 32],
        commitments: &ByHolder,
        shares: &ByHolder,
    ) -> Result<[u8; 64], FrostError> {
        self.same_known_holders(commitments, shares)?;
        let signing = signing_package(commitments, message)?;
        let mut decoded = BTreeMap::new();
        for (holder, share) in shares {
            let share =
                SignatureShare::deserialize(share).map_err(|_any| FrostError::Share(*holder))?;
            decoded.insert(identifier(*holder)?, share);
        }
        let signers: Vec<u16> = shares.keys().copied().collect();
        let signature = frost_core::aggregate_custom(
            &signing,
            &decoded,
            &self.tweaked(path, &signers)?,
            CheaterDetection::AllCheaters,
        )
        .map_err(|error| self.explain(&error))?;
        let bytes: [u8; 64] = signature
            .serialize()
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(FrostError::Unverified)?;
        verify(&self.key.child(path)?.output_key(), message, &bytes)?;
        Ok(bytes)
    }

    /// This package moved to the child at `path` and then by the BIP 86 tweak, with the public shares
    /// of `who` alone: each costs a multiplication.
    fn tweaked(&self, path: KeyPath, who: &[u16]) -> Result<PublicKeyPackage, FrostError> {
        let child = self.key.child(path)?;
        let none = || FrostError::NoChild { change: path.change, index: path.index };
        let mut shares = BTreeMap::new();
        for number in who {
            let id = self.holders.get(number).ok_or(FrostError::Stranger(*number))?;
            shares.insert(*id, self.child_share(path, *number)?);
        }
        let key = frost::VerifyingKey::deserialize(&child.to_bytes()).map_err(|_rare| none())?;
        Ok(PublicKeyPackage::new(shares, key, Some(self.threshold)).tweak(None::<&[u8]>))
    }

    /// A holder's public share, moved to the child at `path` (before the taproot tweak).
    pub fn child_share(&self, path: KeyPath, holder: u16) -> Result<VerifyingShare, FrostError> {
        let distance = self.key.child(path)?.offset();
        let none = || FrostError::NoChild { change: path.change, index: path.index };
        let point = PublicKey::from_slice(&self.public_share(holder)?)
            .map_err(|_any| FrostError::PublicPackage)?;
        let moved = point.add_exp_tweak(&*SECP, &distance).map_err(|_rare| none())?;
        VerifyingShare::deserialize(&moved.serialize()).map_err(|_rare| none())
    }

    fn same_known_holders(
        &self,
        commitments: &ByHolder,
        shares: &ByHolder,
    ) -> Result<(), FrostError> {
        if !commitments.keys().eq(shares.keys()) {
            return Err(FrostError::Holders {
                committed: commitments.keys().copied().collect(),
                shared: shares.keys().copied().collect(),
            });
        }
        if let Some(stranger) = shares.keys().find(|number| !self.holders.contains_key(number)) {
            return Err(FrostError::Stranger(*stranger));
        }
        if shares.len() < usize::from(self.threshold) {
            return Err(FrostError::TooFew { found: shares.len(), needed: self.threshold });
        }
        Ok(())
    }

    fn explain(&self, error: &frost::Error) -> FrostError {
        let culprits = error.culprits();
        if culprits.is_empty() {
            return FrostError::Commitments(error.to_string());
        }
        let named = self.holders.iter().filter(|(_, id)| culprits.contains(id));
        FrostError::Culprits(named.map(|(number, _)| *number).collect())
    }
}

/// The FROST identifier of a holder: its number as a scalar.
pub fn identifier(holder: u16) -> Result<Identifier, FrostError> {
    Identifier::try_from(holder).map_err(|_zero| FrostError::NoHolder)
}

/// What the holders sign together: everyone's commitments and the message.
pub fn signing_package(
    commitments: &ByHolder,
    message: &[u8; 32],
) -> Result<SigningPackage, FrostError> {
    let mut decoded = BTreeMap::new();
    for (holder, commitment) in commitments {
        let commitment = SigningCommitments::deserialize(commitment)
            .map_err(|_any| FrostError::Commitment(*holder))?;
        decoded.insert(identifier(*holder)?, commitment);
    }
    Ok(SigningPackage::new(decoded, message))
}

/// Verifies a BIP 340 signature with libsecp256k1, code that FROST shares nothing with.
pub fn verify(
    output_key: &XOnlyPublicKey,
    message: &[u8; 32],
    signature: &[u8; 64],
) -> Result<(), FrostError> {
    let verified = |signature: Signature| -> Result<(), secp256k1::Error> {
        SECP.verify_schnorr(&signature, &Message::from_digest(*message), output_key)
    };
    Signature::from_slice(signature).and_then(verified).map_err(|_any| FrostError::Unverified)
}

#[cfg(test)]
mod tests;
