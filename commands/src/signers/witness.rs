//! A signer as a witness of the log: asked over its pinned connection, once it has verified the log
//! as far as the checkpoint goes. Never takes its refusal for silence where it saw another history.

use super::{
    link::LinkError,
    peer::{Needed, Peer, Standing},
};
use crate::checkpoints::{Answer, Submission, Witness};
use std::sync::Arc;
use strongroom_domain::{
    Digest, Rule,
    protocol::{Order, Reply},
};
use strongroom_store::BoxFuture;

/// A signer that cosigns.
pub(super) struct SignerWitness {
    name: String,
    peer: Arc<Peer>,
}

impl SignerWitness {
    pub(super) const fn new(name: String, peer: Arc<Peer>) -> Self {
        Self { name, peer }
    }

    async fn ask(&self, submission: &Submission) -> Answer {
        let needed = Needed::cosignature(submission.size);
        let Some(link) = self.peer.ready(needed).await else {
            let standing = self.peer.standing.borrow();
            return match &*standing {
                Standing::OtherLog { because } => Answer::Fork(because.clone()),
                short @ (Standing::Away { .. } | Standing::Here { .. }) => {
                    Answer::Unavailable(short.short_of(needed))
                }
            };
        };
        let order = Order::Cosign {
            old: submission.old,
            proof: submission.proof.iter().map(|hash| Digest(*hash.as_bytes())).collect(),
            checkpoint: submission.checkpoint.clone(),
        };
        match link.ask(&order).await {
            Ok(reply) => self.judge(reply),
            Err(error @ LinkError::Unsendable(_)) => Answer::Refused(error.to_string()),
            Err(error) => Answer::Unavailable(error.to_string()),
        }
    }

    fn judge(&self, reply: Reply) -> Answer {
        match reply {
            Reply::Cosigned { signature } => Answer::Cosigned(signature),
            Reply::WitnessConflict { size } => Answer::Conflict { size },
            Reply::Refused(refusal) if saw_another(refusal.rule) => {
                let because = refusal.to_string();
                self.peer.accuse(because.clone());
                Answer::Fork(because)
            }
            Reply::Refused(refusal) => Answer::Refused(refusal.to_string()),
            Reply::Unavailable { because } => Answer::Unavailable(because),
            Reply::Corrupt { because, .. } => Answer::Refused(format!("corrupt: {because}")),
            Reply::Status { .. }
            | Reply::RoundOne { .. }
            | Reply::RoundTwo { .. }
            | Reply::Confirmed { .. }
            | Reply::Committed { .. }
            | Reply::Shares { .. }
            | Reply::Abstained { .. }
            | Reply::EpochConfirmed { .. }
            | Reply::Spoke { .. }
            | Reply::Signatures { .. }
            | Reply::Usable
            | Reply::Covered { .. } => {
                Answer::Refused("it answered something else than was asked".to_owned())
            }
        }
    }
}

/// Whether a refusal says that the signer holds another log than the one that we signed.
pub(super) const fn saw_another(rule: Rule) -> bool {
    matches!(rule, Rule::SignerLogFork | Rule::SignerGenesis | Rule::LogUnlawful)
}

impl Witness for SignerWitness {
    fn name(&self) -> &str {
        &self.name
    }

    fn cosign<'a>(&'a self, submission: &'a Submission) -> BoxFuture<'a, Answer> {
        Box::pin(self.ask(submission))
    }
}
