//! The server's side of its signers: one pinned connection to each, the log pushed over it, and
//! orders that wait until the signer has read far enough. Never believes a signer about the log: the
//! head that it answers is compared with ours.

mod error;
mod health;
mod link;
mod peer;
mod push;
mod tls;
mod wire;
mod witness;

pub use error::OrderError;
pub use tls::{ClientIdentity, TlsError};

use self::{
    health::Health,
    link::LinkError,
    peer::{Needed, Peer, Standing},
    witness::SignerWitness,
};
use crate::{
    Bus,
    checkpoints::{Board, Witness},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use strongroom_domain::{
    SignerId,
    protocol::{Order, Reply},
};
use tokio::{sync::watch, task::JoinSet};

/// Bounds on what a signer can keep us waiting for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For connecting and the handshake.
    pub connect: Duration,
    /// For one answer.
    pub answer: Duration,
    /// Without a byte, while something was asked: then the connection is given up.
    pub silence: Duration,
    /// Between two signs of life while nothing else is sent; below the signer's idle limit.
    pub keep_alive: Duration,
    /// For a signer that is away to be reached, before an order is given up: others may do.
    pub absence: Duration,
    /// For a signer that is here to take in the log, before an order is given up.
    pub patience: Duration,
    /// Before the second try to reach it; doubles up to `longest_pause`.
    pub shortest_pause: Duration,
    /// Between two tries to reach it, at most.
    pub longest_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            silence: Duration::from_secs(4),
            keep_alive: Duration::from_secs(5),
            absence: Duration::from_millis(500),
            patience: Duration::from_secs(3),
            shortest_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(2),
        }
    }
}

/// Where a signer listens, and the certificate that it must present.
pub struct SignerEndpoint {
    /// Which signer.
    pub signer: SignerId,
    /// `host:port`.
    pub address: String,
    /// Its certificate, as PEM. The charter's hash must be this certificate's.
    pub certificate_pem: Vec<u8>,
}

/// Connections to all configured signers. Clones are handles of the same connections, which end
/// with the last handle.
#[derive(Clone)]
pub struct Signers(Arc<Inner>);

struct Inner {
    peers: BTreeMap<SignerId, Arc<Peer>>,
    changed: Arc<watch::Sender<u64>>,
    health: Health,
    limits: Limits,
    _tasks: JoinSet<()>,
}

impl Signers {
    /// Begins to reach every configured signer, and goes on for as long as a handle lives: the log is
    /// pushed to each, and the checkpoints that `board` shows. One that the charter does not enrol is
    /// not connected to until it does.
    pub fn start(
        bus: &Bus,
        identity: &ClientIdentity,
        endpoints: Vec<SignerEndpoint>,
        board: &Board,
        limits: Limits,
    ) -> Result<Self, TlsError> {
        let changed = Arc::new(watch::Sender::new(0));
        let (mut peers, mut tasks) = (BTreeMap::new(), JoinSet::new());
        for endpoint in endpoints {
            let signer = endpoint.signer;
            let peer = Peer::new(identity, endpoint, Arc::clone(&changed), limits)?;
            let peer = Arc::new(peer);
            tasks.spawn(push::keep(Arc::clone(&peer), bus.clone(), board.clone()));
            peers.insert(signer, peer);
        }
        let health = Health::default();
        Ok(Self(Arc::new(Inner { peers, changed, health, limits, _tasks: tasks })))
    }

    /// The signers that can be asked now.
    pub fn live(&self) -> BTreeSet<SignerId> {
        let here = |peer: &Peer| matches!(*peer.standing.borrow(), Standing::Here { .. });
        self.0.peers.iter().filter(|(_, peer)| here(peer)).map(|(id, _)| *id).collect()
    }

    /// Signers that can't be asked, and why.
    pub fn away(&self) -> BTreeMap<SignerId, String> {
        let because = |peer: &Peer| match &*peer.standing.borrow() {
            Standing::Here { .. } => None,
            Standing::Away { because } | Standing::OtherLog { because } => Some(because.clone()),
        };
        self.0.peers.iter().filter_map(|(id, peer)| Some((*id, because(peer)?))).collect()
    }

    /// Changes whenever a signer comes or goes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// The configured signers as witnesses, under the names that the charter gives them.
    pub fn witnesses(&self, bus: &Bus) -> Vec<Arc<dyn Witness>> {
        let name = |signer: SignerId| {
            bus.read(|state| state.charter.standing().ok().map(|one| one.witness_name(signer)))
        };
        let peers = self.0.peers.values();
        let witness = |peer: &Arc<Peer>| -> Option<Arc<dyn Witness>> {
            Some(Arc::new(SignerWitness::new(name(peer.signer)?, Arc::clone(peer))))
        };
        peers.filter_map(witness).collect()
    }

    /// Waits until the signer has verified the log up to `at_least`, the position of the entry that
    /// the order rests on, and has seen a checkpoint that covers it; then sends the order and waits
    /// for the answer.
    pub async fn order(
        &self,
        signer: SignerId,
        order: &Order,
        at_least: u64,
    ) -> Result<Reply, OrderError> {
        let peer = self.0.peers.get(&signer).ok_or(OrderError::Unknown { signer })?;
        let unreachable = |because: String| OrderError::Unreachable { signer, because };
        let needed = Needed::order(at_least);
        let link = peer.ready(needed).await.ok_or_else(|| match &*peer.standing.borrow() {
            Standing::OtherLog { because } => {
                OrderError::OtherLog { signer, because: because.clone() }
            }
            short @ (Standing::Away { .. } | Standing::Here { .. }) => {
                unreachable(short.short_of(needed))
            }
        })?;
        link.ask(order).await.map_err(|error| match error {
            LinkError::Closed(because) => OrderError::Lost { signer, because },
            LinkError::Late => OrderError::Lost { signer, because: error.to_string() },
            LinkError::Unsendable(because) => unreachable(because),
            LinkError::Malformed(because) => OrderError::Malformed { signer, because },
        })
    }
}
