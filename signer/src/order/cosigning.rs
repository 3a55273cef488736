//! A cosigner's part of a payment: this signer's own signatures of an attempt of a multisig wallet. The
//! attempt is checked and consumed on disk first, as for every key; no other cosigner's part is needed,
//! and none is looked at.

use strongroom_chains::UnsignedTx;
use strongroom_domain::{
    Rule, TransferId,
    key::{Custody, Protocol},
    protocol::Reply,
};

use super::{Signer, Trouble, refuse};

impl Signer {
    /// Gives all of a signature that one signer can give: of a whole key, or of a cosigner's own.
    pub(super) fn sign_by_itself(
        &self,
        transfer: TransferId,
        attempt: u32,
    ) -> Result<Reply, Trouble> {
        match self.cosigned_by(transfer) {
            None => self.sign_alone(transfer, attempt),
            Some(protocol) => self.cosign_payment(transfer, attempt, protocol),
        }
    }

    fn cosign_payment(
        &self,
        transfer: TransferId,
        attempt: u32,
        protocol: Protocol,
    ) -> Result<Reply, Trouble> {
        let checked = self.consume(transfer, attempt, protocol)?;
        let UnsignedTx::Multisig(unsigned) = &checked.unsigned else {
            return refuse(Rule::SignerIntentMismatch, "it is no multisig wallet's transaction");
        };
        let signatures = self.sign_multisig(checked.key, &checked.active, unsigned)?;
        Ok(Reply::Signatures { signatures })
    }

    /// Of a payment of a multisig wallet: how its key signs. What is wrong with the payment otherwise is
    /// found where it is checked.
    fn cosigned_by(&self, transfer: TransferId) -> Option<Protocol> {
        let follower = self.follower();
        let state = follower.audited().ok()?.state();
        let key = state.transfers.get(&transfer)?.attempts()?.current.key;
        let protocol = state.keys.get(&key)?.existing().ok()?.plan.protocol;
        match protocol.custody() {
            Custody::Cosigners => Some(protocol),
            Custody::Shares | Custody::Whole => None,
        }
    }
}
