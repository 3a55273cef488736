//! A transfer's life, from the request to the chain. What a transaction looks like inside is
//! never its affair.

mod asked;
mod attempts;
mod command;
mod event;
mod found;
mod paid;
mod sweep;

pub use attempts::{Attempts, SignedAttempt};
pub use command::Command;
pub use event::{
    Abandoned, AbandonmentApproved, Abstention, Approved, AttemptAuthorised, AttemptBroadcast,
    AttemptFound, AttemptRefused, AttemptSigned, Cancelled, Confirmed, ConfirmedV1, Expired,
    Failed, FeeCapRaised, PartiallySigned, Refused, Rejected, Requested, RequestedV1,
    ReturnAuthorised, Returns, Stopped, SweepRequested, TransferEvent,
};
pub use found::Superseded;
pub use paid::Paid;
pub use sweep::Sweep;

use crate::{
    Aggregate, Amount, ClientId, Corrupt, Intent, PersonId, ProposalId, Refusal, Rule, Timestamp,
    freeze::check_reason,
    policy::{PolicyDecisionV1, Priced},
};
use serde::Serialize;

#[cfg(test)]
mod tests;

/// A transfer's life. What is over keeps no more than what a repeated step needs.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub enum Transfer {
    /// Never asked for.
    #[default]
    Unknown,
    /// The policy is being applied: followed in the same append by a refusal or a proposal.
    AwaitingApproval(Asked),
    /// People agreed; nothing was built yet.
    Approved(Asked),
    /// Transactions were built; no complete signature exists as far as the log knows.
    Signing(Attempts),
    /// A signed transaction exists: from here only forward.
    Signed(Attempts),
    /// A node has it.
    Broadcast(Attempts),
    /// Over.
    Closed(Closed),
}

/// How a transfer ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum Closed {
    /// By the policy.
    Refused,
    /// By its quorum.
    Rejected,
    /// By its maker.
    Cancelled,
    /// By its time.
    Expired,
    /// After it was approved.
    Failed,
    /// On the chain.
    Confirmed,
    /// By a transaction on the chain that makes the payment impossible.
    Abandoned,
    /// By an officer.
    Stopped,
}

/// What was asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Asked {
    /// What should happen.
    pub intent: Intent,
    /// Who asked.
    pub maker: PersonId,
    /// The question to the quorum.
    pub proposal: Option<ProposalId>,
    /// When, by the server's clock; unknown under a policy of the first form.
    pub at: Option<Timestamp>,
    /// For which client; unknown under a policy of the first form.
    pub client: Option<ClientId>,
    /// What it was worth then, if the policy had a price.
    pub priced: Option<Priced>,
    /// How long it waits after it was approved, in seconds.
    pub delay_s: u64,
    /// When the entry stands that approved it.
    pub approved_at: Option<Timestamp>,
    /// The fee cap that people were asked about: the intent's may have been raised since.
    pub approved_fee_cap: Amount,
    /// Of a sweep: what it follows from.
    pub sweep: Option<Sweep>,
}

impl Asked {
    /// When its time lock ends; `None` until the log says when it was approved.
    pub fn released_at(&self) -> Option<Timestamp> {
        self.approved_at.map(|at| at.plus_seconds(self.delay_s))
    }
}

impl Transfer {
    /// What it is, in a word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::AwaitingApproval(_) => "awaiting-approval",
            Self::Approved(_) => "approved",
            Self::Signing(_) => "signing",
            Self::Signed(_) => "signed",
            Self::Broadcast(_) => "broadcast",
            Self::Closed(Closed::Refused) => "refused",
            Self::Closed(Closed::Rejected) => "rejected",
            Self::Closed(Closed::Cancelled) => "cancelled",
            Self::Closed(Closed::Expired) => "expired",
            Self::Closed(Closed::Failed) => "failed",
            Self::Closed(Closed::Confirmed) => "confirmed",
            Self::Closed(Closed::Abandoned) => "abandoned",
            Self::Closed(Closed::Stopped) => "stopped",
        }
    }

    /// What was asked, unless it is over.
    pub fn asked(&self) -> Option<&Asked> {
        match self {
            Self::AwaitingApproval(asked) | Self::Approved(asked) => Some(asked),
            Self::Signing(attempts) | Self::Signed(attempts) | Self::Broadcast(attempts) => {
                Some(&attempts.asked)
            }
            Self::Unknown | Self::Closed(_) => None,
        }
    }

    /// The attempts, once there is one and until it is over.
    pub fn attempts(&self) -> Option<&Attempts> {
        match self {
            Self::Signing(attempts) | Self::Signed(attempts) | Self::Broadcast(attempts) => {
                Some(attempts)
            }
            Self::Unknown | Self::AwaitingApproval(_) | Self::Approved(_) | Self::Closed(_) => None,
        }
    }

    /// The id of the signed transaction, while there is one and until it is over.
    pub fn transaction(&self) -> Option<&str> {
        Some(self.attempts()?.signed.as_ref()?.transaction.as_str())
    }

    /// Whether it is final on its chain.
    pub(crate) const fn is_confirmed(&self) -> bool {
        matches!(self, Self::Closed(Closed::Confirmed))
    }

    /// Takes note of when the entry stands that approved it.
    pub(crate) fn stood_at(&mut self, time: Timestamp) {
        if let Self::Approved(asked) = self {
            asked.approved_at.get_or_insert(time);
        }
    }

    /// The refusal that says that `self` is not the right state.
    pub fn not_now<T>(&self) -> Result<T, Refusal> {
        Err(Refusal::new(Rule::TransferState, format!("the transfer is {}", self.name())))
    }
}

