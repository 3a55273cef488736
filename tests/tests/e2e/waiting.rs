//! Withdrawals that wait, are stopped, are frozen and go on; and what reconciliation finds. Real
//! processes and nodes; what signers hold to is theirs, not the server's.

use serde_json::{Value, json};
use strongroom_domain::Network;
use strongroom_tests::deployment::{Client, Deployment, Networks, WAITS_ABOVE};
use strongroom_tests::journey::{Custody, FINAL, PATIENCE, Payment, amounts, text};

const NETWORK: Network = Network::LitecoinRegtest;

/// A deployment with a funded wallet, and who may stop things.
struct House {
    strongroom: Deployment,
    custody: Custody,
    destination: String,
}

impl House {
    fn found(root: &std::path::Path) -> Self {
        let strongroom = Deployment::found(root, Networks::without_bitcoin());
        let destination = strongroom.outside_address(NETWORK);
        strongroom.desk.allow(&[(NETWORK, destination.clone())]);
        let custody = strongroom.desk.custody(NETWORK);
        let (deposit, _, _) = amounts(NETWORK);
        strongroom.deposit(&custody, deposit);
        strongroom.deposit(&custody, deposit);
        Self { strongroom, custody, destination }
    }

    /// A new connection each time: the server closes one that says nothing for a while.
    fn officer(&self) -> Client {
        self.strongroom.desk.client(&self.strongroom.desk.institution.officer)
    }

    fn payment(&self, amount: u128) -> Payment {
        let (_, _, fee_cap) = amounts(NETWORK);
        let (custody, destination) = (self.custody.clone(), self.destination.clone());
        Payment { custody, destination, amount, fee_cap }
    }

    /// Asked for and approved.
    fn approved(&self, amount: u128) -> String {
        let (transfer, proposal) = self.strongroom.desk.ask(&self.payment(amount));
        self.strongroom.desk.approve(&proposal);
        transfer
    }

    fn waits_for(&self, transfer: &str, word: &str) {
        let path = format!("/transactions/{transfer}");
        let waits =
            |story: &Value| story["waiting"].as_str().is_some_and(|waiting| waiting.contains(word));
        self.strongroom.desk.initiator().wait(&path, PATIENCE, waits);
    }
}

#[test]
fn a_large_withdrawal_waits_and_an_officer_stops_it_and_another_is_paid_after_its_lock() {
    let root = tempfile::tempdir().unwrap();
    let mut house = House::found(root.path());
    let (stopped, paid) = (house.approved(WAITS_ABOVE + 1), house.approved(WAITS_ABOVE + 2));
    // It says until when, and nobody has built a transaction.
    house.waits_for(&stopped, "time lock");
    let story = house.officer().get(&format!("/transactions/{stopped}")).ok();
    assert_eq!(story["transaction"]["state"], "approved", "{story}");
    assert_eq!(story["attempts"], json!([]), "{story}");
    let because = json!({ "because": "the payee called: it was not them" });
    house.officer().post(&format!("/transactions/{stopped}/stop"), &because).ok();
    house.strongroom.desk.wait_for(&stopped, &["stopped"]);
    // What is not large waits for nothing, and what waited is paid once its time has come.
    let small = house.approved(1_000_000);
    house.strongroom.settle(NETWORK, &small);
    house.strongroom.settle(NETWORK, &paid);
    let late = house.officer().post(&format!("/transactions/{paid}/stop"), &because);
    assert_eq!(late.refused(), "transfer-state");
    super::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}

#[test]
fn a_freeze_stops_what_is_on_its_way_until_a_quorum_lifts_it() {
    let root = tempfile::tempdir().unwrap();
    let mut house = House::found(root.path());
    // No signer can answer: the withdrawal is on its way and not signed.
    for signer in &house.strongroom.signers {
        signer.signal("STOP");
    }
    let transfer = house.approved(1_000_000);
    house.strongroom.desk.wait_for(&transfer, &["signing"]);
    let asked = json!({ "scope": { "wallet": house.custody.wallet }, "because": "a report" });
    let freeze = text(&house.officer().post("/freezes", &asked).ok(), "freeze");
    for signer in &house.strongroom.signers {
        signer.signal("CONT");
    }
    house.waits_for(&transfer, "frozen");
    let request = house.strongroom.desk.request(&house.payment(1_000_000));
    let refused = house.strongroom.desk.initiator().post("/transactions", &request);
    assert_eq!(refused.refused(), "frozen");
    let release = house.officer().post(&format!("/freezes/{freeze}/release"), &json!({})).ok();
    let state = house.officer().get(&format!("/transactions/{transfer}")).ok();
    assert_eq!(state["transaction"]["state"], "signing", "{state}");
    house.strongroom.desk.approve(&text(&release, "proposal"));
    house.strongroom.settle(NETWORK, &transfer);
    super::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}

#[test]
fn reconciliation_finds_a_coin_that_the_ledger_does_not_know() {
    let root = tempfile::tempdir().unwrap();
    let mut house = House::found(root.path());
    // The wallet's change address: what others pay there is nobody's deposit.
    let first = house.approved(1_000_000);
    house.strongroom.settle(NETWORK, &first);
    let path = format!("/wallets/{}", house.custody.wallet);
    let wallet = house.strongroom.desk.initiator().get(&path).ok();
    let addresses = wallet["addresses"].as_array().unwrap();
    let change = addresses.iter().find(|address| address["account"].is_null()).unwrap();
    let auditor = house.strongroom.desk.institution.auditor.id.clone();
    house.strongroom.server.stop();
    house.strongroom.server.reconcile(&auditor);
    house.strongroom.server.start();
    house.strongroom.networks.utxo(NETWORK).fund(&text(change, "address"), 4_321);
    house.strongroom.networks.mine(NETWORK, FINAL);
    let found = |page: &Value| page["items"].as_array().is_some_and(|items| !items.is_empty());
    let differences = house.officer().wait("/differences", PATIENCE, found);
    let difference = &differences["items"][0];
    assert_eq!(difference["owner"], auditor.as_str(), "{difference}");
    let what = &difference["what"]["balance"];
    let units = |name: &str| text(what, name).parse::<u128>().unwrap();
    assert_eq!(units("chain") - units("ledger"), 4_321, "{difference}");
    // It is found once, and explained by a person.
    let path = format!("/differences/{}/resolve", text(difference, "difference"));
    house.officer().post(&path, &json!({ "because": "a stray payment: swept next week" })).ok();
    let after = house.officer().get("/differences").ok();
    assert_eq!(after["items"].as_array().unwrap().len(), 1, "{after}");
    super::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}
