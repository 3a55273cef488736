//! What a key's events change. Never holds more of a key than its public half.

use super::At;
use crate::change::{Change, int, json, maybe, text};
use crate::states::{KeyProof, KeyState, KeyStep};
use rusqlite::types::Value;
use strongroom_domain::{
    KeyId, PersonId, ProposalId, SignerId,
    key::{BackedUp, CeremonyPlan, CeremonyRequested, CeremonyRequestedV1, KeyEvent},
};

pub(super) fn fold(at: At<'_>, key: KeyId, event: &KeyEvent, out: &mut Vec<Change>) {
    use KeyEvent as E;
    let change = |mut cells: Vec<(&'static str, Value)>| {
        cells.extend([("changed_position", at.position()), ("changed_at", at.time())]);
        Change::Update { table: "keys", key: vec![("key", text(key))], cells }
    };
    let state = |state: KeyState| ("state", text(state));
    out.push(match event {
        E::CeremonyRequestedV1(CeremonyRequestedV1 { plan, proposal, maker }) => {
            asked(at, plan, (*proposal, *maker), KeyProof::NotAsked)
        }
        E::CeremonyRequested(CeremonyRequested { plan, cosigners: _, proposal, maker }) => {
            asked(at, plan, (*proposal, *maker), KeyProof::Awaited)
        }
        E::RoundPublished(by) => step(at, key, by.signer, KeyStep::Round),
        E::Proven(_) => change(vec![("proof", text(KeyProof::Given))]),
        E::ChangeRequested(of) => change(vec![("change", json(&of.change))]),
        // A quorum's word is in its proposal's row; whose proof is missing is asked of the key itself.
        E::ChangeApproved(_) | E::CosignerProven(_) => change(Vec::new()),
        E::ChangeRetried(of) => change(vec![("change_because", text(&of.because))]),
        E::Retired(_) => change(vec![state(KeyState::Retired)]),
        E::EpochConfirmed(by) => step(at, key, by.signer, KeyStep::EpochConfirmed),
        E::EpochAdvanced(of) => change(vec![
            ("epoch", int(of.epoch)),
            ("participants", json(&of.holders.values().collect::<Vec<_>>())),
            ("change", Value::Null),
            ("change_because", Value::Null),
        ]),
        E::ChangeFailed(of) => {
            change(vec![("change", Value::Null), ("change_because", text(&of.because))])
        }
        E::BackedUp(backed_up) => self::backed_up(at, key, backed_up),
        E::RecoveryDrilled(by) => Change::insert(
            "drills",
            [
                ("position", at.position()),
                ("key", text(key)),
                ("signer", text(by.signer)),
                ("epoch", int(by.epoch)),
                ("taken_at", text(by.taken_at)),
                ("officers", json(&by.officers)),
            ],
        ),
        E::CeremonyApproved(_) => change(vec![state(KeyState::BeingMade)]),
        E::RoundOnePublished(by) => step(at, key, by.signer, KeyStep::RoundOne),
        E::Confirmed(by) => step(at, key, by.signer, KeyStep::Confirmed),
        E::Activated(activated) => {
            change(vec![state(KeyState::Active), ("public_key", text(&activated.public_key))])
        }
        E::Assigned(assigned) => change(vec![("wallet", text(assigned.wallet))]),
        E::CeremonyFailed(failed) => {
            change(vec![state(KeyState::Failed), ("because", text(&failed.because))])
        }
        E::QuarantinedBy(quarantined) => change(vec![
            state(KeyState::Quarantined),
            ("because", text(&quarantined.because)),
            ("culprit", Value::Null),
        ]),
        E::Released(_) => change(vec![
            state(KeyState::Active),
            ("because", Value::Null),
            ("culprit", Value::Null),
        ]),
        E::Quarantined(quarantined) => change(vec![
            state(KeyState::Quarantined),
            ("because", text(&quarantined.because)),
            ("culprit", maybe(quarantined.culprit)),
        ]),
    });
}

fn backed_up(at: At<'_>, key: KeyId, backed_up: &BackedUp) -> Change {
    Change::insert(
        "backups",
        [
            ("position", at.position()),
            ("key", text(key)),
            ("signer", text(backed_up.signer)),
            ("epoch", int(backed_up.epoch)),
            ("taken_at", text(backed_up.taken_at)),
            ("threshold", int(backed_up.threshold)),
            ("officers", json(&backed_up.officers)),
        ],
    )
}

fn asked(
    at: At<'_>,
    plan: &CeremonyPlan,
    (proposal, maker): (ProposalId, PersonId),
    proof: KeyProof,
) -> Change {
    Change::insert(
        "keys",
        [
            ("key", text(plan.key)),
            ("position", at.position()),
            ("requested_at", at.time()),
            ("protocol", text(plan.protocol.name())),
            ("threshold", int(plan.threshold)),
            ("participants", json(&plan.participants)),
            ("proposal", text(proposal)),
            ("maker", text(maker)),
            ("epoch", int(1_u16)),
            ("proof", text(proof)),
            ("state", text(KeyState::AwaitingApproval)),
            ("changed_position", at.position()),
            ("changed_at", at.time()),
        ],
    )
}

fn step(at: At<'_>, key: KeyId, signer: SignerId, step: KeyStep) -> Change {
    Change::insert(
        "key_steps",
        [
            ("position", at.position()),
            ("taken_at", at.time()),
            ("key", text(key)),
            ("signer", text(signer)),
            ("step", text(step)),
        ],
    )
}