fn request(
    intent: Intent,
    maker: PersonId,
    proposal: ProposalId,
    decision: PolicyDecisionV1,
) -> Result<Vec<TransferEvent>, Refusal> {
    if intent.amount.is_zero() {
        return Err(Refusal::new(Rule::AmountInvalid, "the amount must be more than nothing"));
    }
    match decision.allowed() {
        Ok(_) => Ok(vec![RequestedV1 { intent, maker, proposal: Some(proposal), decision }.into()]),
        Err(Refusal { rule, because }) => Ok(vec![
            RequestedV1 { intent, maker, proposal: None, decision }.into(),
            Refused { rule, because }.into(),
        ]),
    }
}

/// As [`request`], under a policy of the second form.
fn ask(proposal: ProposalId, requested: Requested) -> Result<Vec<TransferEvent>, Refusal> {
    if requested.intent.amount.is_zero() {
        return Err(Refusal::new(Rule::AmountInvalid, "the amount must be more than nothing"));
    }
    match requested.decision.allowed() {
        Ok(_) => Ok(vec![Requested { proposal: Some(proposal), ..requested }.into()]),
        Err(Refusal { rule, because }) => Ok(vec![
            Requested { proposal: None, ..requested }.into(),
            Refused { rule, because }.into(),
        ]),
    }
}

impl Aggregate for Transfer {
    const KIND: &'static str = "transfer";
    type Command = Command;
    type Event = TransferEvent;

    fn decide(&self, command: Command) -> Result<Vec<TransferEvent>, Refusal> {
        use Command as C;
        match (self, command) {
            (Self::Unknown, C::Request { intent, maker, proposal, decision }) => {
                request(intent, maker, proposal, decision)
            }
            (Self::Unknown, C::Ask { proposal, requested }) => ask(proposal, *requested),
            (Self::Unknown, C::Sweep(requested)) => requested.check(),
            (_, C::Request { .. } | C::Ask { .. } | C::Sweep(_)) => {
                Err(Refusal::new(Rule::IdTaken, "there is a transfer with this id already"))
            }
            (Self::AwaitingApproval(_), C::Approve) => Ok(vec![Approved {}.into()]),
            (Self::AwaitingApproval(_), C::Reject) => Ok(vec![Rejected {}.into()]),
            (Self::AwaitingApproval(asked) | Self::Approved(asked), C::Cancel { by }) => {
                asked.cancelled_by(by)
            }
            (Self::AwaitingApproval(_) | Self::Approved(_), C::Expire) => {
                Ok(vec![Expired {}.into()])
            }
            (Self::AwaitingApproval(_) | Self::Approved(_), C::Stop(stopped)) => {
                check_reason(&stopped.because)?;
                Ok(vec![stopped.into()])
            }
            (Self::Approved(asked), C::Authorise(attempt)) => asked.first(attempt),
            (
                Self::Signing(attempts) | Self::Signed(attempts) | Self::Broadcast(attempts),
                command @ (C::Authorise(_)
                | C::Return { .. }
                | C::Confirm(_)
                | C::Abandon(_)
                | C::FailOnChain { .. }
                | C::RecordPartial(_)
                | C::RecordFound(_)
                | C::ApproveAbandonment(_)),
            ) => attempts.decide(command, self),
            (
                Self::Approved(asked)
                | Self::Signing(Attempts { asked, .. })
                | Self::Signed(Attempts { asked, .. })
                | Self::Broadcast(Attempts { asked, .. }),
                C::RaiseFeeCap(raised),
            ) => attempts::raise(asked, raised),
            (Self::Signing(attempts), C::RecordRefusal(refused)) => attempts.refusal(refused),
            (Self::Signing(attempts), C::RecordSigned(signed)) => {
                attempts.current(signed.attempt)?;
                Ok(vec![signed.into()])
            }
            (Self::Signed(attempts) | Self::Broadcast(attempts), C::RecordSigned(signed)) => {
                attempts.current(signed.attempt)?;
                Ok(Vec::new())
            }
            (Self::Signed(attempts), C::RecordBroadcast { attempt }) => {
                attempts.current(attempt)?;
                Ok(vec![AttemptBroadcast { attempt }.into()])
            }
            (Self::Broadcast(_), C::RecordBroadcast { .. }) => Ok(Vec::new()),
            // Nobody has heard of it: there is nothing to abstain from.
            (Self::Approved(_), C::Fail { because, abstentions }) if abstentions.is_empty() => {
                Ok(vec![Failed { because, abstentions }.into()])
            }
            // Once one is signed, the chain has the last word.
            (Self::Signing(attempts), C::Fail { because, abstentions })
                if attempts.complete.is_empty() =>
            {
                Ok(vec![Failed { because, abstentions }.into()])
            }
            (state, _) => state.not_now(),
        }
    }

