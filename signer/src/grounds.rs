//! Which entry of the log each order rests on: what a checkpoint must cover before the order is
//! carried out. Never judges the entry itself.

use std::collections::BTreeMap;

use strongroom_domain::{
    Event, KeyId, Recorded, Stream, TransferId, key::KeyEvent, transfer::TransferEvent,
};

/// Positions, by what orders name.
#[derive(Default)]
pub struct Grounds {
    /// Of each open transfer: its last attempt, or what came of it before there was one.
    transfers: BTreeMap<TransferId, u64>,
    ceremonies: BTreeMap<KeyId, Ceremony>,
    /// Of each key whose shares change: as of a ceremony.
    changes: BTreeMap<KeyId, Ceremony>,
    /// Of each key: where its shares came into use, or where it was released.
    proofs: BTreeMap<KeyId, u64>,
    /// Of each key whose shares ever changed: the last entry about that.
    shares: BTreeMap<KeyId, u64>,
    /// Of each key: where its shares of now were last shown to sign.
    proven: BTreeMap<KeyId, u64>,
}

#[derive(Default)]
struct Ceremony {
    /// Where it was asked for or approved.
    begun: u64,
    /// Where the last first-round package was published, or [`Self::begun`].
    dealt: u64,
}

impl Grounds {
    /// Takes note of an entry that was verified. Orders name transfers and keys, nothing else.
    pub fn note(&mut self, recorded: &Recorded) {
        let position = recorded.head.position;
        if let (Stream::Transfer(id), Event::Transfer(event)) = (recorded.stream, &recorded.event) {
            self.transfer(id, event, position);
        }
        if let (Stream::Key(id), Event::Key(event)) = (recorded.stream, &recorded.event) {
            self.key(id, event, position);
        }
    }

    fn transfer(&mut self, id: TransferId, event: &TransferEvent, position: u64) {
        match event {
            TransferEvent::RequestedV1(_)
            | TransferEvent::Requested(_)
            | TransferEvent::SweepRequested(_)
            | TransferEvent::Approved(_)
            | TransferEvent::FeeCapRaised(_)
            | TransferEvent::AbandonmentApproved(_)
            | TransferEvent::ReturnAuthorised(_)
            | TransferEvent::AttemptAuthorised(_) => {
                self.transfers.insert(id, position);
            }
            TransferEvent::AttemptRefused(_)
            | TransferEvent::PartiallySigned(_)
            | TransferEvent::AttemptSigned(_)
            | TransferEvent::AttemptFound(_)
            | TransferEvent::AttemptBroadcast(_) => {}
            TransferEvent::Refused(_)
            | TransferEvent::ConfirmedV1(_)
            | TransferEvent::Confirmed(_)
            | TransferEvent::Abandoned(_)
            | TransferEvent::Failed(_)
            | TransferEvent::Rejected(_)
            | TransferEvent::Cancelled(_)
            | TransferEvent::Expired(_)
            | TransferEvent::Stopped(_) => {
                self.transfers.remove(&id);
            }
        }
    }

    fn key(&mut self, id: KeyId, event: &KeyEvent, position: u64) {
        if let KeyEvent::Activated(_) | KeyEvent::EpochAdvanced(_) | KeyEvent::Released(_) = event {
            self.proofs.insert(id, position);
        }
        if let KeyEvent::ChangeRequested(_)
        | KeyEvent::ChangeApproved(_)
        | KeyEvent::ChangeRetried(_)
        | KeyEvent::EpochAdvanced(_)
        | KeyEvent::ChangeFailed(_) = event
        {
            self.shares.insert(id, position);
        }
        if let KeyEvent::Proven(_) = event {
            self.proven.insert(id, position);
        }
        match event {
            KeyEvent::CeremonyRequestedV1(_)
            | KeyEvent::CeremonyRequested(_)
            | KeyEvent::CeremonyApproved(_) => {
                self.ceremonies.insert(id, Ceremony { begun: position, dealt: position });
            }
            KeyEvent::RoundPublished(published) if published.epoch > 1 => {
                self.changes.entry(id).or_default().dealt = position;
            }
            KeyEvent::RoundOnePublished(_) | KeyEvent::RoundPublished(_) => {
                self.ceremonies.entry(id).or_default().dealt = position;
            }
            KeyEvent::ChangeRequested(_)
            | KeyEvent::ChangeApproved(_)
            | KeyEvent::ChangeRetried(_) => {
                self.changes.insert(id, Ceremony { begun: position, dealt: position });
            }
            KeyEvent::EpochAdvanced(_) | KeyEvent::ChangeFailed(_) => {
                self.changes.remove(&id);
            }
            // What another holder confirms changes nothing about one's own part.
            KeyEvent::Confirmed(_)
            | KeyEvent::EpochConfirmed(_)
            | KeyEvent::Released(_)
            | KeyEvent::BackedUp(_)
            | KeyEvent::Retired(_)
            | KeyEvent::RecoveryDrilled(_)
            | KeyEvent::CosignerProven(_)
            | KeyEvent::Proven(_) => {}
            KeyEvent::Activated(_)
            | KeyEvent::CeremonyFailed(_)
            | KeyEvent::Quarantined(_)
            | KeyEvent::QuarantinedBy(_)
            | KeyEvent::Assigned(_) => {
                self.ceremonies.remove(&id);
            }
        }
    }

    /// What an order about a transfer rests on; 0 where there is nothing to act upon.
    pub fn of_transfer(&self, id: TransferId) -> u64 {
        self.transfers.get(&id).copied().unwrap_or_default()
    }

    /// What a spend proof rests on.
    pub fn of_proof(&self, id: KeyId) -> u64 {
        self.proofs.get(&id).copied().unwrap_or_default()
    }

    /// What the beginning of a ceremony rests on.
    pub fn of_beginning(&self, id: KeyId) -> u64 {
        self.ceremonies.get(&id).map_or(0, |ceremony| ceremony.begun)
    }

    /// What its later rounds rest on.
    pub fn of_rounds(&self, id: KeyId) -> u64 {
        self.ceremonies.get(&id).map_or(0, |ceremony| ceremony.dealt)
    }

    /// What says which shares of a key there are; none where they never changed.
    pub fn of_shares(&self, id: KeyId) -> Option<u64> {
        self.shares.get(&id).copied()
    }

    /// What rests on shares that were shown to sign; none before they were.
    pub fn of_proven(&self, id: KeyId) -> Option<u64> {
        self.proven.get(&id).copied()
    }

    /// What a change of shares rests on: where it began, and from the second round on what was
    /// published in the first.
    pub fn of_change(&self, id: KeyId, round: u16) -> u64 {
        let of = |change: &Ceremony| if round <= 1 { change.begun } else { change.dealt };
        self.changes.get(&id).map_or(0, of)
    }
}
