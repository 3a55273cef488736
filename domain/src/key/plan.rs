//! Which ceremonies can be carried out. Never says whether one may be: the quorum does.

use super::{CeremonyPlan, Cosigner, Custody};
use crate::{Refusal, Rule, SignerId};
use std::collections::BTreeSet;

/// Bytes of a key expression (BIP 380): an extended key has 111, its origin ten steps at most.
const LONGEST_EXPRESSION: usize = 256;

impl CeremonyPlan {
    /// A plan that the protocol can carry out with these cosigners.
    pub fn check(&self, cosigners: &[Cosigner]) -> Result<(), Refusal> {
        let refuse = |because: String| Err(Refusal::new(Rule::CeremonyPlan, because));
        let holders = self.participants.len();
        let distinct: BTreeSet<_> = self.participants.iter().collect();
        if distinct.len() != holders {
            return refuse("a signer takes part twice".to_owned());
        }
        let threshold = usize::from(self.threshold);
        match self.protocol.custody() {
            Custody::Shares if threshold < 2 || threshold > holders || holders > 10 => {
                refuse(format!(
                    "a key in shares needs 2 to 10 holders, at least 2 of whom sign; this is \
                     {threshold} of {holders}"
                ))
            }
            Custody::Whole if threshold != 1 || holders == 0 || holders > 10 => refuse(format!(
                "a whole key has 1 to 10 holders, any 1 of whom signs; this is {threshold} of \
                 {holders}"
            )),
            Custody::Shares | Custody::Whole if !cosigners.is_empty() => {
                refuse("only a multisig key has cosigners besides its holders".to_owned())
            }
            Custody::Cosigners => self.check_cosigners(cosigners),
            Custody::Shares | Custody::Whole => Ok(()),
        }
    }

    /// A signer among them reads the log before it signs; and one key may be lost.
    fn check_cosigners(&self, cosigners: &[Cosigner]) -> Result<(), Refusal> {
        let refuse = |because: String| Err(Refusal::new(Rule::CeremonyPlan, because));
        let threshold = usize::from(self.threshold);
        let all = self.participants.len().saturating_add(cosigners.len());
        if self.participants.is_empty() {
            return refuse("a multisig key needs one signer at least".to_owned());
        }
        if !(3..=10).contains(&all) || threshold < 2 || threshold >= all {
            return refuse(format!(
                "a multisig key has 3 to 10 cosigners, at least 2 and not all of whom sign; this is \
                 {threshold} of {all}"
            ));
        }
        let names: BTreeSet<_> = cosigners.iter().map(|of| &of.name).collect();
        let keys: BTreeSet<_> = cosigners.iter().map(|of| &of.key).collect();
        if names.len() != cosigners.len() || keys.len() != cosigners.len() {
            return refuse("two cosigners have the same name or the same key".to_owned());
        }
        match cosigners.iter().find(|of| of.key.len() > LONGEST_EXPRESSION) {
            Some(long) => refuse(format!("the key of cosigner {} is none", long.name)),
            None => Ok(()),
        }
    }

    /// A holder's number in the protocol, counted from 1.
    pub fn index_of(&self, signer: SignerId) -> Option<u16> {
        let place = self.participants.iter().position(|holder| *holder == signer)?;
        u16::try_from(place.checked_add(1)?).ok()
    }
}
