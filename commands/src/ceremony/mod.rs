//! Drives every approved key ceremony until the key is active or the ceremony has failed. Carries
//! public messages and sealed letters; never sees a share, and never decides what a key is: all
//! holders must say the same.
//!
//! The log is the holders' broadcast channel: what must be the same for all is read from there by
//! each of them. A holder that was restarted has lost its part, so the ceremony fails and a new one
//! can be asked for. One that can't be reached is waited for, until the approval's time is over.

mod change;
mod drive;
mod next;

pub use next::{Step, step};

use crate::{Bus, checkpoints::Checkpoints, signers::Signers};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use strongroom_domain::KeyId;
use tokio::task::JoinSet;

/// How the ceremonies pace themselves.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Before a step is tried again; doubles up to `longest_pause`.
    pub shortest_pause: Duration,
    /// Before a step is tried again, at most.
    pub longest_pause: Duration,
    /// For a holder that does not answer in a change of shares, before the change fails.
    pub patience: Duration,
    /// As `patience`, where people must first put a share together from officers' pieces.
    pub restoring: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            shortest_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(5),
            patience: Duration::from_mins(1),
            restoring: Duration::from_hours(24),
        }
    }
}

/// The running ceremonies. Clones are handles of the same ones, which end with the last handle;
/// that is as harmless as a crash.
#[derive(Clone)]
pub struct Ceremonies(Arc<Running>);

struct Running {
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    bus: Bus,
    signers: Signers,
    checkpoints: Checkpoints,
    settings: Settings,
    waits: Mutex<BTreeMap<KeyId, String>>,
}

impl Ceremonies {
    /// Takes up every ceremony under way, and those to come. Must be called inside a Tokio runtime.
    pub fn start(
        bus: Bus,
        (signers, checkpoints): (Signers, Checkpoints),
        settings: Settings,
    ) -> Self {
        let waits = Mutex::default();
        let shared = Arc::new(Shared { bus, signers, checkpoints, settings, waits });
        let mut tasks = JoinSet::new();
        tasks.spawn(drive::follow(Arc::clone(&shared)));
        tasks.spawn(change::follow(Arc::clone(&shared)));
        Self(Arc::new(Running { shared, _tasks: tasks }))
    }

    /// What a ceremony waits for, if it waits.
    pub fn waiting(&self, key: KeyId) -> Option<String> {
        self.0.shared.waits.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }
}

impl Shared {
    fn waits_for(&self, key: KeyId, because: Option<String>) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        match because {
            None => drop(waits.remove(&key)),
            Some(because) if waits.get(&key) == Some(&because) => {}
            Some(because) => {
                tracing::warn!(%key, because, "the ceremony waits");
                waits.insert(key, because);
            }
        }
    }
}
