//! The same payment from the same coins for a higher fee (BIP 125): what it adds comes out of the
//! wallet's change. Never touches what the destination gets, and never spends another coin.

use super::{
    BuildError, Chain, DecodeError, Destination, SatPerKvb, UnsignedTx, build, dust_limit,
    fee::{MAX_STANDARD, WeightUnits, fee, weight},
};
use bitcoin::{Amount as Sats, Psbt};
use strongroom_domain::{Address, AddressPath, Amount, Branch};

/// What a transaction may cost, and what it must beat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bid {
    /// What the market asks, per size.
    pub rate: SatPerKvb,
    /// The most that the fee may be: beyond the rate as much as it takes, never more than this.
    pub cap: Amount,
    /// The highest fee among the transactions that it replaces.
    pub replaced: Option<Amount>,
}

/// Why there is no such transaction.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BidError {
    /// Only a higher cap helps.
    #[error("it must cost at least {least}, above the cap of {cap}")]
    OverCap {
        /// What nodes demand: BIP 125, rules 3 and 4.
        least: Amount,
        /// What was approved.
        cap: Amount,
    },
    /// There is nothing that the fee could come out of.
    #[error("{spare} comes back to the wallet; the fee needs {needed} of it")]
    NoChange {
        /// What there is.
        spare: Amount,
        /// What it takes.
        needed: Amount,
    },
    /// Sums that no transaction has.
    #[error("an amount above all the money there is, or a transaction that nodes don't relay")]
    OutOfRange,
    /// What came out is refused by our own rules.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// What is to be replaced is not a payment of this wallet.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl Bid {
    /// The fee for a transaction of this weight: by the rate, at least what nodes demand of a
    /// replacement (BIP 125: more in total than what it replaces, rule 3, by its own size at the
    /// relay rate, rule 4), and at most the cap where the cap covers what they demand.
    pub(super) fn fee(&self, chain: &Chain, weight: WeightUnits) -> Result<u64, BidError> {
        if weight > MAX_STANDARD {
            return Err(BidError::OutOfRange);
        }
        let relayed = fee(weight, chain.relay_rate).ok_or(BidError::OutOfRange)?;
        let replaced = self.replaced.map_or(Ok(0), sats)?;
        let least = relayed.checked_add(replaced).ok_or(BidError::OutOfRange)?;
        let by_rate = fee(weight, self.rate).ok_or(BidError::OutOfRange)?;
        // A cap above all the money there is caps nothing.
        let cap = sats(self.cap).unwrap_or(chain.max_money);
        if least > cap {
            return Err(BidError::OverCap { least: Amount::new(least.into()), cap: self.cap });
        }
        Ok(by_rate.clamp(least, cap))
    }
}

impl UnsignedTx {
    /// Its weight once it is signed.
    pub fn weight(&self) -> Option<WeightUnits> {
        let outputs = &self.psbt.unsigned_tx.output;
        let scripts: Vec<usize> = outputs.iter().map(|paid| paid.script_pubkey.len()).collect();
        weight(self.psbt.unsigned_tx.input.len(), &scripts)
    }

    /// Which of its outputs comes back to the wallet.
    pub(super) fn change(
        &self,
        owns: &dyn Fn(&Address) -> Option<AddressPath>,
    ) -> Option<(usize, AddressPath, Sats)> {
        let outputs = self.psbt.unsigned_tx.output.iter().enumerate();
        outputs.into_iter().find_map(|(output, paid)| {
            let address = Destination::from_script(&paid.script_pubkey)?.spell(self.chain).ok()?;
            let path = owns(&address).filter(|path| path.branch == Branch::Change)?;
            Some((output, path, paid.value))
        })
    }
}

/// The replacement of a payment of ours. Change that would be dust goes to the fee as long as the
/// cap allows it.
pub fn replace(
    earlier: &UnsignedTx,
    owns: &dyn Fn(&Address) -> Option<AddressPath>,
    bid: Bid,
) -> Result<UnsignedTx, BidError> {
    earlier.effect(owns)?;
    let chain = earlier.chain;
    let spent = sats(earlier.fee()?)?;
    let Some((at, _, change)) = earlier.change(owns) else {
        let needed = bid.fee(chain, earlier.weight().ok_or(BidError::OutOfRange)?)?;
        return Err(short(0, needed.saturating_sub(spent)));
    };
    let spare = change.to_sat().checked_add(spent).ok_or(BidError::OutOfRange)?;
    let mut transaction = earlier.psbt.unsigned_tx.clone();
    let fee = bid.fee(chain, earlier.weight().ok_or(BidError::OutOfRange)?)?;
    let left = spare.checked_sub(fee);
    let output = transaction.output.get_mut(at).ok_or(BidError::OutOfRange)?;
    let dust = dust_limit(chain, &output.script_pubkey).ok_or(BidError::OutOfRange)?;
    if let Some(left) = left.filter(|left| *left >= dust) {
        output.value = Sats::from_sat(left);
    } else {
        // All of it, then. The transaction is smaller, so what it must pay can only be less.
        transaction.output.remove(at);
        let scripts: Vec<usize> =
            transaction.output.iter().map(|paid| paid.script_pubkey.len()).collect();
        let weight = weight(transaction.input.len(), &scripts).ok_or(BidError::OutOfRange)?;
        let least = Bid { rate: chain.relay_rate, ..bid }.fee(chain, weight)?;
        if spare < least {
            return Err(short(change.to_sat(), least.saturating_sub(spent)));
        }
        if Amount::new(spare.into()) > bid.cap {
            return Err(BidError::OverCap { least: Amount::new(spare.into()), cap: bid.cap });
        }
    }
    build::sort(&mut transaction.output);
    let mut psbt = Psbt::from_unsigned_tx(transaction).map_err(|_| BidError::OutOfRange)?;
    for (input, theirs) in psbt.inputs.iter_mut().zip(&earlier.psbt.inputs) {
        input.witness_utxo.clone_from(&theirs.witness_utxo);
        input.tap_internal_key = theirs.tap_internal_key;
    }
    Ok(UnsignedTx::of(chain, psbt)?)
}

pub(super) fn short(spare: u64, needed: u64) -> BidError {
    BidError::NoChange { spare: Amount::new(spare.into()), needed: Amount::new(needed.into()) }
}

pub(super) fn sats(amount: Amount) -> Result<u64, BidError> {
    u64::try_from(amount.units()).map_err(|_| BidError::OutOfRange)
}
