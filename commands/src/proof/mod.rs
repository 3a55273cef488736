//! Asks every key that has to show that it can sign to do so, and records that it did. Carries public
//! messages and sealed letters; a proof that does not verify is never recorded.
//!
//! Any holders that it takes will do. When one of them fails, others are asked in a new session: a
//! nonce is never used twice, so nothing of the session before is of any use.

mod cosigners;
mod drive;
mod session;

use crate::{Bus, checkpoints::Checkpoints, signers::Signers};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use strongroom_domain::{
    KeyId,
    key::{Active, Key, Proof},
};
use tokio::task::JoinSet;

/// How the proofs pace themselves.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Before another session; doubles up to `longest_pause`.
    pub shortest_pause: Duration,
    /// Before another session, at most.
    pub longest_pause: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { shortest_pause: Duration::from_millis(200), longest_pause: Duration::from_secs(5) }
    }
}

/// The running proofs. Clones are handles of the same ones, which end with the last handle; that is
/// as harmless as a crash.
#[derive(Clone)]
pub struct Proofs(Arc<Running>);

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

impl Proofs {
    /// Takes up every key that is unproven, and those to come. Must be called inside a Tokio runtime.
    pub fn start(
        bus: Bus,
        (signers, checkpoints): (Signers, Checkpoints),
        settings: Settings,
    ) -> Self {
        let waits = Mutex::default();
        let shared = Arc::new(Shared { bus, signers, checkpoints, settings, waits });
        let mut tasks = JoinSet::new();
        tasks.spawn(drive::follow(Arc::clone(&shared)));
        Self(Arc::new(Running { shared, _tasks: tasks }))
    }

    /// What a key's proof waits for, if it waits.
    pub fn waiting(&self, key: KeyId) -> Option<String> {
        self.0.shared.waits.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }
}

/// The key, if it still has to show that its shares can sign.
pub fn due(key: &Key) -> Option<&Active> {
    let Ok(active) = key.active() else { return None };
    match active.proof {
        Proof::NotAsked => None,
        Proof::Given { epoch } if epoch == active.epoch => None,
        Proof::Awaited | Proof::Given { .. } => Some(active),
    }
}

impl Shared {
    fn waits_for(&self, key: KeyId, because: Option<String>) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        match because {
            None => drop(waits.remove(&key)),
            Some(because) if waits.get(&key) == Some(&because) => {}
            Some(because) => {
                tracing::warn!(%key, because, "the key's proof waits");
                waits.insert(key, because);
            }
        }
    }
}
