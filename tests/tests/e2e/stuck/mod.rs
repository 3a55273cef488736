//! Payments that their chain does not take: too cheap, dropped, replaced, pulled along, cancelled. Real
//! nodes with their own rules about what they relay, and the server killed between the steps.

mod coins;
mod nonces;

use serde_json::{Value, json};
use strongroom_domain::Network;
use strongroom_tests::deployment::{Deployment, Networks};
use strongroom_tests::journey::{Custody, PATIENCE, Payment, amounts, text};

/// A deployment that takes a payment for stuck at once, with one funded wallet.
struct Desk {
    strongroom: Deployment,
    custody: Custody,
    destinations: Vec<String>,
}

impl Desk {
    fn found(root: &std::path::Path, networks: Networks, network: Network, deposits: u32) -> Self {
        let mut strongroom = Deployment::found(root, networks);
        let destinations: Vec<_> = (0..4).map(|_| strongroom.outside_address(network)).collect();
        let allowed: Vec<_> =
            destinations.iter().map(|address| (network, address.clone())).collect();
        strongroom.desk.allow(&allowed);
        let custody = strongroom.desk.custody(network);
        for _ in 0..deposits {
            strongroom.deposit(&custody, amounts(network).0);
        }
        // From here on a look at the node every moment, and no patience.
        strongroom.server.kill();
        let path = strongroom.server.folder.join("strongroom.toml");
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str(
            "\n[pace]\nlook_every_ms = 100\nstuck_after_ms = 300\nwatch_every_ms = 200\n\
             fees_for_ms = 100\n",
        );
        std::fs::write(&path, text).unwrap();
        strongroom.server.start();
        Self { strongroom, custody, destinations }
    }

    /// An approved payment to the next destination.
    fn pay(&mut self, fee_cap: u128) -> String {
        let (transfer, proposal) = self.ask(fee_cap);
        self.strongroom.desk.approve(&proposal);
        transfer
    }

    fn ask(&mut self, fee_cap: u128) -> (String, String) {
        let destination = self.destinations.pop().expect("a destination for each payment");
        let amount = amounts(self.custody.network).1 / 10;
        let custody = self.custody.clone();
        self.strongroom.desk.ask(&Payment { custody, destination, amount, fee_cap })
    }

    fn story(&self, transfer: &str, until: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/transactions/{transfer}");
        self.strongroom.desk.initiator().wait(&path, PATIENCE, until)
    }

    /// Waits until attempt `number` is as far as `field` says, such as `broadcast_at`.
    fn attempt(&self, transfer: &str, number: usize, field: &str) -> Value {
        let story = self.story(transfer, |story| !story["attempts"][number - 1][field].is_null());
        story["attempts"][number - 1].clone()
    }

    fn waits_for(&self, transfer: &str, words: &str) {
        self.story(transfer, |story| story["waiting"].as_str().is_some_and(|w| w.contains(words)));
    }

    /// Asks the payment's quorum for a remedy; its proposal.
    fn propose(&self, transfer: &str, remedy: &Value) -> String {
        let asked = json!({ "remedy": remedy });
        let path = format!("/transactions/{transfer}/remedies");
        text(&self.strongroom.desk.initiator().post(&path, &asked).ok(), "proposal")
    }

    fn raise(&self, transfer: &str, fee_cap: u128) {
        let remedy = json!({ "raise-fee-cap": { "fee_cap": fee_cap.to_string() } });
        self.strongroom.desk.approve(&self.propose(transfer, &remedy));
    }

    fn abandon(&self, transfer: &str) {
        self.strongroom.desk.approve(&self.propose(transfer, &json!({ "abandon": {} })));
    }

    fn mine(&self) {
        self.strongroom.networks.mine(self.custody.network, strongroom_tests::journey::FINAL);
    }

    fn signers(&self, signal: &str) {
        for signer in &self.strongroom.signers {
            signer.signal(signal);
        }
    }

    fn restart(&mut self) {
        self.strongroom.server.kill();
        self.strongroom.server.start();
    }

    fn audit(&self) {
        super::spine::the_audit_agrees(&self.strongroom);
    }
}

fn fee(story: &Value) -> u128 {
    text(&story["transaction"], "fee").parse().unwrap()
}
