//! Closes proposals whose time is over. Never touches one whose transfer is being signed: from there
//! on its signers watch the time.

use crate::{Bus, CommandError, Request};
use std::time::Duration;
use strongroom_domain::{
    Actor, Command, ProposalId, State, Timestamp,
    proposal::{Proposal, Subject},
    transfer::Transfer,
};
use tokio::time::sleep;

/// Every proposal that is over its time and can still be called off.
pub fn due(state: &State, now: Timestamp) -> Vec<ProposalId> {
    // Proposals that are not closed: the fold keeps their places for as long.
    let alive = state.opened_at.keys().copied();
    alive.filter(|id| is_due(state, *id, now)).collect()
}

fn is_due(state: &State, id: ProposalId, now: Timestamp) -> bool {
    let answers = state.proposals.get(&id).and_then(|proposal| proposal.answers());
    let Some(answers) = answers else { return false };
    // What was approved and waits has that much longer.
    let reached = matches!(state.proposals.get(&id), Some(Proposal::QuorumReached(_)));
    let opened = &answers.opened;
    if now < (if reached { opened.ends_at() } else { opened.expires_at }) {
        return false;
    }
    match &opened.subject {
        Subject::Transfer { intent, .. } | Subject::Payment { intent, .. } => matches!(
            state.transfers.get(&intent.transfer),
            Some(Transfer::AwaitingApproval(_) | Transfer::Approved(_))
        ),
        Subject::KeyCeremony(_)
        | Subject::MultisigKey { .. }
        | Subject::PolicyChange(_)
        | Subject::PolicyForm2(_)
        | Subject::People(_)
        | Subject::Unfreeze { .. }
        | Subject::ReleaseKey { .. }
        | Subject::ChangeKey(_)
        | Subject::Rotate(_)
        | Subject::Signers(_)
        | Subject::ReleaseSigner { .. }
        | Subject::RaiseFeeCap { .. } => true,
        // Once it is agreed to, a transaction may be on its way.
        Subject::Abandon { .. } => !reached,
    }
}

/// Never returns, unless the bus has stopped.
pub(super) async fn expire(bus: Bus, every: Duration) {
    loop {
        let now = bus.now();
        for proposal in bus.read(|state| due(state, now)) {
            let request = Request::new(Command::ExpireProposal { proposal }, Actor::Saga);
            match bus.execute(request).await {
                Ok(_) => tracing::info!(%proposal, "the proposal's time ran out"),
                // Something else happened to it first, or the log is busy: the next look tells.
                Err(
                    error @ (CommandError::Refused(_)
                    | CommandError::Conflict { .. }
                    | CommandError::Unavailable { .. }
                    | CommandError::KeyReused { .. }),
                ) => {
                    tracing::debug!(%proposal, %error, "not expired now");
                }
                Err(error @ CommandError::Corrupt { .. }) => {
                    tracing::error!(%error, "proposals expire no more");
                    return;
                }
            }
        }
        sleep(every).await;
    }
}
