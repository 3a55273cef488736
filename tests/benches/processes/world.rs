//! As many real signers as it takes, and the lawful log that they follow. It plays the server's part,
//! asking all of them at once.

use std::path::Path;
use std::time::Instant;

use strongroom_api::data_directory::TlsIdentity;
use strongroom_domain::charter::Enrolment;
use strongroom_domain::protocol::{Order, Reply};
use strongroom_domain::{Digest, SignerId, Timestamp};
use strongroom_secrets::read_secret;
use strongroom_signer::{
    identity::Identity,
    order::{Parts, Signer},
};
use strongroom_tests::deployment::{Captives, Programs, SignerProcess};

use super::forge::Forge;
use super::link::Link;

/// A signer's process and the connection to it, or a signer in this process.
enum Peer {
    Process(Link),
    Here(Box<Signer>),
}

/// Signers are in processes of their own, or all in this one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    Processes,
    Here,
}

pub(crate) struct World {
    pub(crate) forge: Forge,
    pub(crate) processes: Vec<SignerProcess>,
    pub(crate) ids: Vec<SignerId>,
    peers: Vec<Peer>,
    identity: TlsIdentity,
    /// Entries that all signers have.
    shared: u64,
    /// Nanoseconds that the log and the outside witnesses took for their checkpoints.
    aside: u64,
}

fn enrolment(signer: &SignerProcess) -> Enrolment {
    let text = std::fs::read(signer.enrolment()).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let field = |name: &str| json[name].as_str().unwrap().to_owned();
    Enrolment {
        id: signer.id.parse().unwrap(),
        identity_key: field("identity_key").parse().unwrap(),
        sealing_key: field("sealing_key").parse().unwrap(),
        tls_certificate_sha256: field("tls_certificate_sha256").parse().unwrap(),
        witness_key: field("witness_key").parse().unwrap(),
    }
}

fn in_this_process(of: &SignerProcess, genesis: Digest) -> Signer {
    let passphrase = read_secret(&of.folder.join("passphrase")).unwrap();
    let (identity, sealer) = Identity::open(&of.data, &passphrase).unwrap();
    let directory = of.data.clone();
    Signer::open(Parts { identity, sealer, directory, token: None, vault: None, genesis }).unwrap()
}

impl World {
    /// Founds a log that begins at `time` and starts its signers.
    pub(crate) fn found(root: &Path, holders: u16, at: Where, time: Timestamp) -> Self {
        let root = root.canonicalize().unwrap();
        let programs = Programs::built();
        let identity = Captives::server_identity(&programs, &root.join("server"));
        let number = usize::from(holders);
        let mut processes: Vec<_> =
            (1..=number).map(|number| SignerProcess::one_more(&programs, &root, number)).collect();
        let forge = Forge::found(processes.iter().map(enrolment).collect(), time);
        let genesis = forge.genesis();
        let mut peers = Vec::new();
        for process in &mut processes {
            process.pin(&genesis.to_string());
            peers.push(match at {
                Where::Processes => {
                    process.start();
                    Peer::Process(Link::open(process, Some(&identity)))
                }
                Where::Here => Peer::Here(Box::new(in_this_process(process, genesis))),
            });
        }
        let ids = processes.iter().map(|signer| signer.id.parse().unwrap()).collect();
        let mut world = Self { forge, processes, ids, peers, identity, shared: 0, aside: 0 };
        world.share();
        world
    }

    /// Of the signers that are processes.
    pub(crate) fn process_ids(&self) -> Vec<u32> {
        let here = self.peers.iter().any(|peer| matches!(peer, Peer::Here(_)));
        if here { Vec::new() } else { self.processes.iter().map(SignerProcess::process).collect() }
    }

    /// Nanoseconds that checkpoints took their makers, since this was asked last: one thread, all of
    /// it of the processor. Who makes them is no signer.
    pub(crate) fn aside(&mut self) -> u64 {
        std::mem::take(&mut self.aside)
    }

    /// Asks several at once; their answers in the same order.
    pub(crate) fn ask(&mut self, orders: Vec<(usize, Order)>) -> Vec<Reply> {
        let mut asked = Vec::new();
        for (signer, order) in orders {
            let body = serde_json::to_vec(&order).unwrap();
            match &mut self.peers[signer] {
                Peer::Process(link) => {
                    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
                    link.send(&[length.as_slice(), &[7; 8], &body].concat()).unwrap();
                    asked.push((signer, None));
                }
                Peer::Here(here) => asked.push((signer, Some(here.answer(&body)))),
            }
        }
        let answer = |(signer, answer): (usize, Option<Vec<u8>>)| {
            let answer = answer.unwrap_or_else(|| match &mut self.peers[signer] {
                Peer::Process(link) => link.receive().unwrap(),
                Peer::Here(_) => Vec::new(),
            });
            serde_json::from_slice(&answer).unwrap()
        };
        asked.into_iter().map(answer).collect()
    }

    /// Asks all signers the same.
    pub(crate) fn ask_all(&mut self, order: &Order) -> Vec<Reply> {
        self.ask((0..self.peers.len()).map(|signer| (signer, order.clone())).collect())
    }

    /// The orders by which signers take in what was written since, as a server gives them: the
    /// entries, what to cosign, and the checkpoint that counts.
    pub(crate) fn news(&mut self) -> Vec<Order> {
        let entries = self.forge.after(self.shared).to_vec();
        let started = Instant::now();
        let cosign = self.forge.cosign(self.shared);
        let checkpoint = self.forge.counting();
        self.aside += u64::try_from(started.elapsed().as_nanos()).unwrap();
        self.shared = self.forge.head().position;
        vec![Order::Extend { entries }, cosign, Order::Checkpoint { checkpoint }]
    }

    /// The same without cosigning, whose proof takes this bench long to make of a long log.
    pub(crate) fn news_without_cosigning(&mut self) -> Vec<Order> {
        let entries = self.forge.after(self.shared).to_vec();
        self.shared = self.forge.head().position;
        let checkpoint = self.forge.counting();
        vec![Order::Extend { entries }, Order::Checkpoint { checkpoint }]
    }

    /// Shows signers that were restarted a checkpoint of all that they have.
    pub(crate) fn cover_again(&mut self) {
        let checkpoint = self.forge.counting();
        self.take_in(vec![Order::Checkpoint { checkpoint }]);
    }

    /// Has all signers take in what was written since.
    pub(crate) fn share(&mut self) {
        let orders = self.news();
        self.take_in(orders);
    }

    /// Gives all signers such orders.
    pub(crate) fn take_in(&mut self, orders: Vec<Order>) {
        for order in orders {
            for reply in self.ask_all(&order) {
                assert!(
                    matches!(
                        reply,
                        Reply::Status { .. } | Reply::Cosigned { .. } | Reply::Covered { .. }
                    ),
                    "{reply:?}"
                );
            }
        }
    }

    /// Has all signers take in a long log, in pieces that fit into frames.
    pub(crate) fn share_much(&mut self) {
        while self.forge.head().position - self.shared > 2000 {
            let entries = self.forge.after(self.shared)[..1000].to_vec();
            self.shared += 1000;
            for reply in self.ask_all(&Order::Extend { entries }) {
                assert!(matches!(reply, Reply::Status { .. }), "{reply:?}");
            }
        }
        let orders = self.news_without_cosigning();
        self.take_in(orders);
    }

    /// Ends a signer in good order and starts it again.
    pub(crate) fn restart(&mut self, signer: usize) {
        self.processes[signer].stop();
        self.processes[signer].start();
        self.peers[signer] =
            Peer::Process(Link::open(&self.processes[signer], Some(&self.identity)));
    }
}
