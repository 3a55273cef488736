//! Which coins pay for a transfer: a pure function of its arguments, so that everyone who repeats
//! it gets the same answer. Never plans a fee above the cap, and never makes dust.

use super::{
    Chain, Destination, SatPerKvb,
    fee::{CHANGE_SCRIPT, MAX_STANDARD, TAPROOT_OUTPUT, WeightUnits, dust_limit, fee, weight_with},
    search,
};
use std::collections::BTreeMap;
use strongroom_domain::{
    Amount,
    wallet::{Coin, OutPoint},
};

/// What is to be paid, and with what.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The network.
    pub chain: &'static Chain,
    /// Where to.
    pub destination: Destination,
    /// How much arrives.
    pub amount: Amount,
    /// The most that the fee may be.
    pub fee_cap: Amount,
    /// The least that the fee may be, per size.
    pub rate: SatPerKvb,
    /// What one input weighs: [`super::KEY_PATH_INPUT`], or as the wallet's descriptor says.
    pub input: WeightUnits,
    /// Confirmed coins that may be spent.
    pub coins: &'a [Coin],
    /// Coins that must be spent: all that the replaced attempt spends, so that only one of the
    /// two can ever confirm. Empty for a first attempt.
    pub keep: &'a [Coin],
    /// The fee of the attempt that this replaces: the new one pays more by at least its own size
    /// at the relay rate (BIP 125, rule 4).
    pub replaced_fee: Option<Amount>,
}

/// The coins chosen. `inputs = amount + change + fee`, exactly.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// What is spent, each coin once, in the order of their outpoints.
    pub inputs: Vec<Coin>,
    /// What goes back to the wallet, if it is worth an output.
    pub change: Option<Amount>,
    /// What the network gets.
    pub fee: Amount,
}

/// Why there is no plan.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SelectionError {
    /// The coins don't reach.
    #[error("{available} on coins worth spending; amount and fee need {needed}")]
    Insufficient {
        /// What there is.
        available: Amount,
        /// What it takes.
        needed: Amount,
    },
    /// Only a higher cap or a lower rate helps.
    #[error("the fee would be {fee}, above the cap of {cap}")]
    FeeOverCap {
        /// What it would be.
        fee: Amount,
        /// What was approved.
        cap: Amount,
    },
    /// Nodes would not relay it.
    #[error("{amount} is dust for this destination: expected at least {least}")]
    Dust {
        /// What was asked for.
        amount: Amount,
        /// The least that is not dust.
        least: Amount,
    },
    /// Below what nodes relay.
    #[error("a rate of {rate} per 1000 bytes is below the {least} that nodes relay")]
    RateTooLow {
        /// What was asked for.
        rate: u64,
        /// The network's relay rate.
        least: u64,
    },
    /// So many coins that nodes would not relay it.
    #[error(
        "it would take so many coins that the transaction is above 400000 weight units: \
             consolidate first"
    )]
    TooLarge,
    /// More money than the network has.
    #[error("an amount above all the money there is on the network")]
    OutOfRange,
}

/// Chooses coins: one set without change if branch and bound finds it, else the largest first.
pub fn select(request: &Request<'_>) -> Result<Plan, SelectionError> {
    let goal = Goal::of(request)?;
    let keep: BTreeMap<&OutPoint, &Coin> =
        request.keep.iter().map(|coin| (&coin.outpoint, coin)).collect();
    // Where a coin comes twice, once is enough; a map also makes the order that of the ids.
    let others = request.coins.iter().filter(|coin| !keep.contains_key(&coin.outpoint));
    let free: BTreeMap<&OutPoint, &Coin> = others.map(|coin| (&coin.outpoint, coin)).collect();
    let mut free: Vec<(u64, &Coin)> = free
        .into_values()
        .map(|coin| Ok((goal.units(coin.amount)?, coin)))
        .collect::<Result<_, _>>()?;
    free.retain(|(units, _)| search::worth_spending(*units, request.input, request.rate));
    free.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.outpoint.cmp(&b.1.outpoint)));
    let keep: Vec<(u64, &Coin)> = keep
        .into_values()
        .map(|coin| Ok((goal.units(coin.amount)?, coin)))
        .collect::<Result<_, _>>()?;
    if let Some(plan) = goal.without_change(&keep, &free)? {
        return Ok(plan);
    }
    goal.largest_first(&keep, &free)
}

/// A request in plain base units.
struct Goal<'a> {
    request: &'a Request<'a>,
    amount: u64,
    fee_cap: u64,
    replaced_fee: Option<u64>,
    script: usize,
    least_change: u64,
}

impl<'a> Goal<'a> {
    fn of(request: &'a Request<'a>) -> Result<Self, SelectionError> {
        let least_rate = request.chain.relay_rate;
        if request.rate < least_rate {
            return Err(SelectionError::RateTooLow { rate: request.rate.0, least: least_rate.0 });
        }
        let amount = units(request.chain, request.amount)?;
        let script = request.destination.script();
        let least = dust_limit(request.chain, &script).ok_or(SelectionError::OutOfRange)?;
        if amount < least {
            let least = Amount::new(least.into());
            return Err(SelectionError::Dust { amount: request.amount, least });
        }
        // Any taproot script has the same limit.
        let change = Destination::P2tr([0; 32]).script();
        Ok(Self {
            request,
            amount,
            // A cap above all the money there is caps nothing.
            fee_cap: units(request.chain, request.fee_cap).unwrap_or(request.chain.max_money),
            replaced_fee: request.replaced_fee.map(|f| units(request.chain, f)).transpose()?,
            script: script.len(),
            least_change: dust_limit(request.chain, &change).ok_or(SelectionError::OutOfRange)?,
        })
    }

