//! Whether a backup's commitment is to the share that the log knows. Never sees a piece.

use bitcoin::secp256k1::PublicKey;
use strongroom_domain::{Bytes, key::Protocol};

use crate::frost::{FrostError, GroupPublic};

/// Why a commitment is not to a holder's share.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommitmentError {
    /// Not a point of the curve.
    #[error("point {0} of the commitment is no compressed point of the key's curve")]
    Point(usize),
    /// To something else.
    #[error("the commitment is to {found}, the public share of holder {holder} is {expected}")]
    OtherShare {
        /// Whose share it should be.
        holder: u16,
        /// Its public share.
        expected: Bytes,
        /// What is committed to.
        found: Bytes,
    },
    /// The key's public package.
    #[error(transparent)]
    Public(#[from] FrostError),
}

/// Checks that a commitment's first point is a holder's public share, and that all are points.
///
/// The public package of a `dkls23-secp256k1/1` or `frost-ed25519/1` key is read by its signers
/// alone: of such a commitment only the form is checked, and the signer's word stands.
pub fn check_commitment(
    protocol: Protocol,
    public_package: &Bytes,
    holder: u16,
    commitment: &[Bytes],
) -> Result<(), CommitmentError> {
    if protocol == Protocol::FrostEd25519 {
        return Ok(());
    }
    for (place, point) in (1..).zip(commitment) {
        PublicKey::from_slice(point.as_slice()).map_err(|_any| CommitmentError::Point(place))?;
    }
    if protocol != Protocol::FrostSecp256k1Tr {
        return Ok(());
    }
    let public = GroupPublic::from_bytes(public_package.as_slice())?;
    let expected = Bytes(public.public_share(holder)?);
    let found = commitment.first().cloned().unwrap_or_default();
    if found == expected {
        return Ok(());
    }
    Err(CommitmentError::OtherShare { holder, expected, found })
}
