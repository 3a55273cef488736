//! The server is killed between every two records of the saga, and each signer in the middle of a
//! signing. After a restart each transfer is on its chain exactly once, whatever was lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use strongroom_domain::{Family, Network};
use strongroom_tests::deployment::{Deployment, Networks};
use strongroom_tests::journey::{Custody, FINAL, PATIENCE, Payment, amounts, text};

/// A deployment with one funded wallet, and payments that each go to an address of their own.
struct Walk {
    strongroom: Deployment,
    custody: Custody,
    destinations: Vec<String>,
    paid: Vec<(String, u128)>,
    asked: Vec<String>,
    acknowledged: Option<Value>,
}

impl Walk {
    fn start(network: Network, root: &std::path::Path, steps: usize) -> Self {
        let strongroom = Deployment::found(root, Networks::without_bitcoin());
        let destinations: Vec<_> =
            (0..steps).map(|_| strongroom.outside_address(network)).collect();
        let allowed: Vec<_> =
            destinations.iter().map(|address| (network, address.clone())).collect();
        strongroom.desk.allow(&allowed);
        let custody = strongroom.desk.custody(network);
        let (deposit, _, _) = amounts(network);
        // A coin for each step: none has to wait for another's change.
        for _ in 0..2 {
            strongroom.deposit(&custody, deposit);
        }
        let (paid, asked) = (Vec::new(), Vec::new());
        Self { strongroom, custody, destinations, paid, asked, acknowledged: None }
    }

    /// Asks for the next payment: its transfer and its proposal.
    fn ask(&mut self) -> (String, String) {
        let destination = self.destinations.pop().expect("a destination for each step");
        let (_, amount, fee_cap) = amounts(self.custody.network);
        let amount = amount / 10;
        let payment = Payment { custody: self.custody.clone(), destination, amount, fee_cap };
        self.paid.push((payment.destination.clone(), amount));
        let (transfer, proposal) = self.strongroom.desk.ask(&payment);
        self.asked.push(transfer.clone());
        (transfer, proposal)
    }

    fn settle(&self, transfer: &str) {
        self.strongroom.settle(self.custody.network, transfer);
    }

    fn restart_server(&mut self) {
        self.kill_server();
        self.start_server();
    }

    fn kill_server(&mut self) {
        self.acknowledged = Some(self.strongroom.desk.initiator().get("/log/head").ok());
        self.strongroom.server.kill();
    }

    /// What was acknowledged before it was killed is still there.
    fn start_server(&mut self) {
        self.strongroom.server.start();
        let client = self.strongroom.desk.initiator();
        let head = self.acknowledged.take().expect("it was killed before");
        let before = head["position"].as_u64().unwrap() - 1;
        let page = client.get(&format!("/events?after={before}&limit=1")).ok();
        let entry = &page["items"][0];
        assert_eq!((&entry["position"], &entry["leaf"]), (&head["position"], &head["leaf"]));
        for transfer in &self.asked {
            client.get(&format!("/transactions/{transfer}")).ok();
        }
    }

    fn node(&self, signal: &str) {
        match self.custody.network.family() {
            Family::Ethereum => self.strongroom.networks.ethereum.signal(signal),
            Family::Bitcoin => {
                self.strongroom.networks.utxo(self.custody.network).signal(signal);
            }
        }
    }

    fn signers(&self, signal: &str) {
        for signer in &self.strongroom.signers {
            signer.signal(signal);
        }
    }

    /// What an outside address has received, as the node says.
    fn received(&self, address: &str) -> u128 {
        match self.custody.network.family() {
            Family::Ethereum => {
                let balance = self
                    .strongroom
                    .networks
                    .ethereum
                    .must("eth_getBalance", json!([address, "latest"]));
                u128::from_str_radix(balance.as_str().unwrap().trim_start_matches("0x"), 16)
                    .unwrap()
            }
            Family::Bitcoin => {
                let node = self.strongroom.networks.utxo(self.custody.network);
                let received = node.must("getreceivedbyaddress", json!([address, 1]));
                let text = received.to_string();
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
                format!("{whole}{fraction:0<8}").parse().unwrap()
            }
        }
    }

    fn everybody_was_paid_once(&self) {
        for (destination, amount) in &self.paid {
            assert_eq!(self.received(destination), *amount, "{destination}");
        }
        self.no_attempt_was_signed_twice();
        super::spine::the_audit_agrees(&self.strongroom);
    }

