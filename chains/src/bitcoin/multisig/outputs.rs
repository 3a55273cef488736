//! What a multisig transaction would really do. Never skips an output: each is accounted for, or the
//! whole is refused.

use super::{
    super::{DecodeError, Destination, effect},
    UnsignedTx,
};
use strongroom_domain::{Address, AddressPath, Amount, Effect};

/// An output, for a person to read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// Where the money goes.
    pub address: Address,
    /// How much.
    pub amount: Amount,
    /// Whose that is.
    pub kind: OutputKind,
}

/// Whose an output is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutputKind {
    /// Anybody's: nothing proves that it comes back.
    Payment,
    /// The descriptor's own: derived again from its keys, and equal.
    Own(AddressPath),
}

impl UnsignedTx {
    /// Every output, in the transaction's order. One that is no address on this network is refused.
    pub fn outputs(&self) -> Result<Vec<Output>, DecodeError> {
        let each = self.transaction.output.iter().zip(&self.returns).enumerate();
        let each = each.map(|(output, (paid, own))| {
            let address = Destination::from_script(&paid.script_pubkey)
                .and_then(|destination| destination.spell(self.chain).ok())
                .ok_or(DecodeError::UnknownScript { output })?;
            let amount = Amount::new(paid.value.to_sat().into());
            let kind = own.as_ref().map_or(OutputKind::Payment, |(path, _)| OutputKind::Own(*path));
            Ok(Output { address, amount, kind })
        });
        each.collect()
    }

    /// Reads it back, as [`super::super::UnsignedTx::effect`] does.
    pub fn effect(
        &self,
        owns: &dyn Fn(&Address) -> Option<AddressPath>,
    ) -> Result<Effect, DecodeError> {
        self.check_paths(owns)?;
        let (destination, amount) = effect::payment(self.chain, &self.transaction.output, owns)?;
        Ok(Effect { network: self.chain.network, destination, amount, fee: self.fee()? })
    }

    /// Reads back a transaction that must pay nobody. Says what it costs.
    pub fn returned(
        &self,
        owns: &dyn Fn(&Address) -> Option<AddressPath>,
    ) -> Result<Amount, DecodeError> {
        self.check_paths(owns)?;
        effect::only_returns(self.chain, &self.transaction.output, owns)?;
        self.fee()
    }

    /// Inputs less outputs, exactly.
    pub fn fee(&self) -> Result<Amount, DecodeError> {
        effect::difference(
            self.spent.iter().map(|spent| spent.output.value.to_sat()),
            self.transaction.output.iter().map(|output| output.value.to_sat()),
        )
    }

    /// The log must know each address by the path that the descriptor gives it.
    pub(super) fn check_paths(
        &self,
        owns: &dyn Fn(&Address) -> Option<AddressPath>,
    ) -> Result<(), DecodeError> {
        for (input, spent) in self.spent.iter().enumerate() {
            let address = self.descriptor.address(self.chain, spent.path);
            if address.and_then(|address| owns(&address)) != Some(spent.path) {
                return Err(DecodeError::ForeignInput { input });
            }
        }
        Ok(())
    }
}
