//! What the saga's tasks share: the bus, the signers, the nodes, and caches that can be lost. Never
//! holds what the log does not say.

use super::{
    Settings,
    fees::Fees,
    watch::{Tips, Watched},
};
use crate::{
    Bus, ChainNodes, CommandError, Outcome, Request, checkpoints::Checkpoints, signers::Signers,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use strongroom_chains::frost::{FrostError, GroupPublic};
use strongroom_domain::{
    Actor, Bytes, Command, KeyId, Network, Refusal, Timestamp, TransferId, WalletId,
};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    time::sleep,
};

/// Incoming transfers of each network's watcher.
pub(super) type Watchers = BTreeMap<Network, mpsc::UnboundedReceiver<(TransferId, Watched)>>;

pub(super) struct Saga {
    pub(super) bus: Bus,
    pub(super) signers: Signers,
    pub(super) checkpoints: Checkpoints,
    pub(super) nodes: Arc<ChainNodes>,
    pub(super) settings: Settings,
    pub(super) waits: Waits,
    pub(super) fees: Fees,
    pub(super) tips: Tips,
    pub(super) places: Semaphore,
    /// Counts what was lifted or released: what was frozen looks again.
    pub(super) thaws: watch::Sender<u64>,
    watchers: BTreeMap<Network, mpsc::UnboundedSender<(TransferId, Watched)>>,
    wallets: Mutex<BTreeMap<WalletId, Arc<tokio::sync::Mutex<()>>>>,
    groups: Mutex<BTreeMap<KeyId, Arc<GroupPublic>>>,
    /// Attempts that were looked for at a node, and up to which height in vain.
    pub(super) searched: Mutex<BTreeMap<(TransferId, u32), u64>>,
}

/// What became of a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// Look at the log again, at once.
    On,
    /// The entry at this position authorises an attempt: sign it.
    Authorised(u64),
    /// Try again after a pause.
    Wait(String),
    /// A freeze covers it: try again when something was lifted.
    Frozen(String),
    /// Its time lock ends then: nothing can be done before.
    Locked(Timestamp),
    /// Its network's watcher has it.
    Watched,
    /// Nothing is left to do.
    Over,
}

/// What became of a command of the saga.
pub(super) enum Recorded {
    /// It is durable.
    Done(Outcome),
    /// A rule forbids it: something else happened first.
    Refused(Refusal),
}

/// The bus has stopped; so does the saga.
#[derive(Debug, thiserror::Error)]
#[error("the command bus has stopped: {0}")]
pub(super) struct Stopped(pub(super) String);

/// Why transfers wait, for people to see.
#[derive(Default)]
pub(super) struct Waits(Mutex<BTreeMap<TransferId, String>>);

impl Waits {
    /// Notes a reason, and tells the trace when it is a new one.
    pub(super) fn note(&self, transfer: TransferId, because: &str) {
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waits.get(&transfer).map(String::as_str) != Some(because) {
            tracing::warn!(%transfer, because, "the transfer waits");
            waits.insert(transfer, because.to_owned());
        }
    }

    pub(super) fn clear(&self, transfer: TransferId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&transfer);
    }

    pub(super) fn of(&self, transfer: TransferId) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&transfer).cloned()
    }

    pub(super) fn all(&self) -> BTreeMap<TransferId, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Ever longer pauses.
pub(super) struct Pause {
    next: Duration,
    shortest: Duration,
    longest: Duration,
}

impl Pause {
    pub(super) fn of(settings: &Settings) -> Self {
        let (shortest, longest) = (settings.shortest_pause, settings.longest_pause);
        Self { next: shortest, shortest, longest }
    }

    pub(super) fn reset(&mut self) {
        self.next = self.shortest;
    }

    pub(super) async fn rest(&mut self) {
        let now = self.next;
        self.next = now.saturating_mul(2).min(self.longest);
        sleep(now).await;
    }
}

impl Saga {
    pub(super) fn new(
        bus: Bus,
        (signers, checkpoints): (Signers, Checkpoints),
        nodes: Arc<ChainNodes>,
        settings: Settings,
    ) -> (Self, Watchers) {
        let (mut watchers, mut incoming) = (BTreeMap::new(), Watchers::new());
        for network in nodes.networks() {
            let (sender, receiver) = mpsc::unbounded_channel();
            watchers.insert(network, sender);
            incoming.insert(network, receiver);
        }
        let saga = Self {
            bus,
            signers,
            checkpoints,
            tips: Tips::new(nodes.networks()),
            nodes,
            settings,
            waits: Waits::default(),
            fees: Fees::default(),
            places: Semaphore::new(settings.concurrency),
            thaws: watch::Sender::new(0),
            watchers,
            wallets: Mutex::default(),
            searched: Mutex::default(),
            groups: Mutex::default(),
        };
        (saga, incoming)
    }

    /// Runs a command of the saga. What is short now is waited for; who is refused is told.
    pub(super) async fn execute(
        &self,
        transfer: TransferId,
        command: Command,
        actor: Actor,
    ) -> Result<Recorded, Stopped> {
        let mut pause = Pause::of(&self.settings);
        loop {
            let request = Request::new(command.clone(), actor).within(transfer.0);
            match recorded(self.bus.execute(request).await)? {
                Some(recorded) => return Ok(recorded),
                None => pause.rest().await,
            }
        }
    }

    /// Hands a broadcast transfer to its network's watcher.
    pub(super) fn hand_over(&self, network: Network, id: TransferId, watched: Watched) -> Progress {
        let taken = self.watchers.get(&network).is_some_and(|to| to.send((id, watched)).is_ok());
        if taken { Progress::Watched } else { no_node(network) }
    }

    /// Planning on a wallet takes turns, so that two transfers don't choose the same coins.
    pub(super) fn turns(&self, wallet: WalletId) -> Arc<tokio::sync::Mutex<()>> {
        let mut wallets = self.wallets.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(wallets.entry(wallet).or_default())
    }

    /// A key's public package, read once.
    pub(super) fn group(
        &self,
        key: KeyId,
        package: &Bytes,
    ) -> Result<Arc<GroupPublic>, FrostError> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(group) = groups.get(&key) {
            return Ok(Arc::clone(group));
        }
        let group = Arc::new(GroupPublic::from_bytes(package.as_slice())?);
        groups.insert(key, Arc::clone(&group));
        Ok(group)
    }
}

/// `None`: try again later.
pub(super) fn recorded(
    executed: Result<Outcome, CommandError>,
) -> Result<Option<Recorded>, Stopped> {
    match executed {
        Ok(outcome) => Ok(Some(Recorded::Done(outcome))),
        Err(CommandError::Refused(refusal)) => Ok(Some(Recorded::Refused(refusal))),
        Err(CommandError::Conflict { .. } | CommandError::Unavailable { .. }) => Ok(None),
        Err(error @ (CommandError::Corrupt { .. } | CommandError::KeyReused { .. })) => {
            Err(Stopped(error.to_string()))
        }
    }
}

pub(super) fn no_node(network: Network) -> Progress {
    Progress::Wait(format!("no node of {network} is configured"))
}
