//! A share that comes back from officers' pieces, until the change that brings it back has made it new. Never signs
//! with it: what this signer had sworn off, it may have forgotten with its disk.

use strongroom_domain::{SignerId, key::Active};

use super::{Signer, Trouble, change::Mine};
use crate::{
    backup::{HeldShareError, RestoreError, RestoredShare},
    frost::{ShareError, ShareName},
};

/// Whether a quorum wants the share in use restored to a signer, which holds the key once that change is over.
/// Its officers' pieces may be typed by now, and are not to be typed again.
pub(super) fn is_restored_to(active: &Active, signer: SignerId) -> bool {
    active.change.as_ref().is_some_and(|change| {
        let joining = change.asked.joining;
        change.asked.helpers.is_empty() && joining.is_some_and(|joins| joins.signer == signer)
    })
}

/// Not even with a share that was there all the while: an older image of the disk has it.
pub(super) fn demand_not_restoring(active: &Active, signer: SignerId) -> Result<(), Trouble> {
    let approved = active.change.as_ref().is_some_and(|change| change.approved);
    if approved && is_restored_to(active, signer) {
        let because = "this signer's share is being restored from a backup: it signs when the change that \
                       makes all shares new is over";
        return Err(Trouble::Unavailable(because.to_owned()));
    }
    Ok(())
}

impl Signer {
    /// The secret that this signer goes into the change with.
    pub(super) fn restored(&self, mine: &Mine, held: ShareName) -> Result<RestoredShare, Trouble> {
        if !held.path(&self.directory).exists() {
            let because = "this signer's operator has not restored its share from the backup yet";
            return Err(Trouble::Unavailable(because.to_owned()));
        }
        let place = (&self.sealer, self.directory.as_path());
        Ok(RestoredShare::load(place, held, mine.active.plan.protocol)?)
    }

    /// Why a share does not open: what stands in its place may be its secret alone.
    pub(super) fn unopened(&self, name: ShareName, error: ShareError) -> Trouble {
        if !RestoredShare::stands_in((&self.sealer, &self.directory), name) {
            return error.into();
        }
        let because = "this signer has its share's secret from a backup, and can sign when the change that makes \
                       all shares new is over";
        Trouble::Unavailable(because.to_owned())
    }
}

impl From<RestoreError> for Trouble {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Held(HeldShareError::Share(error)) => error.into(),
            RestoreError::Held(HeldShareError::Backup(_))
            | RestoreError::Round(_)
            | RestoreError::Public(_) => {
                Self::Corrupt(format!("this signer's key share can't be used: {error}"), None)
            }
        }
    }
}
