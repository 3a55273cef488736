//! What an unsigned transaction would really do. Never skips an input or an output: each is
//! accounted for, or the whole is refused.

use super::{Chain, DecodeError, Destination, UnsignedTx};
use bitcoin::TxOut;
use strongroom_domain::{Address, AddressPath, Amount, Branch, Effect};

impl UnsignedTx {
    /// Reads it back. `owns` says which of the wallet's addresses an address is, if any: all
    /// inputs must be on them, one output is change if it is on the change branch, and the one
    /// other output is the payment. That may well be one of our own deposit addresses.
    pub fn effect(
        &self,
        owns: &dyn Fn(&Address) -> Option<AddressPath>,
    ) -> Result<Effect, DecodeError> {
        self.paths(owns)?;
        let (destination, amount) = payment(self.chain, &self.psbt.unsigned_tx.output, owns)?;
        Ok(Effect { network: self.chain.network, destination, amount, fee: self.fee()? })
    }

    /// Reads back a transaction that must pay nobody: its one output is on the wallet's change
    /// branch. Says what it costs.
    pub fn returned(
        &self,
        owns: &dyn Fn(&Address) -> Option<AddressPath>,
    ) -> Result<Amount, DecodeError> {
        self.paths(owns)?;
        only_returns(self.chain, &self.psbt.unsigned_tx.output, owns)?;
        self.fee()
    }

    /// Inputs less outputs, exactly.
    pub fn fee(&self) -> Result<Amount, DecodeError> {
        difference(
            self.spent.iter().map(|(coin, _)| coin.value.to_sat()),
            self.psbt.unsigned_tx.output.iter().map(|output| output.value.to_sat()),
        )
    }

    /// Which of the wallet's addresses each input spends from.
    pub(super) fn paths(
        &self,
        owns: &dyn Fn(&Address) -> Option<AddressPath>,
    ) -> Result<Vec<AddressPath>, DecodeError> {
        let path = |(input, (_, address)): (usize, &(_, Destination))| {
            let address = address.spell(self.chain).ok();
            address.and_then(|a| owns(&a)).ok_or(DecodeError::ForeignInput { input })
        };
        self.spent.iter().enumerate().map(path).collect()
    }
}

/// The one output that is a payment; at most one other is the wallet's change, and there is no more.
pub(super) fn payment(
    chain: &Chain,
    outputs: &[TxOut],
    owns: &dyn Fn(&Address) -> Option<AddressPath>,
) -> Result<(Address, Amount), DecodeError> {
    let mut payment = None;
    let mut change = false;
    for (output, paid) in outputs.iter().enumerate() {
        let address = address(chain, output, paid)?;
        match owns(&address).map(|path| path.branch) {
            Some(Branch::Change) if change => {
                return Err(DecodeError::SecondChange { output });
            }
            Some(Branch::Change) => change = true,
            Some(Branch::Deposit) | None if payment.is_some() => {
                return Err(DecodeError::SecondPayment { output });
            }
            Some(Branch::Deposit) | None => {
                payment = Some((address, Amount::new(paid.value.to_sat().into())));
            }
        }
    }
    payment.ok_or(DecodeError::NoPayment)
}

/// Checks that there is one output, on the wallet's change branch.
pub(super) fn only_returns(
    chain: &Chain,
    outputs: &[TxOut],
    owns: &dyn Fn(&Address) -> Option<AddressPath>,
) -> Result<(), DecodeError> {
    for (output, paid) in outputs.iter().enumerate() {
        let address = address(chain, output, paid)?;
        if owns(&address).map(|path| path.branch) != Some(Branch::Change) {
            return Err(DecodeError::Outward { output });
        }
    }
    if outputs.len() == 1 { Ok(()) } else { Err(DecodeError::Returns { found: outputs.len() }) }
}

fn address(chain: &Chain, output: usize, paid: &TxOut) -> Result<Address, DecodeError> {
    Destination::from_script(&paid.script_pubkey)
        .and_then(|destination| destination.spell(chain).ok())
        .ok_or(DecodeError::UnknownScript { output })
}

pub(super) fn difference(
    spent: impl Iterator<Item = u64>,
    paid: impl Iterator<Item = u64>,
) -> Result<Amount, DecodeError> {
    let (spent, paid) = (sum(spent), sum(paid));
    spent.zip(paid).and_then(|(spent, paid)| spent.checked_sub(paid)).ok_or(DecodeError::Money)
}

fn sum(mut values: impl Iterator<Item = u64>) -> Option<Amount> {
    values.try_fold(Amount::ZERO, |sum, value| sum.checked_add(Amount::new(value.into())))
}
