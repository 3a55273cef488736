//! What an operator asks of a signer at its own machine, beside the running process: it reads, and
//! writes nothing that the running signer also writes. Never opens the journal but where it must not be
//! running.

pub(crate) mod address;
pub(crate) mod backup;
mod holder;
pub(crate) mod offline;
mod proving;
pub(crate) mod reseal;
pub(crate) mod restore;
mod typing;
pub(crate) mod wrapping_key;

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use strongroom_domain::{Digest, KeyId, SignerId, Timestamp, audit::Audited, key::Active};
use strongroom_secrets::Sealer;
use strongroom_signer::{
    config::Config,
    follower::Pinned,
    identity::Identity,
    reading,
    unlocking::{self, Holders},
};

use crate::Failure;

/// A signer's own things, opened for reading.
pub(crate) struct Desk {
    pub(crate) config: Config,
    pub(crate) identity: Identity,
    pub(crate) sealer: Sealer,
    pub(crate) holders: Holders,
    /// The log as far as its copy on disk goes.
    pub(crate) audited: Audited,
}

impl Desk {
    /// Opens the secrets and reads the copy of the log.
    pub(crate) fn open(
        config: &Path,
        pinned: fn(&Path) -> Result<Digest, Failure>,
    ) -> Result<Self, Failure> {
        let config = Config::read(config)?;
        let genesis = pinned(&config.data)?;
        let holders = Holders::open(&config)?;
        let (identity, sealer) = unlocking::unlock_now(&config, &holders)?;
        let pinned = Pinned {
            genesis,
            signer: SignerId(identity.signer()),
            identity_key: identity.confirming_key(),
            witness_key: identity.witness_key(),
        };
        let audited = reading::read(&config.data, &pinned)?;
        Ok(Self { config, identity, sealer, holders, audited })
    }

    /// A key that exists, as the log has it.
    pub(crate) fn active(&self, key: KeyId) -> Result<&Active, Failure> {
        let known = self.audited.state().keys.get(&key);
        Ok(known.ok_or("this signer has not read of that key")?.existing()?)
    }
}

/// This machine's clock.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
