//! Questions and their answers, and what an answer sets in motion. The answer's meaning for a
//! transfer or key is theirs to decide, never this module's.

use super::Decision;
use crate::{
    Aggregate as _, Bytes, PersonId, ProposalId, Refusal, Rule, State, Stream, Timestamp, account,
    aggregate::so_far,
    approval_key::Evidence,
    charter::{self, Role},
    key,
    policy::{PolicyV1, Quorum},
    proposal::{self, Answers, OpenedV1, Proposal, ProposalEvent, Subject},
    statement::{self, Answer, Place},
    transfer,
};

/// The proposal, or the refusal that there is none.
pub(super) fn find(state: &State, id: ProposalId) -> Result<&Proposal, Refusal> {
    state
        .proposals
        .get(&id)
        .ok_or_else(|| Refusal::new(Rule::ProposalNotOpen, "there is no such proposal"))
}

/// Opens a proposal under the standing policy.
pub(super) fn open(
    state: &State,
    id: ProposalId,
    (subject, quorum): (Subject, Quorum),
    (maker, expires_at): (PersonId, Timestamp),
    now: Timestamp,
) -> Result<Vec<ProposalEvent>, Refusal> {
    let standing = state.charter.standing()?;
    standing.demand(maker, Role::Initiator)?;
    let policy_version = standing.policy.version;
    let opened = OpenedV1 { subject, maker, policy_version, quorum, expires_at };
    let lifetime_s = standing.policy.proposal_lifetime_s;
    let proposal = so_far(&state.proposals, &id);
    proposal.decide(proposal::Command::Open { opened, now, lifetime_s })
}

pub(super) fn propose_policy(
    state: &State,
    id: ProposalId,
    policy: PolicyV1,
    asked: (PersonId, Timestamp),
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let standing = state.charter.standing()?;
    standing.check_next_policy(&policy)?;
    let question = (Subject::PolicyChange(policy), standing.governance.clone());
    let events = open(state, id, question, asked, now)?;
    Ok(Decision::weighing([Stream::Charter]).with(Stream::Proposal(id), events))
}

pub(super) fn answer(
    state: &State,
    id: ProposalId,
    answer: Answer,
    evidence: (PersonId, &Bytes, &Evidence),
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let proposal = find(state, id)?;
    let answers = open_answers(proposal)?;
    // Before the signature: the one who asked is told so whatever they signed with.
    if evidence.0 == answers.opened.maker {
        let because = "the one who asked can't be one of those who approve";
        return Err(Refusal::new(Rule::MakerChecker, because));
    }
    let standing = state.charter.standing()?;
    let place = place(state, id)?;
    let verified = statement::verify_answer(standing, &place, answers, answer, evidence)?;
    let events = proposal.decide(proposal::Command::Answer { answer: verified, now })?;
    let reached = events.iter().any(|event| matches!(event, ProposalEvent::QuorumReached(_)));
    let rejected = events.iter().any(|event| matches!(event, ProposalEvent::Rejected(_)));
    let mut decision = Decision::weighing([Stream::Charter]).with(Stream::Proposal(id), events);
    if reached {
        set_in_motion(state, id, answers, &mut decision)?;
    } else if rejected {
        let because = "its quorum said no";
        call_off(state, answers, &mut decision, transfer::Command::Reject, because)?;
    }
    Ok(decision)
}

/// Where the proposal's statement is bound to.
pub fn place(state: &State, id: ProposalId) -> Result<Place, Refusal> {
    let opened_at = state
        .opened_at
        .get(&id)
        .copied()
        .ok_or_else(|| Refusal::new(Rule::ProposalNotOpen, "the proposal is not open"))?;
    Ok(Place { log: state.charter.standing()?.log, proposal: id, opened_at })
}

fn open_answers(proposal: &Proposal) -> Result<&Answers, Refusal> {
    proposal.answers().ok_or_else(|| {
        Refusal::new(Rule::ProposalNotOpen, format!("the proposal is {}", proposal.name()))
    })
}

/// What follows at once from a reached quorum.
fn set_in_motion(
    state: &State,
    id: ProposalId,
    answers: &Answers,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    match &answers.opened.subject {
        Subject::Transfer { intent, .. } => {
            let transfer = so_far(&state.transfers, &intent.transfer);
            let events = transfer.decide(transfer::Command::Approve)?;
            decision.add(Stream::Transfer(intent.transfer), events);
        }
        Subject::KeyCeremony(plan) => {
            let key = so_far(&state.keys, &plan.key);
            decision.add(Stream::Key(plan.key), key.decide(key::Command::Approve)?);
        }
        Subject::PolicyChange(policy) => {
            let policy = policy.clone();
            let change = charter::Command::ChangePolicy { proposal: id, policy };
            decision.add(Stream::Charter, state.charter.decide(change)?);
            // It has happened as soon as it is recorded.
            let fulfilled = ProposalEvent::from(proposal::Fulfilled {});
            decision.add(Stream::Proposal(id), vec![fulfilled]);
        }
    }
    Ok(())
}

/// What follows when a question comes to nothing.
fn call_off(
    state: &State,
    answers: &Answers,
    decision: &mut Decision,
    ending: transfer::Command,
    because: &str,
) -> Result<(), Refusal> {
    match &answers.opened.subject {
        Subject::Transfer { intent, .. } => {
            let id = intent.transfer;
            let transfer = so_far(&state.transfers, &id);
            decision.add(Stream::Transfer(id), transfer.decide(ending)?);
            let account = so_far(&state.accounts, &intent.account);
            let void = account::Command::VoidHold { transfer: id };
            decision.add(Stream::Account(intent.account), account.decide(void)?);
        }
        Subject::KeyCeremony(plan) => {
            let key = so_far(&state.keys, &plan.key);
            let fail = key::Command::Fail { because: because.to_owned() };
            decision.add(Stream::Key(plan.key), key.decide(fail)?);
        }
        Subject::PolicyChange(_) => {}
    }
    Ok(())
}

pub(super) fn cancel(state: &State, id: ProposalId, by: PersonId) -> Result<Decision, Refusal> {
    let proposal = find(state, id)?;
    let answers = open_answers(proposal)?;
    let events = proposal.decide(proposal::Command::Cancel { by })?;
    let mut decision = Decision::default().with(Stream::Proposal(id), events);
    let ending = transfer::Command::Cancel { by };
    call_off(state, answers, &mut decision, ending, "its maker took it back")?;
    Ok(decision)
}

pub(super) fn expire(state: &State, id: ProposalId, now: Timestamp) -> Result<Decision, Refusal> {
    let proposal = find(state, id)?;
    let answers = open_answers(proposal)?;
    let events = proposal.decide(proposal::Command::Expire { now })?;
    let mut decision = Decision::default().with(Stream::Proposal(id), events);
    let ending = transfer::Command::Expire;
    call_off(state, answers, &mut decision, ending, "its time ran out")?;
    Ok(decision)
}
