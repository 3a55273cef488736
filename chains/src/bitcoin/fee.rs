//! Weights and fees of the transactions that we make: taproot key-path inputs, standard outputs.
//! Always exact, and always rounded so that the fee does not fall below its rate.

use super::{Chain, SatPerKvb};
use bitcoin::Script;

/// Weight of a transaction (BIP 141): four per byte outside the witness, one per byte inside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct WeightUnits(pub u64);

/// A taproot key-path input: 41 bytes (outpoint 36, empty script 1, sequence 4), and in the
/// witness one item of 64 bytes with two length bytes (BIP 341, default sighash).
pub const KEY_PATH_INPUT: WeightUnits = WeightUnits(4 * 41 + 66);

/// A taproot output: amount 8, length 1, script 34.
pub(super) const TAPROOT_OUTPUT: WeightUnits = WeightUnits(4 * 43);

/// Length of a taproot script, which change always goes to.
pub(super) const CHANGE_SCRIPT: usize = 34;

/// The most that nodes relay: Core's `MAX_STANDARD_TX_WEIGHT`.
pub(super) const MAX_STANDARD: WeightUnits = WeightUnits(400_000);

/// The weight of a transaction with `inputs` key-path inputs and outputs with scripts of these
/// lengths.
pub fn weight(inputs: usize, output_scripts: &[usize]) -> Option<WeightUnits> {
    weight_with(KEY_PATH_INPUT, inputs, output_scripts)
}

/// The same with inputs of this weight each.
pub(super) fn weight_with(
    input: WeightUnits,
    inputs: usize,
    output_scripts: &[usize],
) -> Option<WeightUnits> {
    let counts = compact_size(inputs).checked_add(compact_size(output_scripts.len()))?;
    // Version and lock time are 4 bytes each; segwit's marker and flag count as witness.
    let mut total = 8u64.checked_add(counts)?.checked_mul(4)?.checked_add(2)?;
    total = u64::try_from(inputs).ok()?.checked_mul(input.0)?.checked_add(total)?;
    for script in output_scripts {
        total = total.checked_add(output_weight(*script)?)?;
    }
    Some(WeightUnits(total))
}

pub(super) fn output_weight(script: usize) -> Option<u64> {
    let bytes = u64::try_from(script).ok()?.checked_add(8)?.checked_add(compact_size(script))?;
    bytes.checked_mul(4)
}

/// The fee in base units, rounded up so that it never falls below `rate`. `None` on overflow.
///
/// The virtual size is `weight / 4`, rounded up: BIP 141, "Transaction size calculations".
pub fn fee(weight: WeightUnits, rate: SatPerKvb) -> Option<u64> {
    Some(weight.0.div_ceil(4).checked_mul(rate.0)?.div_ceil(1_000))
}

/// The least that an output with this script may hold without being dust: Core's
/// `GetDustThreshold`, which reckons with 67 bytes to spend a segwit output and 148 another.
pub fn dust_limit(chain: &Chain, script: &Script) -> Option<u64> {
    let length = script.len();
    let spend: u64 = if script.is_witness_program() { 67 } else { 148 };
    let size = u64::try_from(length).ok()?.checked_add(8)?.checked_add(compact_size(length))?;
    size.checked_add(spend)?.checked_mul(chain.dust_rate.0)?.checked_div(1_000)
}

/// Bytes of a length prefix.
fn compact_size(length: usize) -> u64 {
    match length {
        0..=0xfc => 1,
        0xfd..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}
