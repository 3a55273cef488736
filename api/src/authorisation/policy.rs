//! `strongroom.cedar`, compiled and asked. Whatever goes wrong while it is asked is a refusal: a
//! rule that could not be evaluated never counts as one that agreed.

use std::collections::HashMap;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};
use serde::Deserialize;
use strongroom_domain::{ClientId, PersonId, Refusal, Rule, TransferId};

use super::{
    operations::TABLE,
    principal::{Presented, Principal, Via, uid},
};
use crate::application::Failure;

const POLICY: &str = include_str!("strongroom.cedar");
const TYPES: &str = include_str!("strongroom.cedarschema");

/// What an institution decides about authorisation beside the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Whether API tokens may do what a session must step up for. Default: yes; scripts need it.
    pub tokens_act: bool,
    /// Whether anybody may read entries: from `[transparency]`.
    #[serde(skip)]
    pub public_entries: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tokens_act: true, public_entries: false }
    }
}

/// What is asked about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resource {
    /// The whole of what is kept.
    System,
    /// A client's data.
    Client(ClientId),
    /// A payment, by who asked for it.
    Transfer {
        /// Which.
        transfer: TransferId,
        /// Who asked for it.
        maker: PersonId,
    },
}

/// Why there is no authorisation policy: the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The schema is none.
    #[error("the authorisation schema: {0}")]
    Schema(String),
    /// The file is none.
    #[error("strongroom.cedar: {0}")]
    Policy(String),
    /// A name that there is not, or types that do not fit.
    #[error("strongroom.cedar does not fit its schema: {0}")]
    Strict(String),
}

/// The compiled policy.
pub struct Authorisation {
    authorizer: Authorizer,
    policies: PolicySet,
    schema: Schema,
    system: EntityUid,
    anybody: EntityUid,
    /// By operation.
    actions: HashMap<&'static str, (EntityUid, Context)>,
}

pub(super) fn kind(name: &str) -> Option<EntityTypeName> {
    name.parse().ok()
}

/// The schema: the file's types, and an action for each operation.
fn schema_text() -> String {
    let names: Vec<String> = TABLE.iter().map(|one| format!("\"{}\"", one.name)).collect();
    format!(
        "{TYPES}\naction {} appliesTo {{\n    principal: [Anybody, Caller],\n    \
         resource: [System, Client, Transfer],\n    context: {{ operation: String, \
         public_entries: Bool, tokens_act: Bool }},\n}};\n",
        names.join(", ")
    )
}

impl Resource {
    pub(super) fn uid(&self) -> Option<EntityUid> {
        match self {
            Self::System => uid("System", "strongroom"),
            Self::Client(client) => uid("Client", &client.to_string()),
            Self::Transfer { transfer, .. } => uid("Transfer", &transfer.to_string()),
        }
    }

    fn entity(&self) -> Option<Entity> {
        let Self::Transfer { maker, .. } = self else { return None };
        let maker = RestrictedExpression::new_string(maker.to_string());
        let attributes = HashMap::from([("maker".to_owned(), maker)]);
        Entity::new(self.uid()?, attributes, std::collections::HashSet::new()).ok()
    }
}

impl Authorisation {
    /// Compiles the policy and holds it strictly against its schema.
    pub fn open(settings: Settings) -> Result<Self, PolicyError> {
        Self::compile(POLICY, settings)
    }

    pub(super) fn compile(text: &str, settings: Settings) -> Result<Self, PolicyError> {
        let wrong = |error: &dyn std::fmt::Display| PolicyError::Schema(error.to_string());
        let (schema, _) =
            Schema::from_cedarschema_str(&schema_text()).map_err(|error| wrong(&error))?;
        let policies: PolicySet =
            text.parse().map_err(|error| PolicyError::Policy(format!("{error:?}")))?;
        let checked = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if !checked.validation_passed() {
            let errors: Vec<_> = checked.validation_errors().map(ToString::to_string).collect();
            return Err(PolicyError::Strict(errors.join("; ")));
        }
        let mut actions = HashMap::new();
        for operation in TABLE {
            let context = Context::from_pairs([
                (
                    "operation".to_owned(),
                    RestrictedExpression::new_string(operation.name.to_owned()),
                ),
                (
                    "public_entries".to_owned(),
                    RestrictedExpression::new_bool(settings.public_entries),
                ),
                ("tokens_act".to_owned(), RestrictedExpression::new_bool(settings.tokens_act)),
            ]);
            let context = context.map_err(|error| wrong(&error))?;
            let action = uid("Action", operation.name)
                .ok_or_else(|| PolicyError::Schema(operation.name.to_owned()))?;
            actions.insert(operation.name, (action, context));
        }
        let fixed = |kind, id| uid(kind, id).ok_or_else(|| PolicyError::Schema(kind.to_owned()));
        Ok(Self {
            authorizer: Authorizer::new(),
            policies,
            schema,
            system: fixed("System", "strongroom")?,
            anybody: fixed("Anybody", "anybody")?,
            actions,
        })
    }

    /// Whether somebody who has not signed in may do this.
    pub fn permits_anybody(&self, operation: &str) -> bool {
        self.ask(self.anybody.clone(), operation, self.system.clone(), &Entities::empty())
    }

    /// Whether they may do this.
    pub fn permits(&self, who: &Principal, operation: &str, resource: &Resource) -> bool {
        self.permits_presented(who.presented(), operation, resource)
    }

    pub(super) fn permits_presented(
        &self,
        who: Option<Presented>,
        operation: &str,
        resource: &Resource,
    ) -> bool {
        let asked = || {
            let (principal, entities) = who?.with(resource.entity())?;
            Some(self.ask(principal, operation, resource.uid()?, &entities))
        };
        asked().unwrap_or_else(|| {
            tracing::error!(operation, "a caller could not be put to the policy: refused");
            false
        })
    }

    /// Refuses what they may not do, and says what would help.
    pub fn demand(
        &self,
        who: &Principal,
        operation: &str,
        resource: &Resource,
    ) -> Result<(), Failure> {
        if self.permits(who, operation, resource) {
            return Ok(());
        }
        if who.via == Via::Session && !who.stepped_up {
            let fresh = Principal { stepped_up: true, ..who.clone() };
            if self.permits(&fresh, operation, resource) {
                return Err(Failure::StepUpNeeded);
            }
        }
        let because = format!(
            "{operation} is not permitted to this {} with the roles that the charter gives",
            who.via.name()
        );
        Err(Refusal::new(Rule::RoleMissing, because).into())
    }

    fn ask(
        &self,
        principal: EntityUid,
        operation: &str,
        resource: EntityUid,
        entities: &Entities,
    ) -> bool {
        let Some((action, context)) = self.actions.get(operation) else { return false };
        let (action, context) = (action.clone(), context.clone());
        let request = Request::new(principal, action, resource, context, Some(&self.schema));
        let Ok(request) = request else { return false };
        let answer = self.authorizer.is_authorized(&request, &self.policies, entities);
        let mut errors = answer.diagnostics().errors().peekable();
        if errors.peek().is_some() {
            let errors: Vec<_> = errors.map(ToString::to_string).collect();
            tracing::error!(operation, ?errors, "the authorisation policy: refused");
            return false;
        }
        answer.decision() == Decision::Allow
    }
}
