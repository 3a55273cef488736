//! What spending such an output weighs at most. Never too little: a fee that falls below its rate
//! would leave the transaction waiting.

use super::{super::WeightUnits, Descriptor, Shape};

/// Outpoint 36, empty script 1, sequence 4; four units each (BIP 141).
const OUTSIDE: u64 = 4 * 41;

/// DER with low s: at most 71 bytes, the sighash byte, and the length before them.
const ECDSA: u64 = 1 + 72;

/// BIP 340 without a sighash byte, and the length before it.
const SCHNORR: u64 = 1 + 64;

/// One leaf, no branches (BIP 341): version and internal key, and the length before them.
const CONTROL: u64 = 1 + 33;

/// One input with *m* signatures.
pub(super) fn input(descriptor: &Descriptor) -> WeightUnits {
    let of = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let (m, n) = (of(descriptor.threshold()), of(descriptor.keys().len()));
    let script = n.saturating_mul(34).saturating_add(match descriptor.shape() {
        // m, n and the operation.
        Shape::P2wsh => 3,
        // m and the comparison.
        Shape::P2tr => 2,
    });
    let length = if script < 0xfd { 1 } else { 3 };
    // The empty element that CHECKMULTISIG takes too much, or that each missing signature leaves.
    let items = match descriptor.shape() {
        Shape::P2wsh => m.saturating_mul(ECDSA).saturating_add(1),
        Shape::P2tr => {
            m.saturating_mul(SCHNORR).saturating_add(n.saturating_sub(m)).saturating_add(CONTROL)
        }
    };
    let count = 1;
    WeightUnits(
        [OUTSIDE, count, items, length, script]
            .iter()
            .fold(0, |sum, part| sum.saturating_add(*part)),
    )
}
