//! An Ed25519 share's secret for its backup, and a share made from it again. Never takes a scalar that
//! is not the one of the public share in the key's public package.

use frost_ed25519::keys::{KeyPackage, PublicKeyPackage, SigningShare, VerifyingShare};
use strongroom_secrets::Secret;

use super::{Ed25519Share, identifier};
use crate::{frost::ShareName, threshold::RoundError};

impl Ed25519Share {
    /// The secret scalar (32 bytes, little-endian) and its public share (32 bytes).
    pub(crate) fn to_back_up(&self) -> Result<(Secret, Vec<u8>), RoundError> {
        let damaged = |error: frost_ed25519::Error| RoundError::Own(error.to_string());
        let scalar = Secret::new(self.package().signing_share().serialize());
        Ok((scalar, self.package().verifying_share().serialize().map_err(damaged)?))
    }

    /// The share of holder `holder`, from its scalar and what the log says of the key.
    pub fn from_backup(
        name: ShareName,
        holder: u16,
        scalar: &Secret,
        package: &[u8],
    ) -> Result<Self, RoundError> {
        let damaged = |error: frost_ed25519::Error| RoundError::Own(error.to_string());
        let public = PublicKeyPackage::deserialize(package).map_err(damaged)?;
        let threshold = public.min_signers();
        let threshold = threshold.ok_or_else(|| RoundError::Own("no threshold".to_owned()))?;
        let share = SigningShare::deserialize(scalar.expose()).map_err(damaged)?;
        let point = VerifyingShare::from(share);
        let key = *public.verifying_key();
        let own = KeyPackage::new(identifier(holder)?, share, point, key, threshold);
        // It compares the point with the public share that the log has.
        Self::new(name, holder, own, public)
    }
}
