//! The signing saga: drives every approved transfer to its end. Its state is the log; what is kept
//! in memory can be lost at any moment. It never decides anything that the ledger does not decide
//! again, and never holds a key.
//!
//! The steps of a transfer, each of which may run twice:
//!
//! | the log says | the step | what a crash in it leaves |
//! |---|---|---|
//! | approved | choose coins or account nonce, `AuthoriseAttempt` | nothing, or the attempt |
//! | signing | orders to the signers, combine, `RecordSigned` | orders that are repeated |
//! | signed | hand to a node, `RecordBroadcast` | a transaction that the node knows already |
//! | broadcast | watch, `ConfirmTransfer` | a look that is repeated |
//! | signing by cosigners, who sent it besides us | `RecordSigned`, or `RecordFound` of an earlier attempt | a look that is repeated |
//! | broadcast, and too cheap | `AuthoriseAttempt` for more, or `AuthoriseReturn` | nothing, or the attempt |
//! | signing, and others wait for its account nonce | `FindNonceGap`, then a cancellation | the gap |
//!
//! **The pivot** is the moment when the last of the holders that it takes has answered the order to
//! give its part of the signature (`Sign`; `SignAlone` for a key in a token): from then on a complete
//! signature may exist, and the saga only goes forward. Before it the compensation is `FailTransfer`,
//! which voids the hold, frees the funds and burns the approvals. Once signers have heard of the
//! transfer, the ledger takes it only with so many holders' signed word that they have consumed no
//! attempt and never will that the others can't sign: not even a stolen server can let a transfer
//! fail whose signature exists. Every further attempt signs the
//! same transaction, so that at most one of them can ever take effect. What an earlier process of
//! this server had received and not recorded has died with it: a signed transaction leaves the
//! process only after `RecordSigned` is durable.

mod abstention;
mod besides;
mod cosigned;
mod drive;
mod expiry;
mod fees;
mod follow;
mod look;
mod plan;
mod planning;
mod psbt;
mod refusals;
mod remedy;
mod saga;
mod signing;
mod step;
mod stuck;
mod submit;
mod sweep;
mod watch;

pub use expiry::due;
pub use plan::{NoPlan, Plan, Purse, Till, child_key, from_balance, from_coins};
pub use psbt::{CosignerPart, PsbtError, Stored, Unfinished};
pub use remedy::Remedy;
pub use step::{
    Next, Setback, Sighting, Step, Trouble, after, first_signers, may_be_mined, sighting, trouble,
};
pub use sweep::{all_of_balance, all_of_coins};

use self::saga::Saga;
use crate::{Bus, ChainNodes, checkpoints::Checkpoints, signers::Signers};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use strongroom_domain::TransferId;
use tokio::task::JoinSet;

/// How the saga paces itself.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Transfers that are worked on at once; those that wait for something don't count.
    pub concurrency: usize,
    /// Between two looks at a node's tip.
    pub tip_every: Duration,
    /// Between two looks for proposals whose time is over.
    pub expiry_every: Duration,
    /// How long a node's word about fees is used.
    pub fees_for: Duration,
    /// Blocks within which a transaction should confirm: what nodes are asked to estimate for.
    pub fee_target: u16,
    /// Between two looks at a broadcast transaction while no block comes.
    pub look_every: Duration,
    /// How long a broadcast transaction may wait for a block before the market's price is offered,
    /// where that has risen above its own.
    pub stuck_after: Duration,
    /// The same, in blocks: whichever comes first.
    pub stuck_after_blocks: u64,
    /// Before a step is tried again; doubles up to `longest_pause`.
    pub shortest_pause: Duration,
    /// Before a step is tried again, at most.
    pub longest_pause: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 512,
            tip_every: Duration::from_secs(1),
            expiry_every: Duration::from_secs(1),
            fees_for: Duration::from_secs(10),
            fee_target: 3,
            look_every: Duration::from_secs(30),
            stuck_after: Duration::from_mins(20),
            stuck_after_blocks: 3,
            shortest_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(5),
        }
    }
}

/// The running saga. Clones are handles of the same one, which ends with the last handle; that is
/// as harmless as a crash.
#[derive(Clone)]
pub struct Payments(Arc<Running>);

struct Running {
    saga: Arc<Saga>,
    _tasks: JoinSet<()>,
}

impl Payments {
    /// Takes up every approved transfer that is not over, and those to come. Must be called inside a
    /// Tokio runtime.
    pub fn start(
        bus: Bus,
        asked: (Signers, Checkpoints),
        nodes: Arc<ChainNodes>,
        settings: Settings,
    ) -> Self {
        let (saga, watchers) = Saga::new(bus, asked, nodes, settings);
        let saga = Arc::new(saga);
        let mut tasks = JoinSet::new();
        for (network, incoming) in watchers {
            tasks.spawn(watch::watch(Arc::clone(&saga), network, incoming));
        }
        tasks.spawn(expiry::expire(saga.bus.clone(), settings.expiry_every));
        tasks.spawn(follow::follow(Arc::clone(&saga)));
        Self(Arc::new(Running { saga, _tasks: tasks }))
    }

    /// What a transfer waits for, if it waits for something that a person may want to know.
    pub fn waiting(&self, transfer: TransferId) -> Option<String> {
        self.0.saga.waits.of(transfer)
    }

    /// Every transfer that waits, and for what.
    pub fn all_waiting(&self) -> BTreeMap<TransferId, String> {
        self.0.saga.waits.all()
    }
}
