//! Whether people, machines, governance and policy, as they would stand, hold together. Never looks
//! at how they came to be.

use super::{Governance, Governing, Person, Role, Standing, check::invalid, governance};
use crate::{
    PersonId, Refusal, Rule,
    approval_key::ApprovalKey,
    policy::{Demand, Groups, InForce, Policy, Quorums, Requirement},
    proposal::{Approved, Subject},
};
use std::collections::BTreeSet;

/// Who may ask for anything: such a person can be the maker of a question to their own group.
const ASKERS: [Role; 5] =
    [Role::Initiator, Role::Officer, Role::KeyCustodian, Role::Compliance, Role::Administrator];

impl Standing {
    /// The approvers of each group who have something to approve with.
    pub fn groups(&self) -> Groups {
        let mut groups = Groups::new();
        let able = |person: &&Person| {
            person.roles.contains(&Role::Approver) && !person.approval_keys.is_empty()
        };
        for person in self.people.values().filter(able) {
            for group in &person.groups {
                groups.entry(group.clone()).or_default().insert(person.id);
            }
        }
        groups
    }

    /// Whether an approval still counts: its approver still is one, and the key is still theirs.
    pub fn counts(&self, approved: &Approved) -> bool {
        self.demand(approved.approver, Role::Approver)
            .is_ok_and(|person| person.approval_key(&approved.key).is_some())
    }

    /// Whether a person or machine has one of these roles.
    pub fn may(&self, id: PersonId, roles: &[Role]) -> Result<(), Refusal> {
        let person = self.people.get(&id).map(|person| &person.roles);
        let has = person.or_else(|| self.machines.get(&id).map(|machine| &machine.roles));
        if has.is_some_and(|has| roles.iter().any(|role| has.contains(role))) {
            return Ok(());
        }
        let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
        let because = format!("{id} does not have the role {}", names.join(" or "));
        Err(Refusal::new(Rule::RoleMissing, because))
    }

    /// Whether somebody may ask a quorum this.
    pub fn may_ask(&self, id: PersonId, subject: &Subject) -> Result<(), Refusal> {
        match subject {
            Subject::Transfer { .. } | Subject::Payment { .. } | Subject::RaiseFeeCap { .. } => {
                self.may(id, &[Role::Initiator])
            }
            Subject::KeyCeremony(_) | Subject::MultisigKey { .. } => {
                self.may(id, &[Role::Initiator, Role::KeyCustodian])
            }
            // Officers too: they know first that one can't be trusted.
            Subject::ChangeKey(_) | Subject::Rotate(_) => {
                self.may(id, &[Role::Initiator, Role::KeyCustodian, Role::Officer])
            }
            Subject::Signers(_) => self.may(
                id,
                &[Role::Administrator, Role::KeyCustodian, Role::Initiator, Role::Officer],
            ),
            Subject::PolicyChange(_) | Subject::PolicyForm2(_) => {
                self.may(id, &[Role::Initiator, Role::Compliance, Role::Officer])
            }
            Subject::People(_) => {
                self.may(id, &[Role::Administrator, Role::Initiator, Role::Officer])
            }
            Subject::Unfreeze { .. }
            | Subject::ReleaseKey { .. }
            | Subject::ReleaseSigner { .. }
            | Subject::Abandon { .. } => self.may(id, &[Role::Officer, Role::Initiator]),
        }
    }

    /// Whether everyone's rights go together, every key is one and one person's, and every quorum
    /// can be met even when its maker is one of its group.
    pub fn check(&self) -> Result<(), Refusal> {
        for person in self.people.values() {
            check_person(person)?;
        }
        for machine in self.machines.values() {
            machine.check()?;
        }
        self.check_keys()?;
        match &self.governance {
            Governing::V1(_) => self.check_named(),
            Governing::V2(governance) => self.check_governance(governance),
        }
    }

    fn check_keys(&self) -> Result<(), Refusal> {
        let people = self.people.values().flat_map(|person| &person.approval_keys);
        let signers = self.signers.values();
        let ours = signers.flat_map(|of| [Some(&of.identity_key), of.witness_key.as_ref()]);
        let outside = self.witnessing.iter().flat_map(super::Witnessing::ed25519);
        let mut seen: BTreeSet<_> = ours.flatten().chain([&self.log_key]).chain(outside).collect();
        let machines = self.machines.values().map(|machine| &machine.key);
        // One key for two people would let one of them count twice.
        match people.map(ApprovalKey::public).chain(machines).find(|key| !seen.insert(key)) {
            Some(key) => {
                let because = format!("the key {key} is enrolled twice");
                Err(Refusal::new(Rule::ApprovalKeyInvalid, because))
            }
            None => Ok(()),
        }
    }

    /// Under governance that names people: they are approvers.
    fn check_named(&self) -> Result<(), Refusal> {
        let Governing::V1(quorum) = &self.governance else { return Ok(()) };
        for person in self.policy.people().iter().chain(&quorum.group) {
            self.demand(*person, Role::Approver).map_err(|_| {
                let because = format!("a quorum names {person}, who would not be an approver");
                Refusal::new(Rule::QuorumUnmeetable, because)
            })?;
        }
        self.check_met()
    }

