//! From a signed transaction to one that a node has. Never gives up: what is signed can only go
//! forward, so a node that says no is asked again, and a person is told.

use super::{
    saga::{Progress, Recorded, Saga, Stopped, no_node},
    step::may_be_mined,
    watch::Watched,
};
use std::collections::BTreeMap;
use strongroom_domain::{
    Actor, Command, Network, TransferId,
    transfer::{AttemptSigned, Attempts},
};
use strongroom_nodes::{
    ChainNode, NodeError, Rejection, RejectionReason, Submission, TransactionStatus,
};

/// How far below the tip a transaction may lie that an earlier process has broadcast: two weeks of
/// Bitcoin's blocks. Nodes without a transaction index are searched that far, once.
pub(super) const SEARCH_DEPTH: u64 = 2_016;

/// What is asked about at a node.
#[derive(Clone)]
pub(super) struct Subject {
    /// Which transaction.
    pub(super) id: strongroom_nodes::TransactionId,
    /// As it goes over the network.
    pub(super) raw: Vec<u8>,
    /// A height at or below which the chain was when it was first broadcast.
    pub(super) since: u64,
}

impl Saga {
    /// The transaction of a signed attempt. `fresh`: this process saw it being signed.
    pub(super) fn subject(
        &self,
        network: Network,
        signed: &AttemptSigned,
        fresh: bool,
    ) -> Result<Subject, String> {
        let id = signed.transaction.parse().map_err(|error| format!("{error}"))?;
        let tip = self.tips.height(network).ok_or("its node has not answered yet")?;
        let since = if fresh { tip } else { tip.saturating_sub(SEARCH_DEPTH) };
        Ok(Subject { id, raw: signed.raw.0.clone(), since })
    }

    /// Hands the transaction to its node and records that it took it.
    pub(super) async fn submit(
        &self,
        id: TransferId,
        attempts: &Attempts,
        fresh: bool,
    ) -> Result<Progress, Stopped> {
        let network = attempts.asked.intent.network();
        let Some(node) = self.nodes.node(network) else { return Ok(no_node(network)) };
        let Some(signed) = &attempts.signed else {
            return Ok(Progress::Wait("the log has no signed transaction".to_owned()));
        };
        let subject = match self.subject(network, signed, fresh) {
            Ok(subject) => subject,
            Err(because) => return Ok(Progress::Wait(because)),
        };
        if let Err(refused) = offer(node, &subject).await {
            return self.refused(id, attempts, refused).await;
        }
        tracing::info!(transfer = %id, transaction = %subject.id, "broadcast");
        let command = Command::RecordBroadcast { transfer: id, attempt: signed.attempt };
        Ok(match self.execute(id, command, Actor::Saga).await? {
            Recorded::Done(_) => Progress::On,
            Recorded::Refused(refusal) => Progress::Wait(refusal.to_string()),
        })
    }

    /// What a node's no asks for.
    async fn refused(
        &self,
        id: TransferId,
        attempts: &Attempts,
        refused: NotTaken,
    ) -> Result<Progress, Stopped> {
        let because = format!("stuck: {refused}");
        match refused {
            NotTaken::Rejected(Rejection { reason: RejectionReason::FeeTooLow, .. }) => {
                self.outbid(id, attempts).await
            }
            NotTaken::Rejected(Rejection { reason: RejectionReason::Conflicting, .. }) => {
                self.pull_along(id, attempts, because).await
            }
            NotTaken::Rejected(_) | NotTaken::Silent(_) => Ok(Progress::Wait(because)),
        }
    }

    /// Lets the network's watcher wait for its end: the chain may take any signed attempt.
    pub(super) fn watch(&self, id: TransferId, attempts: &Attempts, fresh: bool) -> Progress {
        let network = attempts.asked.intent.network();
        let mut subjects = BTreeMap::new();
        for (attempt, complete) in &attempts.complete {
            match self.subject(network, &complete.signed, fresh) {
                Ok(subject) => drop(subjects.insert(*attempt, subject)),
                Err(because) => return Progress::Wait(because),
            }
        }
        let height = self.tips.height(network).unwrap_or_default();
        self.hand_over(network, id, Watched::new(subjects, height))
    }
}

/// Why a node does not have a transaction.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTaken {
    /// It said no.
    #[error("{:?}: {}", .0.reason, .0.message)]
    Rejected(Rejection),
    /// It did not say.
    #[error("{0}")]
    Silent(NodeError),
}

impl NotTaken {
    /// Whether more money would help.
    pub(super) const fn is_too_cheap(&self) -> bool {
        matches!(self, Self::Rejected(Rejection { reason: RejectionReason::FeeTooLow, .. }))
    }
}

/// Hands a transaction to a node; `Ok` once the node has it, in its pool or in a block.
pub(super) async fn offer(node: &dyn ChainNode, subject: &Subject) -> Result<(), NotTaken> {
    let told = NotTaken::Silent;
    let submitted = node.submit(subject.id, &subject.raw, subject.since).await.map_err(told)?;
    let rejection = match submitted {
        Submission::Accepted | Submission::AlreadyKnown => return Ok(()),
        Submission::Rejected(rejection) => rejection,
    };
    // Its inputs or account nonce may be gone because it is in a block itself.
    if may_be_mined(rejection.reason) {
        match node.transaction_status(subject.id, subject.since).await.map_err(told)? {
            TransactionStatus::InBlock(_) | TransactionStatus::InMempool => return Ok(()),
            TransactionStatus::Unknown => {}
        }
    }
    Err(NotTaken::Rejected(rejection))
}
