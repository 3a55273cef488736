//! Payments out of custody. Nothing here makes anybody sign: the saga follows the log.

use serde::Deserialize;
use serde_json::json;
use strongroom_commands::{Outcome, recorded};
use strongroom_domain::{
    AccountId, Address, Amount, Asset, Command, Event, Intent, ProposalId, Refusal, Rule,
    TransferId, WalletId, transfer::TransferEvent,
};
use strongroom_projections::{TransferState, TransferStory};
use strongroom_store::Position;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Application, Caller, Failure, Once, answered, views};
use crate::authorisation::Resource;

/// Ask for a payment.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestTransaction {
    /// Whose claim becomes smaller.
    #[schema(value_type = Uuid)]
    pub account: AccountId,
    /// Which wallet pays.
    #[schema(value_type = Uuid)]
    pub wallet: WalletId,
    /// What is paid, such as `litecoin-regtest/ltc`.
    #[schema(value_type = String, example = "litecoin-regtest/ltc")]
    pub asset: Asset,
    /// How much reaches the destination, in base units, as a decimal string.
    #[schema(value_type = String, example = "50000000")]
    pub amount: Amount,
    /// Who is paid: an address in its canonical spelling.
    pub destination: String,
    /// The most that the network may take, in base units of its native asset.
    #[schema(value_type = String, example = "10000")]
    pub fee_cap: Amount,
    /// How long the question stays open, in seconds. Default: the policy's longest.
    pub expires_in_s: Option<u64>,
}

impl Application {
    /// Asks for a payment. What the policy forbids is recorded, and then refused.
    pub async fn request_transaction(
        &self,
        caller: &Caller,
        once: Once,
        asked: RequestTransaction,
    ) -> Result<views::TransactionRequested, Failure> {
        self.demand_account(caller, "request-transfer", asked.account)?;
        let destination =
            strongroom_chains::parse_address(asked.asset.network(), &asked.destination)
                .map_err(|error| Failure::Address(format!("destination: {error}")))?;
        check_relayed(&asked, &destination)?;
        let (transfer, proposal) = (TransferId(Uuid::now_v7()), ProposalId(Uuid::now_v7()));
        let expires_at = self.expiry(asked.expires_in_s);
        let intent = Intent {
            transfer,
            account: asked.account,
            wallet: asked.wallet,
            asset: asked.asset,
            amount: asked.amount,
            destination,
            fee_cap: asked.fee_cap,
        };
        let maker = caller.person;
        let command = Command::RequestTransfer { intent, proposal, maker, expires_at };
        let subject = json!({
            "transaction": transfer, "proposal": proposal, "expires_at": expires_at.to_string(),
        });
        let outcome = self.execute(caller, once, command, subject).await?;
        if outcome.has("transfer.refused") {
            return Err(self.noted(self.recorded_refusal(&outcome).await)?);
        }
        answered(outcome)
    }

    /// The policy's refusal, as the log has it.
    async fn recorded_refusal(&self, outcome: &Outcome) -> Result<Failure, Failure> {
        let missing = || Failure::Corrupt("a recorded refusal is not in the log".to_owned());
        let (first, last) = outcome.positions.ok_or_else(missing)?;
        let first = Position::new(first).ok_or_else(missing)?;
        let log = self.bus().log();
        let count = usize::try_from(last.saturating_sub(first.get())).unwrap_or(0);
        for record in log.read_from(first, count.saturating_add(1)).await? {
            let recorded =
                recorded(&record).map_err(|error| Failure::Corrupt(error.to_string()))?;
            if let (strongroom_domain::Stream::Transfer(transfer), Event::Transfer(event)) =
                (recorded.stream, recorded.event)
                && let TransferEvent::Refused(refused) = event
            {
                self.metrics().command(Some(refused.rule.id()));
                let refusal = Refusal::new(refused.rule, refused.because);
                return Ok(Failure::RefusedAndRecorded { refusal, transfer });
            }
        }
        Err(missing())
    }

