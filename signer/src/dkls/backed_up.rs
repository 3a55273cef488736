//! An ECDSA share's secret for its backup. The share is more than this scalar: what it has agreed on with
//! each other holder is in no backup, so what is restored has to be refreshed before it signs.

use k256_of_dkls23::{ProjectivePoint, elliptic_curve::PrimeField};
use strongroom_secrets::Secret;

use super::{DklsShare, public::compressed};

impl DklsShare {
    /// The secret scalar (32 bytes, big-endian) and its public share (33 bytes).
    pub(crate) fn to_back_up(&self) -> (Secret, Vec<u8>) {
        let scalar = self.party().poly_point;
        let point = (ProjectivePoint::GENERATOR * scalar).to_affine();
        (Secret::new(scalar.to_repr().to_vec()), compressed(&point).to_vec())
    }
}
