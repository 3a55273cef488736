//! The charter: people, roles, keys, signers and the standing policy. It never changes without a
//! quorum, and never holds a name or a secret.

mod event;

pub use event::{
    CharterEvent, CharterText, Enrolment, Founded, FoundingSignature, Person, PolicyChanged, Role,
};

use crate::{
    Aggregate, Bytes, Corrupt, LogId, PersonId, ProposalId, Refusal, Rule, SignerId,
    policy::{Policy, Quorum},
    statement,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// The charter as it stands.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Charter(Option<Standing>);

/// What a founded charter says now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Standing {
    /// The log.
    pub log: LogId,
    /// Ed25519 public key of the log.
    pub log_key: Bytes,
    /// Everyone with a role.
    pub people: BTreeMap<PersonId, Person>,
    /// Everyone who may hold a key.
    pub signers: BTreeMap<SignerId, Enrolment>,
    /// Who decides about keys and policy.
    pub governance: Quorum,
    /// The policy in force.
    pub policy: Policy,
}

/// A request to change the charter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Begin the log.
    Found(Founded),
    /// Put the policy of an approved proposal in force.
    ChangePolicy {
        /// The proposal whose quorum was reached.
        proposal: ProposalId,
        /// The next policy.
        policy: Policy,
    },
}

impl Charter {
    /// The founded charter.
    pub fn standing(&self) -> Result<&Standing, Refusal> {
        self.0
            .as_ref()
            .ok_or_else(|| Refusal::new(Rule::CharterState, "this log has no charter yet"))
    }
}

impl Standing {
    /// Whether the person has the role; the error says which role would be needed.
    pub fn demand(&self, person: PersonId, role: Role) -> Result<&Person, Refusal> {
        self.people.get(&person).filter(|known| known.roles.contains(&role)).ok_or_else(|| {
            Refusal::new(
                Rule::RoleMissing,
                format!("person {person} does not have the role {role:?}"),
            )
        })
    }

    /// The standing policy, changed only as far as it can be applied by the people there are.
    pub fn check_next_policy(&self, policy: &Policy) -> Result<(), Refusal> {
        policy.check()?;
        if Some(policy.version) != self.policy.version.checked_add(1) {
            let because = format!(
                "the next policy has version {}, not {}",
                self.policy.version.saturating_add(1),
                policy.version
            );
            return Err(Refusal::new(Rule::PolicyInvalid, because));
        }
        for person in policy.people() {
            self.demand(person, Role::Approver)?;
        }
        Ok(())
    }
}

impl CharterText {
    /// Whether everyone named exists once, every quorum can be met, and every key is a key.
    pub fn check(&self) -> Result<(), Refusal> {
        let refuse = |because: String| Err(Refusal::new(Rule::CharterInvalid, because));
        self.policy.check()?;
        self.governance.check()?;
        if self.policy.version != 1 {
            return refuse("the charter's policy has version 1".to_owned());
        }
        let ids: BTreeSet<_> = self.people.iter().map(|person| person.id).collect();
        if ids.len() != self.people.len() {
            return refuse("a person is named twice".to_owned());
        }
        let signers: BTreeSet<_> = self.signers.iter().map(|signer| signer.id).collect();
        if signers.len() != self.signers.len() {
            return refuse("a signer is named twice".to_owned());
        }
        let approves = |id: &PersonId| {
            let person = self.people.iter().find(|person| person.id == *id);
            person.is_some_and(|known| known.roles.contains(&Role::Approver))
        };
        if let Some(id) =
            self.policy.people().iter().chain(&self.governance.group).find(|id| !approves(id))
        {
            return refuse(format!("a quorum names {id}, who is not an approver"));
        }
        self.check_keys()
    }

    fn check_keys(&self) -> Result<(), Refusal> {
        let refuse = |because: String| Err(Refusal::new(Rule::CharterInvalid, because));
        let mut seen = BTreeSet::new();
        let keys = self.people.iter().flat_map(|person| &person.approval_keys);
        let identities = self.signers.iter().map(|signer| &signer.identity_key);
        for key in keys.chain(identities).chain([&self.log_key]) {
            if !statement::is_public_key(key) {
                return refuse(format!("{key} is not an Ed25519 public key"));
            }
            // One key for two people would let one of them count twice.
            if !seen.insert(key) {
                return refuse(format!("the key {key} is enrolled twice"));
            }
        }
        for person in &self.people {
            if person.roles.contains(&Role::Approver) == person.approval_keys.is_empty() {
                return refuse(format!(
                    "{}: approvers have approval keys, others have none",
                    person.id
                ));
            }
        }
        match self.signers.iter().find(|signer| signer.sealing_key.array::<32>().is_none()) {
            Some(signer) => refuse(format!("{}: a sealing key has 32 bytes", signer.id)),
            None => Ok(()),
        }
    }
}

impl Founded {
    /// Whether every approver of the charter signed it with a key of theirs.
    pub fn check_signatures(&self) -> Result<(), Refusal> {
        let text = statement::founding(&self.charter);
        let approvers =
            self.charter.people.iter().filter(|person| person.roles.contains(&Role::Approver));
        for person in approvers {
            let signed = self.signatures.iter().any(|by| {
                by.person == person.id
                    && person.approval_keys.contains(&by.key)
                    && statement::verify(&by.key, &text, &by.signature)
            });
            if !signed {
                let because = format!("{} has not signed the founding statement", person.id);
                return Err(Refusal::new(Rule::CharterSignature, because));
            }
        }
        Ok(())
    }
}

impl Aggregate for Charter {
    const KIND: &'static str = "charter";
    type Command = Command;
    type Event = CharterEvent;

    fn decide(&self, command: Command) -> Result<Vec<CharterEvent>, Refusal> {
        match (&self.0, command) {
            (None, Command::Found(founded)) => {
                founded.charter.check()?;
                founded.check_signatures()?;
                Ok(vec![founded.into()])
            }
            (Some(standing), Command::ChangePolicy { proposal, policy }) => {
                standing.check_next_policy(&policy)?;
                Ok(vec![PolicyChanged { proposal, policy }.into()])
            }
            (Some(_), Command::Found(_)) => {
                Err(Refusal::new(Rule::CharterState, "this log has a charter already"))
            }
            (None, Command::ChangePolicy { .. }) => {
                Err(Refusal::new(Rule::CharterState, "this log has no charter yet"))
            }
        }
    }

    fn evolve(&mut self, event: &CharterEvent) -> Result<(), Corrupt> {
        match (&mut self.0, event) {
            (state @ None, CharterEvent::Founded(Founded { charter, .. })) => {
                *state = Some(Standing {
                    log: charter.log,
                    log_key: charter.log_key.clone(),
                    people: charter.people.iter().map(|p| (p.id, p.clone())).collect(),
                    signers: charter.signers.iter().map(|s| (s.id, s.clone())).collect(),
                    governance: charter.governance.clone(),
                    policy: charter.policy.clone(),
                });
                Ok(())
            }
            (Some(standing), CharterEvent::PolicyChanged(change)) => {
                standing.policy = change.policy.clone();
                Ok(())
            }
            (state, event) => Err(Corrupt {
                aggregate: Self::KIND,
                state: if state.is_some() { "founded" } else { "not founded" },
                event: event.kind().0,
            }),
        }
    }
}
