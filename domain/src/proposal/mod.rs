//! A question that a quorum answers. It never knows what happens after the answer.

mod event;

pub use event::{
    Approved, ApprovedV1, Burnt, Cancelled, Declined, DeclinedV1, Expired, Fulfilled, OpenedV1,
    ProposalEvent, QuorumReached, Rejected, Subject,
};

use crate::{
    Aggregate, Corrupt, PersonId, Refusal, Rule, Timestamp,
    approval_key::{ApprovalKey, Evidence},
    statement::{Answer, Verified},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// A proposal's life.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub enum Proposal {
    /// Never opened.
    #[default]
    Unknown,
    /// Being answered.
    Open(Answers),
    /// Enough said yes.
    QuorumReached(Answers),
    /// Used up, or come to nothing. Nothing can happen to it any more.
    Closed(Closed),
}

/// Why a proposal is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum Closed {
    /// Too many said no.
    Rejected,
    /// Its time ran out.
    Expired,
    /// Its maker took it back.
    Cancelled,
    /// What was approved has happened.
    Fulfilled,
    /// What was approved failed.
    Burnt,
}

/// A question and its answers so far.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Answers {
    /// The question.
    pub opened: OpenedV1,
    /// Each yes, with its evidence.
    pub approvals: BTreeMap<PersonId, Approved>,
    /// Each no.
    pub declined: BTreeSet<PersonId>,
}

/// A request to change a proposal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Put the question.
    Open {
        /// All of it.
        opened: OpenedV1,
        /// When.
        now: Timestamp,
        /// The longest that it may stay open, in seconds.
        lifetime_s: u64,
    },
    /// Answer it. The signature was verified: [`Verified`] is the proof.
    Answer {
        /// The answer.
        answer: Verified,
        /// When.
        now: Timestamp,
    },
    /// Take it back.
    Cancel {
        /// Who.
        by: PersonId,
    },
    /// Close it if its time has run out.
    Expire {
        /// When.
        now: Timestamp,
    },
    /// What was approved has happened.
    Fulfil,
    /// Void the approvals of something that failed.
    Burn {
        /// Why.
        because: String,
    },
}

impl Proposal {
    /// The question and answers, while the proposal is open or approved.
    pub fn answers(&self) -> Option<&Answers> {
        match self {
            Self::Open(answers) | Self::QuorumReached(answers) => Some(answers),
            Self::Unknown | Self::Closed(_) => None,
        }
    }

    /// What it is, in a word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Open(_) => "open",
            Self::QuorumReached(_) => "approved",
            Self::Closed(Closed::Rejected) => "rejected",
            Self::Closed(Closed::Expired) => "expired",
            Self::Closed(Closed::Cancelled) => "cancelled",
            Self::Closed(Closed::Fulfilled) => "fulfilled",
            Self::Closed(Closed::Burnt) => "burnt",
        }
    }

    fn not_open<T>(&self) -> Result<T, Refusal> {
        Err(Refusal::new(Rule::ProposalNotOpen, format!("the proposal is {}", self.name())))
    }
}

impl Answers {
    /// Whether so many have declined that the quorum can't be reached any more.
    fn hopeless(&self, declined: usize) -> bool {
        let left = self.opened.quorum.group.len().saturating_sub(declined);
        left < usize::from(self.opened.quorum.approvals)
    }

    fn answer(&self, answer: Verified, now: Timestamp) -> Result<Vec<ProposalEvent>, Refusal> {
        let approver = answer.approver();
        if now >= self.opened.expires_at {
            let because = format!("it expired at {}", self.opened.expires_at);
            return Err(Refusal::new(Rule::ProposalExpiry, because));
        }
        if approver == self.opened.maker {
            let because = "the one who asked can't be one of those who approve";
            return Err(Refusal::new(Rule::MakerChecker, because));
        }
        if !self.opened.quorum.group.contains(&approver) {
            let because = format!("{approver} is not in the group that decides this");
            return Err(Refusal::new(Rule::ApproverNotInGroup, because));
        }
        if self.approvals.contains_key(&approver) || self.declined.contains(&approver) {
            let because = format!("{approver} has answered already");
            return Err(Refusal::new(Rule::ApproverSpoke, because));
        }
        let word = answer.answer();
        let said = said(answer);
        match word {
            Answer::Approve => {
                let mut events = vec![said];
                let mut approvers: BTreeSet<_> = self.approvals.keys().copied().collect();
                approvers.insert(approver);
                if approvers.len() >= usize::from(self.opened.quorum.approvals) {
                    events.push(QuorumReached { approvers }.into());
                }
                Ok(events)
            }
            Answer::Decline => {
                let mut events = vec![said];
                if self.hopeless(self.declined.len().saturating_add(1)) {
                    events.push(Rejected {}.into());
                }
                Ok(events)
            }
        }
    }
}

