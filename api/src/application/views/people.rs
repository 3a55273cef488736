//! People and machines, as callers see them: ids and rights, and nothing about the person.

use strongroom_domain::charter::{Machine, Person};

use super::{Json, json, texts, views};
use crate::access::role_name;

views! {
    /// Everyone of the charter in force.
    People {
        /// People.
        people: Vec<PersonView>,
        /// Machines.
        machines: Vec<MachineView>,
    }
    /// A person.
    PersonView from &Person as row {
        /// Who.
        person: String = row.id.to_string(),
        /// What they may do.
        roles: Vec<String> = row.roles.iter().map(|role| role_name(*role).to_owned()).collect(),
        /// Whose word they count for.
        groups: Vec<String> = texts(&row.groups),
        /// What they approve with: public keys.
        #[schema(value_type = Object)]
        approval_keys: Json = json(&row.approval_keys),
        /// Whether an invitation is in force.
        invited: bool = row.invitation.is_some(),
    }
    /// A machine.
    MachineView from &Machine as row {
        /// Which.
        machine: String = row.id.to_string(),
        /// What it may do.
        roles: Vec<String> = row.roles.iter().map(|role| role_name(*role).to_owned()).collect(),
        /// Operations that it is for; none: all that its roles allow.
        scopes: Vec<String> = texts(&row.scopes),
        /// Where it may be.
        networks: Vec<String> = row.networks.clone(),
        /// From then on it is nobody.
        expires_at: String = row.expires_at.to_string(),
    }
}
