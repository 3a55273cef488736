//! One watcher for each network: looks at all broadcast transactions whenever the chain has moved,
//! and records those that are final. Never waits for one transaction while others could be looked
//! at, and never believes a block that is not deep enough.

use super::{
    planning::holding,
    saga::{Recorded, Saga, Stopped},
    step::{Sighting, sighting},
    submit::{Subject, offer},
};
use futures::{StreamExt as _, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use strongroom_chains::bitcoin::{Chain, decode_signed};
use strongroom_domain::{
    Actor, Amount, Branch, Command, Family, Intent, Network, TransferId,
    deposit::BlockRef,
    transfer::{Confirmed, Transfer},
    wallet::{Coin, OutPoint},
};
use strongroom_nodes::{BlockHash, Inclusion, Tip};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

/// Questions that one network's node is asked at once.
const QUESTIONS: usize = 16;

/// A broadcast transaction.
#[derive(Clone)]
pub(super) struct Watched {
    attempt: u32,
    subject: Subject,
    /// The first height at which it may be final.
    due: u64,
    /// The tip at which it was last looked for.
    seen_at: Option<BlockHash>,
}

impl Watched {
    pub(super) const fn new(attempt: u32, subject: Subject) -> Self {
        Self { attempt, subject, due: 0, seen_at: None }
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

/// What became of a look.
enum Looked {
    /// Look again when the chain has this height.
    Later(u64),
    /// Look again at the next block.
    Next,
    /// The log has its end.
    Over,
}

/// Never returns, unless the bus has stopped.
pub(super) async fn watch(
    saga: Arc<Saga>,
    network: Network,
    mut incoming: mpsc::UnboundedReceiver<(TransferId, Watched)>,
) {
    let mut watched = BTreeMap::new();
    let mut told = None;
    loop {
        tip(&saga, network, &mut told).await;
        while let Ok((id, new)) = incoming.try_recv() {
            watched.insert(id, new);
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
    let due = |of: &Watched| of.seen_at.is_none_or(|seen| seen != tip.hash && of.due <= tip.height);
    let due: Vec<_> =
        watched.iter().filter(|(_, of)| due(of)).map(|(id, of)| (*id, of.clone())).collect();
    let looks = due.into_iter().map(|(id, of)| async move {
        let looked = look(saga, network, id, &of).await;
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
        of.seen_at = due.map(|_| tip.hash);
    }
}

async fn look(
    saga: &Saga,
    network: Network,
    id: TransferId,
    of: &Watched,
) -> Result<Looked, Stopped> {
    let Some(node) = saga.nodes.node(network) else { return Ok(Looked::Next) };
    let Some(intent) = saga.bus.read(|state| asked(state.transfers.get(&id))) else {
        return Ok(Looked::Over);
    };
    let required = saga.bus.read(|state| {
        let policy = state.charter.standing().ok().map(|standing| &standing.policy);
        policy.and_then(|policy| policy.confirmations.get(&network).copied())
    });
    let Some(required) = required else {
        saga.waits.note(id, &format!("the policy names no confirmations for {network}"));
        return Ok(Looked::Later(0));
    };
    let status = match node.transaction_status(of.subject.id, of.subject.since).await {
        Ok(status) => status,
        Err(error) => {
            tracing::warn!(transfer = %id, %error, "a transaction's status is not known");
            return Ok(Looked::Next);
        }
    };
    match sighting(status, required) {
        Sighting::Wait { height } => {
            saga.waits.clear(id);
            Ok(Looked::Later(height))
        }
        Sighting::Missing => {
            tracing::warn!(transfer = %id, transaction = %of.subject.id, "rebroadcast");
            if let Err(because) = offer(node, &of.subject).await {
                saga.waits.note(id, &format!("stuck: {because}"));
            }
            Ok(Looked::Later(0))
        }
        Sighting::Final(found) => finish(saga, id, of, &intent, found).await,
        Sighting::FailedOnChain(found) => finish_failed(saga, id, of, found).await,
    }
}

/// The intent of a transfer that is still on its way.
fn asked(transfer: Option<&Transfer>) -> Option<Intent> {
    transfer.and_then(Transfer::asked).map(|asked| asked.intent.clone())
}

fn block(found: Inclusion) -> BlockRef {
    BlockRef { height: found.height, hash: found.block.to_string() }
}

/// What the network took: exact in advance on Bitcoin, known afterwards on Ethereum.
async fn fee(
    saga: &Saga,
    network: Network,
    id: TransferId,
    of: &Watched,
    found: Inclusion,
) -> Result<Amount, String> {
    match network.family() {
        Family::Bitcoin => saga
            .bus
            .read(|state| {
                let transfer = state.transfers.get(&id);
                transfer.and_then(Transfer::attempts).map(|attempts| attempts.current.fee)
            })
            .ok_or_else(|| "the log has no attempt".to_owned()),
        Family::Ethereum => {
            let node = saga.nodes.ethereum(network).ok_or("no node is configured")?;
            let receipt = node.receipt(of.subject.id).await.map_err(|error| error.to_string())?;
            // Another block's receipt: the chain has moved since.
            let receipt = receipt.filter(|receipt| receipt.block == found.block);
            receipt.map(|receipt| Amount::new(receipt.fee)).ok_or("its receipt is gone".to_owned())
        }
    }
}

async fn finish(
    saga: &Saga,
    id: TransferId,
    of: &Watched,
    intent: &Intent,
    found: Inclusion,
) -> Result<Looked, Stopped> {
    let ready = async {
        let fee = fee(saga, intent.network(), id, of, found).await?;
        Ok::<_, String>((fee, change(saga, intent, &of.subject)?))
    };
    let (fee, change) = match ready.await {
        Ok(ready) => ready,
        Err(because) => {
            saga.waits.note(id, &because);
            return Ok(Looked::Next);
        }
    };
    let confirmed =
        Confirmed { attempt: of.attempt, block: block(found), paid: intent.amount, fee };
    let command = Command::ConfirmTransfer { transfer: id, confirmed, change };
    record_end(saga, id, command, "confirmed").await
}

async fn finish_failed(
    saga: &Saga,
    id: TransferId,
    of: &Watched,
    found: Inclusion,
) -> Result<Looked, Stopped> {
    let Some(intent) = saga.bus.read(|state| asked(state.transfers.get(&id))) else {
        return Ok(Looked::Over);
    };
    let fee = match fee(saga, intent.network(), id, of, found).await {
        Ok(fee) => fee,
        Err(because) => {
            saga.waits.note(id, &because);
            return Ok(Looked::Next);
        }
    };
    let command = Command::FailTransferOnChain {
        transfer: id,
        attempt: of.attempt,
        block: block(found),
        fee,
        because: "its transaction reverted: the destination took nothing".to_owned(),
    };
    record_end(saga, id, command, "failed on its chain").await
}

async fn record_end(
    saga: &Saga,
    id: TransferId,
    command: Command,
    end: &str,
) -> Result<Looked, Stopped> {
    match saga.execute(id, command, Actor::Saga).await? {
        Recorded::Done(_) => {
            tracing::info!(transfer = %id, end, "the transfer is over");
            Ok(Looked::Over)
        }
        Recorded::Refused(refusal) => {
            tracing::error!(transfer = %id, %refusal, "ALARM: a final transaction is not recorded");
            saga.waits.note(id, &refusal.to_string());
            Ok(Looked::Later(0))
        }
    }
}

/// What came back to the wallet: outputs on its change branch.
fn change(saga: &Saga, intent: &Intent, subject: &Subject) -> Result<Vec<Coin>, String> {
    let Ok(chain) = Chain::of(intent.network()) else { return Ok(Vec::new()) };
    let signed = decode_signed(chain, &subject.raw).map_err(|error| error.to_string())?;
    let outputs = (0_u32..).zip(signed.pays);
    saga.bus.read(|state| {
        let holding = holding(state, intent.wallet).map_err(|refusal| refusal.to_string())?;
        let coin = |(vout, (address, amount)): (u32, (Option<_>, Amount))| {
            let path = holding.addresses.get(&address?)?.path;
            let outpoint = OutPoint { txid: signed.id.to_string(), vout };
            matches!(path.branch, Branch::Change).then_some(Coin { outpoint, amount, path })
        };
        Ok(outputs.filter_map(coin).collect())
    })
}