    /// Takes a payment back, while nobody can have signed it.
    pub async fn cancel_transaction(
        &self,
        caller: &Caller,
        once: Once,
        id: TransferId,
    ) -> Result<views::TransactionCancelled, Failure> {
        let row = self.read(move |view| view.transfer(id)).await?;
        let row = row.ok_or_else(|| not_found(id))?;
        self.demand_payment(caller, "cancel-transfer", (id, row.intent.account))?;
        let transfer = Resource::Transfer { transfer: id, maker: row.maker };
        self.demand(caller, "cancel-transfer", &transfer).map_err(|_| {
            let because = "who asked for a payment takes it back, and nobody else";
            Refusal::new(Rule::NotTheMaker, because)
        })?;
        let proposal = row.proposal.ok_or_else(|| {
            Refusal::new(Rule::TransferState, format!("the transfer is {}", row.state))
        })?;
        let command = Command::CancelProposal { proposal, by: caller.person };
        let subject = json!({ "transaction": id, "proposal": proposal });
        self.answer(caller, once, command, subject).await
    }

    /// How far signing is. Refused before the quorum, and when it will never come to signing.
    pub async fn report_signing(
        &self,
        caller: &Caller,
        id: TransferId,
    ) -> Result<views::Signing, Failure> {
        let story = self.story(id).await?;
        self.demand_payment(caller, "report-signing", (id, story.transfer.intent.account))?;
        let state = story.transfer.state;
        match state {
            TransferState::Approved
            | TransferState::Signing
            | TransferState::Signed
            | TransferState::Broadcast
            | TransferState::Confirmed => {
                let waiting = self.0.sagas.payments.waiting(id);
                Ok(signing(&story, waiting, self.cosigners(id)))
            }
            TransferState::AwaitingApproval => {
                let because = "its quorum was not reached: nothing is signed before";
                Err(Refusal::new(Rule::TransferState, because).into())
            }
            TransferState::Refused
            | TransferState::Rejected
            | TransferState::Cancelled
            | TransferState::Expired
            | TransferState::Failed
            | TransferState::Stopped
            | TransferState::Abandoned => {
                let because = format!("the transfer is {state}: it will never be signed");
                Err(Refusal::new(Rule::TransferState, because).into())
            }
        }
    }

    /// A payment and everything that was said about it.
    pub async fn transaction(
        &self,
        caller: &Caller,
        id: TransferId,
    ) -> Result<views::TransactionStory, Failure> {
        let story = self.story(id).await?;
        self.demand_payment(caller, "read-transfer", (id, story.transfer.intent.account))?;
        let mut story = views::TransactionStory::from(story);
        story.waiting = self.0.sagas.payments.waiting(id);
        story.transaction.waiting.clone_from(&story.waiting);
        story.cosigners = self.cosigners(id);
        Ok(story)
    }

    pub(super) async fn story(&self, id: TransferId) -> Result<TransferStory, Failure> {
        self.read(move |view| view.transfer_story(id)).await?.ok_or_else(|| not_found(id))
    }
}

/// What no node relays would wait for ever.
fn check_relayed(asked: &RequestTransaction, destination: &Address) -> Result<(), Failure> {
    let network = asked.asset.network();
    let least = strongroom_chains::least_payment(network, destination)
        .map_err(|error| Failure::Address(format!("destination: {error}")))?;
    if asked.amount < least && !asked.amount.is_zero() {
        let because = format!("{} is dust there: nodes relay {least} and more", asked.amount);
        return Err(Refusal::new(Rule::AmountDust, because).into());
    }
    Ok(())
}

fn not_found(id: TransferId) -> Failure {
    Failure::NotFound { what: "transaction", id: id.to_string() }
}

fn signing(
    story: &TransferStory,
    waiting: Option<String>,
    cosigners: Vec<views::Cosigning>,
) -> views::Signing {
    let current = story.attempts.last();
    let attempt = current.map(|row| row.attempt);
    let refusals = story.refusals.iter().filter(|refusal| Some(refusal.attempt) == attempt);
    views::Signing {
        waiting,
        transaction: story.transfer.transfer.to_string(),
        state: story.transfer.state.to_string(),
        attempt: current.cloned().map(Into::into),
        refusals: refusals.cloned().map(Into::into).collect(),
        cosigners,
    }
}
