//! A question that a quorum answers. It never knows what happens after the answer.

mod event;

pub use event::{
    Approved, ApprovedV1, Burnt, Cancelled, Declined, DeclinedV1, Expired, Fulfilled, Opened,
    OpenedV1, ProposalEvent, QuorumReached, Rejected, Subject, Unusual, Vetoed,
};

use crate::{
    Aggregate, Corrupt, PersonId, Refusal, Rule, Timestamp,
    approval_key::{ApprovalKey, Evidence},
    policy::Quorum,
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
    /// An officer stopped what was approved.
    Vetoed,
}

/// In which form a question was put: its statement has the same version.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum Form {
    /// To one quorum.
    V1,
    /// To several, with all that decides about it.
    V2,
}

/// A question and its answers so far.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Answers {
    /// The question.
    pub opened: Opened,
    /// As it was put.
    pub form: Form,
    /// When the entry stood that reached the quorum. `None` before, and while that entry is not
    /// durable.
    pub approved_at: Option<Timestamp>,
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
        opened: Opened,
        /// As it is put.
        form: Form,
        /// When.
        now: Timestamp,
        /// The longest that it may stay open, in seconds.
        lifetime_s: u64,
    },
    /// Answer it. The signature was verified: [`Verified`] is the proof.
    Answer {
        /// The answer.
        answer: Verified,
        /// Who said yes before, and does not count any more.
        lapsed: BTreeSet<PersonId>,
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
    /// Stop what was approved.
    Veto {
        /// Which officer.
        by: PersonId,
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
            Self::Closed(Closed::Vetoed) => "vetoed",
        }
    }

    /// Takes note of when the entry stands that reached the quorum: its writer learns it after it
    /// decided. What was approved waits from then on.
    pub fn stood_at(&mut self, time: Timestamp) {
        if let Self::QuorumReached(answers) = self
            && answers.approved_at.is_none()
        {
            answers.approved_at = Some(time);
        }
    }

    fn not_open<T>(&self) -> Result<T, Refusal> {
        Err(Refusal::new(Rule::ProposalNotOpen, format!("the proposal is {}", self.name())))
    }
}

impl ProposalEvent {
    /// Whether it puts the question: its statement is bound to the entry of this event.
    pub const fn opens(&self) -> bool {
        matches!(self, Self::OpenedV1(_) | Self::Opened(_))
    }
}

impl Answers {
    /// A question that nobody has answered.
    pub fn none(opened: Opened, form: Form) -> Self {
        let (approvals, declined) = (BTreeMap::new(), BTreeSet::new());
        Self { opened, form, approved_at: None, approvals, declined }
    }

    /// Whether so many have declined that the quorum can't be reached any more.
    fn hopeless(&self, mut declined: BTreeSet<PersonId>) -> bool {
        // The first form counted its maker: what was decided then must be decided again.
        if self.form == Form::V2 {
            declined.insert(self.opened.maker);
        }
        !self.opened.quorums.still_possible_without(&declined)
    }

