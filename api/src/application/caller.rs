//! Who is asking, and by which way in. Only [`Application::caller`] and [`crate::sign_in`] make one:
//! what a token, session or machine claims is held against the charter each time.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use strongroom_domain::{ClientId, PersonId, Refusal, Rule, Timestamp, charter::Role};
use strongroom_secrets::SecretText;

use super::{Application, Failure, views};
use crate::access::{SessionId, TokenId, TokenParts, allows, role_name};

/// How long ago a session's person may have proven who they are, in seconds, for what matters.
pub const STEP_UP_S: u64 = 5 * 60;

/// A person or a machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Who.
    pub person: PersonId,
    /// Roles that the way in and the charter both give.
    pub roles: BTreeSet<Role>,
    /// For whose data only; `None`: for all.
    pub clients: Option<BTreeSet<ClientId>>,
    /// By which way in.
    pub via: Via,
    /// When this was looked up.
    pub at: Timestamp,
}

/// A way in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Via {
    /// A person who signed in.
    Session {
        /// Their session.
        id: SessionId,
        /// When they last proved who they are, from the address that this request comes from.
        stepped_up_at: Option<Timestamp>,
    },
    /// A person's API token.
    Token(TokenId),
    /// A machine that signed the request.
    Machine {
        /// The operations that it may ask for; all that its roles allow, where there are none.
        scopes: BTreeSet<String>,
    },
}

impl Caller {
    /// Refuses a caller without the role.
    pub fn demand(&self, role: Role) -> Result<(), Failure> {
        if self.roles.contains(&role) {
            return Ok(());
        }
        let because = format!("this needs the role {}", role_name(role));
        Err(Refusal::new(Rule::RoleMissing, because).into())
    }

    /// Refuses all but a person who has just proven who they are.
    pub fn demand_step_up(&self) -> Result<(), Failure> {
        if self.stepped_up() { Ok(()) } else { Err(Failure::StepUpNeeded) }
    }

    /// Whether this is a person who has just proven who they are.
    pub fn stepped_up(&self) -> bool {
        match &self.via {
            Via::Session { stepped_up_at, .. } => {
                stepped_up_at.is_some_and(|at| self.at < at.plus_seconds(STEP_UP_S))
            }
            Via::Token(_) | Via::Machine { .. } => false,
        }
    }

    /// Whether the way in may be used for this operation at all.
    pub fn in_scope(&self, operation: &str) -> bool {
        match &self.via {
            Via::Machine { scopes } => scopes.is_empty() || scopes.contains(operation),
            Via::Session { .. } | Via::Token(_) => true,
        }
    }

    /// Under which name the caller's requests are counted.
    pub fn counted_as(&self) -> String {
        match &self.via {
            Via::Session { id, .. } => format!("session {id}"),
            Via::Token(id) => format!("token {id}"),
            Via::Machine { .. } => format!("machine {}", self.person),
        }
    }

    /// What the caller is told of themselves.
    pub fn view(&self) -> views::Me {
        let (via, token, stepped_up_at) = match &self.via {
            Via::Session { stepped_up_at, .. } => ("session", None, *stepped_up_at),
            Via::Token(id) => ("token", Some(id.to_string()), None),
            Via::Machine { .. } => ("machine", None, None),
        };
        views::Me {
            via: via.to_owned(),
            token,
            person: self.person.to_string(),
            roles: self.roles.iter().map(|role| role_name(*role).to_owned()).collect(),
            stepped_up_at: stepped_up_at.map(|at| at.to_string()),
        }
    }
}

/// A token as it was presented, to be looked up again for as long as a connection lives.
#[derive(Clone)]
pub struct Presented {
    token: Arc<SecretText>,
    from: IpAddr,
}

impl Presented {
    /// A token that came from an address.
    pub fn new(token: String, from: IpAddr) -> Self {
        Self { token: Arc::new(SecretText::new(token)), from }
    }
}

impl Application {
    /// Whose token this is. `Unauthenticated` for any that is not good here, without saying why.
    pub fn caller(&self, presented: &Presented) -> Result<Caller, Failure> {
        let from = presented.from;
        let presented =
            TokenParts::read(presented.token.expose()).ok_or(Failure::Unauthenticated)?;
        let grant = self.0.sign_in.access().find(&presented)?.ok_or(Failure::Unauthenticated)?;
        if !allows(&grant.bounds.networks, from) {
            tracing::warn!(token = %grant.token, %from, "a token was used from another address");
            return Err(Failure::Unauthenticated);
        }
        let roles = self.roles_of(grant.person).ok_or(Failure::Unauthenticated)?;
        let roles = grant.roles.intersection(&roles).copied().collect();
        let (via, at) = (Via::Token(grant.token), self.0.sign_in.now());
        Ok(Caller { person: grant.person, roles, clients: grant.bounds.clients, via, at })
    }

    /// What the charter in force says of a person; `None` where it does not name them.
    pub(crate) fn roles_of(&self, person: PersonId) -> Option<BTreeSet<Role>> {
        self.bus()
            .read(|state| Some(state.charter.standing().ok()?.people.get(&person)?.roles.clone()))
    }
}
