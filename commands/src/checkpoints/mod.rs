//! Publishes checkpoints of the log: the log signs its tree's head, witnesses cosign it, and with
//! enough of them it counts. Signers sign nothing that no such checkpoint covers. Never holds a
//! private key, and never stops the rest of the server when witnesses are away.
//!
//! What is told to the outside (receipts, tiles, `/checkpoint`) waits until the checkpoint is kept on
//! disk; what is told to signers does not: they remember what they cosigned themselves.

mod asked;
mod board;
mod counting;
mod health;
mod history;
mod kept;
mod policy;
mod port;
mod publish;
mod round;

pub use board::{Board, News};
pub use counting::Counting;
pub use health::Health;
pub use kept::{KeptError, recall};
pub use policy::Policy;
pub use port::{Answer, CheckpointKeeper, CheckpointSigner, Submission, Witness};

use self::{asked::Asked, board::size, health::Watched};
use crate::Bus;
use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use tokio::{sync::watch, task::JoinSet, time::timeout};

/// How publishing paces itself.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// A checkpoint at least so often, while there are new entries.
    pub every: Duration,
    /// And as soon as so many entries have no checkpoint.
    pub entries: u64,
    /// For an entry to be covered, before whoever waits is told that it is not.
    pub patience: Duration,
    /// Before a round that did not count is repeated; doubles up to `longest_pause`.
    pub shortest_pause: Duration,
    /// Before a round that did not count is repeated, at most.
    pub longest_pause: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(1),
            entries: 256,
            patience: Duration::from_secs(5),
            shortest_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(2),
        }
    }
}

/// What publishing takes.
pub struct Parts {
    /// The log's bus.
    pub bus: Bus,
    /// Where what counts is shown; begins with what was kept.
    pub board: Board,
    /// All witnesses of the charter that can be asked.
    pub witnesses: Vec<Arc<dyn Witness>>,
    /// Who signs for the log.
    pub signer: Arc<dyn CheckpointSigner>,
    /// Where the newest one is kept.
    pub keeper: Arc<dyn CheckpointKeeper>,
    /// Changes when a witness that was away may be back.
    pub changes: watch::Receiver<u64>,
    /// The pace.
    pub settings: Settings,
}

/// No checkpoint that counts covers an entry. It may soon.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("entry {position} is not covered by a checkpoint with enough cosignatures yet: {because}")]
pub struct Uncovered {
    /// Which entry.
    pub position: u64,
    /// What is known of it.
    pub because: String,
}

/// The running publisher. Clones are handles of the same one, which ends with the last handle; that
/// is as harmless as a crash.
#[derive(Clone)]
pub struct Checkpoints(Arc<Running>);

struct Running {
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    bus: Bus,
    board: Board,
    kept: watch::Sender<Option<Arc<Counting>>>,
    witnesses: Vec<Arc<Asked>>,
    signer: Arc<dyn CheckpointSigner>,
    keeper: Arc<dyn CheckpointKeeper>,
    settings: Settings,
    /// The furthest entry that somebody waits for.
    wanted: watch::Sender<u64>,
    /// The number of the newest round.
    newest: Arc<AtomicU64>,
    health: Watched,
}

impl Checkpoints {
    /// Publishes for as long as a handle lives. Must be called inside a Tokio runtime.
    pub fn start(parts: Parts) -> Self {
        let Parts { bus, board, witnesses, signer, keeper, changes, settings } = parts;
        let shared = Arc::new(Shared {
            kept: watch::Sender::new(board.newest()),
            bus,
            board,
            witnesses: witnesses.into_iter().map(|one| Arc::new(Asked::new(one))).collect(),
            signer,
            keeper,
            settings,
            wanted: watch::Sender::new(0),
            newest: Arc::default(),
            health: Watched::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(publish::publish(Arc::clone(&shared), changes));
        tasks.spawn(publish::keep(Arc::clone(&shared)));
        Self(Arc::new(Running { shared, _tasks: tasks }))
    }

    /// Waits until a checkpoint that counts covers this entry: a round begins at once, and all who
    /// wait share it. For those who then ask signers.
    pub async fn cover(&self, position: u64) -> Result<(), Uncovered> {
        self.0.shared.reach(position, self.0.shared.board.news()).await
    }

    /// As [`Self::cover`], and then until that checkpoint is on disk here: for those who then tell
    /// somebody outside.
    pub async fn publish(&self, position: u64) -> Result<Arc<Counting>, Uncovered> {
        let shared = &self.0.shared;
        shared.reach(position, shared.kept.subscribe()).await?;
        self.published().ok_or_else(|| shared.uncovered(position))
    }

    /// The newest checkpoint that counts and is on disk here.
    pub fn published(&self) -> Option<Arc<Counting>> {
        self.0.shared.kept.borrow().clone()
    }

    /// How it goes.
    pub fn health(&self) -> Health {
        self.0.shared.health.now()
    }

    /// Whose cosignatures count now, and how many it takes.
    pub fn policy(&self) -> Result<Arc<Policy>, String> {
        self.0.shared.policy()
    }
}

impl Shared {
    /// The log's origin, and whether it has witnesses at all.
    fn origin(&self) -> Option<String> {
        self.bus.read(|state| {
            let standing = state.charter.standing().ok()?;
            standing.witnessing.as_ref().map(|_| standing.origin())
        })
    }

    fn policy(&self) -> Result<Arc<Policy>, String> {
        self.bus.read(|state| {
            let standing = state.charter.standing().map_err(|refusal| refusal.because)?;
            Policy::of(standing).map(Arc::new)
        })
    }

    /// The entries that the newest checkpoint covers.
    fn covered(&self) -> u64 {
        let newest = self.board.newest();
        let ours = newest.filter(|shown| self.origin().as_ref() == Some(&shown.origin));
        size(ours.as_ref())
    }

    async fn reach(&self, position: u64, mut news: News) -> Result<(), Uncovered> {
        let refuse = |because: String| Err(Uncovered { position, because });
        let Some(origin) = self.origin() else {
            return refuse("the charter enrols no witnesses".to_owned());
        };
        let end = self.bus.log().head().position.get();
        if position > end {
            return refuse(format!("the log ends at {end}"));
        }
        let covers = |shown: &Option<Arc<Counting>>| {
            shown.as_ref().is_some_and(|one| one.origin == origin && one.head.size >= position)
        };
        self.wanted.send_if_modified(|wanted| {
            let further = *wanted < position;
            *wanted = position.max(*wanted);
            further
        });
        let reached = timeout(self.settings.patience, news.wait_for(covers)).await;
        match reached {
            Ok(Ok(_covered)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(self.uncovered(position)),
        }
    }

    fn uncovered(&self, position: u64) -> Uncovered {
        let because = self.health.now().trouble;
        let because = because.unwrap_or_else(|| "the round is still under way".to_owned());
        Uncovered { position, because }
    }
}
