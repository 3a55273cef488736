//! The policy: asking the governing quorum for another one. Nothing here puts one in force.

use serde::Deserialize;
use serde_json::json;
use strongroom_domain::{Command, ProposalId, policy::PolicyV1};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Application, Caller, Failure, Once, views};
use crate::authorisation::Resource;

/// Ask the governing quorum for another policy.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposePolicy {
    /// All of it, with the next version. `GET /api/v1/policy` shows the one in force.
    #[schema(value_type = Object)]
    pub policy: PolicyV1,
    /// How long the question stays open, in seconds. Default: the policy's longest.
    pub expires_in_s: Option<u64>,
}

impl Application {
    /// Opens a policy's proposal.
    pub async fn propose_policy(
        &self,
        caller: &Caller,
        once: Once,
        asked: ProposePolicy,
    ) -> Result<views::PolicyProposed, Failure> {
        self.demand(caller, "propose-policy", &Resource::System)?;
        let ProposePolicy { policy, expires_in_s } = asked;
        for known in &policy.destinations {
            strongroom_chains::parse_address(known.network, known.address.as_str())
                .map_err(|error| Failure::Address(format!("{}: {error}", known.label)))?;
        }
        let proposal = ProposalId(Uuid::now_v7());
        let expires_at = self.expiry(expires_in_s);
        let maker = caller.person;
        let command = Command::ProposePolicy { proposal, policy, maker, expires_at };
        let subject = json!({ "proposal": proposal, "expires_at": expires_at.to_string() });
        self.answer(caller, once, command, subject).await
    }
}
