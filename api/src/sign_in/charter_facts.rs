//! What the charter in force says that signing in needs: the one place here that reads it. Never
//! remembered: the next request asks again.

use std::collections::BTreeSet;

use ed25519_dalek::VerifyingKey;
use ipnet::IpNet;
use strongroom_commands::Bus;
use strongroom_domain::{PersonId, Timestamp, charter::Role};
use subtle::ConstantTimeEq as _;

/// The charter, as it is now.
#[derive(Clone)]
pub struct CharterFacts(Bus);

/// A machine of the charter.
pub struct MachineFacts {
    /// With which it signs requests.
    pub key: VerifyingKey,
    /// What it may be.
    pub roles: BTreeSet<Role>,
    /// What it may ask for; all that its roles allow, where there is nothing.
    pub scopes: BTreeSet<String>,
    /// From where; from anywhere, where there is nothing.
    pub networks: Vec<IpNet>,
    /// Until when.
    pub expires_at: Timestamp,
}

impl CharterFacts {
    /// Over a log's bus.
    pub fn new(bus: Bus) -> Self {
        Self(bus)
    }

    /// A person's roles; `None` where the charter does not name them.
    pub fn roles(&self, person: PersonId) -> Option<BTreeSet<Role>> {
        self.0.read(|state| Some(state.charter.standing().ok()?.people.get(&person)?.roles.clone()))
    }

    /// Whom an invitation of this hash is for. Asked only about the hash of what somebody presented:
    /// how long the search takes tells nothing about another invitation's secret.
    pub fn invited(&self, hash: &[u8; 32]) -> Option<PersonId> {
        self.0.read(|state| {
            let people = &state.charter.standing().ok()?.people;
            let invited = people.values().find(|person| {
                person.invitation.is_some_and(|invitation| invitation.0.ct_eq(hash).into())
            });
            invited.map(|person| person.id)
        })
    }

    /// A machine; `None` where the charter does not name it.
    pub fn machine(&self, id: PersonId) -> Option<MachineFacts> {
        self.0.read(|state| {
            let machine = state.charter.standing().ok()?.machines.get(&id)?;
            // The charter's own check has read both: what cannot be read here is refused.
            let key = machine.key.0.as_slice().try_into().ok()?;
            let networks = machine.networks.iter().map(|network| network.parse().ok());
            Some(MachineFacts {
                key: VerifyingKey::from_bytes(key).ok()?,
                roles: machine.roles.clone(),
                scopes: machine.scopes.iter().map(ToString::to_string).collect(),
                networks: networks.collect::<Option<_>>()?,
                expires_at: machine.expires_at,
            })
        })
    }
}
