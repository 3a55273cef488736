//! Whether a key has shown that it can sign. Never believes that it has: signatures are verified by
//! whoever records them, and again by whoever audits.

use super::{Active, CosignerProven, Custody, KeyEvent, Proof, Proven};
use crate::{Bytes, Refusal, Rule};

impl Active {
    /// What a spend proof says that the key is: its public key; of a multisig key, which has none of
    /// its own, the descriptor.
    pub const fn proven_as(&self) -> &Bytes {
        match self.plan.protocol.custody() {
            Custody::Shares | Custody::Whole => &self.public_key,
            Custody::Cosigners => &self.public_package,
        }
    }

    /// Whether it may hold something: it has shown that it can sign, or was made before that was
    /// asked of keys.
    pub fn check_proven(&self) -> Result<(), Refusal> {
        match self.proof {
            Proof::NotAsked | Proof::Given { .. } => Ok(()),
            Proof::Awaited => {
                let because = "the key has not shown yet that it can sign";
                Err(Refusal::new(Rule::KeyUnproven, because))
            }
        }
    }

    /// How many signatures its proof has: one, or one of each cosigner.
    pub fn provers(&self) -> usize {
        match self.plan.protocol.custody() {
            Custody::Shares | Custody::Whole => 1,
            Custody::Cosigners => self.holders.len().saturating_add(self.cosigners.len()),
        }
    }

    /// The first word of a place counts: it was verified, and another adds nothing.
    pub(super) fn prove_cosigner(&self, proven: CosignerProven) -> Result<Vec<KeyEvent>, Refusal> {
        let refuse = |because: String| Err(Refusal::new(Rule::KeyUnproven, because));
        if self.plan.protocol.custody() != Custody::Cosigners {
            return refuse("the key has no cosigners: its holders show together".to_owned());
        }
        let places = self.provers();
        if !(1..=places).contains(&usize::from(proven.place)) {
            return refuse(format!("the key has places 1 to {places}, and no {}", proven.place));
        }
        if !matches!(proven.signature.as_slice().len(), 64 | 65) {
            return refuse("a part of a proof has 64 bytes, or 65 (BIP 137)".to_owned());
        }
        if proven.epoch != self.epoch {
            let because = format!("its keys are those of epoch {}", self.epoch);
            return Err(Refusal::new(Rule::KeyState, because));
        }
        if self.parts.contains_key(&proven.place) || matches!(self.proof, Proof::Given { .. }) {
            return Ok(Vec::new());
        }
        Ok(vec![proven.into()])
    }

    pub(super) fn prove(&self, proven: Proven) -> Result<Vec<KeyEvent>, Refusal> {
        let wanted = self.provers();
        if proven.signatures.len() != wanted {
            let because = format!("a proof has {wanted}, not {}", proven.signatures.len());
            return Err(Refusal::new(Rule::KeyUnproven, because));
        }
        // Given together what came one by one: nothing that was not verified and recorded before.
        if self.plan.protocol.custody() == Custody::Cosigners
            && !self.parts.values().eq(&proven.signatures)
        {
            let because = "its proof is what each cosigner gave, in the descriptor's order";
            return Err(Refusal::new(Rule::KeyUnproven, because));
        }
        match self.proof {
            Proof::NotAsked => {
                Err(Refusal::new(Rule::KeyState, "no proof is asked of a key of the first form"))
            }
            _ if proven.epoch != self.epoch => {
                let because = format!("its shares are those of epoch {}", self.epoch);
                Err(Refusal::new(Rule::KeyState, because))
            }
            // The saga repeats its steps.
            Proof::Given { epoch } if epoch == self.epoch => Ok(Vec::new()),
            Proof::Awaited | Proof::Given { .. } => Ok(vec![proven.into()]),
        }
    }
}
