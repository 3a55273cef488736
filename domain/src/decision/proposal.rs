//! Questions and their answers, and what an answer sets in motion. The answer's meaning for a
//! transfer or key is theirs to decide, never this module's.

use super::{Decision, freeze, key_change, signers, stuck};
use crate::{
    Aggregate as _, Bytes, FreezeId, KeyId, PersonId, ProposalId, Refusal, Rule, State, Stream,
    Timestamp, TransferId, account,
    aggregate::so_far,
    approval_key::Evidence,
    charter::{self, PeopleChanged, Standing},
    key::{self, Key},
    policy::{InForce, PolicyV1, Quorums},
    proposal::{self, Answers, Form, Opened, Proposal, ProposalEvent, Subject},
    statement::{self, Answer, Place},
    transfer::{self, FeeCapRaised},
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
    (subject, quorums): (Subject, Quorums),
    (maker, expires_at): (PersonId, Timestamp),
    now: Timestamp,
) -> Result<Vec<ProposalEvent>, Refusal> {
    let standing = state.charter.standing()?;
    standing.may_ask(maker, &subject)?;
    let form = form(standing, &subject);
    let delay_s = match &subject {
        Subject::Payment { delay_s, .. } => *delay_s,
        Subject::PolicyForm2(_) => standing.governance.policy_delay_s(),
        Subject::Transfer { .. }
        | Subject::KeyCeremony(_)
        | Subject::MultisigKey { .. }
        | Subject::PolicyChange(_)
        | Subject::People(_)
        | Subject::Unfreeze { .. }
        | Subject::ReleaseKey { .. }
        | Subject::RaiseFeeCap { .. }
        | Subject::Abandon { .. }
        | Subject::ChangeKey(_)
        | Subject::Rotate(_)
        | Subject::Signers(_)
        | Subject::ReleaseSigner { .. } => 0,
    };
    let policy_version = standing.policy.version();
    let opened = Opened { subject, maker, policy_version, quorums, delay_s, expires_at };
    let lifetime_s = standing.policy.proposal_lifetime_s();
    let proposal = so_far(&state.proposals, &id);
    proposal.decide(proposal::Command::Open { opened, form, now, lifetime_s })
}

/// What could be asked under a policy of the first form is asked under it as it was then.
const fn form(standing: &Standing, subject: &Subject) -> Form {
    match (&standing.policy, subject) {
        (
            InForce::V1(_),
            Subject::Transfer { .. } | Subject::KeyCeremony(_) | Subject::PolicyChange(_),
        ) => Form::V1,
        (InForce::V1(_) | InForce::V2(_), _) => Form::V2,
    }
}

/// Who must agree to what the charter decides about.
pub(super) fn governing(standing: &Standing, subject: &Subject) -> Result<Quorums, Refusal> {
    standing.governance.quorums(subject, &standing.groups()).ok_or_else(|| {
        Refusal::new(Rule::PolicyInvalid, "the policy says who must agree to a payment")
    })
}

pub(super) fn propose_policy(
    state: &State,
    id: ProposalId,
    policy: PolicyV1,
    asked: (PersonId, Timestamp),
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let standing = state.charter.standing()?;
    standing.check_next_policy_v1(&policy)?;
    let subject = Subject::PolicyChange(policy);
    let quorums = governing(standing, &subject)?;
    let events = open(state, id, (subject, quorums), asked, now)?;
    Ok(Decision::weighing([Stream::Charter]).with(Stream::Proposal(id), events))
}

