//! The same payment from the same coins for a higher fee (BIP 125): what it adds comes out of the
//! wallet's change. Never touches what the destination gets, and never spends another coin.

use super::{
    BuildError, Chain, DecodeError, Destination, SatPerKvb, UnsignedTx, build, dust_limit,
    fee::{MAX_STANDARD, WeightUnits, fee, weight},
    multisig::MultisigBuildError,
};
use bitcoin::{Amount as Sats, Psbt, TxOut};
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
    /// By the rules of multisig wallets.
    #[error(transparent)]
    Multisig(#[from] MultisigBuildError),
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
    let mut transaction = earlier.psbt.unsigned_tx.clone();
    let inputs = transaction.input.len();
    let given = Given {
        chain: earlier.chain,
        fee: sats(earlier.fee()?)?,
        change: earlier.change(owns).map(|(at, _, _)| at),
        weight: &|scripts| weight(inputs, scripts),
    };
    transaction.output = given.dearer(transaction.output, bid)?;
    let mut psbt = Psbt::from_unsigned_tx(transaction).map_err(|_| BidError::OutOfRange)?;
    for (input, theirs) in psbt.inputs.iter_mut().zip(&earlier.psbt.inputs) {
        input.witness_utxo.clone_from(&theirs.witness_utxo);
        input.tap_internal_key = theirs.tap_internal_key;
    }
    Ok(UnsignedTx::of(earlier.chain, psbt)?)
}

/// What a replacement is made of, whoever signs it.
pub(super) struct Given<'a> {
    pub(super) chain: &'static Chain,
    /// What it costs now.
    pub(super) fee: u64,
    /// Which output comes back to the wallet.
    pub(super) change: Option<usize>,
    /// What it weighs with outputs of these lengths.
    pub(super) weight: &'a dyn Fn(&[usize]) -> Option<WeightUnits>,
}

impl Given<'_> {
    fn weighed(&self, outputs: &[TxOut]) -> Result<WeightUnits, BidError> {
        let scripts: Vec<usize> = outputs.iter().map(|paid| paid.script_pubkey.len()).collect();
        (self.weight)(&scripts).ok_or(BidError::OutOfRange)
    }

    /// The same outputs for a higher fee, in the order of BIP 69.
    pub(super) fn dearer(&self, mut outputs: Vec<TxOut>, bid: Bid) -> Result<Vec<TxOut>, BidError> {
        let fee = bid.fee(self.chain, self.weighed(&outputs)?)?;
        let Some(at) = self.change else {
            return Err(short(0, fee.saturating_sub(self.fee)));
        };
        let output = outputs.get_mut(at).ok_or(BidError::OutOfRange)?;
        let change = output.value.to_sat();
        let spare = change.checked_add(self.fee).ok_or(BidError::OutOfRange)?;
        let dust = dust_limit(self.chain, &output.script_pubkey).ok_or(BidError::OutOfRange)?;
        if let Some(left) = spare.checked_sub(fee).filter(|left| *left >= dust) {
            output.value = Sats::from_sat(left);
        } else {
            // All of it, then. The transaction is smaller, so what it must pay can only be less.
            outputs.remove(at);
            let least = Bid { rate: self.chain.relay_rate, ..bid };
            let least = least.fee(self.chain, self.weighed(&outputs)?)?;
            if spare < least {
                return Err(short(change, least.saturating_sub(self.fee)));
            }
            if Amount::new(spare.into()) > bid.cap {
                return Err(BidError::OverCap { least: Amount::new(spare.into()), cap: bid.cap });
            }
        }
        build::sort(&mut outputs);
        Ok(outputs)
    }
}

pub(super) fn short(spare: u64, needed: u64) -> BidError {
    BidError::NoChange { spare: Amount::new(spare.into()), needed: Amount::new(needed.into()) }
}

pub(super) fn sats(amount: Amount) -> Result<u64, BidError> {
    u64::try_from(amount.units()).map_err(|_| BidError::OutOfRange)
}
