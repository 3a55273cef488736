//! A transfer's transactions, in words: what each is for, who signs it and how the network calls it. Never
//! says of one that it was checked which the verifier did not check.

use super::Story;
use strongroom_chains::UnsignedTx;
use strongroom_domain::{
    State,
    transfer::{AttemptAuthorised, AttemptFound, AttemptRefused, ReturnAuthorised, Returns},
};

impl Story {
    pub(super) fn authorised(&self, state: &State, attempt: &AttemptAuthorised) -> Vec<String> {
        let mut says = vec![format!(
            "Attempt {} was authorised: a transaction that costs at most {}.",
            attempt.attempt,
            self.amount(attempt.fee)
        )];
        says.extend(self.called(attempt));
        says.extend(Self::by(state, attempt));
        says.push("Checked: it does what was approved, spends what was set aside, and excludes every attempt before it.".to_owned());
        says
    }

    /// The transaction's id, where signatures don't change it: what a cosigner without a network compares.
    fn called(&self, attempt: &AttemptAuthorised) -> Option<String> {
        let network = self.intent.as_ref()?.network();
        let id = match UnsignedTx::parse(network, &attempt.unsigned).ok()? {
            UnsignedTx::Bitcoin(unsigned) => unsigned.id(),
            UnsignedTx::Multisig(unsigned) => unsigned.id(),
            UnsignedTx::Ethereum(_) => return None,
        };
        Some(format!("Whoever signs reads: transaction {id}."))
    }

    fn by(state: &State, attempt: &AttemptAuthorised) -> Vec<String> {
        let mut says = Vec::new();
        if let Some(Ok(key)) = state.keys.get(&attempt.key).map(|key| key.active()) {
            let (plan, public) = (&key.plan, &key.public_key);
            says.push(format!(
                "By key {} ({}, {} of {} signers), public key {public}.",
                attempt.key,
                plan.protocol.name(),
                plan.threshold,
                plan.participants.len()
            ));
        }
        says.extend(attempt.signers.iter().map(|signer| format!("To sign: signer {signer}.")));
        says
    }

    pub(super) fn returned(&self, state: &State, it: &ReturnAuthorised) -> Vec<String> {
        let why = match it.returns {
            Returns::Cancellation => "To make the payment impossible".to_owned(),
            Returns::Child { parent } => format!("To pull attempt {parent} into a block"),
        };
        let mut says = vec![format!(
            "{why}, attempt {} was authorised: it pays nobody and costs at most {}.",
            it.attempt.attempt,
            self.amount(it.attempt.fee)
        )];
        says.extend(self.called(&it.attempt));
        says.extend(Self::by(state, &it.attempt));
        says.push("Checked: everything that it spends comes back to the wallet.".to_owned());
        says
    }

    pub(super) fn refused(it: &AttemptRefused) -> String {
        let AttemptRefused { attempt, signer, rule, because } = it;
        format!("Signer {signer} refused attempt {attempt}: rule {rule}: {because}")
    }

    pub(super) fn found(it: &AttemptFound) -> Vec<String> {
        let (attempt, id) = (it.attempt, &it.transaction);
        vec![
            format!("Cosigners completed attempt {attempt} besides the server: transaction {id}."),
            "Its signatures were verified over exactly the authorised transaction.".to_owned(),
            "The chain decides whether it or the attempt that followed takes effect.".to_owned(),
        ]
    }
}
