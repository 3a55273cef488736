//! Backups of shares: that one was made, for whom and with which commitment, and that officers have
//! shown since that it can be used. Stored for ever: a shape is never edited, only succeeded. Never a
//! piece: those are on paper.

use super::{Active, Custody, KeyEvent, Protocol};
use crate::{Bytes, PersonId, Refusal, Rule, SignerId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most officers that a share is split among.
const MOST_OFFICERS: usize = 10;

/// A holder split its share among officers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackedUp {
    /// Whose share.
    pub signer: SignerId,
    /// Of which shares of the key.
    pub epoch: u32,
    /// When, by the signer's clock.
    pub taken_at: Timestamp,
    /// How many pieces restore it.
    pub threshold: u16,
    /// Who has a piece, in the order of the pieces' numbers, counted from 1.
    pub officers: Vec<PersonId>,
    /// Feldman's commitment: `threshold` points of the protocol's curve, compressed. The first is
    /// the holder's public share.
    pub commitment: Vec<Bytes>,
    /// Ed25519 of the signer's identity key over [`crate::statement::backup`].
    pub signature: Bytes,
}

/// Officers typed their pieces, and they gave the holder's share. Nothing was stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryDrilled {
    /// Whose share.
    pub signer: SignerId,
    /// Of which shares of the key.
    pub epoch: u32,
    /// When, by the signer's clock.
    pub taken_at: Timestamp,
    /// Whose pieces.
    pub officers: Vec<PersonId>,
    /// Ed25519 of the signer's identity key over [`crate::statement::drill`].
    pub signature: Bytes,
}

fn refuse<T>(because: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(Rule::KeyBackup, because))
}

/// Bytes of a compressed point of the protocol's curve.
const fn point(protocol: Protocol) -> usize {
    match protocol {
        Protocol::FrostEd25519 => 32,
        Protocol::FrostSecp256k1Tr
        | Protocol::Dkls23Secp256k1
        | Protocol::Pkcs11Secp256k1
        | Protocol::Pkcs11P256
        | Protocol::Pkcs11Ed25519
        | Protocol::Pkcs11Rsa2048
        | Protocol::VaultEd25519
        | Protocol::MultisigP2wsh
        | Protocol::MultisigP2tr => 33,
    }
}

impl Active {
    fn check_held(&self, signer: SignerId, epoch: u32) -> Result<(), Refusal> {
        if self.plan.protocol.custody() == Custody::Cosigners {
            return refuse(
                "a cosigner's key is no share, and is not backed up: as many cosigners as sign move \
                 everything to another wallet (a rotation) when one is lost",
            );
        }
        if self.plan.protocol.custody() != Custody::Shares {
            return refuse("only a share can be backed up: this key is not in shares");
        }
        if self.index_of(signer).is_none() {
            return refuse(format!("signer {signer} does not hold the key"));
        }
        if epoch != self.epoch {
            let now = self.epoch;
            return refuse(format!("the shares in use are those of epoch {now}, not {epoch}"));
        }
        Ok(())
    }

    pub(super) fn back_up(&self, backed_up: BackedUp) -> Result<Vec<KeyEvent>, Refusal> {
        let BackedUp { signer, epoch, threshold, officers, commitment, .. } = &backed_up;
        self.check_held(*signer, *epoch)?;
        let threshold = usize::from(*threshold);
        let distinct: BTreeSet<_> = officers.iter().collect();
        if distinct.len() != officers.len() {
            return refuse("an officer has two pieces");
        }
        if threshold < 2 || threshold > officers.len() || officers.len() > MOST_OFFICERS {
            return refuse(format!(
                "a backup takes 2 to {MOST_OFFICERS} officers, at least 2 of whom restore it; this \
                 is {threshold} of {}",
                officers.len()
            ));
        }
        let length = point(self.plan.protocol);
        if commitment.len() != threshold || commitment.iter().any(|one| one.0.len() != length) {
            return refuse(format!("the commitment is {threshold} points of {length} bytes"));
        }
        match self.backups.get(signer) {
            // It was sent twice.
            Some(known) if *known == backed_up => Ok(Vec::new()),
            // An earlier word can't take the place of a later one.
            Some(known) if known.taken_at >= backed_up.taken_at => {
                refuse(format!("the signer made a backup at {} already", known.taken_at))
            }
            Some(_) | None => Ok(vec![backed_up.into()]),
        }
    }

    pub(super) fn drill(&self, drilled: RecoveryDrilled) -> Result<Vec<KeyEvent>, Refusal> {
        let RecoveryDrilled { signer, epoch, officers, taken_at, .. } = &drilled;
        self.check_held(*signer, *epoch)?;
        let Some(backup) = self.backups.get(signer).filter(|known| known.epoch == *epoch) else {
            return refuse("there is no backup of that share");
        };
        let distinct: BTreeSet<_> = officers.iter().collect();
        let known = officers.iter().all(|officer| backup.officers.contains(officer));
        let enough = distinct.len() >= usize::from(backup.threshold);
        if !known || !enough || distinct.len() != officers.len() {
            return refuse(format!(
                "a drill takes the pieces of {} of the backup's officers",
                backup.threshold
            ));
        }
        match self.drilled.get(signer) {
            Some(last) if last == taken_at => Ok(Vec::new()),
            // Or an old word would be a drill for ever.
            Some(last) if last > taken_at => refuse(format!("the last drill was at {last}")),
            _ if *taken_at < backup.taken_at => refuse("the backup was made after that drill"),
            Some(_) | None => Ok(vec![drilled.into()]),
        }
    }

    /// Records a backup or a drill; `false` where it was neither.
    pub(super) fn evolve_backup(&mut self, event: &KeyEvent) -> bool {
        if let KeyEvent::BackedUp(backed_up) = event {
            self.drilled.remove(&backed_up.signer);
            self.backups.insert(backed_up.signer, backed_up.clone());
        } else if let KeyEvent::RecoveryDrilled(drilled) = event {
            self.drilled.insert(drilled.signer, drilled.taken_at);
        } else {
            return false;
        }
        true
    }
}
