//! Which transaction moves everything that a sweep was asked for with: pure functions of the intent,
//! the funds and the fees of the moment. The fee comes out of what arrives; nothing is left over.

use super::{NoPlan, Plan, Purse, Till, child_key, plan::gas};
use strongroom_chains::{
    bitcoin::{self, Bid, BidError, SatPerKvb},
    ethereum::{self, GAS_LIMIT, Gas},
    frost::GroupKey,
};
use strongroom_domain::{Amount, Intent, Spends, transfer::Sweep, wallet::Coin};
use strongroom_nodes::{bitcoin_core::FeeRate, ethereum::FeeSuggestion};

fn not_now(because: &impl ToString) -> NoPlan {
    NoPlan::NotNow { because: because.to_string() }
}

fn never(because: &impl ToString) -> NoPlan {
    NoPlan::Never { because: because.to_string() }
}

/// What a sweep was asked for with.
pub(super) fn swept_coins(sweep: &Sweep, purse: &Purse) -> Result<Vec<Coin>, NoPlan> {
    let mut coins = purse.free.clone();
    coins.retain(|coin| sweep.coins.contains(&coin.outpoint));
    if coins.len() != sweep.coins.len() {
        return Err(never(&"a coin that it was to move is gone"));
    }
    Ok(coins)
}

/// All of these coins, at the node's rate or as much of it as the fee cap allows.
pub fn all_of_coins(
    intent: &Intent,
    coins: &[Coin],
    group: GroupKey,
    offered: FeeRate,
) -> Result<Plan, NoPlan> {
    let chain = bitcoin::Chain::of(intent.network()).map_err(|error| never(&error))?;
    let rate = SatPerKvb(offered.per_kvb.max(offered.floor_per_kvb));
    let bid = Bid { rate, cap: intent.fee_cap, replaced: None };
    let key_of = |path| child_key(group, path);
    let made = bitcoin::sweep(chain, coins, &intent.destination, key_of, bid);
    let made = made.map_err(|error| match error {
        BidError::OverCap { .. } | BidError::OutOfRange | BidError::NoChange { .. } => {
            not_now(&error)
        }
        BidError::Build(_) | BidError::Multisig(_) | BidError::Decode(_) => never(&error),
    })?;
    let fee = made.fee().map_err(|error| never(&error))?;
    let outpoints = coins.iter().map(|coin| coin.outpoint.clone()).collect();
    Ok(Plan { unsigned: made.to_bytes(), fee, spends: Spends::Coins(outpoints) })
}

/// All of an account that the sweep was asked for with.
pub fn all_of_balance(intent: &Intent, till: Till, offered: FeeSuggestion) -> Result<Plan, NoPlan> {
    if intent.amount > till.free {
        let because = format!("it was to move {}; {} are free", intent.amount, till.free);
        return Err(never(&because));
    }
    let gas = gas(intent.fee_cap, offered)?;
    let unsigned = at(intent, till.account_nonce, gas)?;
    let fee = unsigned.fee().map_err(|error| never(&error))?;
    let account_nonce = till.account_nonce;
    Ok(Plan { unsigned: unsigned.to_bytes(), fee, spends: Spends::AccountNonce(account_nonce) })
}

/// The sweep of an account at a price: it sends what that price leaves.
pub(super) fn at(
    intent: &Intent,
    account_nonce: u64,
    gas: Gas,
) -> Result<ethereum::UnsignedTx, NoPlan> {
    let chain = ethereum::Chain::of(intent.network()).map_err(|error| never(&error))?;
    let most = gas.max_fee.checked_mul(u128::from(GAS_LIMIT)).map(Amount::new);
    let amount = most.and_then(|most| intent.amount.checked_sub(most));
    let amount = amount.ok_or_else(|| not_now(&"the fee would take all of it"))?;
    let pays = Intent { amount, ..intent.clone() };
    ethereum::build(chain, &pays, account_nonce, gas).map_err(|error| never(&error))
}
