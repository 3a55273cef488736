//! Transactions of a multisig wallet that take another's place, or move all of its coins: made of what
//! an earlier one proved of its coins, as far as there is one. Never spends a coin besides those.

use super::{
    super::{
        Bid, BidError, BuildError, Chain, Destination, WeightUnits,
        build::output,
        dust_limit,
        fee::weight_with,
        replace::{Given, sats, short},
    },
    Descriptor, MultisigBuildError, UnsignedTx,
    build::spending,
};
use bitcoin::{ScriptBuf, TxOut, consensus::encode};
use strongroom_domain::{
    Address, AddressPath, Amount, Branch, Bytes,
    wallet::{Coin, OutPoint},
};

impl UnsignedTx {
    /// Its weight once it is signed, at most.
    pub fn weight(&self) -> Option<WeightUnits> {
        let outputs = self.transaction.output.iter();
        let scripts: Vec<usize> = outputs.map(|paid| paid.script_pubkey.len()).collect();
        weight_with(self.descriptor.input_weight(), self.transaction.input.len(), &scripts)
    }

    fn coins(&self) -> Vec<Coin> {
        let each = self.spends().zip(&self.spent).map(|(outpoint, spent)| Coin {
            outpoint,
            amount: Amount::new(spent.output.value.to_sat().into()),
            path: spent.path,
        });
        each.collect()
    }

    fn previous(&self, coin: &OutPoint) -> Option<Bytes> {
        let at = self.spends().position(|spent| spent == *coin)?;
        let previous = self.spent.get(at)?.previous.as_ref()?;
        Some(encode::serialize(previous).into())
    }

    /// The same coins into other outputs.
    fn again(&self, outputs: Vec<TxOut>, change: AddressPath) -> Result<Self, MultisigBuildError> {
        let previous = |coin: &OutPoint| self.previous(coin);
        spending(self.chain, &self.descriptor, &self.coins(), outputs, change, previous)
    }
}

/// The same payment from the same coins for a higher fee (BIP 125), out of the change.
pub fn replace(
    earlier: &UnsignedTx,
    owns: &dyn Fn(&Address) -> Option<AddressPath>,
    change: AddressPath,
    bid: Bid,
) -> Result<UnsignedTx, BidError> {
    earlier.effect(owns)?;
    let at = earlier.returns.iter().position(|own| {
        own.as_ref().is_some_and(|(path, _)| *path == change && path.branch == Branch::Change)
    });
    let (input, inputs) = (earlier.descriptor.input_weight(), earlier.spent.len());
    let given = Given {
        chain: earlier.chain,
        fee: sats(earlier.fee()?)?,
        change: at,
        weight: &|scripts| weight_with(input, inputs, scripts),
    };
    let outputs = given.dearer(earlier.transaction.output.clone(), bid)?;
    Ok(earlier.again(outputs, change)?)
}

/// All that `earlier` spends, back to `change`: at most one of the two confirms.
pub fn cancel(earlier: &UnsignedTx, change: AddressPath, bid: Bid) -> Result<UnsignedTx, BidError> {
    let scripts = earlier.descriptor.scripts(change);
    let script = scripts.ok_or(MultisigBuildError::NoAddress { path: change })?.output;
    let outputs = all_to(earlier.chain, &earlier.descriptor, &earlier.coins(), script, bid)?;
    Ok(earlier.again(outputs, change)?)
}

/// All of these coins to `destination`. `previous` as for [`super::build`].
pub fn sweep(
    chain: &'static Chain,
    descriptor: &Descriptor,
    coins: &[Coin],
    (destination, change): (&Address, AddressPath),
    bid: Bid,
    previous: impl Fn(&OutPoint) -> Option<Bytes>,
) -> Result<UnsignedTx, BidError> {
    let to = Destination::parse(chain, destination.as_str()).map_err(BuildError::from)?;
    let outputs = all_to(chain, descriptor, coins, to.script(), bid)?;
    Ok(spending(chain, descriptor, coins, outputs, change, previous)?)
}

/// The same sweep for a higher fee.
pub fn sweep_again(
    earlier: &UnsignedTx,
    (destination, change): (&Address, AddressPath),
    bid: Bid,
) -> Result<UnsignedTx, BidError> {
    let previous = |coin: &OutPoint| earlier.previous(coin);
    let (chain, descriptor) = (earlier.chain, &earlier.descriptor);
    sweep(chain, descriptor, &earlier.coins(), (destination, change), bid, previous)
}

fn all_to(
    chain: &Chain,
    descriptor: &Descriptor,
    coins: &[Coin],
    script: ScriptBuf,
    bid: Bid,
) -> Result<Vec<TxOut>, BidError> {
    let size = weight_with(descriptor.input_weight(), coins.len(), &[script.len()]);
    let fee = bid.fee(chain, size.ok_or(BidError::OutOfRange)?)?;
    let mut sum = 0u64;
    for coin in coins {
        sum = sum.checked_add(sats(coin.amount)?).ok_or(BidError::OutOfRange)?;
    }
    let dust = dust_limit(chain, &script).ok_or(BidError::OutOfRange)?;
    let left = sum.checked_sub(fee).filter(|left| *left >= dust);
    let left = left.ok_or_else(|| short(sum, fee.saturating_add(dust)))?;
    Ok(vec![output(Amount::new(left.into()), script)?])
}