    fn check_governance(&self, governance: &Governance) -> Result<(), Refusal> {
        let runs = |person: &Person| person.roles.contains(&Role::Administrator);
        if !self.people.values().any(runs) {
            let because = "nobody would be an administrator";
            return Err(Refusal::new(Rule::LastAdministrator, because));
        }
        if governance.policy_delay_s > governance::LONGEST_DELAY_S {
            return invalid("a policy waits for 30 days at most");
        }
        let groups = self.groups();
        for (what, list) in governance.lists() {
            self.check_meetable((what, false), list, &groups)?;
        }
        let asked = Quorums::resolve(&governance.policy, &groups).approvals();
        if let Some(needed) = strictest(&self.policy).filter(|needed| asked < *needed) {
            let because = format!(
                "another policy would need {asked} approvals, payments up to {needed}: changing \
                 the rules must take no less than what they ask"
            );
            return Err(Refusal::new(Rule::GovernanceTooWeak, because));
        }
        self.check_met()
    }

    /// Whether what the policy asks can be met.
    fn check_met(&self) -> Result<(), Refusal> {
        let groups = self.groups();
        match &self.policy {
            InForce::V1(policy) => {
                for person in policy.people() {
                    self.demand(person, Role::Approver)?;
                }
                Ok(())
            }
            InForce::V2(policy) => {
                for (rule, asked) in required(policy) {
                    self.check_meetable((&format!("the rule {rule}"), true), asked, &groups)?;
                }
                Ok(())
            }
        }
    }

    /// A rule of a policy may ask one person only: others ask more beside it.
    fn check_meetable(
        &self,
        (what, beside): (&str, bool),
        asked: &[Requirement],
        groups: &Groups,
    ) -> Result<(), Refusal> {
        let refuse = |because: String| Err(Refusal::new(Rule::QuorumUnmeetable, because));
        let quorums = Quorums::resolve(asked, groups);
        let alone = beside && quorums.approvals() == 1;
        if let Some(part) = quorums.0.iter().find(|part| {
            let people = part.group.len();
            part.approvals == 0 || !(2..=10).contains(&people)
        }) {
            let people = part.group.len();
            return refuse(format!(
                "{what}: {} of {people} people; a group has 2 to 10 approvers with a key",
                part.approvals
            ));
        }
        if !alone {
            quorums.check().map_err(|refusal| {
                Refusal::new(Rule::QuorumUnmeetable, format!("{what}: {}", refusal.because))
            })?;
        }
        let asks = |id: &PersonId| self.may(*id, &ASKERS).is_ok();
        for maker in quorums.people().into_iter().filter(asks) {
            if !quorums.still_possible_without(&[maker].into()) {
                return refuse(format!("{what}: when {maker} asks, the others are too few"));
            }
        }
        Ok(())
    }
}

/// What each rule asks of people, each tier by itself.
fn required(policy: &Policy) -> Vec<(String, &[Requirement])> {
    let mut all = Vec::new();
    for rule in &policy.rules {
        match &rule.demand {
            Demand::Tiers { steps, .. } => {
                let asked = steps.iter().map(|step| (rule.id.to_string(), &step.require[..]));
                all.extend(asked);
            }
            Demand::Approvals { require } => all.push((rule.id.to_string(), &require[..])),
            Demand::Permit
            | Demand::Forbid
            | Demand::Allowlist { .. }
            | Demand::Velocity { .. }
            | Demand::Hours { .. }
            | Demand::Delay { .. }
            | Demand::FeeCap { .. }
            | Demand::MakerNotChecker
            | Demand::WalletCeiling { .. }
            | Demand::Screening { .. }
            | Demand::ContractCall { .. }
            | Demand::TokenApproval { .. }
            | Demand::ContractAdmin { .. }
            | Demand::Compromise { .. } => {}
        }
    }
    all.retain(|(_, asked)| !asked.is_empty());
    all
}

/// The most approvals that one rule asks.
fn strictest(policy: &InForce) -> Option<usize> {
    let count = |asked: &[Requirement]| asked.iter().map(|one| usize::from(one.approvals)).sum();
    match policy {
        InForce::V1(policy) => {
            policy.tiers.iter().map(|tier| usize::from(tier.quorum.approvals)).max()
        }
        InForce::V2(policy) => required(policy).into_iter().map(|(_, asked)| count(asked)).max(),
    }
}

fn check_person(person: &Person) -> Result<(), Refusal> {
    let Person { id, roles, groups, approval_keys, invitation: _ } = person;
    if roles.is_empty() {
        return invalid(format!("{id} has no role"));
    }
    let beside = |role: &Role| !matches!(role, Role::Administrator | Role::Viewer | Role::Auditor);
    if roles.contains(&Role::Administrator) && roles.iter().any(beside) {
        let because = format!(
            "{id}: an administrator runs the system and has no say over funds: no role but viewer \
             and auditor goes with it"
        );
        return Err(Refusal::new(Rule::RoleSeparation, because));
    }
    if !groups.is_empty() && !roles.contains(&Role::Approver) {
        return invalid(format!("{id}: only approvers are in groups"));
    }
    let signs = roles.contains(&Role::Approver) || roles.contains(&Role::Compliance);
    if !approval_keys.is_empty() && !signs {
        return invalid(format!("{id}: only approvers and compliance have keys to sign with"));
    }
    approval_keys.iter().try_for_each(ApprovalKey::check)
}
