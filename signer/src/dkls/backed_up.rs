//! An ECDSA share's secret for its backup. The share is more than this scalar: what it has agreed on with each
//! other holder is in no backup, so nothing ever makes a share of the secret alone.

use k256_of_dkls23::{ProjectivePoint, Scalar, elliptic_curve::PrimeField};
use strongroom_secrets::Secret;
use zeroize::Zeroizing;

use super::{
    DklsPublic, DklsShare,
    public::{compressed, index},
};
use crate::threshold::RoundError;

impl DklsShare {
    /// The secret scalar (32 bytes, big-endian) and its public share (33 bytes).
    pub(crate) fn to_back_up(&self) -> (Secret, Vec<u8>) {
        let scalar = self.party().poly_point;
        let point = (ProjectivePoint::GENERATOR * scalar).to_affine();
        (Secret::new(scalar.to_repr().to_vec()), compressed(&point).to_vec())
    }
}

/// The scalar of holder `holder`: the one of its public share, or none.
pub(crate) fn scalar_of(
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
