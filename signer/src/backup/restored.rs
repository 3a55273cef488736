//! A share's secret, as officers' pieces gave it back. It stands where the share was, sealed for another use, so
//! that nothing takes it for a share. It never signs: it takes part in a change that makes all shares new, and
//! what this signer had sworn off and may have forgotten with its disk stays unsigned.

use std::path::Path;

use strongroom_chains::frost::{FrostError, GroupPublic};
use strongroom_domain::key::Protocol;
use strongroom_secrets::{Existing, Sealer, Secret};

use super::{BackupError, HeldShare, HeldShareError};
use crate::{
    dkls::{DklsPublic, scalar_of},
    frost::{KeyShare, ShareError, ShareName},
    frost_ed25519::Ed25519Share,
    threshold::RoundError,
};

/// Why nothing is restored, or what was can't be read.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file, or a key that is not in shares.
    #[error(transparent)]
    Held(#[from] HeldShareError),
    /// Not the secret of the public share that the log has.
    #[error(transparent)]
    Round(#[from] RoundError),
    /// The log's public package.
    #[error(transparent)]
    Public(#[from] FrostError),
}

/// The secret of a share of a key that is in shares.
pub struct RestoredShare {
    secret: Secret,
}

impl From<ShareError> for RestoreError {
    fn from(error: ShareError) -> Self {
        Self::Held(error.into())
    }
}

impl RestoredShare {
    /// Of holder `holder`, whose public share is in the key's public package.
    pub fn new(
        (protocol, package): (Protocol, &[u8]),
        (name, holder): (ShareName, u16),
        secret: Secret,
    ) -> Result<Self, RestoreError> {
        match protocol {
            Protocol::FrostSecp256k1Tr => {
                let public = GroupPublic::from_bytes(package)?;
                let _fits = KeyShare::from_backup(name, holder, &secret, public)?;
            }
            Protocol::FrostEd25519 => {
                let _fits = Ed25519Share::from_backup(name, holder, &secret, package)?;
            }
            Protocol::Dkls23Secp256k1 => {
                let _fits = scalar_of(&DklsPublic::from_bytes(package)?, holder, &secret)?;
            }
            other @ (Protocol::Pkcs11Secp256k1
            | Protocol::Pkcs11P256
            | Protocol::Pkcs11Ed25519
            | Protocol::Pkcs11Rsa2048
            | Protocol::VaultEd25519
            | Protocol::MultisigP2wsh
            | Protocol::MultisigP2tr) => {
                return Err(HeldShareError::from(BackupError::Protocol(other)).into());
            }
        }
        Ok(Self { secret })
    }

    /// The scalar, as the protocol's backups have it.
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Seals it into `directory`; durable when it returns. A crash before this leaves nothing.
    pub fn store(
        &self,
        (sealer, directory): (&Sealer, &Path),
        name: ShareName,
    ) -> Result<(), RestoreError> {
        let (path, bytes) = (name.path(directory), self.secret.expose());
        Ok(sealer
            .seal_file(&path, &context(name), bytes, Existing::Keep)
            .map_err(ShareError::from)?)
    }

    /// Opens what [`RestoredShare::store`] wrote, or takes the secret of a share that was never lost.
    pub fn load(
        (sealer, directory): (&Sealer, &Path),
        name: ShareName,
        protocol: Protocol,
    ) -> Result<Self, RestoreError> {
        let opened = sealer.open_file(&name.path(directory), &context(name));
        match opened {
            Ok(secret) => Ok(Self { secret }),
            Err(error) if error.is_unavailable() => Err(ShareError::from(error).into()),
            Err(_other) => {
                let whole = HeldShare::open(sealer, directory, name, protocol)?;
                Ok(Self { secret: whole.into_scalar() })
            }
        }
    }

    /// Whether what stands in the place of a share is no more than its secret.
    pub fn stands_in((sealer, directory): (&Sealer, &Path), name: ShareName) -> bool {
        sealer.open_file(&name.path(directory), &context(name)).is_ok()
    }
}

fn context(name: ShareName) -> String {
    let ShareName { key, signer, epoch } = name;
    format!("strongroom/restored-share/v1 key:{key} signer:{signer} epoch:{epoch}")
}
