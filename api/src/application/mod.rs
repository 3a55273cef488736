//! What REST and GraphQL have in common: every request of a caller, checked and put to the bus or
//! the read model. Never a rule of custody, and never HTTP.

mod accounts;
mod approvals;
mod backups;
mod caller;
mod clients;
mod cosigners;
mod failure;
mod freezes;
mod key_proofs;
mod keys;
mod log;
mod metrics;
mod once;
mod passkeys;
mod policies;
mod prices;
mod proofs;
mod questions;
mod queue;
mod reads;
mod receipt;
mod reconciliation;
mod remedies;
mod rotations;
mod screenings;
mod signers;
mod transactions;
pub mod views;
mod wallets;
mod webhooks;

pub use accounts::OpenAccount;
pub use approvals::AnswerApproval;
pub use backups::{RecordBackup, RecordDrill};
pub use caller::{Caller, Presented, STEP_UP_S, Via};
pub use cosigners::ImportPsbt;
pub use failure::Failure;
pub use freezes::{Freezing, ProposeRelease, SetFreeze, StopIt};
pub use key_proofs::ProveCosigner;
pub use keys::{NewCosigner, RequestKey};
pub use metrics::Metrics;
pub use once::Once;
pub use passkeys::PasskeyToUse;
pub use policies::{EitherForm, ProposePolicy, TightenPolicy};
pub use prices::QuotePrice;
pub use questions::ProposePeople;
pub use queue::{Queue, Waiting};
pub use reads::{AccountFilter, ApprovalFilter, DepositFilter, Paging, TransactionFilter};
pub use remedies::{ProposeRemedy, Remedy};
pub use rotations::RotateWallet;
pub use screenings::{RecordScreening, ScreeningAsked};
pub use signers::{ProposeSigners, RequestChange, SignersChange};
pub use transactions::RequestTransaction;
pub use wallets::{CreateWallet, DeriveAddress};
pub use webhooks::MessageFilter;

use std::{sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use strongroom_commands::{Bus, CommandError, Outcome, Request, checkpoints::Checkpoints};
use strongroom_domain::{Actor, Command, ProposalId, Timestamp};
use strongroom_projections::{Projections, QueryError, View};
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};

use crate::{
    authorisation::{Authorisation, Principal, Resource},
    serve::Sagas,
    sign_in::SignIn,
    webhooks::Webhooks,
};

/// How long a read waits for the read model to have come as far as the log.
const CONSISTENT_WITHIN: Duration = Duration::from_secs(1);

/// The application. Clones are handles of the same one.
#[derive(Clone)]
pub struct Application(Arc<Parts>);

struct Parts {
    bus: Bus,
    projections: Projections,
    sign_in: SignIn,
    authorisation: Authorisation,
    webhooks: Webhooks,
    sagas: Sagas,
    metrics: Metrics,
    /// Why the server must stop, once it must.
    fault: watch::Sender<Option<String>>,
    /// Two derivations at once would both want the next index.
    deriving: Mutex<()>,
    /// Between two drills of a backup, in seconds.
    drill_every_s: u64,
}

impl Application {
    /// Over a log's bus and its read model, which somebody else keeps up with the log.
    pub fn new(
        bus: Bus,
        projections: Projections,
        (sign_in, authorisation): (SignIn, Authorisation),
        (sagas, webhooks): (Sagas, Webhooks),
        drill_every_s: u64,
    ) -> Self {
        Self(Arc::new(Parts {
            bus,
            projections,
            sign_in,
            authorisation,
            webhooks,
            sagas,
            metrics: Metrics::default(),
            fault: watch::Sender::new(None),
            deriving: Mutex::new(()),
            drill_every_s,
        }))
    }

    /// How people and machines show who they are.
    pub fn sign_in(&self) -> &SignIn {
        &self.0.sign_in
    }

    /// Who may do what.
    pub fn authorisation(&self) -> &Authorisation {
        &self.0.authorisation
    }

    /// Refuses a caller that may not do this to that.
    fn demand(&self, caller: &Caller, operation: &str, resource: &Resource) -> Result<(), Failure> {
        self.authorisation().demand(&Principal::from(caller), operation, resource)
    }

