//! What an unsigned transaction would really do. Never skips an input or an output: each is
//! accounted for, or the whole is refused.

use super::{DecodeError, Destination, UnsignedTx};
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
        let mut payment = None;
        let mut change = false;
        for (output, paid) in self.psbt.unsigned_tx.output.iter().enumerate() {
            let address = Destination::from_script(&paid.script_pubkey)
                .and_then(|destination| destination.spell(self.chain).ok())
                .ok_or(DecodeError::UnknownScript { output })?;
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
        let (destination, amount) = payment.ok_or(DecodeError::NoPayment)?;
        Ok(Effect { network: self.chain.network, destination, amount, fee: self.fee()? })
    }

    /// Reads back a transaction that must pay nobody: its one output is on the wallet's change
    /// branch. Says what it costs.
    pub fn returned(
        &self,
        owns: &dyn Fn(&Address) -> Option<AddressPath>,
    ) -> Result<Amount, DecodeError> {
        self.paths(owns)?;
        let outputs = &self.psbt.unsigned_tx.output;
        for (output, paid) in outputs.iter().enumerate() {
            let address = Destination::from_script(&paid.script_pubkey)
                .and_then(|destination| destination.spell(self.chain).ok())
                .ok_or(DecodeError::UnknownScript { output })?;
            if owns(&address).map(|path| path.branch) != Some(Branch::Change) {
                return Err(DecodeError::Outward { output });
            }
        }
        if outputs.len() == 1 {
            self.fee()
        } else {
            Err(DecodeError::Returns { found: outputs.len() })
        }
    }

    /// Inputs less outputs, exactly.
    pub fn fee(&self) -> Result<Amount, DecodeError> {
        let spent = sum(self.spent.iter().map(|(coin, _)| coin.value.to_sat()));
        let paid = sum(self.psbt.unsigned_tx.output.iter().map(|o| o.value.to_sat()));
        spent.zip(paid).and_then(|(spent, paid)| spent.checked_sub(paid)).ok_or(DecodeError::Money)
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

fn sum(mut values: impl Iterator<Item = u64>) -> Option<Amount> {
    values.try_fold(Amount::ZERO, |sum, value| sum.checked_add(Amount::new(value.into())))
}