    fn answer(
        &self,
        answer: Verified,
        lapsed: &BTreeSet<PersonId>,
        now: Timestamp,
    ) -> Result<Vec<ProposalEvent>, Refusal> {
        let approver = answer.approver();
        if now >= self.opened.expires_at {
            let because = format!("it expired at {}", self.opened.expires_at);
            return Err(Refusal::new(Rule::ProposalExpiry, because));
        }
        if approver == self.opened.maker {
            let because = "the one who asked can't be one of those who approve";
            return Err(Refusal::new(Rule::MakerChecker, because));
        }
        if !self.opened.quorums.people().contains(&approver) {
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
                let before = self.approvals.keys().filter(|person| !lapsed.contains(*person));
                let mut approvers: BTreeSet<_> = before.copied().collect();
                approvers.insert(approver);
                if self.opened.quorums.satisfied_by(&approvers) {
                    events.push(QuorumReached { approvers }.into());
                }
                Ok(events)
            }
            Answer::Decline => {
                let mut events = vec![said];
                let mut declined = self.declined.clone();
                declined.insert(approver);
                if self.hopeless(declined) {
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

fn open(
    opened: Opened,
    form: Form,
    now: Timestamp,
    lifetime_s: u64,
) -> Result<Vec<ProposalEvent>, Refusal> {
    opened.quorums.check()?;
    let latest = now.plus_seconds(lifetime_s);
    if opened.expires_at <= now || opened.expires_at > latest {
        let because = format!("it must expire after {now} and not after {latest}");
        return Err(Refusal::new(Rule::ProposalExpiry, because));
    }
    if !opened.quorums.still_possible_without(&[opened.maker].into()) {
        let because = "without its maker the group can't reach the quorum: somebody else must ask";
        return Err(Refusal::new(Rule::MakerChecker, because));
    }
    match form {
        Form::V2 => Ok(vec![opened.into()]),
        Form::V1 => {
            let Opened { subject, maker, policy_version, quorums, delay_s: 0, expires_at } = opened
            else {
                let because = "a question of the first form does not wait";
                return Err(Refusal::new(Rule::PolicyInvalid, because));
            };
            let Ok([quorum]) = <[Quorum; 1]>::try_from(quorums.0) else {
                let because = "a question of the first form has one quorum";
                return Err(Refusal::new(Rule::PolicyInvalid, because));
            };
            Ok(vec![OpenedV1 { subject, maker, policy_version, quorum, expires_at }.into()])
        }
    }
}

impl Aggregate for Proposal {
    const KIND: &'static str = "proposal";
    type Command = Command;
    type Event = ProposalEvent;

    fn decide(&self, command: Command) -> Result<Vec<ProposalEvent>, Refusal> {
        match (self, command) {
            (Self::Unknown, Command::Open { opened, form, now, lifetime_s }) => {
                open(opened, form, now, lifetime_s)
            }
            (_, Command::Open { .. }) => {
                Err(Refusal::new(Rule::IdTaken, "there is a proposal with this id already"))
            }
            (Self::Open(answers), Command::Answer { answer, lapsed, now }) => {
                answers.answer(answer, &lapsed, now)
            }
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
                if now < answers.opened.ends_at() =>
            {
                let because = format!("it stands until {}", answers.opened.ends_at());
                Err(Refusal::new(Rule::ProposalExpiry, because))
            }
            (Self::Open(_) | Self::QuorumReached(_), Command::Expire { .. }) => {
                Ok(vec![Expired {}.into()])
            }
            (Self::QuorumReached(_), Command::Veto { by }) => Ok(vec![Vetoed { by }.into()]),
            (Self::QuorumReached(_), Command::Fulfil) => Ok(vec![Fulfilled {}.into()]),
            (Self::Open(_) | Self::QuorumReached(_), Command::Burn { because }) => {
                Ok(vec![Burnt { because }.into()])
            }
            (state, _) => state.not_open(),
        }
    }

    fn evolve(&mut self, event: &ProposalEvent) -> Result<(), Corrupt> {
        use ProposalEvent as E;
        let name = self.name();
        *self = match (std::mem::take(self), event) {
            (Self::Unknown, E::OpenedV1(opened)) => {
                Self::Open(Answers::none(opened.into(), Form::V1))
            }
            (Self::Unknown, E::Opened(opened)) => {
                Self::Open(Answers::none(opened.clone(), Form::V2))
            }
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
            (Self::QuorumReached(_), E::Vetoed(_)) => Self::Closed(Closed::Vetoed),
            (Self::QuorumReached(_), E::Fulfilled(_)) => Self::Closed(Closed::Fulfilled),
            (Self::Open(_) | Self::QuorumReached(_), E::Burnt(_)) => Self::Closed(Closed::Burnt),
            (_, event) => {
                return Err(Corrupt { aggregate: Self::KIND, state: name, event: event.kind().0 });
            }
        };
        Ok(())
    }
}
