//! An ECDSA share's secret for its backup, and as it was restored. The share is more than this scalar: what
//! it has agreed on with each other holder is in no backup, so what is restored signs nothing, ever: it
//! takes part in a change that makes all shares new.

use std::path::Path;

use k256_of_dkls23::{ProjectivePoint, Scalar, elliptic_curve::PrimeField};
use strongroom_secrets::{Existing, Sealer, Secret};
use zeroize::Zeroizing;

use super::{
    DklsPublic, DklsShare,
    public::{compressed, index},
};
use crate::{
    frost::{ShareError, ShareName},
    threshold::RoundError,
};

impl DklsShare {
    /// The secret scalar (32 bytes, big-endian) and its public share (33 bytes).
    pub(crate) fn to_back_up(&self) -> (Secret, Vec<u8>) {
        let scalar = self.party().poly_point;
        let point = (ProjectivePoint::GENERATOR * scalar).to_affine();
        (Secret::new(scalar.to_repr().to_vec()), compressed(&point).to_vec())
    }
}

/// The scalar of holder `holder`: the one of its public share, or none.
pub(super) fn scalar_of(
    public: &DklsPublic,
    holder: u16,
    secret: &Secret,
) -> Result<Zeroizing<Scalar>, RoundError> {
    let wrong = || RoundError::Own("the secret is not the one of its public share".to_owned());
    let bytes: [u8; 32] = secret.expose().try_into().map_err(|_length| wrong())?;
    let bytes = Zeroizing::new(bytes);
    let scalar: Option<Scalar> = Scalar::from_repr((*bytes).into()).into();
    let scalar = Zeroizing::new(scalar.ok_or_else(wrong)?);
    let point = (ProjectivePoint::GENERATOR * *scalar).to_affine();
    if public.package().verify_share(index(holder)?, &point) { Ok(scalar) } else { Err(wrong()) }
}

/// A share's secret, restored from officers' pieces. It stands where the share was, under a name of its
/// own: nothing takes it for a share.
pub struct RestoredDkls {
    secret: Secret,
}

impl RestoredDkls {
    /// Of holder `holder`, whose public share is in `package`.
    pub fn new(holder: u16, secret: Secret, package: &[u8]) -> Result<Self, RoundError> {
        let public = DklsPublic::from_bytes(package)?;
        scalar_of(&public, holder, &secret).map(|_fits| Self { secret })
    }

    /// The scalar (32 bytes, big-endian).
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Seals it into `directory`; durable when it returns. A crash before this leaves nothing.
    pub fn store(
        &self,
        (sealer, directory): (&Sealer, &Path),
        name: ShareName,
    ) -> Result<(), ShareError> {
        let (path, bytes) = (name.path(directory), self.secret.expose());
        Ok(sealer.seal_file(&path, &context(name), bytes, Existing::Keep)?)
    }

    /// Opens what [`RestoredDkls::store`] wrote, or takes the secret of a share that was never lost.
    pub fn load(
        (sealer, directory): (&Sealer, &Path),
        name: ShareName,
    ) -> Result<Self, ShareError> {
        let opened = sealer.open_file(&name.path(directory), &context(name));
        match opened {
            Ok(secret) => Ok(Self { secret }),
            Err(error) if error.is_unavailable() => Err(error.into()),
            Err(_other) => {
                let whole = DklsShare::load(sealer, directory, name)?;
                Ok(Self { secret: whole.to_back_up().0 })
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
    format!("strongroom/dkls23-restored/v1 key:{key} signer:{signer} epoch:{epoch}")
}
