//! Whether a change of the charter, a question, an answer or what followed from one was allowed, given
//! everything before it. Nothing here takes the writer's word for who agreed.

use super::{
    due::Due,
    lawful::{again, alone, same},
    near, refuse,
};
use crate::{
    Bytes, Command, PersonId, ProposalId, Recorded, Refusal, Rule, State, Timestamp,
    approval_key::Evidence,
    charter::CharterEvent,
    decision,
    person::PersonEvent,
    proposal::{Answers, Proposal, ProposalEvent, Subject},
    statement::Answer,
};

/// Decides the command again as of the moment that the entry names.
fn at(state: &State, recorded: &Recorded, command: Command, at: Timestamp) -> Result<Due, Refusal> {
    if !near::is(recorded.time, at) {
        let because = format!("an entry of {} can't have been decided at {at}", recorded.time);
        return refuse(Rule::SignerClock, because);
    }
    same(state, recorded, decision::decide(state, command, at)?.events)
}

pub(super) fn charter(
    state: &State,
    recorded: &Recorded,
    event: &CharterEvent,
) -> Result<Due, Refusal> {
    match event {
        CharterEvent::FoundedV2(founded) => {
            again(state, recorded, Command::FoundCharter(founded.clone()))
        }
        CharterEvent::Founded(founded) => again(state, recorded, Command::Found(founded.clone())),
        CharterEvent::FoundedV1(founded) => {
            same(state, recorded, decision::founded_v1(state, founded.clone())?.events)
        }
        CharterEvent::PolicyChangedV1(_)
        | CharterEvent::PeopleChanged(_)
        | CharterEvent::SignersChanged(_) => alone(recorded),
        CharterEvent::PolicyChanged(changed) => {
            let command = Command::EnactPolicy { proposal: changed.proposal };
            at(state, recorded, command, changed.at)
        }
        CharterEvent::PolicyTightened(tightened) => {
            let (policy, by) = (tightened.policy.clone(), tightened.by);
            at(state, recorded, Command::TightenPolicy { policy, by }, tightened.at)
        }
        CharterEvent::LogResumed(certificate) => {
            again(state, recorded, Command::ResumeLog(certificate.clone()))
        }
    }
}

pub(super) fn proposal(
    state: &State,
    recorded: &Recorded,
    id: ProposalId,
    event: &ProposalEvent,
) -> Result<Due, Refusal> {
    let answers = state.proposals.get(&id).and_then(Proposal::answers);
    let expires_at = answers.map_or(recorded.time, |answers| answers.opened.expires_at);
    let (command, now) = match event {
        ProposalEvent::OpenedV1(opened) => {
            let Subject::PolicyChange(policy) = &opened.subject else { return alone(recorded) };
            let (maker, expires_at) = (opened.maker, opened.expires_at);
            let policy = policy.clone();
            let command = Command::ProposePolicy { proposal: id, policy, maker, expires_at };
            (command, asked_at(state, recorded, expires_at)?)
        }
        ProposalEvent::Opened(opened) => {
            let (subject, maker) = (opened.subject.clone(), opened.maker);
            let expires_at = opened.expires_at;
            let command = Command::Propose { proposal: id, subject, maker, expires_at };
            (command, asked_at(state, recorded, expires_at)?)
        }
        ProposalEvent::Vetoed(vetoed) => {
            (Command::VetoProposal { proposal: id, by: vetoed.by }, recorded.time)
        }
        // By itself only where a policy could not come into force.
        ProposalEvent::Burnt(_) => {
            let is_policy =
                |answers: &Answers| matches!(answers.opened.subject, Subject::PolicyForm2(_));
            if !answers.is_some_and(is_policy) {
                return alone(recorded);
            }
            (Command::EnactPolicy { proposal: id }, recorded.time)
        }
        ProposalEvent::ApprovedV1(_)
        | ProposalEvent::Approved(_)
        | ProposalEvent::DeclinedV1(_)
        | ProposalEvent::Declined(_) => {
            let Some(command) = answered(id, event) else { return alone(recorded) };
            (command, near::before(recorded.time, expires_at))
        }
        ProposalEvent::Expired(_) => {
            let reached = answers.filter(|answers| answers.approved_at.is_some());
            let ends_at = reached.map_or(expires_at, |answers| answers.opened.ends_at());
            let now = near::since(recorded.time, ends_at);
            (Command::ExpireProposal { proposal: id }, now)
        }
        ProposalEvent::Cancelled(_) => {
            let Some(answers) = answers else { return alone(recorded) };
            (Command::CancelProposal { proposal: id, by: answers.opened.maker }, recorded.time)
        }
        ProposalEvent::QuorumReached(_)
        | ProposalEvent::Rejected(_)
        | ProposalEvent::Fulfilled(_) => return alone(recorded),
    };
    same(state, recorded, decision::decide(state, command, now)?.events)
}

/// When a question with this expiry may have been asked. An entry that waited stands later, one
/// after the clock was set back earlier.
fn asked_at(
    state: &State,
    recorded: &Recorded,
    expires_at: Timestamp,
) -> Result<Timestamp, Refusal> {
    let lifetime_s = state.charter.standing()?.policy.proposal_lifetime_s();
    let latest = recorded.time.plus_seconds(lifetime_s);
    Ok(if expires_at > latest && expires_at <= near::later(latest) {
        near::later(recorded.time)
    } else {
        near::before(recorded.time, expires_at)
    })
}

/// The answer that the entry records, as it came in.
fn answered(proposal: ProposalId, event: &ProposalEvent) -> Option<Command> {
    let plain = |signature: &Bytes| Evidence::Signature { signature: signature.clone() };
    let (answer, approver, key, evidence) = match event {
        ProposalEvent::ApprovedV1(by) => {
            (Answer::Approve, by.approver, &by.key, plain(&by.signature))
        }
        ProposalEvent::DeclinedV1(by) => {
            (Answer::Decline, by.approver, &by.key, plain(&by.signature))
        }
        ProposalEvent::Approved(by) => (Answer::Approve, by.approver, &by.key, by.evidence.clone()),
        ProposalEvent::Declined(by) => (Answer::Decline, by.approver, &by.key, by.evidence.clone()),
        ProposalEvent::OpenedV1(_)
        | ProposalEvent::Opened(_)
        | ProposalEvent::QuorumReached(_)
        | ProposalEvent::Vetoed(_)
        | ProposalEvent::Rejected(_)
        | ProposalEvent::Expired(_)
        | ProposalEvent::Cancelled(_)
        | ProposalEvent::Fulfilled(_)
        | ProposalEvent::Burnt(_) => return None,
    };
    Some(Command::AnswerProposal { proposal, answer, approver, key: key.clone(), evidence })
}

pub(super) fn person(
    state: &State,
    recorded: &Recorded,
    id: PersonId,
    event: &PersonEvent,
) -> Result<Due, Refusal> {
    let decision = match event {
        PersonEvent::Described(described) => {
            decision::described_person(state, id, described.clone())?
        }
        PersonEvent::Erased(erased) => decision::erased_person(state, id, erased.clone())?,
    };
    same(state, recorded, decision.events)
}
