//! Changes of a key's shares. Only what all who will hold it agree on comes into use, and what was
//! in use stays so until then.

use super::{Decision, proposal, signers};
use crate::{
    Aggregate as _, KeyId, PersonId, ProposalId, Refusal, Rule, SignerId, State, Stream, Timestamp,
    key::{Active, ChangeCommand, Command, EpochConfirmed, Joining, Key, KeyChange, KeyEvent},
    policy::{InForce, OnCompromise},
    proposal::{Fulfilled, ProposalEvent, Subject},
    statement,
};
use std::collections::BTreeSet;

fn find(state: &State, id: KeyId) -> Result<(&Key, &Active), Refusal> {
    let key = state.keys.get(&id);
    let key = key.ok_or_else(|| Refusal::new(Rule::KeyState, "there is no such key"))?;
    Ok((key, key.existing()?))
}

/// The change that drops and adds these: who joins gets the number of one who goes or the first that
/// is free, and as many of those who stay as sign help.
pub fn planned_change(
    state: &State,
    key: KeyId,
    dropped: BTreeSet<SignerId>,
    joining: Option<SignerId>,
) -> Result<KeyChange, Refusal> {
    let (_, active) = find(state, key)?;
    let mut stay: Vec<SignerId> = active.signers();
    stay.retain(|id| !dropped.contains(id) && signers::check_trusted(state, [id]).is_ok());
    stay.truncate(usize::from(active.plan.threshold));
    let left = active.holders.iter().find(|(_, holder)| dropped.contains(holder));
    let free = || (1..=u16::MAX).find(|index| !active.holders.contains_key(index));
    let index = left.map(|(index, _)| *index).or_else(free);
    let joining = joining.zip(index).map(|(signer, index)| Joining { signer, index });
    Ok(KeyChange { key, dropped, joining, helpers: stay })
}

/// The change that gives a lost share back from officers' pieces: who joins gets the number of the one who
/// goes, and nobody helps. The two may be the same signer, on a new disk.
pub fn restoring_change(
    state: &State,
    key: KeyId,
    lost: SignerId,
    joining: SignerId,
) -> Result<KeyChange, Refusal> {
    let (_, active) = find(state, key)?;
    let Some(index) = active.index_of(lost) else {
        let because = format!("signer {lost} does not hold the key");
        return Err(Refusal::new(Rule::CeremonyPlan, because));
    };
    let joining = Some(Joining { signer: joining, index });
    Ok(KeyChange { key, dropped: [lost].into(), joining, helpers: Vec::new() })
}

/// Whether everyone who would have a part is enrolled and trusted.
fn check_parts(state: &State, change: &KeyChange) -> Result<(), Refusal> {
    let (_, active) = find(state, change.key)?;
    let standing = state.charter.standing()?;
    let after = change.holders_after(active)?;
    if let Some(stranger) = after.values().find(|id| !standing.signers.contains_key(id)) {
        let because = format!("signer {stranger} is not in the charter");
        return Err(Refusal::new(Rule::SignerState, because));
    }
    signers::check_trusted(state, after.values())
}

/// What the policy says follows a compromise: a share that was taken may be taken for the key.
fn check_policy(state: &State, change: &KeyChange) -> Result<(), Refusal> {
    let (_, active) = find(state, change.key)?;
    let InForce::V2(policy) = &state.charter.standing()?.policy else { return Ok(()) };
    let Some(wallet) = active.wallet else { return Ok(()) };
    if signers::check_trusted(state, &change.dropped).is_ok() {
        return Ok(());
    }
    let holding = super::custody::wallet(state, wallet)?.holding()?;
    match policy.on_compromise(wallet, holding.tier, holding.network) {
        Some((rule, OnCompromise::Rotate)) => {
            let because = format!(
                "{rule}: a quarantined signer holds the key of wallet {wallet}: rotate the wallet \
                 to another key instead"
            );
            Err(Refusal::new(Rule::Policy, because))
        }
        Some((_, OnCompromise::Refresh)) | None => Ok(()),
    }
}

