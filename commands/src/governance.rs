//! Puts approved policies in force once their delay is over. Never decides whether that may be: it
//! asks the bus, and a crash in between leaves what the next look does.

use crate::{Bus, CommandError, Request};
use std::{sync::Arc, time::Duration};
use strongroom_domain::{
    Actor, Command, ProposalId, State, Timestamp,
    proposal::{Proposal, Subject},
};
use tokio::{task::JoinSet, time::sleep};

/// The running saga. Clones are handles of the same one, which ends with the last handle.
#[derive(Clone)]
pub struct Governance(Arc<JoinSet<()>>);

impl Governance {
    /// Looks at intervals for what is due. Must be called inside a Tokio runtime.
    pub fn start(bus: Bus, every: Duration) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(run(bus, every));
        Self(Arc::new(tasks))
    }

    /// Whether it still looks.
    pub fn is_running(&self) -> bool {
        !self.0.is_empty()
    }
}

/// Every policy that was approved and whose delay is over. What was vetoed is closed, and not here.
pub fn due(state: &State, now: Timestamp) -> Vec<ProposalId> {
    let is_due = |id: &ProposalId| match state.proposals.get(id) {
        Some(Proposal::QuorumReached(answers)) => {
            let opened = &answers.opened;
            let from = answers.approved_at.map(|at| at.plus_seconds(opened.delay_s));
            matches!(opened.subject, Subject::PolicyForm2(_)) && from.is_some_and(|at| at <= now)
        }
        Some(Proposal::Unknown | Proposal::Open(_) | Proposal::Closed(_)) | None => false,
    };
    state.opened_at.keys().copied().filter(is_due).collect()
}

async fn run(bus: Bus, every: Duration) {
    loop {
        let now = bus.now();
        for proposal in bus.read(|state| due(state, now)) {
            let request = Request::new(Command::EnactPolicy { proposal }, Actor::Saga);
            match bus.execute(request).await {
                Ok(outcome) if outcome.has("charter.policy-changed") => {
                    tracing::info!(%proposal, "the policy is in force");
                }
                Ok(_) => tracing::warn!(%proposal, "the policy can't come into force any more"),
                // Something else happened to it first, or the log is busy: the next look tells.
                Err(
                    error @ (CommandError::Refused(_)
                    | CommandError::Conflict { .. }
                    | CommandError::Unavailable { .. }
                    | CommandError::KeyReused { .. }),
                ) => {
                    tracing::debug!(%proposal, %error, "not in force yet");
                }
                Err(error @ CommandError::Corrupt { .. }) => {
                    tracing::error!(%error, "no policy comes into force any more");
                    return;
                }
            }
        }
        sleep(every).await;
    }
}