    fn evolve(&mut self, event: &TransferEvent) -> Result<(), Corrupt> {
        use TransferEvent as E;
        let name = self.name();
        if let Some(fits) = self.amend(event) {
            let kind = event.kind().0;
            let corrupt = Corrupt { aggregate: Self::KIND, state: name, event: kind };
            return if fits { Ok(()) } else { Err(corrupt) };
        }
        *self = match (std::mem::take(self), event) {
            (Self::Unknown, E::RequestedV1(requested)) => Self::AwaitingApproval(requested.into()),
            (Self::Unknown, E::Requested(requested)) => Self::AwaitingApproval(requested.into()),
            (Self::Unknown, E::SweepRequested(requested)) => Self::Approved(requested.into()),
            (Self::AwaitingApproval(_), E::Refused(_)) => Self::Closed(Closed::Refused),
            (Self::AwaitingApproval(asked), E::Approved(_)) => Self::Approved(asked),
            (Self::AwaitingApproval(_), E::Rejected(_)) => Self::Closed(Closed::Rejected),
            (Self::AwaitingApproval(_) | Self::Approved(_), E::Cancelled(_)) => {
                Self::Closed(Closed::Cancelled)
            }
            (Self::AwaitingApproval(_) | Self::Approved(_), E::Expired(_)) => {
                Self::Closed(Closed::Expired)
            }
            (Self::AwaitingApproval(_) | Self::Approved(_), E::Stopped(_)) => {
                Self::Closed(Closed::Stopped)
            }
            (Self::Approved(asked), E::AttemptAuthorised(current)) => {
                Self::Signing(Attempts::first(asked, current.clone()))
            }
            (
                Self::Signing(attempts) | Self::Signed(attempts) | Self::Broadcast(attempts),
                E::AttemptAuthorised(current),
            ) => Self::Signing(attempts.followed_by(current.clone(), None)),
            (
                Self::Signing(attempts) | Self::Signed(attempts) | Self::Broadcast(attempts),
                E::ReturnAuthorised(ReturnAuthorised { returns, attempt }),
            ) => Self::Signing(attempts.followed_by(attempt.clone(), Some(*returns))),
            (Self::Signing(mut attempts), E::AttemptRefused(refused)) => {
                attempts.refused.insert(refused.signer);
                Self::Signing(attempts)
            }
            (Self::Signing(mut attempts), E::PartiallySigned(partial)) => {
                attempts.partials.insert(partial.place, partial.signatures.clone());
                Self::Signing(attempts)
            }
            (Self::Signing(attempts), E::AttemptSigned(signed)) => {
                Self::Signed(attempts.signed_by(signed.clone()))
            }
            (Self::Signed(attempts), E::AttemptBroadcast(_)) => Self::Broadcast(attempts),
            (
                Self::Signing(_) | Self::Signed(_) | Self::Broadcast(_),
                E::Confirmed(_) | E::ConfirmedV1(_),
            ) => Self::Closed(Closed::Confirmed),
            (Self::Signing(_) | Self::Signed(_) | Self::Broadcast(_), E::Abandoned(_)) => {
                Self::Closed(Closed::Abandoned)
            }
            (
                Self::Approved(_) | Self::Signing(_) | Self::Signed(_) | Self::Broadcast(_),
                E::Failed(_),
            ) => Self::Closed(Closed::Failed),
            (_, event) => {
                return Err(Corrupt { aggregate: Self::KIND, state: name, event: event.kind().0 });
            }
        };
        Ok(())
    }
}