pub(super) fn request(
    state: &State,
    (id, change): (ProposalId, KeyChange),
    (maker, expires_at): (PersonId, Timestamp),
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let key_id = change.key;
    let (key, active) = find(state, key_id)?;
    check_parts(state, &change)?;
    check_policy(state, &change)?;
    let mut decision = Decision::weighing([Stream::Charter]);
    for signer in active.holders.values().chain(change.joining.iter().map(|of| &of.signer)) {
        decision = decision.weigh(Stream::Signer(*signer));
    }
    let subject = Subject::ChangeKey(change.clone());
    let requested = ChangeCommand::Request { change, proposal: id, maker };
    let requested = key.decide(Command::Change(requested))?;
    let quorums = proposal::governing(state.charter.standing()?, &subject)?;
    let opened = proposal::open(state, id, (subject, quorums), (maker, expires_at), now)?;
    Ok(decision.with(Stream::Key(key_id), requested).with(Stream::Proposal(id), opened))
}

/// The quorum agreed. Whoever was quarantined since makes the first round fail, not the answer.
pub(super) fn approve(state: &State, id: KeyId, decision: &mut Decision) -> Result<(), Refusal> {
    let (key, _) = find(state, id)?;
    decision.add(Stream::Key(id), key.decide(Command::Change(ChangeCommand::Approve))?);
    Ok(())
}

pub(super) fn retry(
    state: &State,
    id: KeyId,
    helpers: Vec<SignerId>,
    because: String,
) -> Result<Decision, Refusal> {
    let (key, active) = find(state, id)?;
    if let Some(change) = &active.change {
        check_parts(state, &KeyChange { helpers: helpers.clone(), ..change.asked.clone() })?;
    }
    let events = key.decide(Command::Change(ChangeCommand::Retry { helpers, because }))?;
    Ok(Decision::default().with(Stream::Key(id), events))
}

/// Whether a holder's word is signed by the identity that the charter enrols.
fn check_confirmation(state: &State, id: KeyId, confirmed: &EpochConfirmed) -> Result<(), Refusal> {
    let standing = state.charter.standing()?;
    let EpochConfirmed { signer, epoch, public_key, public_package, signature } = confirmed;
    let text = statement::epoch_confirmation(
        standing.log,
        (id, *epoch),
        *signer,
        public_key,
        public_package,
    );
    let enrolled = standing.signers.get(signer);
    if enrolled.is_some_and(|of| statement::verify(&of.identity_key, &text, signature)) {
        return Ok(());
    }
    let because = format!("signer {signer} did not sign this confirmation");
    Err(Refusal::new(Rule::CeremonySignature, because))
}

pub(super) fn confirm(
    state: &State,
    id: KeyId,
    confirmed: EpochConfirmed,
) -> Result<Decision, Refusal> {
    let (key, active) = find(state, id)?;
    check_confirmation(state, id, &confirmed)?;
    signers::check_trusted(state, [&confirmed.signer])?;
    let signer = confirmed.signer;
    let events = key.decide(Command::Change(ChangeCommand::Confirm(confirmed)))?;
    let advanced = events.iter().any(|event| matches!(event, KeyEvent::EpochAdvanced(_)));
    let mut decision =
        Decision::weighing([Stream::Charter, Stream::Signer(signer)]).with(Stream::Key(id), events);
    if let (true, Some(change)) = (advanced, &active.change) {
        let fulfilled = ProposalEvent::from(Fulfilled {});
        decision.add(Stream::Proposal(change.proposal), vec![fulfilled]);
    }
    Ok(decision)
}

pub(super) fn fail(state: &State, id: KeyId, because: String) -> Result<Decision, Refusal> {
    let (key, active) = find(state, id)?;
    let Some(change) = active.change.as_ref().filter(|change| change.approved) else {
        // Or its proposal could neither be answered nor taken back any more.
        let because = "no change is under way: one that awaits its approval is cancelled";
        return Err(Refusal::new(Rule::KeyState, because));
    };
    let failed = ChangeCommand::Fail { because: because.clone() };
    let mut decision =
        Decision::default().with(Stream::Key(id), key.decide(Command::Change(failed))?);
    let burnt = proposal::find(state, change.proposal)?
        .decide(crate::proposal::Command::Burn { because })?;
    decision.add(Stream::Proposal(change.proposal), burnt);
    Ok(decision)
}
