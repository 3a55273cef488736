//! Shares that are of no use any more are destroyed: once a checkpoint that counts covers the entry
//! that says so, never on the server's word alone.

use std::{collections::BTreeSet, fs, io::Write as _, path::Path};

use strongroom_domain::{
    KeyId,
    key::{Active, Proof},
};

use super::{Signer, restoring::is_restored_to};
use crate::{follower::Follower, frost::ShareName};

/// Shares of a key that should not be there, by epoch.
fn useless(active: &Active, (holds, proven): (bool, bool)) -> BTreeSet<u32> {
    let next = active.change.as_ref().map(|change| change.epoch);
    let all = (1..=active.epochs_asked).filter(|epoch| Some(*epoch) != next);
    // Until the shares of now were shown to sign, those of before are kept: not for signing, but for
    // people who may have to go back to them.
    all.filter(|epoch| {
        let in_use = *epoch == active.epoch;
        if in_use { !holds } else { !holds || proven || !active.former.contains_key(epoch) }
    })
    .collect()
}

impl Signer {
    /// After a checkpoint counted. A failure leaves them there until the next.
    pub(super) fn destroy_old_shares(&self, follower: &Follower) {
        let Ok(audited) = follower.audited() else { return };
        let covered = |position: u64| follower.demand_covered(position).is_ok();
        for (key, known) in &audited.state().keys {
            let Ok(active) = known.existing() else { continue };
            if active.epochs_asked < 2 {
                continue;
            }
            let grounds = follower.grounds();
            // What changed last is covered, and so is all before it.
            if !grounds.of_shares(*key).is_some_and(covered) {
                continue;
            }
            let holds = active.index_of(self.id).is_some() || is_restored_to(active, self.id);
            let proven = matches!(active.proof, Proof::Given { epoch } if epoch == active.epoch)
                && grounds.of_proven(*key).is_some_and(covered);
            for epoch in useless(active, (holds, proven)) {
                self.destroy_share(*key, epoch);
            }
        }
    }

    fn destroy_share(&self, key: KeyId, epoch: u32) {
        let name = ShareName { key: key.0, signer: self.id.0, epoch };
        let path = name.path(&self.directory);
        match destroy(&path) {
            Ok(false) => {}
            Ok(true) => tracing::info!(%key, epoch, "a share of no more use was destroyed"),
            Err(error) => tracing::error!(%key, epoch, %error, "an old share is still there"),
        }
    }
}

/// Overwrites a file and takes it away. What a disk keeps of overwritten blocks is sealed.
fn destroy(path: &Path) -> std::io::Result<bool> {
    let length = match fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    file.write_all(&vec![0; usize::try_from(length).unwrap_or_default()])?;
    file.sync_all()?;
    drop(file);
    fs::remove_file(path)?;
    if let Some(directory) = path.parent() {
        fs::File::open(directory)?.sync_all()?;
    }
    Ok(true)
}
