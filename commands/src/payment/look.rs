//! One look at a transfer's transactions on their chain: which of them is final, which the node has
//! lost, whether the market has left them behind. Never takes a block that is not deep enough for an
//! end.

use super::{
    planning::holding,
    remedy::Remedy,
    saga::{Progress, Recorded, Saga, Stopped},
    step::{Sighting, sighting},
    stuck::is_to_be_cancelled,
    submit::{Subject, offer},
    watch::Watched,
};
use strongroom_chains::bitcoin::{Chain, decode_signed};
use strongroom_domain::{
    Actor, Amount, Branch, Command, Family, Network, State, TransferId,
    deposit::BlockRef,
    transfer::{Abandoned, Attempts, Confirmed, Returns, Transfer},
    wallet::{Coin, OutPoint},
};
use strongroom_nodes::{ChainNode, Inclusion};

/// What became of a look.
pub(super) enum Looked {
    /// Look again when the chain has this height.
    Later(u64),
    /// Look again at the next block.
    Next,
    /// The log has its end.
    Over,
}

/// What is looked for, and with what.
struct Look<'a> {
    saga: &'a Saga,
    node: &'a dyn ChainNode,
    network: Network,
    id: TransferId,
    attempts: Attempts,
    required: u32,
}

/// A transaction that a block has.
#[derive(Clone, Copy)]
struct Found<'a> {
    attempt: u32,
    subject: &'a Subject,
    place: Inclusion,
}

pub(super) async fn look(
    saga: &Saga,
    network: Network,
    (id, height): (TransferId, u64),
    of: &Watched,
) -> Result<Looked, Stopped> {
    let Some(node) = saga.nodes.node(network) else { return Ok(Looked::Next) };
    let known = saga.bus.read(|state| {
        let policy = state.charter.standing().ok().map(|standing| &standing.policy);
        let required = policy.and_then(|policy| policy.confirmations(network));
        let attempts = state.transfers.get(&id).and_then(Transfer::attempts);
        (attempts.cloned(), required)
    });
    let (attempts, required) = match known {
        (None, _) => return Ok(Looked::Over),
        (Some(_), None) => {
            saga.waits.note(id, &format!("the policy names no confirmations for {network}"));
            return Ok(Looked::Later(0));
        }
        (Some(attempts), Some(required)) => (attempts, required),
    };
    let look = Look { saga, node, network, id, attempts, required };
    look.at(of, height).await
}

