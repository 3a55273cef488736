//! The making of keys. Only what all holders agree on becomes a key.

use super::{Decision, check_trusted, proposal};
use crate::{
    Aggregate as _, KeyId, PersonId, Refusal, Rule, State, Stream, Timestamp,
    aggregate::so_far,
    key::{
        self, Asked, Ceremony, Confirmed, CosignerProven, Custody, Key, KeyEvent, Proven,
        Quarantined, QuarantinedBy, RoundOnePublished, RoundPublished,
    },
    proposal::{Fulfilled, ProposalEvent, Subject},
    statement,
};

fn find(state: &State, id: KeyId) -> Result<&Key, Refusal> {
    state.keys.get(&id).ok_or_else(|| Refusal::new(Rule::KeyState, "there is no such key"))
}

pub(super) fn request(
    state: &State,
    asked: Asked,
    (maker, expires_at): (PersonId, Timestamp),
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let standing = state.charter.standing()?;
    let (plan, proposal) = (asked.plan.clone(), asked.proposal);
    let cosigners = asked.cosigners.clone();
    if let Some(stranger) = plan.participants.iter().find(|id| !standing.signers.contains_key(id)) {
        let because = format!("signer {stranger} is not in the charter");
        return Err(Refusal::new(Rule::SignerState, because));
    }
    check_trusted(state, &plan.participants)?;
    let trusted: Vec<_> = plan.participants.iter().copied().map(Stream::Signer).collect();
    let id = plan.key;
    let key = so_far(&state.keys, &id);
    let requested = key.decide(key::Command::Request { asked, maker })?;
    // Whose keys they are is part of the question: an approval holds for no others.
    let subject = match plan.protocol.custody() {
        Custody::Cosigners => Subject::MultisigKey { plan, cosigners },
        Custody::Shares | Custody::Whole => Subject::KeyCeremony(plan),
    };
    let quorums = proposal::governing(standing, &subject)?;
    let question = (subject, quorums);
    let opened = proposal::open(state, proposal, question, (maker, expires_at), now)?;
    Ok(Decision::weighing(trusted.into_iter().chain([Stream::Charter]))
        .with(Stream::Key(id), requested)
        .with(Stream::Proposal(proposal), opened))
}

pub(super) fn publish_round(
    state: &State,
    id: KeyId,
    published: RoundPublished,
) -> Result<Decision, Refusal> {
    check_trusted(state, [&published.signer])?;
    let signer = Stream::Signer(published.signer);
    let events = find(state, id)?.decide(key::Command::PublishRound(published))?;
    Ok(Decision::weighing([signer]).with(Stream::Key(id), events))
}

pub(super) fn prove(state: &State, id: KeyId, proven: Proven) -> Result<Decision, Refusal> {
    let events = find(state, id)?.decide(key::Command::Prove(proven))?;
    Ok(Decision::default().with(Stream::Key(id), events))
}

pub(super) fn prove_cosigner(
    state: &State,
    id: KeyId,
    proven: CosignerProven,
) -> Result<Decision, Refusal> {
    let events = find(state, id)?.decide(key::Command::ProveCosigner(proven))?;
    Ok(Decision::default().with(Stream::Key(id), events))
}

pub(super) fn publish(
    state: &State,
    id: KeyId,
    published: RoundOnePublished,
) -> Result<Decision, Refusal> {
    check_trusted(state, [&published.signer])?;
    let signer = Stream::Signer(published.signer);
    let events = find(state, id)?.decide(key::Command::PublishRoundOne(published))?;
    Ok(Decision::weighing([signer]).with(Stream::Key(id), events))
}

/// Whether a signer's confirmation is signed by the identity that the charter enrols.
fn check_confirmation(state: &State, id: KeyId, confirmed: &Confirmed) -> Result<(), Refusal> {
    let standing = state.charter.standing()?;
    let signer = standing
        .signers
        .get(&confirmed.signer)
        .ok_or_else(|| Refusal::new(Rule::SignerState, "the signer is not in the charter"))?;
    let (public_key, package) = (&confirmed.public_key, &confirmed.public_package);
    let text = statement::confirmation(standing.log, id, confirmed.signer, public_key, package);
    let key = find(state, id)?;
    let protocol = match key {
        Key::Requested(Asked { plan, .. }) | Key::Ceremony(Ceremony { plan, .. }) => plan.protocol,
        Key::Active(active) | Key::Quarantined(active) => active.plan.protocol,
        Key::Unknown | Key::Failed => {
            return Err(Refusal::new(Rule::KeyState, format!("the key is {}", key.name())));
        }
    };
    if !protocol.is_public_key(public_key)
        || !statement::verify(&signer.identity_key, &text, &confirmed.signature)
    {
        let because = format!("signer {} did not sign this confirmation", confirmed.signer);
        return Err(Refusal::new(Rule::CeremonySignature, because));
    }
    Ok(())
}

pub(super) fn confirm(state: &State, id: KeyId, confirmed: Confirmed) -> Result<Decision, Refusal> {
    check_confirmation(state, id, &confirmed)?;
    check_trusted(state, [&confirmed.signer])?;
    let signer = Stream::Signer(confirmed.signer);
    let key = find(state, id)?;
    let events = key.decide(key::Command::Confirm(confirmed))?;
    let active = events.iter().any(|event| matches!(event, KeyEvent::Activated(_)));
    let mut decision = Decision::weighing([Stream::Charter, signer]).with(Stream::Key(id), events);
    if let (true, Key::Ceremony(ceremony)) = (active, key) {
        let fulfilled = ProposalEvent::from(Fulfilled {});
        decision.add(Stream::Proposal(ceremony.proposal), vec![fulfilled]);
    }
    Ok(decision)
}

pub(super) fn fail(state: &State, id: KeyId, because: String) -> Result<Decision, Refusal> {
    let key = find(state, id)?;
    let proposal = match key {
        Key::Ceremony(ceremony) => Some(ceremony.proposal),
        // Or its proposal could neither be answered nor taken back any more.
        Key::Requested(_) => {
            let because = "the ceremony awaits its approval: cancel its proposal instead";
            return Err(Refusal::new(Rule::KeyState, because));
        }
        Key::Unknown | Key::Active(_) | Key::Failed | Key::Quarantined(_) => None,
    };
    let events = key.decide(key::Command::Fail { because: because.clone() })?;
    let mut decision = Decision::default().with(Stream::Key(id), events);
    if let Some(id) = proposal {
        let burnt =
            proposal::find(state, id)?.decide(crate::proposal::Command::Burn { because })?;
        decision.add(Stream::Proposal(id), burnt);
    }
    Ok(decision)
}

pub(super) fn quarantine(
    state: &State,
    id: KeyId,
    quarantined: Quarantined,
) -> Result<Decision, Refusal> {
    let events = find(state, id)?.decide(key::Command::Quarantine(quarantined))?;
    Ok(Decision::default().with(Stream::Key(id), events))
}

/// One officer takes a key out of use, at once.
pub(super) fn halt(state: &State, id: KeyId, halted: QuarantinedBy) -> Result<Decision, Refusal> {
    state.charter.standing()?.demand(halted.by, crate::charter::Role::Officer)?;
    let events = find(state, id)?.decide(key::Command::Halt(halted))?;
    Ok(Decision::weighing([Stream::Charter]).with(Stream::Key(id), events))
}
