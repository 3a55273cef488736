//! The watcher's task. It never keeps anything that the log or the chain could not tell it again.

use super::{
    Cursor, Cursors, Fault, WatchError,
    address_index::AddressIndex,
    block::{self, Block, Payment},
    recent::{Recent, standing},
    trail::Trail,
};
use crate::{Bus, ChainNodes, CommandError, Request};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::{sync::Arc, time::Duration};
use strongroom_domain::{
    Actor, Command, DepositId, Head, Network,
    deposit::{BlockRef, Seen},
};
use strongroom_nodes::{BlockHash, ChainNode, Tip};
use strongroom_store::Position;
use tokio::sync::watch;

/// Blocks that are read before deposits are credited and the cursor is kept.
const BATCH: u32 = 50;
/// Commands of one block that wait for the disk together.
const TOGETHER: usize = 32;
/// The longest pause after a fault.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// How to watch a network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WatchSettings {
    /// Where to begin without a cursor: at most the height of the tip when the first wallet on this
    /// network was made. 0 is always right, and slow.
    pub birth_height: u64,
    /// The pause between two looks at the tip, and the first one after a fault.
    pub pause: Duration,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self { birth_height: 0, pause: Duration::from_secs(2) }
    }
}

/// How far a watcher is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// The last block that was read, and whose deposits are in the log.
    pub read_up_to: Option<u64>,
    /// The node's best block.
    pub tip: Option<u64>,
    /// Why the last look came to nothing. It goes on trying.
    pub trouble: Option<String>,
}

/// Watches one network.
pub struct DepositWatcher {
    bus: Bus,
    nodes: Arc<ChainNodes>,
    network: Network,
    cursors: Arc<dyn Cursors>,
    settings: WatchSettings,
    index: AddressIndex,
    /// What is known of the chain; `None` until the node's first answer.
    known: Option<Known>,
    progress: watch::Sender<Progress>,
}

struct Known {
    trail: Trail,
    recent: Recent,
    /// The tip at which nothing was left to do.
    settled: Option<BlockHash>,
}

enum Next {
    MoreBlocks,
    Tip,
}

impl DepositWatcher {
    /// A watcher that has not begun.
    pub fn new(
        bus: Bus,
        nodes: Arc<ChainNodes>,
        network: Network,
        cursors: Arc<dyn Cursors>,
        settings: WatchSettings,
    ) -> Self {
        let (index, progress) = (AddressIndex::new(network), watch::Sender::default());
        Self { bus, nodes, network, cursors, settings, index, known: None, progress }
    }

