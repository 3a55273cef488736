//! Entries of a key in words. Never a share: the log has none.

use super::person;
use strongroom_domain::{KeyId, charter::Standing, key::KeyEvent};

pub(super) fn key(standing: &Standing, id: KeyId, event: &KeyEvent) -> Vec<String> {
    match event {
        KeyEvent::ChangeRequested(of) => vec![format!(
            "{} asked for shares of epoch {} of key {id}.",
            person(standing, of.maker),
            of.epoch
        )],
        KeyEvent::ChangeApproved(of) => {
            vec![format!("Signers may begin: shares of epoch {} of key {id} are made.", of.epoch)]
        }
        KeyEvent::ChangeRetried(of) => vec![format!(
            "A try came to nothing ({}); the same is tried again as epoch {}.",
            of.because, of.epoch
        )],
        KeyEvent::EpochConfirmed(by) => vec![format!(
            "Signer {} says, signed, that it has its share of epoch {} of key {id}.",
            by.signer, by.epoch
        )],
        KeyEvent::ChangeFailed(of) => vec![
            format!("There will be no shares of epoch {}: {}", of.epoch, of.because),
            "The shares of before stay the ones that sign.".to_owned(),
        ],
        KeyEvent::Confirmed(by) => {
            vec![format!("Signer {} says, signed, that it made its part of key {id}.", by.signer)]
        }
        KeyEvent::Proven(of) => vec![format!(
            "Key {id} signed something that moves nothing, with shares of epoch {}: it can sign.",
            of.epoch
        )],
        KeyEvent::CosignerProven(of) => vec![format!(
            "Cosigner {} of key {id} signed something that moves nothing: its own key can sign.",
            of.place
        )],
        KeyEvent::Assigned(of) => vec![format!("Key {id} signs for wallet {}.", of.wallet)],
        KeyEvent::Quarantined(of) => {
            let mut says = vec![format!("Nobody uses key {id} from here on: {}", of.because)];
            says.extend(of.culprit.map(|who| format!("Signer {who} is to blame, says another.")));
            says
        }
        KeyEvent::QuarantinedBy(of) => {
            vec![format!("{} took key {id} out of use: {}", person(standing, of.by), of.because)]
        }
        KeyEvent::Released(_) => vec![format!("A quorum let key {id} be used again.")],
        KeyEvent::CeremonyFailed(of) => vec![format!("Key {id} is not made: {}", of.because)],
        KeyEvent::BackedUp(of) => vec![format!(
            "Signer {} says, signed, that {} of {} officers can give its share of epoch {} of key {id} \
             back.",
            of.signer,
            of.threshold,
            of.officers.len(),
            of.epoch
        )],
        KeyEvent::RecoveryDrilled(of) => vec![format!(
            "Signer {} says, signed, that {} officers' pieces gave its share of epoch {} of key {id}.",
            of.signer,
            of.officers.len(),
            of.epoch
        )],
        KeyEvent::Retired(_) => {
            vec![format!("Key {id} is retired: it signs nothing but sweeps of late deposits.")]
        }
        // Their kind and payload say it.
        KeyEvent::CeremonyRequestedV1(_)
        | KeyEvent::CeremonyRequested(_)
        | KeyEvent::CeremonyApproved(_)
        | KeyEvent::RoundOnePublished(_)
        | KeyEvent::RoundPublished(_)
        | KeyEvent::Activated(_)
        | KeyEvent::EpochAdvanced(_) => vec![format!("{} of key {id}.", event.kind().0)],
    }
}
