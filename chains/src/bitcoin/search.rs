//! Branch and bound over coins: finds a set that pays without change, if there is one. Never
//! decides a fee: the caller computes that exactly for what is found here.

use super::{SatPerKvb, fee::WeightUnits};

/// Steps before we give up and make change: about a millisecond.
const STEPS: u32 = 100_000;

/// Sums here are in 1/4000 base units, in which `weight × rate` is whole.
const SCALE: u64 = 4_000;

/// A window that the coins' sum must fall into, in effective value: what a coin holds less what
/// it costs to spend it.
pub(super) struct Target {
    least: u128,
    most: u128,
    input_cost: u128,
}

impl Target {
    /// For `amount`, of which `kept` is paid already by a transaction of weight `base`; one more input
    /// weighs `input`. `None` if nothing more is needed, or the sums overflow.
    pub(super) fn new(
        amount: u64,
        kept: u64,
        (base, input): (WeightUnits, WeightUnits),
        spare: u64,
        rate: SatPerKvb,
    ) -> Option<Self> {
        // The size is rounded up to a byte, the fee to a unit, and the count of inputs may take
        // two bytes more: at most 11 weight units and one base unit on top.
        let size = scaled_cost(base.0.checked_add(11)?, rate)?;
        let needed = scaled(amount)?.checked_add(size)?.checked_add(scaled(1)?)?;
        let least = needed.checked_sub(scaled(kept)?).filter(|least| *least > 0)?;
        let most = least.checked_add(scaled(spare)?)?;
        Some(Self { least, most, input_cost: scaled_cost(input.0, rate)? })
    }

    fn effective(&self, units: u64) -> Option<u128> {
        scaled(units)?.checked_sub(self.input_cost)
    }
}

/// Whether a coin holds more than it costs to spend it.
pub(super) fn worth_spending(units: u64, input: WeightUnits, rate: SatPerKvb) -> bool {
    matches!((scaled(units), scaled_cost(input.0, rate)), (Some(holds), Some(cost)) if holds > cost)
}

fn scaled(units: u64) -> Option<u128> {
    u128::from(units).checked_mul(u128::from(SCALE))
}

fn scaled_cost(weight: u64, rate: SatPerKvb) -> Option<u128> {
    u128::from(weight).checked_mul(u128::from(rate.0))
}

/// The indices of the first set whose effective sum is in the window, trying the largest coins
/// first. `amounts` must not increase.
pub(super) fn branch_and_bound(amounts: &[u64], target: &Target) -> Option<Vec<usize>> {
    let values: Vec<u128> = amounts.iter().map_while(|units| target.effective(*units)).collect();
    // What all coins from here on could still add.
    let mut rest: Vec<u128> = Vec::with_capacity(values.len().saturating_add(1));
    rest.push(0);
    for value in values.iter().rev() {
        rest.push(rest.last()?.checked_add(*value)?);
    }
    rest.reverse();

    let mut chosen: Vec<usize> = Vec::new();
    let mut sum = 0u128;
    let mut next = 0usize;
    for _ in 0..STEPS {
        let reachable = sum.checked_add(*rest.get(next)?)?;
        if sum >= target.least && sum <= target.most {
            return Some(chosen);
        }
        if sum > target.most || reachable < target.least {
            // Take back the last coin taken, and go on without it and without its equals, which
            // would only give the same sums again.
            let last = chosen.pop()?;
            let value = *values.get(last)?;
            sum = sum.checked_sub(value)?;
            next = last.checked_add(1)?;
            while values.get(next) == Some(&value) {
                next = next.checked_add(1)?;
            }
        } else {
            // Not past the end: there, nothing more is reachable.
            sum = sum.checked_add(*values.get(next)?)?;
            chosen.push(next);
            next = next.checked_add(1)?;
        }
    }
    None
}
