//! Reconciliation: looks at fixed intervals whether the log, the chains and the read models tell the
//! same, and puts every difference into the log as an event with an owner. Never corrects a number,
//! and never takes a difference back: that takes a person's note.
//!
//! What is compared, and how:
//!
//! | what | the log | the other record |
//! |---|---|---|
//! | a Bitcoin-family wallet | its coins, free and set aside | the chain's unspent outputs at all its addresses, as deep as the policy asks |
//! | an Ethereum-family wallet | its balance | the account's balance as deep as the policy asks |
//! | the read model | counters of the fold | the same counters of its tables, at the same entry |
//!
//! A difference must show in two looks in a row, with the same gap: what is on its way at the moment
//! of one look is no difference. What a transfer of our own has spent or will get back is counted as
//! ours until the transfer is over.

mod counters;
mod funds;
mod look;

#[cfg(test)]
mod tests;

pub use counters::counters;
pub use funds::{Found, compare_balance, compare_coins};

use crate::{Bus, ChainNodes};
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use strongroom_domain::{Amount, PersonId, Timestamp};
use tokio::task::JoinSet;

/// When to look, and whose affair a difference is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Between two looks.
    pub every: Duration,
    /// Who answers for every difference.
    pub owner: PersonId,
}

/// What the read models count, and up to which entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counted {
    /// The last entry that they hold.
    pub position: u64,
    /// By the names of [`counters`].
    pub counters: BTreeMap<String, Amount>,
}

/// What counting gives; the error says what is short.
pub type Counting<'a> = Pin<Box<dyn Future<Output = Result<Counted, String>> + Send + 'a>>;

/// The read models, as far as they can be counted.
pub trait ReadModels: Send + Sync {
    /// Counts all of it at one moment.
    fn count(&self) -> Counting<'_>;
}

/// How the last look went.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// When it ended; `None` before the first.
    pub looked_at: Option<Timestamp>,
    /// What could not be compared, and why.
    pub troubles: BTreeMap<String, String>,
}

/// The running comparison. Clones are handles of the same one, which ends with the last handle.
#[derive(Clone)]
pub struct Reconciliations(Arc<Running>);

struct Running {
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    bus: Bus,
    nodes: Arc<ChainNodes>,
    models: Option<Arc<dyn ReadModels>>,
    settings: Settings,
    progress: Mutex<Progress>,
}

impl Reconciliations {
    /// Looks now and at intervals. Must be called inside a Tokio runtime.
    pub fn start(
        bus: Bus,
        nodes: Arc<ChainNodes>,
        models: Option<Arc<dyn ReadModels>>,
        settings: Settings,
    ) -> Self {
        let progress = Mutex::default();
        let shared = Arc::new(Shared { bus, nodes, models, settings, progress });
        let mut tasks = JoinSet::new();
        tasks.spawn(look::run(Arc::clone(&shared)));
        Self(Arc::new(Running { shared, _tasks: tasks }))
    }

    /// How the last look went.
    pub fn progress(&self) -> Progress {
        self.0.shared.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
