//! Which transaction would realise an approved intent now: a pure function of the intent, the
//! wallet's funds and the fees of the moment. Never sets anything aside: the ledger does that, and
//! refuses a plan whose coins or account nonce were taken meanwhile.

use strongroom_chains::{
    bitcoin::{self, SatPerKvb, SelectionError, WeightUnits},
    ethereum::{self, GAS_LIMIT, Gas},
    frost::{GroupKey, KeyPath},
};
use strongroom_domain::{
    AddressPath, Amount, Bytes, Intent, Refusal, Spends, set_aside,
    wallet::{Balance, Coin, Coins},
};
use strongroom_nodes::{bitcoin_core::FeeRate, ethereum::FeeSuggestion};

/// A transaction, and what it spends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// As the log holds it.
    pub unsigned: Bytes,
    /// The most that it costs.
    pub fee: Amount,
    /// What must be set aside for it.
    pub spends: Spends,
}

/// Why there is no transaction.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoPlan {
    /// It may come with time: coins that are on their way back, lower fees.
    #[error("{because}")]
    NotNow {
        /// What it waits for.
        because: String,
    },
    /// Nothing that is on its way can make it possible.
    #[error("{because}")]
    Never {
        /// What stands against it.
        because: String,
    },
}

fn not_now(because: &impl ToString) -> NoPlan {
    NoPlan::NotNow { because: because.to_string() }
}

fn never(because: &impl ToString) -> NoPlan {
    NoPlan::Never { because: because.to_string() }
}

impl From<Refusal> for NoPlan {
    fn from(refusal: Refusal) -> Self {
        never(&refusal)
    }
}

/// What a wallet of Bitcoin's family has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Purse {
    /// Final coins that no transfer has set aside.
    pub free: Vec<Coin>,
    /// What other transfers have set aside: part of it may come back as change.
    pub reserved: Amount,
}

impl Purse {
    /// A look at a wallet's coins.
    pub fn of(coins: &Coins) -> Self {
        let set_aside = coins.reserved.values().flatten();
        let still_there = set_aside.filter(|(outpoint, _)| !coins.gone.contains(*outpoint));
        let reserved = sum(still_there.map(|(_, coin)| coin.amount));
        Self { free: coins.free.values().cloned().collect(), reserved }
    }
}

/// What a wallet of Ethereum's family has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Till {
    /// What no transfer has set aside.
    pub free: Amount,
    /// All of it.
    pub all: Amount,
    /// The account nonce that the next transfer takes.
    pub account_nonce: u64,
}

impl Till {
    /// A look at a wallet's balance.
    pub fn of(balance: &Balance) -> Self {
        Self { free: balance.free(), all: balance.amount, account_nonce: balance.lowest_nonce() }
    }
}

/// All money there is fits; beyond that the largest amount says enough.
fn sum(amounts: impl Iterator<Item = Amount>) -> Amount {
    amounts.fold(Amount::ZERO, |sum, next| sum.checked_add(next).unwrap_or(Amount::new(u128::MAX)))
}

/// The key of one of a group key's addresses.
pub fn child_key(group: GroupKey, path: AddressPath) -> Option<[u8; 33]> {
    let path = KeyPath { change: path.branch.number(), index: path.index };
    group.child(path).ok().map(|child| child.to_bytes())
}

/// A payment from coins. Offers the node's rate, or as much of it as the fee cap allows and the
/// node still relays.
pub fn from_coins(
    intent: &Intent,
    purse: &Purse,
    group: GroupKey,
    change: AddressPath,
    offered: FeeRate,
) -> Result<Plan, NoPlan> {
    let chain = bitcoin::Chain::of(intent.network()).map_err(|error| never(&error))?;
    let chosen = choose(intent, purse, bitcoin::KEY_PATH_INPUT, offered)?;
    let unsigned = bitcoin::build(chain, intent, &chosen, change, |path| child_key(group, path))
        .map_err(|error| never(&error))?;
    let outpoints = chosen.inputs.into_iter().map(|coin| coin.outpoint).collect();
    Ok(Plan { unsigned: unsigned.to_bytes(), fee: chosen.fee, spends: Spends::Coins(outpoints) })
}

