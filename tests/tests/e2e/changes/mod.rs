//! Shares of a living key change hands between real signers: the address stays, payments go on, and
//! whoever is killed meanwhile, every signer ends in the same epoch.

mod console;
mod killed;
mod lives;
mod restored;
mod silent;
mod stolen;

use serde_json::{Value, json};
use strongroom_domain::Network;
use strongroom_tests::deployment::{Deployment, Networks, SignerProcess};
use strongroom_tests::journey::{Custody, PATIENCE, Payment, amounts, text};

/// A Litecoin wallet with money, and a destination.
pub(super) struct House {
    pub(super) strongroom: Deployment,
    pub(super) custody: Custody,
    destination: String,
    _root: tempfile::TempDir,
}

impl House {
    pub(super) fn furnished() -> Self {
        let root = tempfile::tempdir().unwrap();
        let network = Network::LitecoinRegtest;
        let strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
        let destination = strongroom.outside_address(network);
        strongroom.desk.allow(&[(network, destination.clone())]);
        let custody = strongroom.desk.custody(network);
        let (deposit, _, _) = amounts(network);
        for _ in 0..2 {
            strongroom.deposit(&custody, deposit);
        }
        Self { strongroom, custody, destination, _root: root }
    }

    pub(super) fn payment(&self) -> Payment {
        let (_, amount, fee_cap) = amounts(self.custody.network);
        let (custody, destination) = (self.custody.clone(), self.destination.clone());
        Payment { custody, destination, amount: amount / 20, fee_cap }
    }

    /// A complete withdrawal; who signed it.
    pub(super) fn pay(&self) -> Vec<String> {
        let story = self.strongroom.withdraw(&self.payment());
        let attempts = story["attempts"].as_array().unwrap();
        let signed = attempts.iter().find(|attempt| attempt["raw"].is_string()).unwrap();
        strings(&signed["signers"])
    }

    pub(super) fn key(&self) -> Value {
        self.strongroom.desk.initiator().get(&format!("/keys/{}", self.custody.key)).ok()
    }

    pub(super) fn epoch(&self) -> u64 {
        self.key()["epoch"].as_u64().unwrap()
    }

    /// Asks for a change; its proposal.
    pub(super) fn ask(&self, change: &Value) -> String {
        let path = format!("/keys/{}/changes", self.custody.key);
        text(&self.strongroom.desk.initiator().post(&path, change).ok(), "proposal")
    }

    /// Waits until a change that was approved is over; the epoch then.
    pub(super) fn changed(&self) -> u64 {
        let path = format!("/keys/{}", self.custody.key);
        let key = self.strongroom.desk.initiator();
        key.wait(&path, PATIENCE, |key| key["change"].is_null())["epoch"].as_u64().unwrap()
    }

    /// A whole change.
    pub(super) fn change(&self, change: &Value) -> u64 {
        let before = self.epoch();
        self.strongroom.desk.approve(&self.ask(change));
        let after = self.changed();
        assert!(after > before, "the change came to nothing: {}", self.key());
        after
    }

    pub(super) fn holders(&self) -> Vec<String> {
        strings(&self.key()["participants"])
    }

    /// Events of the key's own history.
    pub(super) fn events(&self, kind: &str) -> usize {
        let stream = format!("key-{}", self.custody.key);
        let (mut after, mut found) = (0, 0);
        loop {
            let client = self.strongroom.desk.client(&self.strongroom.desk.institution.auditor);
            let page = client.get(&format!("/events?after={after}&limit=500")).ok();
            let items = page["items"].as_array().unwrap();
            let of = |item: &&Value| item["kind"] == kind && item["stream"] == stream.as_str();
            found += items.iter().filter(of).count();
            match items.last() {
                Some(last) => after = last["position"].as_u64().unwrap(),
                None => return found,
            }
        }
    }

    /// A new signer that nobody has enrolled yet; the server knows where it is.
    pub(super) fn arrive(&mut self, number: usize) -> usize {
        let strongroom = &mut self.strongroom;
        let mut signer =
            SignerProcess::one_more(&strongroom.desk.programs, &strongroom.root, number);
        signer.pin(&strongroom.desk.institution.genesis);
        signer.start();
        strongroom.server.reach(&signer);
        strongroom.server.stop();
        strongroom.server.start();
        strongroom.signers.push(signer);
        strongroom.signers.len() - 1
    }

    /// Waits until the server has reached a signer that is enrolled.
    pub(super) fn reached(&self, signer: usize) {
        let id = self.strongroom.signers[signer].id.as_str();
        self.strongroom.desk.initiator().wait("/signers", PATIENCE, |signers| {
            let all = signers["items"].as_array().unwrap();
            all.iter().any(|known| known["signer"] == id && known["state"] == "active")
        });
    }

    /// A new signer, enrolled by quorum and reached.
    pub(super) fn enrol(&mut self, number: usize) -> usize {
        let new = self.arrive(number);
        let strongroom = &self.strongroom;
        let enrolment = std::fs::read(strongroom.signers[new].enrolment()).unwrap();
        let enrolment: Value = serde_json::from_slice(&enrolment).unwrap();
        let of = |field: &str| enrolment[field].clone();
        let change = json!({"change": {"enrol": {
            "id": of("signer"),
            "identity_key": of("identity_key"),
            "sealing_key": of("sealing_key"),
            "tls_certificate_sha256": of("tls_certificate_sha256"),
            "witness_key": of("witness_key"),
        }}});
        let asked = strongroom.desk.initiator().post("/signers/changes", &change).ok();
        strongroom.desk.approve(&text(&asked, "proposal"));
        self.reached(new);
        new
    }

    /// The epochs of the key that a signer has shares of.
    pub(super) fn shares(&self, signer: usize) -> Vec<u64> {
        let data = &self.strongroom.signers[signer].data;
        let prefix = format!("share-{}-", self.custody.key);
        let names = std::fs::read_dir(data).unwrap().flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        let mut epochs: Vec<u64> = names
            .filter_map(|name| name.strip_prefix(&prefix)?.strip_suffix(".sealed")?.parse().ok())
            .collect();
        epochs.sort_unstable();
        epochs
    }
}

pub(super) fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().unwrap_or_else(|| panic!("no list: {value}"));
    items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}