    /// The counters.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Says that the server must stop. The first reason stays.
    pub fn report_fault(&self, because: String) {
        self.0.fault.send_if_modified(|fault| {
            let first = fault.is_none();
            fault.get_or_insert(because);
            first
        });
    }

    /// Why the server must stop, once it must.
    pub fn fault(&self) -> watch::Receiver<Option<String>> {
        self.0.fault.subscribe()
    }

    /// Asks the bus for something that it always refuses: one that has stopped says so instead.
    pub async fn probe(&self) {
        let nobody = Command::ExpireProposal { proposal: ProposalId(uuid::Uuid::nil()) };
        let refused = self.bus().execute(Request::new(nobody, Actor::Saga)).await;
        if let Err(CommandError::Corrupt { because }) = refused {
            self.report_fault(because);
        }
    }

    fn checkpoints(&self) -> &Checkpoints {
        &self.0.sagas.checkpoints
    }

    fn bus(&self) -> &Bus {
        &self.0.bus
    }

    /// When a proposal expires that is opened now.
    fn expiry(&self, expires_in_s: Option<u64>) -> Timestamp {
        let bus = self.bus();
        let longest = bus.read(|state| {
            state.charter.standing().map_or(0, |standing| standing.policy.proposal_lifetime_s())
        });
        bus.now().plus_seconds(expires_in_s.unwrap_or(longest))
    }

    /// Puts a command to the bus. `subject` is what the answer will hold, now and each time that
    /// the request is repeated.
    async fn execute(
        &self,
        caller: &Caller,
        once: Once,
        command: Command,
        subject: serde_json::Value,
    ) -> Result<Outcome, Failure> {
        let mut request = Request::new(command, Actor::Person(caller.person));
        request.idempotency = Some(once.of(caller));
        request.subject = subject;
        let outcome = self.bus().execute(request).await;
        match &outcome {
            Ok(_) => self.metrics().command(None),
            Err(error) => {
                let refused = match error {
                    CommandError::Refused(refusal) => refusal.rule.id(),
                    CommandError::KeyReused { .. } => "idempotency-key-reused",
                    CommandError::Conflict { .. } => "conflict",
                    CommandError::Unavailable { .. } => "unavailable",
                    CommandError::Corrupt { because } => {
                        self.report_fault(because.clone());
                        "corrupt"
                    }
                };
                self.metrics().command(Some(refused));
            }
        }
        Ok(outcome?)
    }

    /// [`Self::execute`], and the outcome as its answer.
    async fn answer<T: DeserializeOwned>(
        &self,
        caller: &Caller,
        once: Once,
        command: Command,
        subject: serde_json::Value,
    ) -> Result<T, Failure> {
        self.noted(answered(self.execute(caller, once, command, subject).await?))
    }

    /// Asks the read model, once it has come as far as the log is now.
    async fn read<T, F>(&self, ask: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<T, QueryError> + Send + 'static,
    {
        let head = self.bus().log().head().position.get();
        let deadline = Instant::now() + CONSISTENT_WITHIN;
        self.0.projections.wait_for(head, deadline).await?;
        self.noted(self.0.projections.read(ask).await)
    }

    /// What cannot be stops the server, wherever it is met.
    fn noted<T, E: Into<Failure>>(&self, result: Result<T, E>) -> Result<T, Failure> {
        result.map_err(|error| {
            let failure = error.into();
            if let Failure::Corrupt(because) = &failure {
                self.report_fault(because.clone());
            }
            failure
        })
    }
}

/// An outcome as its answer: what was kept with it, and where in the log it is.
fn answered<T: DeserializeOwned>(outcome: Outcome) -> Result<T, Failure> {
    let mut subject = outcome.subject;
    if let Some(fields) = subject.as_object_mut() {
        let position = outcome.positions.map(|(_, last)| last);
        fields.insert("position".to_owned(), position.into());
    }
    serde_json::from_value(subject)
        .map_err(|error| Failure::Corrupt(format!("a stored outcome is malformed: {error}")))
}

#[cfg(test)]
mod tests;