/// Which coins pay, where spending one weighs `input`.
pub(super) fn choose(
    intent: &Intent,
    purse: &Purse,
    input: WeightUnits,
    offered: FeeRate,
) -> Result<bitcoin::Plan, NoPlan> {
    let chain = bitcoin::Chain::of(intent.network()).map_err(|error| never(&error))?;
    let destination = bitcoin::Destination::parse(chain, intent.destination.as_str())
        .map_err(|error| never(&error))?;
    let floor = SatPerKvb(offered.floor_per_kvb).max(chain.relay_rate);
    let request = |rate| bitcoin::Request {
        chain,
        destination,
        amount: intent.amount,
        fee_cap: intent.fee_cap,
        rate,
        input,
        coins: &purse.free,
        keep: &[],
        replaced_fee: None,
    };
    let rate = SatPerKvb(offered.per_kvb).max(floor);
    let chosen = match bitcoin::select(&request(rate)) {
        Err(SelectionError::FeeOverCap { fee, cap }) => {
            let lower = within_cap(rate, fee, cap).filter(|lower| *lower >= floor);
            let over = SelectionError::FeeOverCap { fee, cap };
            lower.map_or(Err(over), |lower| bitcoin::select(&request(lower)))
        }
        chosen => chosen,
    };
    chosen.map_err(|error| explain(&error, purse))
}

/// The rate at which a transaction that would cost `fee` costs no more than `cap`.
fn within_cap(rate: SatPerKvb, fee: Amount, cap: Amount) -> Option<SatPerKvb> {
    let scaled = u128::from(rate.0).checked_mul(cap.units())?.checked_div(fee.units())?;
    u64::try_from(scaled).ok().map(SatPerKvb)
}

fn explain(error: &SelectionError, purse: &Purse) -> NoPlan {
    match error {
        SelectionError::Insufficient { needed, .. } => {
            let all = sum(purse.free.iter().map(|coin| coin.amount).chain([purse.reserved]));
            if all < *needed { never(error) } else { not_now(error) }
        }
        // Fees fall again; coins are consolidated by other payments.
        SelectionError::FeeOverCap { .. }
        | SelectionError::TooLarge
        | SelectionError::RateTooLow { .. } => not_now(error),
        SelectionError::Dust { .. } | SelectionError::OutOfRange => never(error),
    }
}

/// A payment from an account.
pub fn from_balance(intent: &Intent, till: Till, offered: FeeSuggestion) -> Result<Plan, NoPlan> {
    let chain = ethereum::Chain::of(intent.network()).map_err(|error| never(&error))?;
    let needed = set_aside(intent)?;
    let Till { free, all, account_nonce } = till;
    if needed > free {
        let because =
            format!("payment and fee cap come to {needed}; the wallet has {free} free of {all}");
        return Err(if needed > all { never(&because) } else { not_now(&because) });
    }
    let gas = gas(intent.fee_cap, offered)?;
    let unsigned =
        ethereum::build(chain, intent, account_nonce, gas).map_err(|error| never(&error))?;
    let fee = unsigned.fee().map_err(|error| never(&error))?;
    Ok(Plan { unsigned: unsigned.to_bytes(), fee, spends: Spends::AccountNonce(account_nonce) })
}

/// What to offer per gas: the node's suggestion, or as much of it as the fee cap allows. Below the
/// next block's base fee it would only lie there.
pub(super) fn gas(cap: Amount, offered: FeeSuggestion) -> Result<Gas, NoPlan> {
    let most = cap.units().checked_div(u128::from(GAS_LIMIT)).unwrap_or(0);
    let max_fee = offered.max_fee().unwrap_or(u128::MAX).min(most);
    if max_fee < offered.next_base_fee {
        return Err(not_now(&format!(
            "the fee cap of {cap} allows {most} per gas, the next block takes {}",
            offered.next_base_fee
        )));
    }
    let max_priority_fee = offered.priority_fee.min(max_fee);
    Ok(Gas { max_fee, max_priority_fee })
}
