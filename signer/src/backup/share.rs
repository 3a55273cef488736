//! A share of any protocol, as far as a backup is concerned: one secret scalar and its public point.
//! Never lets the scalar out of this crate.

use std::path::Path;

use strongroom_domain::key::Protocol;
use strongroom_secrets::{Sealer, Secret};

use crate::{
    dkls::DklsShare,
    frost::{KeyShare, ShareError, ShareName},
    frost_ed25519::Ed25519Share,
};

use super::BackupError;

/// What this signer holds of a key.
pub struct HeldShare {
    /// Its number among the holders.
    pub holder: u16,
    /// What its secret is the discrete logarithm of.
    pub public: Vec<u8>,
    scalar: Secret,
}

/// Why the share can't be read.
#[derive(Debug, thiserror::Error)]
pub enum HeldShareError {
    /// No share of such a key can be split.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The file.
    #[error(transparent)]
    Share(#[from] ShareError),
}

impl HeldShare {
    /// Opens the share of the epoch that is in use.
    pub fn open(
        sealer: &Sealer,
        directory: &Path,
        name: ShareName,
        protocol: Protocol,
    ) -> Result<Self, HeldShareError> {
        match protocol {
            Protocol::FrostSecp256k1Tr => {
                let share = KeyShare::load(sealer, directory, name)?;
                let (scalar, public) = share.to_back_up()?;
                Ok(Self { holder: share.holder(), public, scalar })
            }
            Protocol::Dkls23Secp256k1 => {
                let share = DklsShare::load(sealer, directory, name)?;
                let (scalar, public) = share.to_back_up();
                Ok(Self { holder: share.holder(), public, scalar })
            }
            Protocol::FrostEd25519 => {
                let malformed = |_any| ShareError::Malformed { path: name.path(directory) };
                let share = Ed25519Share::load(sealer, directory, name)?;
                let (scalar, public) = share.to_back_up().map_err(malformed)?;
                Ok(Self { holder: share.holder(), public, scalar })
            }
            other @ (Protocol::Pkcs11Secp256k1
            | Protocol::Pkcs11P256
            | Protocol::Pkcs11Ed25519
            | Protocol::Pkcs11Rsa2048
            | Protocol::VaultEd25519
            | Protocol::MultisigP2wsh
            | Protocol::MultisigP2tr) => Err(BackupError::Protocol(other).into()),
        }
    }

    /// The secret.
    pub fn scalar(&self) -> &Secret {
        &self.scalar
    }

    pub(super) fn into_scalar(self) -> Secret {
        self.scalar
    }
}
