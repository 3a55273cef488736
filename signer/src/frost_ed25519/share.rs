//! One holder's share of an Ed25519 key, in memory and sealed on disk. Never replaces a share file, and
//! never opens one under another key, signer or epoch than it was sealed for.

use std::path::Path;

use frost_ed25519::keys::{KeyPackage, PublicKeyPackage};
use strongroom_secrets::{Existing, Sealer, Secret};
use zeroize::Zeroizing;

use super::identifier;
use crate::{
    frost::{ShareError, ShareName},
    threshold::RoundError,
};

/// A share with the public package of its key.
pub struct Ed25519Share {
    name: ShareName,
    holder: u16,
    package: KeyPackage,
    public: PublicKeyPackage,
}

impl Ed25519Share {
    /// Of this holder and key, or nothing.
    pub(super) fn new(
        name: ShareName,
        holder: u16,
        package: KeyPackage,
        public: PublicKeyPackage,
    ) -> Result<Self, RoundError> {
        let id = identifier(holder)?;
        let share = Self { name, holder, package, public };
        let fits = *share.package.identifier() == id
            && share.holders() >= share.threshold()
            && share.public.verifying_shares().get(&id) == Some(share.package.verifying_share())
            && share.package.verifying_key() == share.public.verifying_key()
            && share.public.min_signers() == Some(*share.package.min_signers());
        if fits { Ok(share) } else { Err(RoundError::Own("the share is not the key's".to_owned())) }
    }

    /// Which share this is.
    pub const fn name(&self) -> ShareName {
        self.name
    }

    /// This holder's number, from 1.
    pub const fn holder(&self) -> u16 {
        self.holder
    }

    /// Shares needed to sign.
    pub fn threshold(&self) -> u16 {
        *self.package.min_signers()
    }

    /// Shares that there are.
    pub fn holders(&self) -> u16 {
        u16::try_from(self.public.verifying_shares().len()).unwrap_or(u16::MAX)
    }

    /// Whether `holder` has a share of the key. Numbers may have gaps: who was dropped left one.
    pub fn is_held_by(&self, holder: u16) -> bool {
        identifier(holder).is_ok_and(|id| self.public.verifying_shares().contains_key(&id))
    }

    /// The key (RFC 8032, section 5.1.5).
    pub fn key(&self) -> Result<[u8; 32], RoundError> {
        let own = || RoundError::Own("the key has not 32 bytes".to_owned());
        let bytes = self.public.verifying_key().serialize().map_err(|_any| own())?;
        bytes.try_into().map_err(|_length| own())
    }

    /// What the ceremony publishes: the same for all holders.
    pub fn public_package(&self) -> Result<Vec<u8>, RoundError> {
        self.public.serialize().map_err(|error| RoundError::Own(error.to_string()))
    }

    pub(super) const fn package(&self) -> &KeyPackage {
        &self.package
    }

    pub(super) const fn public(&self) -> &PublicKeyPackage {
        &self.public
    }

    /// Seals the share into `directory`; durable when it returns.
    ///
    /// A crash before this leaves no share: the holder never reports the key, the ceremony fails.
    pub fn store(&self, sealer: &Sealer, directory: &Path) -> Result<(), ShareError> {
        let path = self.name.path(directory);
        let malformed = || ShareError::Malformed { path: path.clone() };
        let package = Zeroizing::new(self.package.serialize().map_err(|_any| malformed())?);
        let length = u32::try_from(package.len()).map_err(|_large| malformed())?;
        let public = self.public_package().map_err(|_any| malformed())?;
        let holder = self.holder.to_be_bytes();
        let parts: [&[u8]; 4] = [&holder, &length.to_be_bytes(), &package, &public];
        let bytes = Zeroizing::new(parts.concat());
        Ok(sealer.seal_file(&path, &context(self.name), &bytes, Existing::Keep)?)
    }

    /// Opens what [`Ed25519Share::store`] wrote.
    pub fn load(sealer: &Sealer, directory: &Path, name: ShareName) -> Result<Self, ShareError> {
        let path = name.path(directory);
        let bytes = sealer.open_file(&path, &context(name))?;
        read(name, &bytes).ok_or(ShareError::Malformed { path })
    }
}

fn read(name: ShareName, bytes: &Secret) -> Option<Ed25519Share> {
    let (holder, rest) = bytes.expose().split_first_chunk::<2>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (package, public) = rest.split_at_checked(length)?;
    let package = KeyPackage::deserialize(package).ok()?;
    let public = PublicKeyPackage::deserialize(public).ok()?;
    Ed25519Share::new(name, u16::from_be_bytes(*holder), package, public).ok()
}

fn context(name: ShareName) -> String {
    let ShareName { key, signer, epoch } = name;
    format!("strongroom/frost-ed25519-share/v1 key:{key} signer:{signer} epoch:{epoch}")
}
