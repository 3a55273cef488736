//! Moving all of a signer's files from one key to another. Never runs beside the signer itself, and
//! never touches a file before all of them opened.

use std::{cell::OnceCell, path::Path};

use strongroom_secrets::{KeySource, Reseal, ResealError};
use thiserror::Error;
use uuid::Uuid;

use crate::{
    config::{Config, TokenConfig},
    consumption::Consumptions,
    frost::ShareName,
    identity::{self, Identity},
    journal::JournalError,
    unlocking::{Holders, UnlockError},
};

/// Why the files were not all moved.
#[derive(Debug, Error)]
pub enum ResealingError {
    /// The two settings are of two signers.
    #[error("the two settings name two data directories: {from} and {to}")]
    Directories {
        /// Now.
        from: String,
        /// To be.
        to: String,
    },
    /// A process has one token.
    #[error("the two settings name two tokens: move the files to a passphrase first, then on")]
    Tokens,
    /// A process has one Vault here.
    #[error("the two settings name two Vaults: move the files to a passphrase first, then on")]
    Vaults,
    /// The journal: the signer runs.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The key, before or after.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// The files.
    #[error(transparent)]
    Reseal(#[from] ResealError),
}

/// Moves the files from the key that `from` names to the one that `to` names. Gives their number.
///
/// A crash in the middle leaves every file openable by one of the two; the same call goes on.
pub fn reseal(from: &Config, to: &Config) -> Result<usize, ResealingError> {
    if from.data != to.data {
        let (from, to) = (from.data.display().to_string(), to.data.display().to_string());
        return Err(ResealingError::Directories { from, to });
    }
    let place = |token: &TokenConfig| (token.module.clone(), token.label.clone());
    if let (Some(old), Some(new)) = (&from.token, &to.token)
        && place(old) != place(new)
    {
        return Err(ResealingError::Tokens);
    }
    if let (Some(old), Some(new)) = (&from.vault, &to.vault)
        && old.address != new.address
    {
        return Err(ResealingError::Vaults);
    }
    // Held until the end: a signer that runs would write shares under the old key meanwhile.
    let _alone = Consumptions::open(&from.data.join("journal"))?;
    let token = from.token.as_ref().or(to.token.as_ref());
    let vault = from.vault.as_ref().or(to.vault.as_ref());
    let holders = Holders::of(token, vault)?;
    let (old, new) = (holders.source(&from.sealing)?, holders.source(&to.sealing)?);
    let signer = OnceCell::new();
    let purposes =
        |name: &str| purpose(name, || *signer.get_or_init(|| whose(&from.data, &old, &new)));
    Ok(Reseal::begin(&from.data, &old, &new, &purposes)?.finish()?)
}

/// What a file of version 1 was sealed for. There were only these two kinds then.
fn purpose(name: &str, signer: impl Fn() -> Option<Uuid>) -> Option<String> {
    if name == identity::FILE {
        return Some(identity::CONTEXT.to_owned());
    }
    let (key, epoch) = name.strip_prefix("share-")?.strip_suffix(".sealed")?.rsplit_once('-')?;
    let share = ShareName { key: key.parse().ok()?, epoch: epoch.parse().ok()?, signer: signer()? };
    Some(share.context())
}

fn whose(directory: &Path, old: &KeySource, new: &KeySource) -> Option<Uuid> {
    let opened = |key| Identity::open_under(directory, key).ok();
    opened(old).or_else(|| opened(new)).map(|(identity, _)| identity.signer())
}
