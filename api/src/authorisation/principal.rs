//! Who asks, as the authorisation policy sees them. Made from a checked [`Caller`], never from what
//! a request says.

use std::collections::{BTreeSet, HashMap, HashSet};

use cedar_policy::{Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression};
use strongroom_domain::{ClientId, PersonId, charter::Role};

use super::policy::{Resource, kind};
use crate::{
    access::role_name,
    application::{self, Caller},
};

/// How a caller came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Via {
    /// A person's session in a browser.
    Session,
    /// A person's API token.
    Token,
    /// A machine's signed request.
    Machine,
}

/// Who asks: what the policy's rules look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    /// The person's or machine's id in the charter.
    pub id: PersonId,
    /// Its roles: those that the charter and the credential both give.
    pub roles: BTreeSet<Role>,
    /// How it came.
    pub via: Via,
    /// Whether the person proved presence within the last five minutes. Only in a session.
    pub stepped_up: bool,
    /// Operations that the credential is for; empty: all that the roles allow.
    pub scopes: BTreeSet<String>,
    /// Clients that the credential is for; `None`: all.
    pub clients: Option<BTreeSet<ClientId>>,
}

/// A principal as the policy engine wants it. Made once for a request, however many fields it has.
pub(super) struct Presented {
    pub(super) uid: EntityUid,
    pub(super) entity: Entity,
}

impl Via {
    /// As the policy file spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
            Self::Machine => "machine",
        }
    }
}

impl From<&Caller> for Principal {
    fn from(caller: &Caller) -> Self {
        Self {
            id: caller.person,
            roles: caller.roles.clone(),
            via: match &caller.via {
                application::Via::Session { .. } => Via::Session,
                application::Via::Token(_) => Via::Token,
                application::Via::Machine { .. } => Via::Machine,
            },
            stepped_up: caller.stepped_up(),
            scopes: match &caller.via {
                application::Via::Machine { scopes } => scopes.clone(),
                application::Via::Session { .. } | application::Via::Token(_) => BTreeSet::new(),
            },
            clients: caller.clients.clone(),
        }
    }
}

impl Principal {
    /// As the policy engine wants it; `None` where it does not take it.
    pub(super) fn presented(&self) -> Option<Presented> {
        self.presented_as(self.roles.iter().map(|role| role_name(*role)))
    }

    /// [`Self::presented`], with roles of these names.
    pub(super) fn presented_as<'a>(
        &self,
        roles: impl Iterator<Item = &'a str>,
    ) -> Option<Presented> {
        let own = uid("Caller", &self.id.to_string())?;
        let text = RestrictedExpression::new_string;
        let clients = self.clients.iter().flatten();
        let clients: Option<Vec<_>> = clients.map(|id| Resource::Client(*id).uid()).collect();
        let clients = clients?.into_iter().map(RestrictedExpression::new_entity_uid);
        let attributes = HashMap::from([
            ("id".to_owned(), text(self.id.to_string())),
            ("via".to_owned(), text(self.via.name().to_owned())),
            ("stepped_up".to_owned(), RestrictedExpression::new_bool(self.stepped_up)),
            (
                "scopes".to_owned(),
                RestrictedExpression::new_set(self.scopes.iter().cloned().map(text)),
            ),
            ("limited".to_owned(), RestrictedExpression::new_bool(self.clients.is_some())),
            ("clients".to_owned(), RestrictedExpression::new_set(clients)),
        ]);
        let roles: Option<HashSet<_>> = roles.map(|role| uid("Role", role)).collect();
        let entity = Entity::new(own.clone(), attributes, roles?).ok()?;
        Some(Presented { uid: own, entity })
    }
}

impl Presented {
    /// It, and what the resource is made of.
    pub(super) fn with(self, resource: Option<Entity>) -> Option<(EntityUid, Entities)> {
        let all = [Some(self.entity), resource].into_iter().flatten();
        Some((self.uid, Entities::from_entities(all, None).ok()?))
    }
}

pub(super) fn uid(name: &str, id: &str) -> Option<EntityUid> {
    let name: EntityTypeName = kind(name)?;
    Some(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}