/// An answer as it is recorded: in the first form where that can say it.
fn said(answer: Verified) -> ProposalEvent {
    let (approver, word) = (answer.approver(), answer.answer());
    let (of, evidence) = answer.evidence();
    let key = of.public().clone();
    match (word, of, evidence) {
        (Answer::Approve, ApprovalKey::Ed25519 { .. }, Evidence::Signature { signature }) => {
            ApprovedV1 { approver, key, signature }.into()
        }
        (Answer::Decline, ApprovalKey::Ed25519 { .. }, Evidence::Signature { signature }) => {
            DeclinedV1 { approver, key, signature }.into()
        }
        (Answer::Approve, _, evidence) => Approved { approver, key, evidence }.into(),
        (Answer::Decline, _, evidence) => Declined { approver, key, evidence }.into(),
    }
}

fn open(opened: OpenedV1, now: Timestamp, lifetime_s: u64) -> Result<Vec<ProposalEvent>, Refusal> {
    opened.quorum.check()?;
    let latest = now.plus_seconds(lifetime_s);
    if opened.expires_at <= now || opened.expires_at > latest {
        let because = format!("it must expire after {now} and not after {latest}");
        return Err(Refusal::new(Rule::ProposalExpiry, because));
    }
    let checkers = opened.quorum.group.iter().filter(|person| **person != opened.maker).count();
    if checkers < usize::from(opened.quorum.approvals) {
        let because = "without its maker the group can't reach the quorum: somebody else must ask";
        return Err(Refusal::new(Rule::MakerChecker, because));
    }
    Ok(vec![opened.into()])
}

impl Aggregate for Proposal {
    const KIND: &'static str = "proposal";
    type Command = Command;
    type Event = ProposalEvent;

    fn decide(&self, command: Command) -> Result<Vec<ProposalEvent>, Refusal> {
        match (self, command) {
            (Self::Unknown, Command::Open { opened, now, lifetime_s }) => {
                open(opened, now, lifetime_s)
            }
            (_, Command::Open { .. }) => {
                Err(Refusal::new(Rule::IdTaken, "there is a proposal with this id already"))
            }
            (Self::Open(answers), Command::Answer { answer, now }) => answers.answer(answer, now),
            (Self::Open(answers), Command::Cancel { by }) if by != answers.opened.maker => {
                Err(Refusal::new(Rule::NotTheMaker, "only its maker can cancel a proposal"))
            }
            (Self::Open(_), Command::Cancel { .. }) => Ok(vec![Cancelled {}.into()]),
            (Self::Open(answers), Command::Expire { now }) if now < answers.opened.expires_at => {
                let because = format!("it is open until {}", answers.opened.expires_at);
                Err(Refusal::new(Rule::ProposalExpiry, because))
            }
            // An approved proposal expires too: signers refuse it from then on.
            (Self::QuorumReached(answers), Command::Expire { now })
                if now < answers.opened.expires_at =>
            {
                let because = format!("it stands until {}", answers.opened.expires_at);
                Err(Refusal::new(Rule::ProposalExpiry, because))
            }
            (Self::Open(_) | Self::QuorumReached(_), Command::Expire { .. }) => {
                Ok(vec![Expired {}.into()])
            }
            (Self::QuorumReached(_), Command::Fulfil) => Ok(vec![Fulfilled {}.into()]),
            (Self::QuorumReached(_), Command::Burn { because }) => {
                Ok(vec![Burnt { because }.into()])
            }
            (state, _) => state.not_open(),
        }
    }

    fn evolve(&mut self, event: &ProposalEvent) -> Result<(), Corrupt> {
        use ProposalEvent as E;
        let name = self.name();
        *self = match (std::mem::take(self), event) {
            (Self::Unknown, E::OpenedV1(opened)) => Self::Open(Answers {
                opened: opened.clone(),
                approvals: BTreeMap::new(),
                declined: BTreeSet::new(),
            }),
            (Self::Open(mut answers), E::ApprovedV1(approved)) => {
                answers.approvals.insert(approved.approver, approved.into());
                Self::Open(answers)
            }
            (Self::Open(mut answers), E::Approved(approved)) => {
                answers.approvals.insert(approved.approver, approved.clone());
                Self::Open(answers)
            }
            (Self::Open(mut answers), E::Declined(declined)) => {
                answers.declined.insert(declined.approver);
                Self::Open(answers)
            }
            (Self::Open(mut answers), E::DeclinedV1(declined)) => {
                answers.declined.insert(declined.approver);
                Self::Open(answers)
            }
            (Self::Open(answers), E::QuorumReached(_)) => Self::QuorumReached(answers),
            (Self::Open(_), E::Rejected(_)) => Self::Closed(Closed::Rejected),
            (Self::Open(_), E::Cancelled(_)) => Self::Closed(Closed::Cancelled),
            (Self::Open(_) | Self::QuorumReached(_), E::Expired(_)) => {
                Self::Closed(Closed::Expired)
            }
            (Self::QuorumReached(_), E::Fulfilled(_)) => Self::Closed(Closed::Fulfilled),
            (Self::QuorumReached(_), E::Burnt(_)) => Self::Closed(Closed::Burnt),
            (_, event) => {
                return Err(Corrupt { aggregate: Self::KIND, state: name, event: event.kind().0 });
            }
        };
        Ok(())
    }
}
