//! How a policy comes into force: after its quorum and its delay, if no officer vetoed it; or at
//! once, where one officer only tightens. Never loosens anything at one person's word.

use super::{
    Decision,
    proposal::{find, open_answers},
};
use crate::{
    Aggregate as _, PersonId, ProposalId, Refusal, Rule, State, Stream, Timestamp,
    charter::{self, PolicyChanged, PolicyTightened, Role},
    policy::Policy,
    proposal::{self, Answers, Proposal, Subject},
};

/// The policy that a proposal would put in force, and its answers.
fn policy_of(state: &State, id: ProposalId) -> Result<(&Proposal, &Answers, &Policy), Refusal> {
    let proposal = find(state, id)?;
    let answers = open_answers(proposal)?;
    let Subject::PolicyForm2(policy) = &answers.opened.subject else {
        return Err(Refusal::new(Rule::PolicyInvalid, "the proposal is about no policy"));
    };
    Ok((proposal, answers, policy))
}

/// Puts an approved policy in force once its delay is over. If the log has moved on so that it
/// can't be, its approvals are void.
pub(super) fn enact(state: &State, id: ProposalId, now: Timestamp) -> Result<Decision, Refusal> {
    let (proposal, answers, policy) = policy_of(state, id)?;
    if !matches!(proposal, Proposal::QuorumReached(_)) {
        return Err(Refusal::new(Rule::PolicyDelay, "too few have approved it"));
    }
    let Some(approved_at) = answers.approved_at else {
        return Err(Refusal::new(Rule::PolicyDelay, "its approval is not durable yet"));
    };
    let from = approved_at.plus_seconds(answers.opened.delay_s);
    if now < from {
        let because = format!("any officer can veto it until {from}");
        return Err(Refusal::new(Rule::PolicyDelay, because));
    }
    match enacted(state, id, answers, policy, now) {
        Ok(events) => {
            let mut decision = Decision::default().with(Stream::Charter, events);
            let fulfilled = proposal.decide(proposal::Command::Fulfil)?;
            decision.add(Stream::Proposal(id), fulfilled);
            Ok(decision)
        }
        Err(refusal) => {
            let burn = proposal::Command::Burn { because: refusal.to_string() };
            let burnt = proposal.decide(burn)?;
            Ok(Decision::weighing([Stream::Charter]).with(Stream::Proposal(id), burnt))
        }
    }
}

fn enacted(
    state: &State,
    id: ProposalId,
    answers: &Answers,
    policy: &Policy,
    at: Timestamp,
) -> Result<Vec<charter::CharterEvent>, Refusal> {
    let standing = state.charter.standing()?;
    let counted = answers.approvals.values().filter(|approved| standing.counts(approved));
    let counted = counted.map(|approved| approved.approver).collect();
    if !answers.opened.quorums.satisfied_by(&counted) {
        let because = "of those who agreed, too few are approvers any more";
        return Err(Refusal::new(Rule::PolicyDelay, because));
    }
    let changed = PolicyChanged { proposal: id, policy: policy.clone(), at };
    state.charter.decide(charter::Command::EnactPolicy(changed))
}

/// An officer stops a policy that was approved and still waits.
pub(super) fn veto(state: &State, id: ProposalId, by: PersonId) -> Result<Decision, Refusal> {
    state.charter.standing()?.demand(by, Role::Officer)?;
    let (proposal, ..) = policy_of(state, id)?;
    let events = proposal.decide(proposal::Command::Veto { by })?;
    Ok(Decision::weighing([Stream::Charter]).with(Stream::Proposal(id), events))
}

/// An officer puts a policy in force that lets through nothing which the last one did not.
pub(super) fn tighten(
    state: &State,
    policy: Policy,
    by: PersonId,
    at: Timestamp,
) -> Result<Decision, Refusal> {
    let tightened = PolicyTightened { by, policy, at };
    let events = state.charter.decide(charter::Command::Tighten(tightened))?;
    Ok(Decision::default().with(Stream::Charter, events))
}
