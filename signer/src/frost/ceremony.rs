//! Distributed key generation: three steps, after which each holder has a share of a key that never
//! existed anywhere. Its secrets are never written to disk before there is a share.
//!
//! So a restart in the middle aborts the ceremony: the server starts another with a fresh id, and
//! nothing of the old one can be used. What each holder published in round one must be the same for
//! all: the caller takes those packages from the log, which is the broadcast channel.

use std::collections::{BTreeMap, BTreeSet};

use frost_secp256k1_tr::{self as frost, keys::dkg};
use rand::rngs::OsRng;
use strongroom_chains::frost::{ByHolder, FrostError, GroupPublic, identifier};
use strongroom_secrets::Secret;
use thiserror::Error;

use super::{KeyShare, ShareName};

/// More holders than any charter names; bounds the work that one ceremony can ask for.
const MOST_HOLDERS: u16 = 32;

/// Why a ceremony cannot go on. All are final: a cryptographic abort is never retried as it is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CeremonyError {
    /// Not `2 <= threshold <= holders <= 32` and `1 <= holder <= holders`.
    #[error(
        "holder {holder} of {threshold}-of-{holders} is no ceremony: \
         it takes 2 <= threshold <= holders <= {MOST_HOLDERS} and 1 <= holder <= holders"
    )]
    Parameters {
        /// This signer's number.
        holder: u16,
        /// Shares needed to sign.
        threshold: u16,
        /// Shares there will be.
        holders: u16,
    },
    /// Messages are missing, or there are some from strangers.
    #[error("messages came from holders {found:?}, but must come from {wanted:?}")]
    Senders {
        /// Who sent something.
        found: BTreeSet<u16>,
        /// Who should have.
        wanted: BTreeSet<u16>,
    },
    /// What the log shows as this holder's first message is not what it sent.
    #[error("the log shows another round one message of this holder than it sent")]
    NotMine,
    /// Bytes that do not decode: their sender is to blame.
    #[error("holder {0} sent a malformed message")]
    Malformed(u16),
    /// A proof or a share that does not hold: its sender cheated or is broken.
    #[error("wrong proofs or shares from holders {0:?}")]
    Culprits(BTreeSet<u16>),
    /// The library refused for a reason that blames nobody.
    #[error("the ceremony failed: {0}")]
    Failed(String),
    /// The public result is unusable.
    #[error(transparent)]
    Public(#[from] FrostError),
}

/// Who this signer is in a ceremony: the same for all holders but for the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceremony {
    holder: u16,
    threshold: u16,
    holders: u16,
}

/// After step one: has published its commitments, waits for everyone's.
pub struct Dealing {
    ceremony: Ceremony,
    secret: dkg::round1::SecretPackage,
    published: Vec<u8>,
}

/// After step two: has dealt its secret shares, waits for those of the others.
pub struct Exchange {
    ceremony: Ceremony,
    secret: dkg::round2::SecretPackage,
    others: BTreeMap<frost::Identifier, dkg::round1::Package>,
}

impl Ceremony {
    /// `holder` counts from 1 in the charter's order of the key's holders.
    pub fn new(holder: u16, threshold: u16, holders: u16) -> Result<Self, CeremonyError> {
        let sound = (2..=holders).contains(&threshold)
            && (1..=holders).contains(&holder)
            && holders <= MOST_HOLDERS;
        if !sound {
            return Err(CeremonyError::Parameters { holder, threshold, holders });
        }
        Ok(Self { holder, threshold, holders })
    }

    /// Step one. The bytes are public and go into the log.
    pub fn begin(self) -> Result<(Dealing, Vec<u8>), CeremonyError> {
        let id = identifier(self.holder)?;
        let (secret, package) = dkg::part1(id, self.holders, self.threshold, OsRng)
            .map_err(|error| self.explain(&error))?;
        let published = package.serialize().map_err(|error| self.explain(&error))?;
        Ok((Dealing { ceremony: self, secret, published: published.clone() }, published))
    }

    fn senders<T>(self, messages: &BTreeMap<u16, T>, own: bool) -> Result<(), CeremonyError> {
        let wanted: BTreeSet<u16> =
            (1..=self.holders).filter(|number| own || *number != self.holder).collect();
        let found: BTreeSet<u16> = messages.keys().copied().collect();
        if found == wanted { Ok(()) } else { Err(CeremonyError::Senders { found, wanted }) }
    }

    fn explain(self, error: &frost::Error) -> CeremonyError {
        let culprits = error.culprits();
        let named: BTreeSet<u16> = (1..=self.holders)
            .filter(|number| identifier(*number).is_ok_and(|id| culprits.contains(&id)))
            .collect();
        if named.is_empty() {
            CeremonyError::Failed(error.to_string())
        } else {
            CeremonyError::Culprits(named)
        }
    }
}

impl Dealing {
    /// Step two, with everyone's public message from the log, this holder's own among them.
    ///
    /// What comes back is secret, one for each other holder: seal each for its receiver. Asked again
    /// after a lost answer, it gives the same.
    pub fn exchange(
        &self,
        published: &ByHolder,
    ) -> Result<(Exchange, BTreeMap<u16, Secret>), CeremonyError> {
        let ceremony = self.ceremony;
        ceremony.senders(published, true)?;
        if published.get(&ceremony.holder) != Some(&self.published) {
            return Err(CeremonyError::NotMine);
        }
        let mut others = BTreeMap::new();
        for (number, bytes) in published.iter().filter(|(number, _)| **number != ceremony.holder) {
            let package = dkg::round1::Package::deserialize(bytes)
                .map_err(|_any| CeremonyError::Malformed(*number))?;
            others.insert(identifier(*number)?, package);
        }
        let (secret, mut dealt) =
            dkg::part2(self.secret.clone(), &others).map_err(|error| ceremony.explain(&error))?;
        let mut messages = BTreeMap::new();
        for number in (1..=ceremony.holders).filter(|number| *number != ceremony.holder) {
            let package = dealt
                .remove(&identifier(number)?)
                .ok_or_else(|| CeremonyError::Failed(format!("nothing was dealt to {number}")))?;
            let bytes = package.serialize().map_err(|error| ceremony.explain(&error))?;
            messages.insert(number, Secret::new(bytes));
        }
        Ok((Exchange { ceremony, secret, others }, messages))
    }
}

impl Exchange {
    /// Step three, with the secret message of each other holder.
    ///
    /// The key is real only when every holder has reported the same public package.
    pub fn finish(
        &self,
        name: ShareName,
        dealt: &BTreeMap<u16, Secret>,
    ) -> Result<KeyShare, CeremonyError> {
        let ceremony = self.ceremony;
        ceremony.senders(dealt, false)?;
        let mut packages = BTreeMap::new();
        for (number, bytes) in dealt {
            let package = dkg::round2::Package::deserialize(bytes.expose())
                .map_err(|_any| CeremonyError::Malformed(*number))?;
            packages.insert(identifier(*number)?, package);
        }
        let (package, public) = dkg::part3(&self.secret, &self.others, &packages)
            .map_err(|error| ceremony.explain(&error))?;
        let public = public.serialize().map_err(|error| ceremony.explain(&error))?;
        let public = GroupPublic::from_bytes(&public)?;
        Ok(KeyShare::new(name, ceremony.holder, package, public))
    }
}
