//! A change of who may do what. Never decides who must agree to it.

use super::{Governance, Governing, Machine, Person, Role, Standing};
use crate::{Bytes, Digest, PersonId, Refusal, Rule, approval_key::ApprovalKey, policy::Label};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a quorum can change about people, machines and governance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PeopleChange {
    /// Somebody new.
    Enrol(Person),
    /// Somebody leaves: nothing that they agreed to counts from now on.
    Remove {
        /// Who.
        person: PersonId,
    },
    /// Other roles and groups.
    ChangeRights {
        /// Whose.
        person: PersonId,
        /// All that they have from now on.
        roles: BTreeSet<Role>,
        /// All that they are in from now on.
        groups: BTreeSet<Label>,
    },
    /// Another key to approve with.
    AddKey {
        /// Whose.
        person: PersonId,
        /// The key.
        key: ApprovalKey,
    },
    /// A key is not theirs any more: nothing that was agreed to with it counts from now on.
    RemoveKey {
        /// Whose.
        person: PersonId,
        /// Its public bytes.
        key: Bytes,
    },
    /// Somebody may enrol a sign-in credential again.
    Invite {
        /// Who.
        person: PersonId,
        /// SHA-256 of the one-time secret.
        invitation: Digest,
    },
    /// A new machine.
    EnrolMachine(Machine),
    /// A machine leaves.
    RemoveMachine {
        /// Which.
        machine: PersonId,
    },
    /// Who must agree to what, from now on.
    ChangeGovernance(Governance),
}

impl PeopleChange {
    /// What it is, in a word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Enrol(_) => "enrol",
            Self::Remove { .. } => "remove",
            Self::ChangeRights { .. } => "change-rights",
            Self::AddKey { .. } => "add-key",
            Self::RemoveKey { .. } => "remove-key",
            Self::Invite { .. } => "invite",
            Self::EnrolMachine(_) => "enrol-machine",
            Self::RemoveMachine { .. } => "remove-machine",
            Self::ChangeGovernance(_) => "change-governance",
        }
    }

    /// Whom it is about, if about somebody.
    pub const fn person(&self) -> Option<PersonId> {
        match self {
            Self::Enrol(Person { id: person, .. })
            | Self::EnrolMachine(Machine { id: person, .. })
            | Self::Remove { person }
            | Self::ChangeRights { person, .. }
            | Self::AddKey { person, .. }
            | Self::RemoveKey { person, .. }
            | Self::Invite { person, .. }
            | Self::RemoveMachine { machine: person } => Some(*person),
            Self::ChangeGovernance(_) => None,
        }
    }
}

impl Standing {
    /// What would stand after `change`, if it may be made.
    pub fn after(&self, change: &PeopleChange) -> Result<Self, Refusal> {
        let mut next = self.clone();
        next.change(change)?;
        next.check()?;
        Ok(next)
    }

    /// Makes a change; the error is that there is nothing to change. Whether what stands then holds
    /// together is [`Self::check`]'s affair.
    pub(super) fn change(&mut self, change: &PeopleChange) -> Result<(), Refusal> {
        let refuse = |because: String| Err(Refusal::new(Rule::PeopleChange, because));
        match change {
            PeopleChange::Enrol(person) => {
                if self.knows(person.id) {
                    return refuse(format!("{} is enrolled already", person.id));
                }
                self.people.insert(person.id, person.clone());
            }
            PeopleChange::Remove { person } => {
                if self.people.remove(person).is_none() {
                    return refuse(format!("nobody is enrolled as {person}"));
                }
            }
            PeopleChange::ChangeRights { person, roles, groups } => {
                let person = self.person(*person)?;
                if person.roles == *roles && person.groups == *groups {
                    return refuse("these are their rights already".to_owned());
                }
                person.roles.clone_from(roles);
                person.groups.clone_from(groups);
            }
            PeopleChange::AddKey { person, key } => {
                self.person(*person)?.approval_keys.push(key.clone());
            }
            PeopleChange::RemoveKey { person, key } => {
                let keys = &mut self.person(*person)?.approval_keys;
                let before = keys.len();
                keys.retain(|known| known.public() != key);
                if keys.len() == before {
                    return refuse(format!("{key} is not an approval key of {person}"));
                }
            }
            PeopleChange::Invite { person, invitation } => {
                let person = self.person(*person)?;
                // The secret of an invitation that was used is known to whoever used it.
                if person.invitation == Some(*invitation) {
                    return refuse("an invitation is made once".to_owned());
                }
                person.invitation = Some(*invitation);
            }
            PeopleChange::EnrolMachine(machine) => {
                if self.knows(machine.id) {
                    return refuse(format!("{} is enrolled already", machine.id));
                }
                self.machines.insert(machine.id, machine.clone());
            }
            PeopleChange::RemoveMachine { machine } => {
                if self.machines.remove(machine).is_none() {
                    return refuse(format!("no machine is enrolled as {machine}"));
                }
            }
            PeopleChange::ChangeGovernance(governance) => {
                let next = Governing::V2(governance.clone());
                if self.governance == next {
                    return refuse("this governance stands already".to_owned());
                }
                self.governance = next;
            }
        }
        Ok(())
    }

    fn knows(&self, id: PersonId) -> bool {
        self.people.contains_key(&id) || self.machines.contains_key(&id)
    }

    fn person(&mut self, id: PersonId) -> Result<&mut Person, Refusal> {
        self.people
            .get_mut(&id)
            .ok_or_else(|| Refusal::new(Rule::PeopleChange, format!("nobody is enrolled as {id}")))
    }
}
