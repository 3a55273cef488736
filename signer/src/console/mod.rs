//! What an operator asks of a signer at its own machine, beside the running process: it reads, and
//! writes nothing that the running signer also writes. Never opens the journal.

pub(crate) mod address;
pub(crate) mod reseal;

use std::path::Path;

use strongroom_domain::{Digest, SignerId, audit::Audited};
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
        let (identity, sealer) = unlocking::unlock_now(&config, &Holders::open(&config)?)?;
        let pinned = Pinned {
            genesis,
            signer: SignerId(identity.signer()),
            identity_key: identity.confirming_key(),
            witness_key: identity.witness_key(),
        };
        let audited = reading::read(&config.data, &pinned)?;
        Ok(Self { config, identity, sealer, audited })
    }
}
