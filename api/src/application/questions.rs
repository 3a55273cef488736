//! Questions about people, and taking a question back. Nothing here answers one.

use serde::Deserialize;
use serde_json::json;
use strongroom_domain::{Command, ProposalId, charter::PeopleChange, proposal::Subject};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Application, Caller, Failure, Once, views};
use crate::authorisation::Resource;

/// Ask the governing quorum to change something about people, machines or governance.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposePeople {
    /// What: one of `enrol`, `remove`, `change-rights`, `add-key`, `remove-key`, `invite`,
    /// `enrol-machine`, `remove-machine`, `change-governance`.
    #[schema(value_type = Object)]
    pub change: PeopleChange,
    /// How long the question stays open, in seconds. Default: the policy's longest.
    pub expires_in_s: Option<u64>,
}

impl Application {
    /// Asks for a change of people, machines or governance.
    pub async fn propose_people(
        &self,
        caller: &Caller,
        once: Once,
        asked: ProposePeople,
    ) -> Result<views::ReleaseProposed, Failure> {
        self.demand(caller, "propose-people", &Resource::System)?;
        let ProposePeople { change, expires_in_s } = asked;
        self.question(caller, once, Subject::People(change), expires_in_s).await
    }

    /// Everyone and every machine of the charter in force, without their secrets: there are none.
    pub fn people(&self, caller: &Caller) -> Result<views::People, Failure> {
        self.demand(caller, "read-people", &Resource::System)?;
        self.bus().read(|state| {
            let standing = state.charter.standing()?;
            let people: Vec<_> = standing.people.values().map(views::PersonView::from).collect();
            let machines = standing.machines.values().map(views::MachineView::from).collect();
            Ok::<_, Failure>(views::People { people, machines })
        })
    }

    /// Takes back a question that the caller asked and that is no payment's.
    pub async fn cancel_proposal(
        &self,
        caller: &Caller,
        once: Once,
        proposal: ProposalId,
    ) -> Result<views::ProposalCancelled, Failure> {
        self.demand(caller, "cancel-proposal", &Resource::System)?;
        let command = Command::CancelProposal { proposal, by: caller.person };
        self.answer(caller, once, command, json!({ "proposal": proposal })).await
    }

    async fn question(
        &self,
        caller: &Caller,
        once: Once,
        subject: Subject,
        expires_in_s: Option<u64>,
    ) -> Result<views::ReleaseProposed, Failure> {
        let proposal = ProposalId(Uuid::now_v7());
        let expires_at = self.expiry(expires_in_s);
        let command = Command::Propose { proposal, subject, maker: caller.person, expires_at };
        let kept = json!({ "proposal": proposal, "expires_at": expires_at.to_string() });
        self.answer(caller, once, command, kept).await
    }
}
