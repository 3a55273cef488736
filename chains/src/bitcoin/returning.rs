//! Transactions with one output, which takes everything that they spend less the fee. Two pay nobody:
//! one makes another impossible (a cancellation), one pulls another into a block (a child that pays for
//! its parent); the third moves a wallet's coins to its successor (a sweep). Never has another output.

use super::{
    Bid, BidError, BuildError, Chain, Destination, UnsignedTx,
    build::{internal, output, spending},
    dust_limit,
    fee::{CHANGE_SCRIPT, fee, weight},
    replace::{sats, short},
};
use bitcoin::ScriptBuf;
use strongroom_domain::{
    Address, AddressPath, Amount,
    wallet::{Coin, OutPoint},
};

/// A transaction that spends all of these coins back to `change`: whichever transaction spends one
/// of them, at most one of the two confirms.
pub fn cancel(
    chain: &'static Chain,
    coins: &[Coin],
    change: AddressPath,
    key_of: impl Fn(AddressPath) -> Option<[u8; 33]>,
    bid: Bid,
) -> Result<UnsignedTx, BidError> {
    let size = weight(coins.len(), &[CHANGE_SCRIPT]).ok_or(BidError::OutOfRange)?;
    let fee = bid.fee(chain, size)?;
    back(chain, coins, change, &key_of, fee)
}

/// A transaction that spends all of these coins to `destination`.
pub fn sweep(
    chain: &'static Chain,
    coins: &[Coin],
    destination: &Address,
    key_of: impl Fn(AddressPath) -> Option<[u8; 33]>,
    bid: Bid,
) -> Result<UnsignedTx, BidError> {
    let to = Destination::parse(chain, destination.as_str()).map_err(BuildError::from)?;
    let script = to.script();
    let size = weight(coins.len(), &[script.len()]).ok_or(BidError::OutOfRange)?;
    let fee = bid.fee(chain, size)?;
    all_to(chain, coins, script, &key_of, fee)
}

/// A child of `parent`, from its change to `change`, so that both together offer the bid's rate. The
/// cap is for both together.
pub fn child(
    parent: &UnsignedTx,
    owns: &dyn Fn(&Address) -> Option<AddressPath>,
    change: AddressPath,
    key_of: impl Fn(AddressPath) -> Option<[u8; 33]>,
    bid: Bid,
) -> Result<UnsignedTx, BidError> {
    let chain = parent.chain();
    let paid = sats(parent.fee()?)?;
    let Some((at, path, value)) = parent.change(owns) else { return Err(short(0, 1)) };
    let vout = u32::try_from(at).map_err(|_| BidError::OutOfRange)?;
    let outpoint = OutPoint { txid: parent.id().to_string(), vout };
    let coin = Coin { outpoint, amount: Amount::new(value.to_sat().into()), path };
    let own = weight(1, &[CHANGE_SCRIPT]).ok_or(BidError::OutOfRange)?;
    let both = parent.weight().and_then(|size| size.0.checked_add(own.0));
    let both = super::WeightUnits(both.ok_or(BidError::OutOfRange)?);
    // Nodes relay it for its own size, and, if it replaces an earlier child, for that one's fee on top.
    let relayed = fee(own, chain.relay_rate).ok_or(BidError::OutOfRange)?;
    let replaced = bid.replaced.map_or(Ok(0), sats)?;
    let least = relayed.checked_add(replaced).ok_or(BidError::OutOfRange)?;
    let wanted = fee(both, bid.rate).ok_or(BidError::OutOfRange)?.saturating_sub(paid);
    let most = sats(bid.cap).unwrap_or(chain.max_money).saturating_sub(paid);
    if least > most {
        let least = least.checked_add(paid).ok_or(BidError::OutOfRange)?;
        return Err(BidError::OverCap { least: Amount::new(least.into()), cap: bid.cap });
    }
    back(chain, &[coin], change, &key_of, wanted.clamp(least, most))
}

fn back(
    chain: &'static Chain,
    coins: &[Coin],
    change: AddressPath,
    key_of: &impl Fn(AddressPath) -> Option<[u8; 33]>,
    fee: u64,
) -> Result<UnsignedTx, BidError> {
    let script = Destination::p2tr_internal(internal(key_of, change)?).script();
    all_to(chain, coins, script, key_of, fee)
}

fn all_to(
    chain: &'static Chain,
    coins: &[Coin],
    script: ScriptBuf,
    key_of: &impl Fn(AddressPath) -> Option<[u8; 33]>,
    fee: u64,
) -> Result<UnsignedTx, BidError> {
    let mut sum = 0u64;
    for coin in coins {
        sum = sum.checked_add(sats(coin.amount)?).ok_or(BidError::OutOfRange)?;
    }
    let dust = dust_limit(chain, &script).ok_or(BidError::OutOfRange)?;
    let left = sum.checked_sub(fee).filter(|left| *left >= dust);
    let left = left.ok_or_else(|| short(sum, fee.saturating_add(dust)))?;
    let outputs = vec![output(Amount::new(left.into()), script)?];
    Ok(spending(chain, coins, outputs, key_of)?)
}
