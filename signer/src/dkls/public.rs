//! The public half of a key in shares: what all holders report alike. Never holds a secret.

use dkls23_secp256k1::{
    PublicKeyPackage,
    protocols::{Parameters, PartyIndex},
};
use k256_of_dkls23::elliptic_curve::group::GroupEncoding;
use k256_of_dkls23::{AffinePoint, ProjectivePoint, Scalar, elliptic_curve::ff::Field};

use super::wire::{decode, encode};
use crate::threshold::{MOST_HOLDERS, RoundError};

/// The key, the threshold, and each holder's public share.
pub struct DklsPublic(PublicKeyPackage);

/// A holder's number as the library counts.
pub(super) fn index(holder: u16) -> Result<PartyIndex, RoundError> {
    let small = u8::try_from(holder).ok().and_then(|small| PartyIndex::new(small).ok());
    small.ok_or_else(|| RoundError::Own(format!("{holder} is no holder's number")))
}

/// Threshold and holders as the library counts.
pub(super) fn parameters(threshold: u16, holders: u16) -> Result<Parameters, RoundError> {
    let small = u8::try_from(threshold).ok().zip(u8::try_from(holders).ok());
    let made = small.and_then(|(threshold, holders)| Parameters::new(threshold, holders).ok());
    made.ok_or_else(|| RoundError::Own(format!("{threshold} of {holders} are no parameters")))
}

impl DklsPublic {
    pub(super) const fn new(package: PublicKeyPackage) -> Self {
        Self(package)
    }

    /// Reads what a ceremony wrote: holders numbered 1 to n, each with a share that is a point.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RoundError> {
        let malformed = || RoundError::Own("the public key package is malformed".to_owned());
        let package: PublicKeyPackage = decode(bytes, 0).map_err(|_| malformed())?;
        let public = Self(package);
        let sound = public.holders() <= MOST_HOLDERS
            && !is_identity(public.0.verifying_key())
            && public.points().is_ok_and(|points| points.iter().all(|(_, at)| !is_identity(at)));
        // The count of shares is not otherwise compared with the parameters.
        let exact = PublicKeyPackage::new(
            *public.0.verifying_key(),
            public.points()?.into_iter().collect(),
            parameters(public.threshold(), public.holders())?,
        );
        if sound && encode(&exact)? == bytes { Ok(public) } else { Err(malformed()) }
    }

    /// The same for all holders.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RoundError> {
        encode(&self.0)
    }

    /// The key: a compressed point (SEC 1, section 2.3.3).
    pub fn key(&self) -> [u8; 33] {
        compressed(self.0.verifying_key())
    }

    /// Shares needed to sign.
    pub fn threshold(&self) -> u16 {
        self.0.threshold().into()
    }

    /// Shares that there are.
    pub fn holders(&self) -> u16 {
        self.0.share_count().into()
    }

    pub(super) const fn package(&self) -> &PublicKeyPackage {
        &self.0
    }

    fn points(&self) -> Result<Vec<(PartyIndex, AffinePoint)>, RoundError> {
        let missing = || RoundError::Own("the public key package lacks a holder".to_owned());
        (1..=self.holders())
            .map(|holder| {
                let index = index(holder)?;
                Ok((index, *self.0.verifying_share(index).ok_or_else(missing)?))
            })
            .collect()
    }

    /// The same key with another number of holders: the last ones left out, or the next ones' public
    /// shares worked out from the others'. Their secret shares are on the same polynomial.
    pub(super) fn resized(&self, holders: u16) -> Result<Self, RoundError> {
        let first: Vec<_> = self.points()?.into_iter().take(self.0.threshold().into()).collect();
        let mut shares: std::collections::BTreeMap<_, _> =
            self.points()?.into_iter().take(holders.into()).collect();
        for holder in self.holders().saturating_add(1)..=holders {
            let index = index(holder)?;
            shares.insert(index, evaluate(&first, index)?);
        }
        let parameters = parameters(self.threshold(), holders)?;
        Ok(Self(PublicKeyPackage::new(*self.0.verifying_key(), shares, parameters)))
    }
}

pub(super) fn compressed(point: &AffinePoint) -> [u8; 33] {
    let mut bytes = [0; 33];
    bytes.copy_from_slice(GroupEncoding::to_bytes(point).as_ref());
    bytes
}

fn is_identity(point: &AffinePoint) -> bool {
    *point == AffinePoint::IDENTITY
}

/// The polynomial in the exponent at `place` (Lagrange).
fn evaluate(
    points: &[(PartyIndex, AffinePoint)],
    place: PartyIndex,
) -> Result<AffinePoint, RoundError> {
    let scalar = |index: PartyIndex| Scalar::from(u64::from(index.as_u8()));
    let mut sum = ProjectivePoint::IDENTITY;
    for (mine, point) in points {
        let (mut above, mut below) = (Scalar::ONE, Scalar::ONE);
        for (other, _) in points.iter().filter(|(other, _)| other != mine) {
            above *= scalar(place) - scalar(*other);
            below *= scalar(*mine) - scalar(*other);
        }
        let below: Option<Scalar> = Field::invert(&below).into();
        let below = below.ok_or_else(|| RoundError::Own("two holders of one number".to_owned()))?;
        sum += *point * (above * below);
    }
    Ok(sum.to_affine())
}
