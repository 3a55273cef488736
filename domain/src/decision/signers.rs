//! Who trusts which signer: officers quarantine, quorums release, enrol and retire. Never lets one
//! leave that still holds a key.

use super::Decision;
use crate::{
    Aggregate as _, ProposalId, Refusal, Rule, SignerId, State, Stream,
    aggregate::so_far,
    charter::{self, Role, SignerChange, SignersChanged},
    signer::{Command, Enrolled, Quarantined, Released, SignerEvent},
};

/// Whether none of these signers is quarantined.
pub fn check_trusted<'a>(
    state: &State,
    signers: impl IntoIterator<Item = &'a SignerId>,
) -> Result<(), Refusal> {
    let quarantined =
        |id: &&SignerId| state.signers.get(id).is_some_and(|signer| signer.quarantine.is_some());
    match signers.into_iter().find(quarantined) {
        None => Ok(()),
        Some(signer) => {
            let because = format!("an officer quarantined signer {signer}");
            Err(Refusal::new(Rule::SignerQuarantined, because))
        }
    }
}

/// One officer trusts a signer no more, at once.
pub(super) fn quarantine(
    state: &State,
    id: SignerId,
    quarantined: Quarantined,
) -> Result<Decision, Refusal> {
    state.charter.standing()?.demand(quarantined.by, Role::Officer)?;
    let signer = so_far(&state.signers, &id);
    let events = signer.decide(Command::Quarantine(quarantined))?;
    Ok(Decision::weighing([Stream::Charter]).with(Stream::Signer(id), events))
}

pub(super) fn release(
    state: &State,
    id: SignerId,
    proposal: ProposalId,
) -> Result<Vec<SignerEvent>, Refusal> {
    so_far(&state.signers, &id).decide(Command::Release(Released { proposal }))
}

/// Whether a quorum can be asked this.
pub(super) fn check(state: &State, change: &SignerChange) -> Result<(), Refusal> {
    state.charter.standing()?.after_signers(change)?;
    let id = change.signer();
    let refuse = |because: String| Err(Refusal::new(Rule::SignerState, because));
    match change {
        SignerChange::Enrol(_) if state.signers.contains_key(&id) => {
            refuse(format!("there is or was a signer {id} already: an id is enrolled once"))
        }
        SignerChange::Enrol(_) => Ok(()),
        SignerChange::Retire { .. } => {
            let holds = |(_, key): &(_, &crate::key::Key)| match key {
                crate::key::Key::Requested(asked) => asked.plan.participants.contains(&id),
                crate::key::Key::Ceremony(ceremony) => ceremony.plan.participants.contains(&id),
                crate::key::Key::Active(active) | crate::key::Key::Quarantined(active) => {
                    active.index_of(id).is_some()
                        || active.change.as_ref().is_some_and(|of| of.index_of(id).is_some())
                }
                crate::key::Key::Unknown | crate::key::Key::Failed => false,
            };
            match state.keys.iter().find(holds) {
                Some((key, _)) => {
                    refuse(format!("signer {id} has a part in key {key}: drop it there first"))
                }
                None => Ok(()),
            }
        }
    }
}

pub(super) fn change(
    state: &State,
    proposal: ProposalId,
    change: &SignerChange,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    check(state, change)?;
    let changed = SignersChanged { proposal, change: change.clone() };
    let events = state.charter.decide(charter::Command::ChangeSigners(changed))?;
    decision.add(Stream::Charter, events);
    if let SignerChange::Enrol(of) = change {
        let enrolled = Enrolled {
            identity_key: of.identity_key.clone(),
            tls_certificate_sha256: of.tls_certificate_sha256,
        };
        let events = so_far(&state.signers, &of.id).decide(Command::Enrol(enrolled))?;
        decision.add(Stream::Signer(of.id), events);
    }
    Ok(())
}
