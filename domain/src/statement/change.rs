//! A change of people, machines or governance in words: what is, and what would be.

use super::approval::duration;
use crate::{
    PersonId,
    approval_key::ApprovalKey,
    charter::{Governance, Governing, Machine, PeopleChange, Person, Role, Standing},
    policy::{Label, Requirement},
};
use std::{collections::BTreeSet, fmt::Write as _};

pub(super) fn people(standing: &Standing, change: &PeopleChange) -> String {
    match change {
        PeopleChange::Enrol(person) => format!("ENROL         a person\n{}", described(person)),
        PeopleChange::Remove { person } => {
            format!(
                "REMOVE        a person, who has these rights today\n{}",
                known(standing, *person)
            )
        }
        PeopleChange::ChangeRights { person, roles, groups } => {
            let mut text = format!("CHANGE RIGHTS of person {person}\n");
            let before = standing.people.get(person);
            let (had, was_in) =
                before.map(|it| (it.roles.clone(), it.groups.clone())).unwrap_or_default();
            difference(&mut text, "role", &had, roles, |role| role.name().to_owned());
            difference(&mut text, "group", &was_in, groups, ToString::to_string);
            text
        }
        PeopleChange::AddKey { person, key } => {
            format!("ADD A KEY     to approve with, of person {person}\n{}", a_key(key))
        }
        PeopleChange::RemoveKey { person, key } => {
            format!("REMOVE A KEY  of person {person}\n  public key {key}\n")
        }
        PeopleChange::Invite { person, invitation } => format!(
            "INVITE        person {person} to enrol a sign-in credential\n  \
             secret with SHA-256 {invitation}\n{}",
            known(standing, *person)
        ),
        PeopleChange::EnrolMachine(machine) => {
            format!("ENROL         a machine\n{}", a_machine(machine))
        }
        PeopleChange::RemoveMachine { machine } => {
            let known = standing.machines.get(machine).map(a_machine).unwrap_or_default();
            format!("REMOVE        the machine {machine}\n{known}")
        }
        PeopleChange::ChangeGovernance(next) => {
            let mut text = String::from("CHANGE WHO MUST AGREE\n");
            match &standing.governance {
                Governing::V1(quorum) => {
                    let (needed, people) = (quorum.approvals, quorum.group.len());
                    let _ = writeln!(text, "today: {needed} of {people} named approvers, to all");
                }
                Governing::V2(today) => {
                    let _ = write!(text, "today:\n{}", governance(today));
                }
            }
            let _ = write!(text, "from then on:\n{}", governance(next));
            text
        }
    }
}

/// What is new and what is gone; what stays is said once.
fn difference<T: Ord>(
    text: &mut String,
    what: &str,
    before: &BTreeSet<T>,
    after: &BTreeSet<T>,
    name: impl Fn(&T) -> String,
) {
    for gone in before.difference(after) {
        let _ = writeln!(text, "  - {what} {}", name(gone));
    }
    for new in after.difference(before) {
        let _ = writeln!(text, "  + {what} {}", name(new));
    }
    for kept in after.intersection(before) {
        let _ = writeln!(text, "    {what} {}", name(kept));
    }
}

fn known(standing: &Standing, person: PersonId) -> String {
    standing.people.get(&person).map(described).unwrap_or_default()
}

/// A person as the charter knows them.
pub(super) fn described(person: &Person) -> String {
    let Person { id, roles, groups, approval_keys, invitation } = person;
    let mut text = format!("person {id}\n");
    for role in roles {
        let _ = writeln!(text, "  role {}", role.name());
    }
    for group in groups {
        let _ = writeln!(text, "  in group {group}");
    }
    for key in approval_keys {
        text.push_str(&a_key(key));
    }
    if let Some(invitation) = invitation {
        let _ = writeln!(text, "  may sign in first with the secret of SHA-256 {invitation}");
    }
    text
}

fn a_key(key: &ApprovalKey) -> String {
    let (kind, public) = (key.kind(), key.public());
    match key {
        ApprovalKey::Ed25519 { .. } | ApprovalKey::P256 { .. } => {
            format!("  approves with {kind} {public}\n")
        }
        ApprovalKey::WebAuthn { credential, rp_id, origin, .. } => format!(
            "  approves with {kind} {public}\n    credential {credential}\n    \
             on pages of {origin} for {rp_id}\n"
        ),
    }
}

fn a_machine(machine: &Machine) -> String {
    let mut text = format!("machine {}\n  signs with ed25519 {}\n", machine.id, machine.key);
    let names = |roles: &BTreeSet<Role>| -> Vec<String> {
        roles.iter().map(|role| role.name().to_owned()).collect()
    };
    let _ = writeln!(text, "  roles {}", names(&machine.roles).join(", "));
    let scopes: Vec<_> = machine.scopes.iter().map(Label::to_string).collect();
    let scopes = if scopes.is_empty() { "all of its roles".to_owned() } else { scopes.join(", ") };
    let _ = writeln!(text, "  operations {scopes}");
    let from = if machine.networks.is_empty() {
        "anywhere".to_owned()
    } else {
        machine.networks.join(", ")
    };
    let _ = writeln!(text, "  from {from}\n  until {}", machine.expires_at);
    text
}

/// Governance, one fact a line.
pub(super) fn governance(of: &Governance) -> String {
    let mut text = String::new();
    for (what, list) in [
        ("another policy", &of.policy),
        ("people, machines and this", &of.people),
        ("key ceremonies", &of.keys),
        ("letting go on what was stopped", &of.release),
    ] {
        let _ = writeln!(text, "  {what} needs {}", requirements(list));
    }
    let _ = writeln!(text, "  another policy waits {}", duration(of.policy_delay_s));
    text
}

/// `2 of treasury and 1 of compliance`.
pub(super) fn requirements(list: &[Requirement]) -> String {
    let parts: Vec<_> =
        list.iter().map(|one| format!("{} of {}", one.approvals, one.group)).collect();
    if parts.is_empty() { "nobody".to_owned() } else { parts.join(" and ") }
}
