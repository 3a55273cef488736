//! Whether a charter's text holds together, whatever its version. Never looks at what only a later
//! version has.

use super::{FoundingSignature, PersonV1, Role};
use crate::{
    Bytes, PersonId, Refusal, Rule, SignerId,
    policy::{PolicyV1, Quorum},
    statement,
};
use std::collections::BTreeSet;

/// What the texts of all versions have in common.
pub(super) struct Text<'a> {
    pub(super) people: &'a [PersonV1],
    pub(super) governance: &'a Quorum,
    pub(super) policy: &'a PolicyV1,
    /// Each with its sealing key.
    pub(super) signers: Vec<(SignerId, &'a Bytes)>,
    /// Every Ed25519 key besides the people's.
    pub(super) keys: Vec<&'a Bytes>,
}

/// The refusal of a charter that does not hold together.
pub(super) fn invalid<T>(because: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(Rule::CharterInvalid, because))
}

impl Text<'_> {
    /// Whether everyone named exists once, every quorum can be met, and every key is a key.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        self.policy.check()?;
        self.governance.check()?;
        if self.policy.version != 1 {
            return invalid("the charter's policy has version 1");
        }
        let ids: BTreeSet<_> = self.people.iter().map(|person| person.id).collect();
        if ids.len() != self.people.len() {
            return invalid("a person is named twice");
        }
        let signers: BTreeSet<_> = self.signers.iter().map(|(signer, _)| signer).collect();
        if signers.len() != self.signers.len() {
            return invalid("a signer is named twice");
        }
        let approves = |id: &PersonId| {
            let person = self.people.iter().find(|person| person.id == *id);
            person.is_some_and(|known| known.roles.contains(&Role::Approver))
        };
        if let Some(id) =
            self.policy.people().iter().chain(&self.governance.group).find(|id| !approves(id))
        {
            return invalid(format!("a quorum names {id}, who is not an approver"));
        }
        self.check_keys()
    }

    fn check_keys(&self) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        let keys = self.people.iter().flat_map(|person| &person.approval_keys);
        for key in keys.chain(self.keys.iter().copied()) {
            if !statement::is_public_key(key) {
                return invalid(format!("{key} is not an Ed25519 public key"));
            }
            // One key for two people would let one of them count twice.
            if !seen.insert(key) {
                return invalid(format!("the key {key} is enrolled twice"));
            }
        }
        for person in self.people {
            if person.roles.contains(&Role::Approver) == person.approval_keys.is_empty() {
                return invalid(format!(
                    "{}: approvers have approval keys, others have none",
                    person.id
                ));
            }
        }
        match self.signers.iter().find(|(_, sealing)| sealing.array::<32>().is_none()) {
            Some((signer, _)) => invalid(format!("{signer}: a sealing key has 32 bytes")),
            None => Ok(()),
        }
    }

    /// Whether every approver signed `statement` with a key of theirs.
    pub(super) fn check_signatures(
        &self,
        statement: &str,
        signatures: &[FoundingSignature],
    ) -> Result<(), Refusal> {
        let approvers = self.people.iter().filter(|person| person.roles.contains(&Role::Approver));
        for person in approvers {
            let signed = signatures.iter().any(|by| {
                by.person == person.id
                    && person.approval_keys.contains(&by.key)
                    && statement::verify(&by.key, statement, &by.signature)
            });
            if !signed {
                let because = format!("{} has not signed the founding statement", person.id);
                return Err(Refusal::new(Rule::CharterSignature, because));
            }
        }
        Ok(())
    }
}
