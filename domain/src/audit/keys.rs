//! Whether an entry of a key was allowed, given everything before it. Nothing here takes the writer's
//! word for who agreed, or which signer said what.

use super::{
    due::Due,
    lawful::{again, alone},
};
use crate::{Command, KeyId, Recorded, Refusal, State, key::KeyEvent};

pub(super) fn key(
    state: &State,
    recorded: &Recorded,
    id: KeyId,
    event: &KeyEvent,
) -> Result<Due, Refusal> {
    let command = match event {
        KeyEvent::CeremonyRequested(requested) => {
            let standing = state.charter.standing()?;
            Command::RequestKey {
                proposal: requested.proposal,
                plan: requested.plan.clone(),
                cosigners: requested.cosigners.clone(),
                maker: requested.maker,
                expires_at: recorded.time.plus_seconds(standing.policy.proposal_lifetime_s()),
            }
        }
        KeyEvent::RoundPublished(published) => {
            Command::PublishRound { key: id, published: published.clone() }
        }
        KeyEvent::Proven(proven) => Command::ProveKey { key: id, proven: proven.clone() },
        KeyEvent::CosignerProven(proven) => {
            Command::ProveCosigner { key: id, proven: proven.clone() }
        }
        KeyEvent::BackedUp(backed_up) => {
            Command::BackUpKey { key: id, backed_up: backed_up.clone() }
        }
        KeyEvent::RecoveryDrilled(drilled) => {
            Command::DrillKey { key: id, drilled: drilled.clone() }
        }
        KeyEvent::CeremonyRequestedV1(requested) => {
            let standing = state.charter.standing()?;
            Command::RequestCeremony {
                proposal: requested.proposal,
                plan: requested.plan.clone(),
                maker: requested.maker,
                expires_at: recorded.time.plus_seconds(standing.policy.proposal_lifetime_s()),
            }
        }
        KeyEvent::RoundOnePublished(published) => {
            Command::PublishRoundOne { key: id, published: published.clone() }
        }
        KeyEvent::Confirmed(confirmed) => {
            Command::ConfirmKey { key: id, confirmed: confirmed.clone() }
        }
        KeyEvent::CeremonyFailed(failed) => {
            Command::FailCeremony { key: id, because: failed.because.clone() }
        }
        KeyEvent::Quarantined(quarantined) => {
            Command::QuarantineKey { key: id, quarantined: quarantined.clone() }
        }
        KeyEvent::QuarantinedBy(halted) => Command::HaltKey { key: id, halted: halted.clone() },
        KeyEvent::ChangeRequested(_)
        | KeyEvent::ChangeRetried(_)
        | KeyEvent::EpochConfirmed(_)
        | KeyEvent::ChangeFailed(_)
        | KeyEvent::ChangeApproved(_)
        | KeyEvent::EpochAdvanced(_) => return shares(state, recorded, id, event),
        KeyEvent::Retired(_) => {
            let active = state.keys.get(&id).and_then(|key| key.active().ok());
            let Some(wallet) = active.and_then(|active| active.wallet) else {
                return alone(recorded);
            };
            Command::RetireKey { wallet }
        }
        KeyEvent::CeremonyApproved(_)
        | KeyEvent::Activated(_)
        | KeyEvent::Assigned(_)
        | KeyEvent::Released(_) => return alone(recorded),
    };
    again(state, recorded, command)
}

/// The same, of a change of its shares.
fn shares(state: &State, recorded: &Recorded, id: KeyId, event: &KeyEvent) -> Result<Due, Refusal> {
    let command = match event {
        KeyEvent::ChangeRequested(requested) => {
            let standing = state.charter.standing()?;
            Command::RequestKeyChange {
                proposal: requested.proposal,
                change: requested.change.clone(),
                maker: requested.maker,
                expires_at: recorded.time.plus_seconds(standing.policy.proposal_lifetime_s()),
            }
        }
        KeyEvent::ChangeRetried(retried) => Command::RetryKeyChange {
            key: id,
            helpers: retried.helpers.clone(),
            because: retried.because.clone(),
        },
        KeyEvent::EpochConfirmed(confirmed) => {
            Command::ConfirmEpoch { key: id, confirmed: confirmed.clone() }
        }
        KeyEvent::ChangeFailed(failed) => {
            Command::FailKeyChange { key: id, because: failed.because.clone() }
        }
        KeyEvent::CeremonyRequestedV1(_)
        | KeyEvent::CeremonyRequested(_)
        | KeyEvent::CeremonyApproved(_)
        | KeyEvent::RoundOnePublished(_)
        | KeyEvent::RoundPublished(_)
        | KeyEvent::Confirmed(_)
        | KeyEvent::Activated(_)
        | KeyEvent::Proven(_)
        | KeyEvent::CosignerProven(_)
        | KeyEvent::Assigned(_)
        | KeyEvent::CeremonyFailed(_)
        | KeyEvent::Quarantined(_)
        | KeyEvent::QuarantinedBy(_)
        | KeyEvent::Released(_)
        | KeyEvent::ChangeApproved(_)
        | KeyEvent::EpochAdvanced(_)
        | KeyEvent::BackedUp(_)
        | KeyEvent::RecoveryDrilled(_)
        | KeyEvent::Retired(_) => return alone(recorded),
    };
    again(state, recorded, command)
}