impl Look<'_> {
    async fn at(&self, of: &Watched, height: u64) -> Result<Looked, Stopped> {
        let (mut waits, mut missing) = (None, Vec::new());
        // The newest first: it offers most. Children are looked at with their parents.
        for (attempt, subject) in of.subjects.iter().rev().filter(|(n, _)| !self.is_child(**n)) {
            let status = match self.node.transaction_status(subject.id, subject.since).await {
                Ok(status) => status,
                Err(error) => {
                    let id = self.id;
                    tracing::warn!(transfer = %id, %error, "a transaction's status is not known");
                    return Ok(Looked::Next);
                }
            };
            match sighting(status, self.required) {
                Sighting::Wait { height } => waits = waits.max(Some(height)),
                Sighting::Missing => missing.push(subject),
                Sighting::Final(place) => {
                    return self.finish(of, Found { attempt: *attempt, subject, place }).await;
                }
                Sighting::FailedOnChain(place) => {
                    return self.finish_failed(Found { attempt: *attempt, subject, place }).await;
                }
            }
        }
        match waits {
            // In a block, and not deep enough.
            Some(at) if at > 0 => {
                self.saga.waits.clear(self.id);
                Ok(Looked::Later(at))
            }
            Some(_) => self.in_the_pool(of, height).await,
            None => self.offer_again(&missing).await,
        }
    }

    fn is_child(&self, attempt: u32) -> bool {
        self.attempts
            .complete
            .get(&attempt)
            .is_some_and(strongroom_domain::transfer::SignedAttempt::is_child)
    }

    /// The node has none of them any more: the newest that it takes.
    async fn offer_again(&self, missing: &[&Subject]) -> Result<Looked, Stopped> {
        let mut told = None;
        for subject in missing {
            let id = self.id;
            tracing::warn!(transfer = %id, transaction = %subject.id, "rebroadcast");
            match offer(self.node, subject).await {
                Ok(()) => {
                    self.saga.waits.clear(id);
                    return Ok(Looked::Later(0));
                }
                Err(refused) => drop(told.get_or_insert(refused)),
            }
        }
        let Some(refused) = told else { return Ok(Looked::Later(0)) };
        // Before it is offered more: what others sent may be what stands in its way.
        if let Some(progress) = self.saga.besides(self.id, &self.attempts).await? {
            return Ok(self.found(progress));
        }
        if refused.is_too_cheap() && self.may_be_outbid() {
            return self.raise().await;
        }
        self.saga.waits.note(self.id, &format!("stuck: {refused}"));
        Ok(Looked::Later(0))
    }

    /// An earlier attempt that others sent: it is watched with the rest from here on.
    fn found(&self, progress: Progress) -> Looked {
        if let Progress::Wait(because) = progress {
            self.saga.waits.note(self.id, &because);
            return Looked::Later(0);
        }
        let known = |state: &State| state.transfers.get(&self.id)?.attempts().cloned();
        if let Some(attempts) = self.saga.bus.read(known) {
            drop(self.saga.watch(self.id, &attempts, false));
        }
        Looked::Next
    }

    /// The current attempt is with the node, and nobody wants it gone.
    fn may_be_outbid(&self) -> bool {
        let (id, attempts) = (self.id, &self.attempts);
        self.saga.bus.read(|state| {
            matches!(state.transfers.get(&id), Some(Transfer::Broadcast(_)))
                && (!is_to_be_cancelled(state, id, attempts)
                    || attempts.returns == Some(Returns::Cancellation))
        })
    }

    async fn in_the_pool(&self, of: &Watched, height: u64) -> Result<Looked, Stopped> {
        for (attempt, subject) in of.subjects.iter().filter(|(n, _)| self.is_child(**n)) {
            // A child that the node lost, or never had: its parent is still there.
            if let Err(refused) = offer(self.node, subject).await {
                tracing::debug!(transfer = %self.id, attempt, %refused, "a child is refused");
            }
        }
        let settings = &self.saga.settings;
        let old = of.since.elapsed() >= settings.stuck_after
            || height.saturating_sub(of.height) >= settings.stuck_after_blocks;
        let is_child = matches!(self.attempts.returns, Some(Returns::Child { .. }));
        if old
            && !is_child
            && self.may_be_outbid()
            && self.saga.is_left_behind(&self.attempts).await
        {
            return self.raise().await;
        }
        if !old {
            self.saga.waits.clear(self.id);
        }
        Ok(Looked::Later(0))
    }

    /// A further attempt for more. Its own task signs it, once the log has it.
    async fn raise(&self) -> Result<Looked, Stopped> {
        let remedy = match self.attempts.returns {
            Some(Returns::Cancellation) => Remedy::Cancel,
            Some(Returns::Child { .. }) | None => Remedy::Replace,
        };
        if let Progress::Wait(because) = self.saga.remedy(self.id, &self.attempts, remedy).await? {
            self.saga.waits.note(self.id, &because);
        }
        Ok(Looked::Later(0))
    }

    /// What the network took: exact in advance on Bitcoin, known afterwards on Ethereum.
    async fn fee(&self, found: Found<'_>) -> Result<Amount, String> {
        match self.network.family() {
            Family::Bitcoin => {
                let signed = self.attempts.complete.get(&found.attempt);
                signed.map(|signed| signed.authorised.fee).ok_or("the log has no attempt".into())
            }
            Family::Ethereum => {
                let node = self.saga.nodes.ethereum(self.network);
                let node = node.ok_or("no node is configured")?;
                let receipt = node.receipt(found.subject.id).await;
                let receipt = receipt.map_err(|error| error.to_string())?;
                // Another block's receipt: the chain has moved since.
                let receipt = receipt.filter(|receipt| receipt.block == found.place.block);
                let fee = receipt.map(|receipt| Amount::new(receipt.fee));
                fee.ok_or("its receipt is gone".to_owned())
            }
        }
    }

    /// The child that is as final as its parent. `Err`: one is on its way.
    async fn child<'a>(
        &self,
        of: &'a Watched,
        parent: u32,
    ) -> Result<Option<Found<'a>>, Option<String>> {
        let mut on_its_way = false;
        for child in self.attempts.children(parent) {
            let attempt = child.authorised.attempt;
            let Some(subject) = of.subjects.get(&attempt) else { return Err(None) };
            let status = self.node.transaction_status(subject.id, subject.since).await;
            match sighting(status.map_err(|error| Some(error.to_string()))?, self.required) {
                Sighting::Final(place) => return Ok(Some(Found { attempt, subject, place })),
                Sighting::Missing => {
                    let offered = offer(self.node, subject).await;
                    offered.map_err(|refused| Some(refused.to_string()))?;
                    on_its_way = true;
                }
                Sighting::Wait { .. } | Sighting::FailedOnChain(_) => on_its_way = true,
            }
        }
        if on_its_way { Err(None) } else { Ok(None) }
    }

    async fn finish(&self, of: &Watched, found: Found<'_>) -> Result<Looked, Stopped> {
        let signed = self.attempts.complete.get(&found.attempt);
        if signed.is_some_and(|signed| signed.returns == Some(Returns::Cancellation)) {
            return self.finish_cancelled(found).await;
        }
        let child = match self.child(of, found.attempt).await {
            Ok(child) => child,
            Err(because) => {
                let because = because.unwrap_or("it is final, its child is not yet".to_owned());
                self.saga.waits.note(self.id, &because);
                return Ok(Looked::Later(0));
            }
        };
        let ready = async {
            let mut fee = self.fee(found).await?;
            if let Some(child) = child {
                let both = fee.checked_add(self.fee(child).await?);
                fee = both.ok_or("fees beyond 2^128 base units")?;
            }
            let last = child.map_or(found.subject, |child| child.subject);
            Ok::<_, String>((fee, self.change(last)?, self.paid(found)?))
        };
        let (fee, change, paid) = match ready.await {
            Ok(ready) => ready,
            Err(because) => {
                self.saga.waits.note(self.id, &because);
                return Ok(Looked::Next);
            }
        };
        let confirmed = Confirmed {
            attempt: found.attempt,
            child: child.map(|child| child.attempt),
            transaction: found.subject.id.to_string(),
            block: block(found.place),
            paid,
            fee,
        };
        let command = Command::ConfirmTransfer { transfer: self.id, confirmed, change };
        self.record_end(command, "confirmed").await
    }

    /// What arrived: of a sweep what its attempt's fee left over.
    fn paid(&self, found: Found<'_>) -> Result<Amount, String> {
        let signed = self.attempts.complete.get(&found.attempt).ok_or("the log has no attempt")?;
        let pays = self.attempts.asked.pays(signed.authorised.fee);
        Ok(pays.map_err(|refusal| refusal.to_string())?.amount)
    }

    async fn finish_cancelled(&self, found: Found<'_>) -> Result<Looked, Stopped> {
        let ready =
            async { Ok::<_, String>((self.fee(found).await?, self.change(found.subject)?)) };
        let (fee, change) = match ready.await {
            Ok(ready) => ready,
            Err(because) => {
                self.saga.waits.note(self.id, &because);
                return Ok(Looked::Next);
            }
        };
        let abandoned = Abandoned {
            attempt: found.attempt,
            transaction: found.subject.id.to_string(),
            block: block(found.place),
            fee,
        };
        let command = Command::AbandonTransfer { transfer: self.id, abandoned, change };
        self.record_end(command, "abandoned").await
    }

    async fn finish_failed(&self, found: Found<'_>) -> Result<Looked, Stopped> {
        let signed = self.attempts.complete.get(&found.attempt);
        // It pays nobody, so it makes no difference whether it did so.
        if signed.is_some_and(|signed| signed.returns == Some(Returns::Cancellation)) {
            return self.finish_cancelled(found).await;
        }
        let fee = match self.fee(found).await {
            Ok(fee) => fee,
            Err(because) => {
                self.saga.waits.note(self.id, &because);
                return Ok(Looked::Next);
            }
        };
        let command = Command::FailTransferOnChain {
            transfer: self.id,
            attempt: found.attempt,
            block: block(found.place),
            fee,
            because: "its transaction reverted: the destination took nothing".to_owned(),
        };
        self.record_end(command, "failed on its chain").await
    }

    async fn record_end(&self, command: Command, end: &str) -> Result<Looked, Stopped> {
        let id = self.id;
        match self.saga.execute(id, command, Actor::Saga).await? {
            Recorded::Done(_) => {
                tracing::info!(transfer = %id, end, "the transfer is over");
                Ok(Looked::Over)
            }
            Recorded::Refused(refusal) => {
                tracing::error!(
                    transfer = %id, %refusal, "ALARM: a final transaction is not recorded"
                );
                self.saga.waits.note(id, &refusal.to_string());
                Ok(Looked::Later(0))
            }
        }
    }

    /// What came back to the wallet: outputs on its change branch.
    fn change(&self, subject: &Subject) -> Result<Vec<Coin>, String> {
        let Ok(chain) = Chain::of(self.network) else { return Ok(Vec::new()) };
        let signed = decode_signed(chain, &subject.raw).map_err(|error| error.to_string())?;
        let outputs = (0_u32..).zip(signed.pays);
        self.saga.bus.read(|state| {
            let wallet = self.attempts.asked.intent.wallet;
            let holding = holding(state, wallet).map_err(|refusal| refusal.to_string())?;
            let coin = |(vout, (address, amount)): (u32, (Option<_>, Amount))| {
                let path = holding.addresses.get(&address?)?.path;
                let outpoint = OutPoint { txid: signed.id.to_string(), vout };
                matches!(path.branch, Branch::Change).then_some(Coin { outpoint, amount, path })
            };
            Ok(outputs.filter_map(coin).collect())
        })
    }
}

fn block(found: Inclusion) -> BlockRef {
    BlockRef { height: found.height, hash: found.block.to_string() }
}