    /// Tells how far it is, for health checks. Never a reason to credit anything.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Watches until the bus stops. Dropping the future stops it too, at any point, without harm.
    pub async fn run(mut self) -> WatchError {
        let network = self.network;
        let mut pause = self.settings.pause;
        loop {
            match self.pass().await {
                Ok(next) => {
                    self.report(None);
                    pause = self.settings.pause;
                    if let Next::MoreBlocks = next {
                        continue;
                    }
                }
                Err(Fault::Moved) => tracing::info!(%network, "the chain moved: looking again"),
                Err(Fault::Stopped(error)) => return WatchError::Stopped(error),
                Err(Fault::Misconfigured { network }) => return WatchError::NoNode { network },
                Err(fault @ (Fault::Node(_) | Fault::Busy(_))) => {
                    tracing::warn!(%network, %fault, ?pause, "deposits are not read for now");
                    self.report(Some(fault.to_string()));
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE.max(self.settings.pause));
                    continue;
                }
            }
            tokio::time::sleep(self.settings.pause).await;
        }
    }

    fn report(&self, trouble: Option<String>) {
        let last = self.known.as_ref().and_then(|known| known.trail.last());
        self.progress.send_if_modified(|progress| {
            let next =
                Progress { read_up_to: last.map(|(height, _)| height), trouble, tip: progress.tip };
            let modified = *progress != next;
            *progress = next;
            modified
        });
    }

    /// Looks at the chain once: what is gone, what is new (a bounded number of blocks), what is due.
    async fn pass(&mut self) -> Result<Next, Fault> {
        let tip = self.node()?.tip().await?;
        self.progress.send_modify(|progress| progress.tip = Some(tip.height));
        let mut known = match self.known.take() {
            Some(known) => known,
            None => self.begin(tip).await,
        };
        let done = self.look(&mut known, tip).await;
        self.known = Some(known);
        done
    }

    async fn look(&mut self, known: &mut Known, tip: Tip) -> Result<Next, Fault> {
        if known.settled == Some(tip.hash) {
            return Ok(Next::Tip);
        }
        self.reverse_what_is_gone(&mut known.recent, tip).await?;
        self.step_back_to_the_chain(&mut known.trail, tip).await?;
        let before = known.trail.last();
        let all = self.read_blocks(known, tip).await?;
        self.credit(&mut known.recent, tip).await?;
        if known.trail.last() != before {
            self.keep_cursor(&known.trail);
        }
        if all {
            known.settled = Some(tip.hash);
            return Ok(Next::Tip);
        }
        Ok(Next::MoreBlocks)
    }

    fn node(&self) -> Result<&dyn ChainNode, Fault> {
        self.nodes.node(self.network).ok_or(Fault::Misconfigured { network: self.network })
    }

    async fn begin(&self, tip: Tip) -> Known {
        let birth = self.settings.birth_height;
        let kept = self.trusted_cursor().await;
        let trail = kept.and_then(|cursor| Trail::resume(birth, &cursor.blocks));
        let trail = trail.unwrap_or_else(|| Trail::from_birth(birth));
        let recent = self.bus.read(|state| Recent::of(state, self.network, tip.height));
        Known { trail, recent, settled: None }
    }

    /// The cursor, if it was written beside this very log.
    async fn trusted_cursor(&self) -> Option<Cursor> {
        let cursor = self.cursors.load(self.network)?;
        let position = Position::new(cursor.log.position)?;
        let entry = self.bus.log().read_from(position, 1).await.ok()?;
        let entry = entry.first().filter(|record| record.entry.position == position)?;
        (*entry.leaf().as_bytes() == cursor.log.leaf.0).then_some(cursor)
    }

    fn keep_cursor(&self, trail: &Trail) {
        let head = self.bus.log().head();
        let log = Head { position: head.position.get(), leaf: crate::bus::leaf(&head) };
        self.cursors.save(self.network, &Cursor { blocks: trail.blocks(), log });
    }

    /// Takes back every deposit whose block the chain has replaced. A deposit above the tip waits:
    /// a node that is behind is no reorganisation.
    async fn reverse_what_is_gone(&self, recent: &mut Recent, tip: Tip) -> Result<(), Fault> {
        for height in recent.heights(tip.height) {
            let hash = self.node()?.block_hash(height).await?.ok_or(Fault::Moved)?.to_string();
            for id in self.bus.read(|state| recent.elsewhere(state, height, &hash)) {
                self.reverse(id).await?;
            }
        }
        self.bus.read(|state| recent.prune(state, tip.height));
        Ok(())
    }

    async fn reverse(&self, id: DepositId) -> Result<(), Fault> {
        tracing::warn!(network = %self.network, deposit = %id, "a reorganisation took it back");
        self.tell(id, Command::ReorganiseDeposit { deposit: id }).await.map(|_| ())
    }

    async fn step_back_to_the_chain(&self, trail: &mut Trail, tip: Tip) -> Result<(), Fault> {
        while let Some((height, hash)) = trail.last() {
            if height <= tip.height && self.node()?.block_hash(height).await? == Some(hash) {
                break;
            }
            trail.step_back();
        }
        Ok(())
    }

    /// Reads blocks up to the tip or the end of a batch. Whether all were read.
    async fn read_blocks(&mut self, known: &mut Known, tip: Tip) -> Result<bool, Fault> {
        self.bus.read(|state| self.index.refresh(state));
        let trail = &mut known.trail;
        if self.index.is_empty() && trail.next() <= tip.height {
            // The tip is older than the first address: nobody has paid it yet.
            trail.push(tip.height, tip.hash);
        }
        for _ in 0..BATCH {
            let height = trail.next();
            if height > tip.height {
                break;
            }
            let with = (&mut self.index, &self.bus);
            let block = block::read(&self.nodes, self.network, height, with).await?;
            if !trail.continues(height, block.previous) {
                return Err(Fault::Moved);
            }
            for id in self.see(&block).await? {
                known.recent.insert(height, id);
            }
            trail.push(height, block.hash);
        }
        let all = trail.next() > tip.height;
        let is_tip = trail.last().is_none_or(|last| last == (tip.height, tip.hash));
        if all && !is_tip { Err(Fault::Moved) } else { Ok(all) }
    }

    /// Records what a block pays to us. The deposits that now stand in it.
    async fn see(&self, block: &Block) -> Result<Vec<DepositId>, Fault> {
        let at = BlockRef { height: block.height, hash: block.hash.to_string() };
        let payments = block.payments.iter();
        let seeing: Vec<_> = payments.map(|payment| self.see_one(payment, at.clone())).collect();
        let seen: Vec<_> = stream::iter(seeing).buffered(TOGETHER).try_collect().await?;
        Ok(seen.into_iter().flatten().collect())
    }

    async fn see_one(&self, payment: &Payment, at: BlockRef) -> Result<Option<DepositId>, Fault> {
        let ours = |known: &std::collections::BTreeSet<String>| known.contains(&payment.place);
        // A sweep of ours, which is nobody's deposit.
        if self.bus.read(|state| state.swept.get(&self.network).is_some_and(ours)) {
            return Ok(None);
        }
        let id = DepositId::of(self.network, &payment.place);
        let before = self.bus.read(|state| {
            state.deposits.get(&id).and_then(standing).map(|seen| seen.block.clone())
        });
        match before {
            Some(block) if block == at => return Ok(Some(id)),
            // One transaction is in one block of a chain: the other is not on it any more.
            Some(_) => self.reverse(id).await?,
            None => {}
        }
        let seen = Seen {
            wallet: payment.owner.wallet,
            address: payment.owner.address.clone(),
            account: payment.owner.account,
            amount: payment.amount,
            place: payment.place.clone(),
            block: at,
        };
        let told = self.tell(id, Command::SeeDeposit { deposit: id, seen }).await?;
        Ok(told.then_some(id))
    }

    /// Credits what has its confirmations at this tip.
    async fn credit(&self, recent: &mut Recent, tip: Tip) -> Result<(), Fault> {
        let required = self.bus.read(|state| {
            let standing = state.charter.standing().ok()?;
            standing.policy.confirmations(self.network)
        });
        // Without a number in the policy nothing is ever final.
        let Some(required) = required else { return Ok(()) };
        let due = self.bus.read(|state| recent.due(state, tip.height, required));
        if due.is_empty() {
            return Ok(());
        }
        // Confirmations were counted from this tip.
        if self.node()?.block_hash(tip.height).await? != Some(tip.hash) {
            return Err(Fault::Moved);
        }
        let credit = |(deposit, confirmations)| {
            self.tell(deposit, Command::CreditDeposit { deposit, confirmations })
        };
        let crediting: Vec<_> = due.into_iter().map(credit).collect();
        let _: Vec<bool> = stream::iter(crediting).buffered(TOGETHER).try_collect().await?;
        Ok(())
    }

    /// Whether the domain took it. A refusal is not repeated in silence: it is a person's affair,
    /// and must not keep other deposits from being seen.
    async fn tell(&self, deposit: DepositId, command: Command) -> Result<bool, Fault> {
        let request = Request::new(command, Actor::Watcher).within(deposit.0);
        match self.bus.execute(request).await {
            Ok(_) => Ok(true),
            Err(CommandError::Refused(refusal)) => {
                let network = self.network;
                tracing::error!(%network, %deposit, %refusal, "the deposit is not recorded");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}
