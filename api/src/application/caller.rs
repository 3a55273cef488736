//! Who is asking. Only [`Application::caller`] makes one: what a token claims is held against the
//! charter each time.

use std::collections::BTreeSet;

use strongroom_domain::{PersonId, Refusal, Rule, charter::Role};

use super::{Application, Failure, views};
use crate::access::{TokenId, TokenParts, role_name};

/// A person, through one of their tokens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The token.
    pub token: TokenId,
    /// The person.
    pub person: PersonId,
    /// Roles that the token and the charter both give.
    pub roles: BTreeSet<Role>,
}

impl Caller {
    /// Refuses a caller without the role.
    pub fn demand(&self, role: Role) -> Result<(), Failure> {
        if self.roles.contains(&role) {
            return Ok(());
        }
        let because = format!("this needs a token with the role {}", role_name(role));
        Err(Refusal::new(Rule::RoleMissing, because).into())
    }

    /// What the caller is told of themselves.
    pub fn view(&self) -> views::Me {
        views::Me {
            token: self.token.to_string(),
            person: self.person.to_string(),
            roles: self.roles.iter().map(|role| role_name(*role).to_owned()).collect(),
        }
    }
}

impl Application {
    /// Whose token this is. `Unauthenticated` for any that is not good, without saying why.
    pub fn caller(&self, token: &str) -> Result<Caller, Failure> {
        let presented = TokenParts::read(token).ok_or(Failure::Unauthenticated)?;
        let grant = self.0.access.find(&presented)?.ok_or(Failure::Unauthenticated)?;
        let roles = self.bus().read(|state| {
            let person = state.charter.standing().ok()?.people.get(&grant.person)?;
            Some(grant.roles.intersection(&person.roles).copied().collect::<BTreeSet<_>>())
        });
        let roles = roles.ok_or(Failure::Unauthenticated)?;
        Ok(Caller { token: grant.token, person: grant.person, roles })
    }
}
