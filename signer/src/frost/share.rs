//! One holder's share of a key, in memory and sealed on disk. Never replaces a share file, and never
//! opens one under another key, signer or epoch than it was sealed for.

use std::path::{Path, PathBuf};

use frost_secp256k1_tr::keys::KeyPackage;
use strongroom_chains::frost::{FrostError, GroupPublic, identifier};
use strongroom_secrets::{Existing, SealError, Sealer};
use thiserror::Error;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Which share: FROST's packages carry no version, so the epoch (1, then +1 by each refresh) is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShareName {
    /// The key.
    pub key: Uuid,
    /// The signer that holds the share.
    pub signer: Uuid,
    /// Counts the refreshes of the key, from 1.
    pub epoch: u32,
}

/// Why a share was not stored or read.
#[derive(Debug, Error)]
pub enum ShareError {
    /// The sealed file.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It opens, but what is inside is no share. Not a wrong passphrase: damage or a bug.
    #[error("the share file {} opens but holds no key share", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The public package beside the share.
    #[error(transparent)]
    Public(#[from] FrostError),
}

/// A share with the public package of its key.
pub struct KeyShare {
    name: ShareName,
    holder: u16,
    package: KeyPackage,
    public: GroupPublic,
}

impl ShareName {
    /// The share's file in a signer's data directory.
    pub fn path(&self, directory: &Path) -> PathBuf {
        directory.join(format!("share-{}-{}.sealed", self.key, self.epoch))
    }

    pub(crate) fn context(&self) -> String {
        let Self { key, signer, epoch } = self;
        format!("strongroom/frost-share/v1 key:{key} signer:{signer} epoch:{epoch}")
    }
}

impl KeyShare {
    pub(super) fn new(
        name: ShareName,
        holder: u16,
        package: KeyPackage,
        public: GroupPublic,
    ) -> Self {
        Self { name, holder, package, public }
    }

    /// Which share this is.
    pub fn name(&self) -> ShareName {
        self.name
    }

    /// This holder's number, from 1.
    pub fn holder(&self) -> u16 {
        self.holder
    }

    /// What the ceremony publishes: the same for all holders.
    pub fn public(&self) -> &GroupPublic {
        &self.public
    }

    pub(super) fn package(&self) -> &KeyPackage {
        &self.package
    }

    /// Seals the share into `directory`; durable when it returns.
    ///
    /// A crash before this leaves no share: the holder never reports the key, the ceremony fails.
    pub fn store(&self, sealer: &Sealer, directory: &Path) -> Result<(), ShareError> {
        let path = self.name.path(directory);
        let malformed = || ShareError::Malformed { path: path.clone() };
        let package = Zeroizing::new(self.package.serialize().map_err(|_any| malformed())?);
        let length = u32::try_from(package.len()).map_err(|_large| malformed())?;
        let public = self.public.to_bytes()?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(
            package.len().saturating_add(public.len()).saturating_add(6),
        ));
        bytes.extend_from_slice(&self.holder.to_be_bytes());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&package);
        bytes.extend_from_slice(&public);
        Ok(sealer.seal_file(&path, &self.name.context(), &bytes, Existing::Keep)?)
    }

    /// Opens what [`KeyShare::store`] wrote.
    pub fn load(sealer: &Sealer, directory: &Path, name: ShareName) -> Result<Self, ShareError> {
        let path = name.path(directory);
        let bytes = sealer.open_file(&path, &name.context())?;
        let parts = || {
            let (holder, rest) = bytes.expose().split_first_chunk::<2>()?;
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (package, public) = rest.split_at_checked(length)?;
            let package = KeyPackage::deserialize(package).ok()?;
            Some((u16::from_be_bytes(*holder), package, GroupPublic::from_bytes(public).ok()?))
        };
        let malformed = || ShareError::Malformed { path: path.clone() };
        let (holder, package, public) = parts().ok_or_else(malformed)?;
        let fits = identifier(holder)? == *package.identifier()
            && public.holders().any(|number| number == holder)
            && *package.min_signers() == public.threshold()
            && package.verifying_key().serialize().ok().as_deref()
                == Some(public.key().to_bytes().as_slice());
        if fits { Ok(Self { name, holder, package, public }) } else { Err(malformed()) }
    }
}