/// Asks a quorum what nothing else asks: about a policy, people, and what was stopped or is stuck.
pub(super) fn propose(
    state: &State,
    id: ProposalId,
    subject: Subject,
    asked: (PersonId, Timestamp),
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let standing = state.charter.standing()?;
    let mut weighed = vec![Stream::Charter];
    let quorums = match &subject {
        Subject::PolicyForm2(policy) => {
            standing.check_next_policy(policy)?;
            governing(standing, &subject)?
        }
        Subject::People(change) => {
            standing.after(change)?;
            governing(standing, &subject)?
        }
        Subject::Unfreeze { freeze } => {
            freeze::lift(state, *freeze, id)?;
            weighed.push(Stream::Freezes);
            governing(standing, &subject)?
        }
        Subject::ReleaseKey { key } => {
            quarantined(state, *key)?.decide(key::Command::Release { proposal: id })?;
            weighed.push(Stream::Key(*key));
            governing(standing, &subject)?
        }
        Subject::Signers(change) => {
            signers::check(state, change)?;
            governing(standing, &subject)?
        }
        Subject::ReleaseSigner { signer } => {
            signers::release(state, *signer, id)?;
            weighed.push(Stream::Signer(*signer));
            governing(standing, &subject)?
        }
        Subject::Rotate(rotation) => {
            super::rotation::propose(state, rotation, (id, asked.0))?;
            weighed.extend([Stream::Wallet(rotation.wallet), Stream::Wallet(rotation.successor)]);
            governing(standing, &subject)?
        }
        Subject::RaiseFeeCap { transfer, .. } | Subject::Abandon { transfer } => {
            weighed.push(Stream::Transfer(*transfer));
            quorums_of(state, *transfer)?
        }
        Subject::Transfer { .. }
        | Subject::Payment { .. }
        | Subject::KeyCeremony(_)
        | Subject::MultisigKey { .. }
        | Subject::ChangeKey(_)
        | Subject::PolicyChange(_) => {
            let because = "a payment, a key and a policy of the first form are asked for by name";
            return Err(Refusal::new(Rule::PolicyInvalid, because));
        }
    };
    check_stuck(state, &subject)?;
    let events = open(state, id, (subject, quorums), asked, now)?;
    Ok(Decision::weighing(weighed).with(Stream::Proposal(id), events))
}

/// Who agreed to a transfer agrees to what becomes of it.
fn quorums_of(state: &State, id: TransferId) -> Result<Quorums, Refusal> {
    let unknown = || Refusal::new(Rule::TransferState, "there is no such transfer under way");
    let transfer = state.transfers.get(&id).ok_or_else(unknown)?;
    let proposal = transfer.asked().and_then(|asked| asked.proposal).ok_or_else(unknown)?;
    Ok(open_answers(find(state, proposal)?)?.opened.quorums.clone())
}

