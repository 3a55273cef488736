//! Backups of key shares: taking signers' words to the log, and saying which drills are due. Never
//! sees a piece: officers type those at a signer's own machine.

use serde::Deserialize;
use serde_json::json;
use strongroom_chains::backup::check_commitment;
use strongroom_domain::{
    Command, KeyId, SignerId, Timestamp,
    key::{BackedUp, Custody, Protocol, RecoveryDrilled},
};
use strongroom_projections::{BackupRow, KeyRow};
use utoipa::ToSchema;

use super::{Application, Caller, Failure, Once, views};
use crate::authorisation::Resource;

/// What `strongroom-signer backup` wrote.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(value_type = Object)]
#[serde(transparent)]
pub struct RecordBackup(BackedUp);

/// What `strongroom-signer drill` wrote.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(value_type = Object)]
#[serde(transparent)]
pub struct RecordDrill(RecoveryDrilled);

impl Application {
    /// Takes a signer's word that it split its share among officers.
    pub async fn record_backup(
        &self,
        caller: &Caller,
        once: Once,
        (key, RecordBackup(backed_up)): (KeyId, RecordBackup),
    ) -> Result<views::WordRecorded, Failure> {
        self.demand(caller, "record-backup", &Resource::System)?;
        let signer = backed_up.signer;
        self.bus().read(|state| {
            let known = state.keys.get(&key);
            let missing = || Failure::NotFound { what: "key", id: key.to_string() };
            let active = known.ok_or_else(missing)?.existing()?;
            // Who is no holder is refused with the rest.
            let Some(holder) = active.index_of(signer) else { return Ok(()) };
            let (protocol, commitment) = (active.plan.protocol, &backed_up.commitment);
            check_commitment(protocol, &active.public_package, holder, commitment)
                .map_err(|error| Failure::Malformed(error.to_string()))
        })?;
        let subject = json!({ "key": key, "signer": signer });
        self.answer(caller, once, Command::BackUpKey { key, backed_up }, subject).await
    }

    /// Takes a signer's word that officers' pieces gave its share.
    pub async fn record_drill(
        &self,
        caller: &Caller,
        once: Once,
        (key, RecordDrill(drilled)): (KeyId, RecordDrill),
    ) -> Result<views::WordRecorded, Failure> {
        self.demand(caller, "record-backup", &Resource::System)?;
        let subject = json!({ "key": key, "signer": drilled.signer });
        self.answer(caller, once, Command::DrillKey { key, drilled }, subject).await
    }

    /// Backups of a key's shares, with when the next drill is due.
    pub(super) fn backups(&self, epoch: u32, rows: Vec<BackupRow>) -> Vec<views::KeyBackup> {
        let now = self.bus().now();
        rows.into_iter()
            .map(|row| {
                let due = due_at(&row, self.0.drill_every_s);
                let in_use = row.epoch == epoch;
                let overdue = in_use && due < now;
                views::KeyBackup {
                    signer: row.signer.to_string(),
                    epoch: row.epoch,
                    in_use,
                    threshold: row.threshold.into(),
                    officers: row.officers.iter().map(ToString::to_string).collect(),
                    taken_at: row.taken_at.to_string(),
                    drilled_at: row.drilled_at.map(|at| at.to_string()),
                    drill_due_at: due.to_string(),
                    drill_overdue: overdue,
                }
            })
            .collect()
    }

    /// How many shares' drills are overdue, and how many holders of keys in shares have no backup of
    /// the share in use.
    pub(crate) fn backup_counts(&self) -> (usize, usize) {
        let (now, every_s) = (self.bus().now(), self.0.drill_every_s);
        self.bus().read(|state| {
            let (mut overdue, mut missing) = (0_usize, 0_usize);
            for active in state.keys.values().filter_map(|key| key.existing().ok()) {
                if active.plan.protocol.custody() != Custody::Shares {
                    continue;
                }
                for holder in active.holders.values() {
                    let backup = active.backups.get(holder);
                    let Some(backup) = backup.filter(|known| known.epoch == active.epoch) else {
                        missing = missing.saturating_add(1);
                        continue;
                    };
                    let last = active.drilled.get(holder).copied().unwrap_or(backup.taken_at);
                    if last.plus_seconds(every_s) < now {
                        overdue = overdue.saturating_add(1);
                    }
                }
            }
            (overdue, missing)
        })
    }
}

/// Holders of a key in shares that have no backup of the share in use.
pub(super) fn missing(row: &KeyRow) -> Vec<String> {
    let known = Protocol::ALL.into_iter().find(|known| known.name() == row.protocol);
    let in_shares = known.is_some_and(|known| known.custody() == Custody::Shares);
    if !in_shares || row.public_key.is_none() {
        return Vec::new();
    }
    let backed_up = |signer: &&SignerId| {
        row.backups.iter().any(|backup| backup.signer == **signer && backup.epoch == row.epoch)
    };
    let without = row.participants.iter().filter(|signer| !backed_up(signer));
    without.map(ToString::to_string).collect()
}

fn due_at(row: &BackupRow, every_s: u64) -> Timestamp {
    row.drilled_at.unwrap_or(row.taken_at).plus_seconds(every_s)
}
