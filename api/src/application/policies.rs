//! The policy: asking the governing quorum for another one, stopping one that was approved, and
//! tightening the one in force. Nothing here loosens anything by itself.

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::json;
use strongroom_domain::{
    Command, ProposalId,
    policy::{Policy, PolicyV1},
    proposal::Subject,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Application, Caller, Failure, Once, views};
use crate::authorisation::Resource;

/// A policy of either form: one with `rules` is of the second.
#[derive(Clone, Debug)]
pub enum EitherForm {
    /// Tiers and fee caps.
    First(PolicyV1),
    /// Rules.
    Second(Policy),
}

/// Ask the governing quorum for another policy.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposePolicy {
    /// All of it, with the next version. `GET /api/v1/policy` shows the one in force.
    #[schema(value_type = Object)]
    pub policy: EitherForm,
    /// How long the question stays open, in seconds. Default: the policy's longest.
    pub expires_in_s: Option<u64>,
}

/// Put a tighter policy in force, at once.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TightenPolicy {
    /// All of it, with the next version: nothing may pass it that the one in force stops.
    #[schema(value_type = Object)]
    pub policy: Policy,
}

impl<'de> Deserialize<'de> for EitherForm {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(from)?;
        let policy = if value.get("rules").is_some() {
            serde_json::from_value(value).map(Self::Second)
        } else {
            serde_json::from_value(value).map(Self::First)
        };
        policy.map_err(D::Error::custom)
    }
}

impl EitherForm {
    /// Refuses a destination that is no address of its network.
    fn check_addresses(&self) -> Result<(), Failure> {
        match self {
            Self::First(policy) => {
                let all = policy.destinations.iter();
                addresses(all.map(|one| (one.network, one.address.as_str(), &one.label)))
            }
            Self::Second(policy) => addresses_of(policy),
        }
    }
}

fn addresses_of(policy: &Policy) -> Result<(), Failure> {
    let all = policy.destinations.iter();
    addresses(all.map(|one| (one.network, one.address.as_str(), &one.label)))
}

fn addresses<'a>(
    mut all: impl Iterator<
        Item = (strongroom_domain::Network, &'a str, &'a strongroom_domain::policy::Label),
    >,
) -> Result<(), Failure> {
    all.try_for_each(|(network, address, label)| {
        strongroom_chains::parse_address(network, address)
            .map(|_| ())
            .map_err(|error| Failure::Address(format!("{label}: {error}")))
    })
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
        policy.check_addresses()?;
        let proposal = ProposalId(Uuid::now_v7());
        let expires_at = self.expiry(expires_in_s);
        let maker = caller.person;
        let command = match policy {
            EitherForm::First(policy) => {
                Command::ProposePolicy { proposal, policy, maker, expires_at }
            }
            EitherForm::Second(policy) => {
                let subject = Subject::PolicyForm2(policy);
                Command::Propose { proposal, subject, maker, expires_at }
            }
        };
        let subject = json!({ "proposal": proposal, "expires_at": expires_at.to_string() });
        self.answer(caller, once, command, subject).await
    }

    /// An officer stops a policy that was approved and is not in force yet.
    pub async fn veto_proposal(
        &self,
        caller: &Caller,
        once: Once,
        proposal: ProposalId,
    ) -> Result<views::ProposalVetoed, Failure> {
        self.demand(caller, "veto-proposal", &Resource::System)?;
        let command = Command::VetoProposal { proposal, by: caller.person };
        self.answer(caller, once, command, json!({ "proposal": proposal })).await
    }

    /// An officer puts a tighter policy in force.
    pub async fn tighten_policy(
        &self,
        caller: &Caller,
        once: Once,
        asked: TightenPolicy,
    ) -> Result<views::PolicyTightened, Failure> {
        self.demand(caller, "tighten-policy", &Resource::System)?;
        let TightenPolicy { policy } = asked;
        addresses_of(&policy)?;
        let subject = json!({ "version": policy.version });
        let command = Command::TightenPolicy { policy, by: caller.person };
        self.answer(caller, once, command, subject).await
    }
}
