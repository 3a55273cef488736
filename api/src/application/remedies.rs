//! What a quorum is asked when a chain does not take a payment: to let it cost more, or to make it
//! impossible. The saga does the rest by itself; nothing here builds a transaction.

use serde::Deserialize;
use serde_json::json;
use strongroom_domain::{Amount, Command, ProposalId, TransferId, proposal::Subject};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Application, Caller, Failure, Once, views};

/// What to do about a payment that is stuck.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Remedy {
    /// Let the network take more for it.
    RaiseFeeCap {
        /// The most that it may take, all attempts together, in base units.
        #[schema(value_type = String)]
        fee_cap: Amount,
    },
    /// Make it impossible, and bring everything back to its wallet, less a fee.
    Abandon {},
}

/// Ask who agreed to a payment what is to become of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeRemedy {
    /// What.
    pub remedy: Remedy,
    /// How long the question stays open, in seconds. Default: the policy's longest.
    pub expires_in_s: Option<u64>,
}

impl Application {
    /// Asks a transfer's own quorum to let it cost more, or to have it cancelled on its chain.
    pub async fn propose_remedy(
        &self,
        caller: &Caller,
        once: Once,
        (transfer, asked): (TransferId, ProposeRemedy),
    ) -> Result<views::ReleaseProposed, Failure> {
        let account = self.story(transfer).await?.transfer.intent.account;
        self.demand_payment(caller, "propose-remedy", (transfer, account))?;
        let subject = match asked.remedy {
            Remedy::RaiseFeeCap { fee_cap } => Subject::RaiseFeeCap { transfer, fee_cap },
            Remedy::Abandon {} => Subject::Abandon { transfer },
        };
        let proposal = ProposalId(Uuid::now_v7());
        let expires_at = self.expiry(asked.expires_in_s);
        let maker = caller.person;
        let command = Command::Propose { proposal, subject, maker, expires_at };
        let subject = json!({ "proposal": proposal, "expires_at": expires_at.to_string() });
        self.answer(caller, once, command, subject).await
    }
}