    /// All that any signer ever consumed for a transfer is one and the same transaction.
    fn no_attempt_was_signed_twice(&self) {
        let mut unsigned: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for signer in &self.strongroom.signers {
            for consumed in consumptions(&signer.folder) {
                let all = unsigned.entry(text(&consumed, "transfer")).or_default();
                all.insert(text(&consumed, "unsigned"));
            }
        }
        for transfer in &self.asked {
            let consumed = unsigned.get(transfer).map_or(0, BTreeSet::len);
            assert_eq!(consumed, 1, "transactions consumed for {transfer}: {unsigned:?}");
        }
    }
}

/// What a signer's journal says that it consumed. A line: checksum, sequence, batch, left, JSON.
fn consumptions(folder: &std::path::Path) -> Vec<Value> {
    let journal = std::fs::read_to_string(folder.join("data/journal")).expect("a journal");
    // The last line may be half written at this moment: then it is not on disk yet.
    let whole = journal.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let record = |line: &str| -> Value {
        let json = line.splitn(5, ' ').nth(4).unwrap_or_else(|| panic!("no record: {line}"));
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    whole
        .lines()
        .map(record)
        .map(|mut record| record["consumed"].take())
        .filter(Value::is_object)
        .collect()
}

/// Whether a signer's journal says that it consumed an attempt of this transfer.
fn has_consumed(folder: &std::path::Path, transfer: &str) -> bool {
    consumptions(folder).iter().any(|consumed| consumed["transfer"] == transfer)
}

fn until(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn the_server_is_killed_at_every_step(network: Network) {
    let root = tempfile::tempdir().unwrap();
    let mut walk = Walk::start(network, root.path(), 9);

    // Asked for, nobody answered.
    let (transfer, proposal) = walk.ask();
    walk.restart_server();
    walk.strongroom.desk.approve(&proposal);
    walk.settle(&transfer);

    // One of two approvals.
    let (transfer, proposal) = walk.ask();
    let first = walk.strongroom.desk.institution.approvers[0].clone();
    walk.strongroom.desk.approve_as(&first, &proposal).unwrap();
    walk.restart_server();
    let second = walk.strongroom.desk.institution.approvers[1].clone();
    walk.strongroom.desk.approve_as(&second, &proposal).unwrap();
    walk.settle(&transfer);

    // Approved; the node hangs, so nothing was built.
    let (transfer, proposal) = walk.ask();
    walk.node("STOP");
    walk.strongroom.desk.approve(&proposal);
    walk.kill_server();
    walk.node("CONT");
    walk.start_server();
    walk.settle(&transfer);

    // Authorised; no signer has heard of it.
    let (transfer, proposal) = walk.ask();
    walk.signers("STOP");
    walk.strongroom.desk.approve(&proposal);
    walk.strongroom.desk.wait_for(&transfer, &["signing"]);
    walk.kill_server();
    walk.signers("CONT");
    walk.start_server();
    walk.settle(&transfer);

    // Consumed by a signer; its answer was never read.
    let (transfer, proposal) = walk.ask();
    walk.strongroom.desk.approve(&proposal);
    let folders: Vec<_> = walk.strongroom.signers.iter().map(|s| s.folder.clone()).collect();
    until("a consumption", || folders.iter().any(|folder| has_consumed(folder, &transfer)));
    walk.restart_server();
    walk.settle(&transfer);

    signed_and_later(&mut walk);
    walk.everybody_was_paid_once();
    walk.strongroom.stop();
}

fn signed_and_later(walk: &mut Walk) {
    let network = walk.custody.network;
    // Signed; the node hangs, so it was not broadcast.
    let transfer = signed_but_not_broadcast(walk);
    walk.kill_server();
    walk.node("CONT");
    walk.start_server();
    walk.settle(&transfer);

    // Broadcast, and the node's answer lost: the node has it, the log does not say so.
    let transfer = signed_but_not_broadcast(walk);
    let shown = walk.strongroom.desk.initiator().get(&format!("/transactions/{transfer}")).ok();
    let raw = text(&shown["attempts"][0], "raw");
    walk.kill_server();
    walk.node("CONT");
    match network.family() {
        Family::Ethereum => {
            let raw = format!("0x{raw}");
            walk.strongroom.networks.ethereum.must("eth_sendRawTransaction", json!([raw]));
        }
        Family::Bitcoin => {
            walk.strongroom.networks.utxo(network).must("sendrawtransaction", json!([raw]));
        }
    }
    walk.start_server();
    walk.settle(&transfer);

    // Broadcast, and recorded.
    let (transfer, proposal) = walk.ask();
    walk.strongroom.desk.approve(&proposal);
    walk.strongroom.desk.wait_for(&transfer, &["broadcast"]);
    walk.restart_server();
    walk.settle(&transfer);

    // Final while the server was away.
    let (transfer, proposal) = walk.ask();
    walk.strongroom.desk.approve(&proposal);
    walk.strongroom.desk.wait_for(&transfer, &["broadcast"]);
    walk.kill_server();
    walk.strongroom.networks.mine(network, FINAL);
    walk.start_server();
    walk.strongroom.desk.wait_for(&transfer, &["confirmed"]);
}

fn signed_but_not_broadcast(walk: &mut Walk) -> String {
    let (transfer, proposal) = walk.ask();
    walk.signers("STOP");
    walk.strongroom.desk.approve(&proposal);
    walk.strongroom.desk.wait_for(&transfer, &["signing"]);
    walk.node("STOP");
    walk.signers("CONT");
    walk.strongroom.desk.wait_for(&transfer, &["signed"]);
    transfer
}

#[test]
fn a_server_killed_at_any_step_pays_once_on_litecoin() {
    the_server_is_killed_at_every_step(Network::LitecoinRegtest);
}

#[test]
fn a_server_killed_at_any_step_pays_once_on_ethereum() {
    the_server_is_killed_at_every_step(Network::EthereumDev);
}

/// Each signer is killed with an order unread, and again with its consumption on disk.
fn each_signer_is_killed_while_it_signs(network: Network, signers: &[usize]) {
    let root = tempfile::tempdir().unwrap();
    let mut walk = Walk::start(network, root.path(), signers.len() * 2);
    for signer in signers {
        // With one of three away, the attempt needs the one that is killed.
        let other = (signers.len() > 1).then(|| (signer + 1) % signers.len());
        let away = |walk: &mut Walk| {
            if let Some(gone) = other {
                walk.strongroom.signers[gone].kill();
            }
        };
        let back = |walk: &mut Walk| {
            walk.strongroom.signers[*signer].kill();
            for back in other.into_iter().chain([*signer]) {
                walk.strongroom.signers[back].start();
            }
        };
        away(&mut walk);
        let (transfer, proposal) = walk.ask();
        walk.strongroom.signers[*signer].signal("STOP");
        walk.strongroom.desk.approve(&proposal);
        walk.strongroom.desk.wait_for(&transfer, &["signing"]);
        back(&mut walk);
        walk.settle(&transfer);

        away(&mut walk);
        let (transfer, proposal) = walk.ask();
        walk.strongroom.desk.approve(&proposal);
        let folder = walk.strongroom.signers[*signer].folder.clone();
        until("its consumption", || has_consumed(&folder, &transfer));
        back(&mut walk);
        walk.settle(&transfer);
    }
    walk.everybody_was_paid_once();
    walk.strongroom.stop();
}

#[test]
fn a_share_holder_killed_while_it_signs_signs_nothing_twice() {
    each_signer_is_killed_while_it_signs(Network::LitecoinRegtest, &[0, 1, 2]);
}

#[test]
fn an_hsm_signer_killed_while_it_signs_signs_nothing_twice() {
    each_signer_is_killed_while_it_signs(Network::EthereumDev, &[3]);
}

#[test]
fn two_of_three_signers_are_enough_and_one_waits_for_a_second() {
    let root = tempfile::tempdir().unwrap();
    let mut walk = Walk::start(Network::LitecoinRegtest, root.path(), 2);

    walk.strongroom.signers[0].kill();
    let (transfer, proposal) = walk.ask();
    walk.strongroom.desk.approve(&proposal);
    walk.settle(&transfer);

    walk.strongroom.signers[1].kill();
    let (transfer, proposal) = walk.ask();
    walk.strongroom.desk.approve(&proposal);
    let path = "/signers";
    let client = walk.strongroom.desk.initiator();
    client.wait(path, PATIENCE, |signers| {
        let lost = signers["items"].as_array().unwrap().iter();
        lost.filter(|signer| signer["state"] == "unreachable").count() == 2
    });
    let waiting = walk.strongroom.desk.wait_for(&transfer, &["approved", "signing"]);
    assert!(waiting["transaction"]["transaction_id"].is_null(), "{waiting}");
    walk.strongroom.signers[0].start();
    walk.settle(&transfer);
    walk.everybody_was_paid_once();
    walk.strongroom.stop();
}
