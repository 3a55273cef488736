//! As many real signers as it takes, and the lawful log that they follow. It plays the server's part,
//! asking all of them at once.

use std::path::Path;

use strongroom_domain::protocol::{Order, Reply};
use strongroom_domain::{SignerId, Timestamp};
use strongroom_signer::order::Signer;

use super::cost::{Cost, Meter};
use super::forge::Forge;
use super::process::{Coordinator, Link, Process};

/// A signer's process and the connection to it, or a signer in this process.
enum Peer {
    Process(Box<Link>),
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
    processes: Vec<Process>,
    pub(crate) ids: Vec<SignerId>,
    peers: Vec<Peer>,
    coordinator: Coordinator,
    /// Entries that all signers have.
    shared: u64,
    /// What the log and the outside witnesses took for their checkpoints.
    aside: Cost,
}

impl World {
    /// Founds a log that begins at `time` and starts its signers.
    pub(crate) fn found(root: &Path, holders: u16, at: Where, time: Timestamp) -> Self {
        let coordinator = Coordinator::new();
        let mut processes: Vec<_> = (1..=usize::from(holders))
            .map(|number| Process::make(root, number, &coordinator))
            .collect();
        let forge = Forge::found(processes.iter().map(Process::enrolment).collect(), time);
        let genesis = forge.genesis();
        let mut peers = Vec::new();
        for process in &mut processes {
            process.pin(genesis);
            peers.push(match at {
                Where::Processes => Peer::Process(Box::new(process.start(&coordinator))),
                Where::Here => Peer::Here(Box::new(process.here(genesis))),
            });
        }
        let ids = processes.iter().map(|signer| signer.enrolment().id).collect();
        let aside = Cost::default();
        let mut world = Self { forge, processes, ids, peers, coordinator, shared: 0, aside };
        world.share();
        world
    }

    /// Of the signers that are processes.
    pub(crate) fn process_ids(&self) -> Vec<u32> {
        self.processes.iter().filter_map(Process::id).collect()
    }

    /// What checkpoints took their makers since this was asked last. Who makes them is no signer.
    pub(crate) fn aside(&mut self) -> Cost {
        std::mem::take(&mut self.aside)
    }

    /// Asks several at once; their answers in the same order.
    pub(crate) fn ask(&mut self, orders: Vec<(usize, Order)>) -> Vec<Reply> {
        let mut asked = Vec::new();
        for (signer, order) in orders {
            let body = serde_json::to_vec(&order).unwrap();
            match &mut self.peers[signer] {
                Peer::Process(link) => {
                    link.send(&body);
                    asked.push((signer, None));
                }
                Peer::Here(here) => asked.push((signer, Some(here.answer(&body)))),
            }
        }
        let answer = |(signer, answer): (usize, Option<Vec<u8>>)| {
            let answer = answer.unwrap_or_else(|| match &mut self.peers[signer] {
                Peer::Process(link) => link.receive(),
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
        let meter = Meter::start(&[]);
        let cosign = self.forge.cosign(self.shared);
        let checkpoint = self.forge.counting();
        self.aside += meter.stop();
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
        self.peers[signer] =
            Peer::Process(Box::new(self.processes[signer].start(&self.coordinator)));
    }
}
