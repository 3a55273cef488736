//! One watcher for each network: looks at all broadcast transactions whenever the chain has moved,
//! and records those that are final. Never waits for one transaction while others could be looked
//! at, and never believes a block that is not deep enough.

use super::{
    look::{Looked, look},
    saga::{Saga, Stopped},
    submit::Subject,
};
use futures::{StreamExt as _, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use strongroom_domain::{Network, TransferId};
use strongroom_nodes::{BlockHash, Tip};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};

/// Questions that one network's node is asked at once.
const QUESTIONS: usize = 16;

/// A transfer whose transactions a node was given: the chain may take any of them.
#[derive(Clone)]
pub(super) struct Watched {
    /// Each signed attempt's transaction.
    pub(super) subjects: BTreeMap<u32, Subject>,
    /// Since when this process has seen these.
    pub(super) since: Instant,
    /// The chain's height then.
    pub(super) height: u64,
    /// The first height at which one of them may be final.
    due: u64,
    /// The tip at which they were last looked for, and when.
    seen_at: Option<(BlockHash, Instant)>,
}

impl Watched {
    pub(super) fn new(subjects: BTreeMap<u32, Subject>, height: u64) -> Self {
        Self { subjects, since: Instant::now(), height, due: 0, seen_at: None }
    }
}

/// The last tip of each network that its node told.
pub(super) struct Tips(BTreeMap<Network, watch::Sender<Option<Tip>>>);

impl Tips {
    pub(super) fn new(networks: BTreeSet<Network>) -> Self {
        Self(networks.into_iter().map(|network| (network, watch::Sender::new(None))).collect())
    }

    /// `None` until the node has answered once.
    pub(super) fn height(&self, network: Network) -> Option<u64> {
        self.0.get(&network).and_then(|tip| tip.borrow().map(|tip| tip.height))
    }

    fn set(&self, network: Network, tip: Tip) {
        if let Some(sender) = self.0.get(&network) {
            sender.send_replace(Some(tip));
        }
    }
}

/// Never returns, unless the bus has stopped.
pub(super) async fn watch(
    saga: Arc<Saga>,
    network: Network,
    mut incoming: mpsc::UnboundedReceiver<(TransferId, Watched)>,
) {
    let mut watched: BTreeMap<TransferId, Watched> = BTreeMap::new();
    let mut told = None;
    loop {
        tip(&saga, network, &mut told).await;
        while let Ok((id, new)) = incoming.try_recv() {
            hand_in(&mut watched, id, new);
        }
        if let Some(tip) = told
            && let Err(stopped) = look_at_all(&saga, network, tip, &mut watched).await
        {
            tracing::error!(%network, %stopped, "the watcher ends");
            return;
        }
        sleep(saga.settings.tip_every).await;
    }
}

/// What is watched again is as old as it was.
fn hand_in(watched: &mut BTreeMap<TransferId, Watched>, id: TransferId, new: Watched) {
    match watched.get_mut(&id) {
        Some(known) if known.subjects.keys().eq(new.subjects.keys()) => known.seen_at = None,
        Some(_) | None => drop(watched.insert(id, new)),
    }
}

/// Asks for the tip; tells the trace when the node's state changes.
async fn tip(saga: &Saga, network: Network, told: &mut Option<Tip>) {
    let Some(node) = saga.nodes.node(network) else { return };
    match node.tip().await {
        Ok(tip) => {
            if told.is_none() {
                tracing::info!(%network, height = tip.height, "the node answers");
            }
            *told = Some(tip);
            saga.tips.set(network, tip);
        }
        Err(error) => {
            if told.take().is_some() {
                tracing::warn!(%network, %error, "the node does not answer");
            }
        }
    }
}

async fn look_at_all(
    saga: &Saga,
    network: Network,
    tip: Tip,
    watched: &mut BTreeMap<TransferId, Watched>,
) -> Result<(), Stopped> {
    // Also without a block now and then: a node may have dropped one, or the market left it behind.
    let every = saga.settings.look_every;
    let due = |of: &Watched| {
        of.seen_at.is_none_or(|(seen, at)| {
            of.due <= tip.height && (seen != tip.hash || at.elapsed() >= every)
        })
    };
    let due: Vec<_> =
        watched.iter().filter(|(_, of)| due(of)).map(|(id, of)| (*id, of.clone())).collect();
    let looks = due.into_iter().map(|(id, of)| async move {
        let looked = look(saga, network, (id, tip.height), &of).await;
        (id, looked)
    });
    let mut looks = stream::iter(looks).buffer_unordered(QUESTIONS);
    while let Some((id, looked)) = looks.next().await {
        match looked? {
            Looked::Over => {
                saga.waits.clear(id);
                watched.remove(&id);
            }
            Looked::Later(height) => again(watched, id, Some(height), tip),
            Looked::Next => again(watched, id, None, tip),
        }
    }
    Ok(())
}

fn again(watched: &mut BTreeMap<TransferId, Watched>, id: TransferId, due: Option<u64>, tip: Tip) {
    if let Some(of) = watched.get_mut(&id) {
        of.due = due.unwrap_or(0);
        // What went wrong is tried again without waiting for a block.
        of.seen_at = due.map(|_| (tip.hash, Instant::now()));
    }
}
