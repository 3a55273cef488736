//! Transactions of a multisig wallet that follow others or pay nobody: the same payment for more, all of
//! some coins back to the wallet, all of some coins to a successor. Never spends another coin than it was
//! given.

use super::{
    super::{
        Bid, BidError, BuildError, Chain, Destination, WeightUnits,
        build::output,
        dust_limit,
        fee::weight_with,
        outpoint,
        replace::{Given, sats, short},
    },
    Descriptor, MultisigBuildError, UnsignedTx,
    build::spending,
};
use bitcoin::{ScriptBuf, consensus::encode};
use strongroom_domain::{
    Address, AddressPath, Amount, Branch, Bytes,
    wallet::{Coin, OutPoint},
};

/// Where a wallet's transactions get what spending a coin of version 0 must show.
type Previous<'a> = &'a dyn Fn(&OutPoint) -> Option<Bytes>;

impl UnsignedTx {
    /// Its weight once it is signed, at most.
    pub fn weight(&self) -> Option<WeightUnits> {
        let outputs = self.transaction.output.iter();
        let scripts: Vec<usize> = outputs.map(|paid| paid.script_pubkey.len()).collect();
        self.weighed(&scripts)
    }

    fn weighed(&self, scripts: &[usize]) -> Option<WeightUnits> {
        weight_with(self.descriptor.input_weight(), self.spent.len(), scripts)
    }

    /// The whole transaction that made a coin of this one, where it shows that.
    pub fn previous(&self, coin: &OutPoint) -> Option<Bytes> {
        let wanted = outpoint::spent(coin)?;
        let mut each = self.transaction.input.iter().zip(&self.spent);
        let (_, spent) = each.find(|(input, _)| input.previous_output == wanted)?;
        Some(encode::serialize(spent.previous.as_ref()?).into())
    }

    fn coins(&self) -> Vec<Coin> {
        let each = self.spends().zip(&self.spent).map(|(outpoint, spent)| Coin {
            outpoint,
            amount: Amount::new(spent.output.value.to_sat().into()),
            path: spent.path,
        });
        each.collect()
    }

    /// The same payment from the same coins for a higher fee, which comes out of the change.
    pub fn replaced(
        &self,
        owns: &dyn Fn(&Address) -> Option<AddressPath>,
        bid: Bid,
    ) -> Result<Self, BidError> {
        self.effect(owns)?;
        let change = self.returns.iter().enumerate().find_map(|(at, own)| {
            let (path, _) = own.as_ref()?;
            (path.branch == Branch::Change).then_some((at, *path))
        });
        let given = Given {
            chain: self.chain,
            fee: sats(self.fee()?)?,
            change: change.map(|(at, _)| at),
            weight: &|scripts| self.weighed(scripts),
        };
        let outputs = given.dearer(self.transaction.output.clone(), bid)?;
        let Some((_, change)) = change else { return Err(short(0, 1)) };
        let previous = |coin: &OutPoint| self.previous(coin);
        Ok(spending(self.chain, &self.descriptor, &self.coins(), outputs, change, previous)?)
    }
}

/// A transaction that spends all of these coins back to `change`: whichever transaction spends one of
/// them, at most one of the two confirms.
pub fn cancel(
    chain: &'static Chain,
    descriptor: &Descriptor,
    coins: &[Coin],
    change: AddressPath,
    previous: Previous<'_>,
    bid: Bid,
) -> Result<UnsignedTx, BidError> {
    let scripts = descriptor.scripts(change);
    let script = scripts.ok_or(MultisigBuildError::NoAddress { path: change })?.output;
    all_to(chain, descriptor, coins, (script, change), previous, bid)
}

/// A transaction that spends all of these coins to `destination`.
pub fn sweep(
    chain: &'static Chain,
    descriptor: &Descriptor,
    coins: &[Coin],
    destination: &Address,
    previous: Previous<'_>,
    bid: Bid,
) -> Result<UnsignedTx, BidError> {
    let to = Destination::parse(chain, destination.as_str()).map_err(BuildError::from)?;
    // Nothing comes back, so no output is named as the wallet's own.
    let none = AddressPath { branch: Branch::Change, index: 0 };
    all_to(chain, descriptor, coins, (to.script(), none), previous, bid)
}

fn all_to(
    chain: &'static Chain,
    descriptor: &Descriptor,
    coins: &[Coin],
    (script, change): (ScriptBuf, AddressPath),
    previous: Previous<'_>,
    bid: Bid,
) -> Result<UnsignedTx, BidError> {
    let size = weight_with(descriptor.input_weight(), coins.len(), &[script.len()]);
    let fee = bid.fee(chain, size.ok_or(BidError::OutOfRange)?)?;
    let mut sum = 0u64;
    for coin in coins {
        sum = sum.checked_add(sats(coin.amount)?).ok_or(BidError::OutOfRange)?;
    }
    let dust = dust_limit(chain, &script).ok_or(BidError::OutOfRange)?;
    let left = sum.checked_sub(fee).filter(|left| *left >= dust);
    let left = left.ok_or_else(|| short(sum, fee.saturating_add(dust)))?;
    let outputs = vec![output(Amount::new(left.into()), script)?];
    Ok(spending(chain, descriptor, coins, outputs, change, previous)?)
}
