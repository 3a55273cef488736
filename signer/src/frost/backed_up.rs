//! A share's secret for its backup, and a share made from it again. Never takes a scalar that is not
//! the one of the public share in the key's public package.

use frost_secp256k1_tr::keys::{KeyPackage, SigningShare, VerifyingShare};
use strongroom_chains::frost::{GroupPublic, identifier};
use strongroom_secrets::Secret;

use super::{KeyShare, ShareError, ShareName};

impl KeyShare {
    /// The secret scalar (32 bytes, big-endian) and its public share (33 bytes).
    pub(crate) fn to_back_up(&self) -> Result<(Secret, Vec<u8>), ShareError> {
        let scalar = Secret::new(self.package().signing_share().serialize());
        let public = self.public().public_share(self.holder())?;
        Ok((scalar, public))
    }

    /// The share of holder `holder`, from its scalar and what the log says of the key.
    pub fn from_backup(
        name: ShareName,
        holder: u16,
        scalar: &Secret,
        public: GroupPublic,
    ) -> Result<Self, ShareError> {
        let malformed = || ShareError::Malformed { path: name.path("".as_ref()) };
        let share = SigningShare::deserialize(scalar.expose()).map_err(|_any| malformed())?;
        let point = VerifyingShare::from(share);
        let own = point.serialize().map_err(|_any| malformed())?;
        if own != public.public_share(holder)? {
            return Err(malformed());
        }
        let key = frost_secp256k1_tr::VerifyingKey::deserialize(&public.key().to_bytes())
            .map_err(|_any| malformed())?;
        let package = KeyPackage::new(identifier(holder)?, share, point, key, public.threshold());
        Ok(Self::new(name, holder, package, public))
    }
}
