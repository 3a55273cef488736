//! Before every field of the three roots: may the caller do what it stands for? Asked field by field,
//! so that neither aliases nor batches share an answer, and never by the alias.

use async_graphql::{Context, Guard, Result};

use super::error::error;
use crate::{
    application::{Application, Caller, Failure},
    authorisation::{Principal, Resource, operations},
};
use strongroom_domain::{Refusal, Rule};

/// The fields of this root.
pub(super) struct Allowed(pub(super) &'static str);

impl Guard for Allowed {
    async fn check(&self, context: &Context<'_>) -> Result<()> {
        let name = context.item.node.name.node.as_str();
        let operation = operations::of_field(self.0, name).ok_or_else(|| {
            let because = "nobody may ask this";
            error(&Failure::Refused(Refusal::new(Rule::RoleMissing, because)))
        })?;
        let caller = Principal::from(context.data::<Caller>()?);
        let authorisation = context.data::<Application>()?.authorisation();
        authorisation
            .demand(&caller, operation, &Resource::System)
            .map_err(|failure| error(&failure))
    }
}