fn quarantined(state: &State, id: KeyId) -> Result<&Key, Refusal> {
    state.keys.get(&id).ok_or_else(|| Refusal::new(Rule::KeyState, "there is no such key"))
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
    check_current(standing, &answers.opened)?;
    let place = place(state, id)?;
    let verified = statement::verify_answer(state, &place, answers, answer, evidence)?;
    let lapsed = answers.approvals.values().filter(|approved| !standing.counts(approved));
    let lapsed = lapsed.map(|approved| approved.approver).collect();
    let events = proposal.decide(proposal::Command::Answer { answer: verified, lapsed, now })?;
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

/// A policy is shown against the one that it would replace.
fn check_current(standing: &Standing, opened: &Opened) -> Result<(), Refusal> {
    let (now, then) = (standing.policy.version(), opened.policy_version);
    if matches!(opened.subject, Subject::PolicyForm2(_)) && now != then {
        let because = format!("it would follow version {then}, and version {now} is in force");
        return Err(Refusal::new(Rule::PolicyInvalid, because));
    }
    Ok(())
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

pub(super) fn open_answers(proposal: &Proposal) -> Result<&Answers, Refusal> {
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
        Subject::Transfer { intent, .. } | Subject::Payment { intent, .. } => {
            let transfer = so_far(&state.transfers, &intent.transfer);
            let events = transfer.decide(transfer::Command::Approve)?;
            decision.add(Stream::Transfer(intent.transfer), events);
            return Ok(());
        }
        Subject::KeyCeremony(plan) | Subject::MultisigKey { plan, .. } => {
            let key = so_far(&state.keys, &plan.key);
            decision.add(Stream::Key(plan.key), key.decide(key::Command::Approve)?);
            return Ok(());
        }
        Subject::ChangeKey(change) => return key_change::approve(state, change.key, decision),
        // Any officer can veto it first.
        Subject::PolicyForm2(_) => return Ok(()),
        Subject::PolicyChange(policy) => {
            let policy = policy.clone();
            let change = charter::Command::ChangePolicy { proposal: id, policy };
            decision.add(Stream::Charter, state.charter.decide(change)?);
        }
        Subject::People(change) => {
            let changed = PeopleChanged { proposal: id, change: change.clone() };
            let change = charter::Command::ChangePeople(changed);
            decision.add(Stream::Charter, state.charter.decide(change)?);
        }
        Subject::Unfreeze { freeze } => unfreeze(state, id, *freeze, decision)?,
        Subject::ReleaseKey { key } => release_key(state, id, *key, decision)?,
        Subject::Rotate(rotation) => {
            let asked = (id, answers.opened.maker);
            super::rotation::approve(state, asked, rotation, decision)?;
        }
        Subject::Signers(change) => signers::change(state, id, change, decision)?,
        Subject::ReleaseSigner { signer } => {
            decision.add(Stream::Signer(*signer), signers::release(state, *signer, id)?);
        }
        Subject::RaiseFeeCap { transfer, fee_cap } => {
            let raised = FeeCapRaised { proposal: id, fee_cap: *fee_cap };
            stuck::raise(state, *transfer, raised, decision)?;
        }
        // The proposal stays: the cancellation that follows rests on it.
        Subject::Abandon { transfer } => {
            return stuck::approve_abandonment(state, id, *transfer, decision);
        }
    }
    // It has happened as soon as it is recorded.
    decision.add(Stream::Proposal(id), vec![ProposalEvent::from(proposal::Fulfilled {})]);
    Ok(())
}

fn unfreeze(
    state: &State,
    id: ProposalId,
    freeze: FreezeId,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    decision.add(Stream::Freezes, freeze::lift(state, freeze, id)?);
    Ok(())
}

fn release_key(
    state: &State,
    id: ProposalId,
    key: KeyId,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let events = quarantined(state, key)?.decide(key::Command::Release { proposal: id })?;
    decision.add(Stream::Key(key), events);
    Ok(())
}

/// Whether what is stuck can be asked about.
fn check_stuck(state: &State, subject: &Subject) -> Result<(), Refusal> {
    match subject {
        Subject::RaiseFeeCap { transfer, fee_cap } => {
            stuck::check_raise(state, *transfer, *fee_cap)
        }
        Subject::Abandon { transfer } => stuck::check_abandon(state, *transfer),
        Subject::Transfer { .. }
        | Subject::Payment { .. }
        | Subject::KeyCeremony(_)
        | Subject::MultisigKey { .. }
        | Subject::PolicyChange(_)
        | Subject::PolicyForm2(_)
        | Subject::People(_)
        | Subject::Unfreeze { .. }
        | Subject::ReleaseKey { .. }
        | Subject::ChangeKey(_)
        | Subject::Rotate(_)
        | Subject::Signers(_)
        | Subject::ReleaseSigner { .. } => Ok(()),
    }
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
        Subject::Transfer { intent, .. } | Subject::Payment { intent, .. } => {
            let id = intent.transfer;
            let transfer = so_far(&state.transfers, &id);
            decision.add(Stream::Transfer(id), transfer.decide(ending)?);
            let account = so_far(&state.accounts, &intent.account);
            let void = account::Command::VoidHold { transfer: id };
            decision.add(Stream::Account(intent.account), account.decide(void)?);
        }
        Subject::KeyCeremony(plan) | Subject::MultisigKey { plan, .. } => {
            let key = so_far(&state.keys, &plan.key);
            let fail = key::Command::Fail { because: because.to_owned() };
            decision.add(Stream::Key(plan.key), key.decide(fail)?);
        }
        Subject::ChangeKey(change) => {
            let key = so_far(&state.keys, &change.key);
            let fail = key::ChangeCommand::Fail { because: because.to_owned() };
            decision.add(Stream::Key(change.key), key.decide(key::Command::Change(fail))?);
        }
        Subject::PolicyChange(_)
        | Subject::PolicyForm2(_)
        | Subject::People(_)
        | Subject::Unfreeze { .. }
        | Subject::ReleaseKey { .. }
        | Subject::RaiseFeeCap { .. }
        | Subject::Abandon { .. }
        | Subject::Rotate(_)
        | Subject::Signers(_)
        | Subject::ReleaseSigner { .. } => {}
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