    fn units(&self, amount: Amount) -> Result<u64, SelectionError> {
        units(self.request.chain, amount)
    }

    /// The least fee for so many inputs, with or without change.
    fn least_fee(&self, inputs: usize, change: bool) -> Result<u64, SelectionError> {
        let scripts = [self.script, CHANGE_SCRIPT];
        let scripts = if change { scripts.as_slice() } else { &scripts[..1] };
        let weight =
            weight_with(self.request.input, inputs, scripts).ok_or(SelectionError::OutOfRange)?;
        if weight > MAX_STANDARD {
            return Err(SelectionError::TooLarge);
        }
        let by_rate = fee(weight, self.request.rate).ok_or(SelectionError::OutOfRange)?;
        let floor = match self.replaced_fee {
            None => 0,
            Some(replaced) => fee(weight, self.request.chain.relay_rate)
                .and_then(|step| step.checked_add(replaced))
                .ok_or(SelectionError::OutOfRange)?,
        };
        Ok(by_rate.max(floor))
    }

    /// A set of coins that is worth the amount and its fee, and hardly more.
    fn without_change(
        &self,
        keep: &[(u64, &Coin)],
        free: &[(u64, &Coin)],
    ) -> Result<Option<Plan>, SelectionError> {
        // A replacement's floor depends on the final size in another way; it takes change.
        if self.replaced_fee.is_some() {
            return Ok(None);
        }
        let input = self.request.input;
        let Some(base) = weight_with(input, keep.len(), &[self.script]) else { return Ok(None) };
        // What change would cost now and when it is spent: the most that we give away instead.
        let later = WeightUnits(TAPROOT_OUTPUT.0.saturating_add(input.0));
        let spare = fee(later, self.request.rate).ok_or(SelectionError::OutOfRange)?;
        let Some(target) =
            search::Target::new(self.amount, total(keep)?, (base, input), spare, self.request.rate)
        else {
            return Ok(None);
        };
        let amounts: Vec<u64> = free.iter().map(|(units, _)| *units).collect();
        let Some(chosen) = search::branch_and_bound(&amounts, &target) else { return Ok(None) };
        let mut inputs = keep.to_vec();
        inputs.extend(chosen.iter().filter_map(|index| free.get(*index).copied()));
        let sum = total(&inputs)?;
        let least = self.least_fee(inputs.len(), false)?;
        let left =
            sum.checked_sub(self.amount).filter(|left| (least..=self.fee_cap).contains(left));
        Ok(left.map(|left| plan(inputs, None, left)))
    }

    /// One coin after the other until they reach. What is too little for change goes to the fee,
    /// unless that breaks the cap: then one more coin makes the change large enough.
    fn largest_first(
        &self,
        keep: &[(u64, &Coin)],
        others: &[(u64, &Coin)],
    ) -> Result<Plan, SelectionError> {
        let mut inputs = keep.to_vec();
        let mut more = others.iter();
        let mut refusal = None;
        loop {
            let sum = total(&inputs)?;
            let least = self.least_fee(inputs.len(), false)?;
            let needed = self.amount.checked_add(least).ok_or(SelectionError::OutOfRange)?;
            if sum >= needed && !inputs.is_empty() {
                let (change, fee) = self.settle(inputs.len(), sum)?;
                if fee <= self.fee_cap {
                    return Ok(plan(inputs, change, fee));
                }
                let cap = self.request.fee_cap;
                let over = SelectionError::FeeOverCap { fee: Amount::new(fee.into()), cap };
                if change.is_some() {
                    return Err(refusal.unwrap_or(over));
                }
                refusal.get_or_insert(over);
            }
            let Some(coin) = more.next() else {
                let available = Amount::new(sum.into());
                let needed = Amount::new(needed.into());
                return Err(refusal.unwrap_or(SelectionError::Insufficient { available, needed }));
            };
            inputs.push(*coin);
        }
    }

    /// The change, if it is worth an output, and the fee.
    fn settle(&self, inputs: usize, sum: u64) -> Result<(Option<u64>, u64), SelectionError> {
        let with_change = self.least_fee(inputs, true)?;
        let rest = sum.checked_sub(self.amount).ok_or(SelectionError::OutOfRange)?;
        let change = rest.checked_sub(with_change).filter(|change| *change >= self.least_change);
        Ok(if change.is_some() { (change, with_change) } else { (None, rest) })
    }
}

fn plan(inputs: Vec<(u64, &Coin)>, change: Option<u64>, fee: u64) -> Plan {
    let mut inputs: Vec<Coin> = inputs.into_iter().map(|(_, coin)| coin.clone()).collect();
    inputs.sort_by(|a, b| a.outpoint.cmp(&b.outpoint));
    Plan { inputs, change: change.map(|c| Amount::new(c.into())), fee: Amount::new(fee.into()) }
}

fn total(coins: &[(u64, &Coin)]) -> Result<u64, SelectionError> {
    coins
        .iter()
        .try_fold(0u64, |sum, (units, _)| sum.checked_add(*units))
        .ok_or(SelectionError::OutOfRange)
}

/// Base units of an amount that can exist on the network.
fn units(chain: &Chain, amount: Amount) -> Result<u64, SelectionError> {
    u64::try_from(amount.units())
        .ok()
        .filter(|units| *units <= chain.max_money)
        .ok_or(SelectionError::OutOfRange)
}
