//! Lagrange interpolation in the exponent, for any suite of FROST. Only public points are ever here.

use std::collections::{BTreeMap, BTreeSet};

use frost_core::{
    Ciphersuite, Field, Group,
    keys::{CoefficientCommitment, VerifyingShare, dkg::round1},
};

use super::change::failed;

use crate::threshold::RoundError;

/// A point.
pub(super) type Element<C> = <<C as Ciphersuite>::Group as Group>::Element;
/// A scalar.
pub(super) type Scalar<C> = <<<C as Ciphersuite>::Group as Group>::Field as Field>::Scalar;

/// A holder's number as a scalar.
pub(super) fn small<C: Ciphersuite>(number: u16) -> Scalar<C> {
    let (zero, one) = (<C::Group as Group>::Field::zero(), <C::Group as Group>::Field::one());
    (0..16).rev().fold(zero, |sum, bit| {
        let twice = sum + sum;
        if (number >> bit) & 1 == 1 { twice + one } else { twice }
    })
}

/// How much `holder`'s value weighs, at `x`, among those of `all`.
pub(super) fn basis<C: Ciphersuite>(
    all: &BTreeSet<u16>,
    holder: u16,
    x: Scalar<C>,
) -> Result<Scalar<C>, RoundError> {
    let own = small::<C>(holder);
    let one = <C::Group as Group>::Field::one();
    let (mut above, mut below) = (one, one);
    for other in all.iter().filter(|number| **number != holder) {
        let other = small::<C>(*other);
        above = above * (x - other);
        below = below * (own - other);
    }
    let inverse = <C::Group as Group>::Field::invert(&below);
    let inverse = inverse.map_err(|_zero| RoundError::Change("a holder counts twice"))?;
    Ok(above * inverse)
}

/// The value at `x` of the polynomial that has these, times the generator.
pub(super) fn interpolate<C: Ciphersuite>(
    values: &BTreeMap<u16, Element<C>>,
    x: Scalar<C>,
) -> Result<Element<C>, RoundError> {
    let all: BTreeSet<u16> = values.keys().copied().collect();
    let mut sum = C::Group::identity();
    for (holder, value) in values {
        sum = sum + *value * basis::<C>(&all, *holder, x)?;
    }
    Ok(sum)
}

/// As [`interpolate`], at zero: the key.
pub(super) fn at_zero<C: Ciphersuite>(
    values: &BTreeMap<u16, Element<C>>,
) -> Result<Element<C>, RoundError> {
    interpolate::<C>(values, <C::Group as Group>::Field::zero())
}

/// A point's bytes.
pub(super) fn encode<C: Ciphersuite>(point: &Element<C>) -> Result<Vec<u8>, RoundError> {
    C::Group::serialize(point)
        .map(|bytes| bytes.as_ref().to_vec())
        .map_err(|_identity| RoundError::Failed("a point at infinity".to_owned()))
}

pub(super) fn element<C: Ciphersuite>(share: &VerifyingShare<C>) -> Result<Element<C>, RoundError> {
    let bytes = share.serialize().map_err(|error| failed(&error))?;
    // A commitment is a point like any other: this is how one is read.
    CoefficientCommitment::<C>::deserialize(&bytes)
        .map(|point| point.value())
        .map_err(|error| failed(&error))
}

/// What a holder should have been dealt, times the generator: the committed polynomial, which is zero
/// at zero, at its number.
pub(super) fn evaluate<C: Ciphersuite>(
    package: &round1::Package<C>,
    at: u16,
) -> Result<Element<C>, RoundError> {
    let (x, mut power, mut sum) = (small::<C>(at), small::<C>(at), C::Group::identity());
    for bytes in package.commitment().serialize().map_err(|error| failed(&error))? {
        let point =
            CoefficientCommitment::<C>::deserialize(&bytes).map_err(|error| failed(&error))?;
        sum = sum + point.value() * power;
        power = power * x;
    }
    Ok(sum)
}

pub(super) fn times_generator<C: Ciphersuite>(scalar: &[u8]) -> Result<Element<C>, RoundError> {
    let wrong = || RoundError::Failed("not a scalar".to_owned());
    let bytes = scalar.try_into().map_err(|_length| wrong())?;
    let scalar = <C::Group as Group>::Field::deserialize(&bytes).map_err(|_range| wrong())?;
    Ok(C::Group::generator() * scalar)
}

/// Points one behind the other, all of the length of the generator's.
pub(super) fn points<C: Ciphersuite>(bytes: &[u8]) -> Option<Vec<Element<C>>> {
    let length = C::Group::serialize(&C::Group::generator()).ok()?.as_ref().len();
    let chunks = bytes.chunks_exact(length);
    if !chunks.remainder().is_empty() {
        return None;
    }
    let read = |bytes: &[u8]| C::Group::deserialize(&bytes.try_into().ok()?).ok();
    chunks.map(read).collect()
}
