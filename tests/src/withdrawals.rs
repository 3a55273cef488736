//! Many withdrawals over REST: request and both approvals of each, every approval with its own
//! signature, on real parts. For measurements and never for a judgement: it stops at the first thing
//! that is not as it must be.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    clippy::format_push_string,
    clippy::missing_panics_doc,
    reason = "a measurement: it stops at the first thing that is not as it must be"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use serde_json::{Value, json};
use strongroom_api::approval_key::ApprovalKey;
use strongroom_domain::{Family, Network};
use strongroom_ledger::EntryRef;
use strongroom_secrets::read_secret;
use uuid::Uuid;

use crate::deployment::{Deployment, Person};
use crate::journey::{Custody, FINAL, PATIENCE, amounts, text};

/// A person's token and key, opened.
pub(crate) struct Speaker {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) key: Option<ApprovalKey>,
}

impl Speaker {
    pub(crate) fn of(person: &Person) -> Self {
        Self {
            id: person.id.clone(),
            token: std::fs::read_to_string(&person.token_file).expect("a token").trim().to_owned(),
            key: person.key.as_ref().map(|(key, passphrase)| {
                let passphrase = read_secret(passphrase).expect("a passphrase");
                ApprovalKey::open(key, &passphrase).expect("a key")
            }),
        }
    }
}

/// Clients of a running deployment with a funded wallet.
pub struct Withdrawals {
    http: reqwest::Client,
    url: String,
    initiator: Speaker,
    approvers: Vec<Speaker>,
    custody: Custody,
    destination: String,
    amount: u128,
    fee_cap: u128,
}

impl Withdrawals {
    /// A funded wallet and opened keys. On Bitcoin's family one final coin for each withdrawal.
    pub fn prepare(strongroom: &Deployment, network: Network, count: usize) -> Self {
        let destination = strongroom.outside_address(network);
        strongroom.desk.allow(&[(network, destination.clone())]);
        let custody = strongroom.desk.custody(network);
        let (deposit, _, fee_cap) = amounts(network);
        let (amount, funds) = match network.family() {
            Family::Ethereum => (1_000_000, deposit * 1000),
            Family::Bitcoin => {
                let each = 2_000_000_u64;
                coins(strongroom, &custody, each, count);
                (1_000_000, u128::from(each) * count as u128)
            }
        };
        if network.family() == Family::Ethereum {
            strongroom
                .networks
                .ethereum
                .set_balance(&strongroom.networks.ethereum.account(0).to_string(), funds * 2);
            strongroom.networks.ethereum.transfer(0, &custody.address, funds);
            strongroom.networks.mine(network, FINAL);
        }
        strongroom.desk.initiator().wait(
            &format!("/accounts/{}", custody.account),
            PATIENCE * 5,
            |account| account["account"]["available"] == funds.to_string().as_str(),
        );
        let institution = &strongroom.desk.institution;
        Self {
            http: reqwest::Client::builder().no_proxy().build().expect("a client"),
            url: strongroom.desk.url.clone(),
            initiator: Speaker::of(&institution.initiator),
            approvers: institution.approvers.iter().take(2).map(Speaker::of).collect(),
            custody,
            destination,
            amount,
            fee_cap,
        }
    }

    /// Makes so many, `clients` at once. Returns when the last one is approved.
    pub async fn make(&self, count: usize, clients: usize) {
        let work = futures::stream::iter(0..count);
        work.for_each_concurrent(clients, |_| self.ask_and_approve()).await;
    }

    /// The client account's wallet and network.
    pub const fn custody(&self) -> &Custody {
        &self.custody
    }

    async fn send(&self, request: reqwest::RequestBuilder, speaker: &Speaker) -> Value {
        let response = request.bearer_auth(&speaker.token).send().await.expect("an answer");
        let status = response.status();
        let body: Value = response.json().await.expect("JSON");
        assert!(status.is_success(), "{status}: {body}");
        body
    }

    async fn post(&self, path: &str, body: &Value, speaker: &Speaker) -> Value {
        let request = self.http.post(format!("{}/api/v1{path}", self.url));
        let key = Uuid::now_v7().to_string();
        self.send(request.header("Idempotency-Key", key).json(body), speaker).await
    }

    /// One withdrawal: the request and two approvals.
    pub async fn ask_and_approve(&self) {
        let proposal = self.ask().await;
        for approver in &self.approvers {
            self.approve(&proposal, approver).await;
        }
    }

    /// Asks for so many, one approval of each still missing, then has the first approver answer all
    /// of them, `clients` at once: how long each answer took, from its request to the durable event.
    /// With `per_second`, answers are begun at that rate at most.
    pub async fn first_approvals(
        &self,
        count: usize,
        clients: usize,
        per_second: Option<u32>,
    ) -> Vec<Duration> {
        let asked = futures::stream::iter(0..count).map(|_| self.ask()).buffer_unordered(32);
        let proposals: Vec<String> = asked.collect().await;
        let started = tokio::time::Instant::now();
        let answers = futures::stream::iter(proposals.into_iter().zip(0_u32..));
        let answer = |(proposal, number): (String, u32)| async move {
            if let Some(rate) = per_second {
                let turn = Duration::from_secs(1) * number / rate.max(1);
                tokio::time::sleep_until(started + turn).await;
            }
            self.approve(&proposal, &self.approvers[0]).await
        };
        answers.map(answer).buffer_unordered(clients).collect().await
    }

    /// The proposal's id.
    async fn ask(&self) -> String {
        let asked = json!({
            "account": self.custody.account,
            "wallet": self.custody.wallet,
            "asset": self.custody.network.native_asset().to_string(),
            "amount": self.amount.to_string(),
            "destination": self.destination,
            "fee_cap": self.fee_cap.to_string(),
        });
        text(&self.post("/transactions", &asked, &self.initiator).await, "proposal")
    }

    /// Reads the statement and signs it; how long the answer took.
    async fn approve(&self, proposal: &str, approver: &Speaker) -> Duration {
        let path = format!("/approvals/{proposal}");
        let shown = self.http.get(format!("{}/api/v1{path}", self.url));
        let shown = shown.query(&[("approver", approver.id.as_str()), ("answer", "approve")]);
        let shown = self.send(shown, approver).await;
        let key = approver.key.as_ref().expect("an approver");
        let signature = key.sign(&text(&shown, "statement"));
        let body = json!({
            "answer": "approve",
            "key": key.public_key().to_string(),
            "signature": signature.to_string(),
        });
        let started = Instant::now();
        self.post(&path, &body, approver).await;
        started.elapsed()
    }
}

/// The usual limit is for one caller among many; here three tokens ask for everybody.
pub fn raise_limit(strongroom: &mut Deployment, requests_per_second: u32) {
    let path = strongroom.server.folder.join("strongroom.toml");
    let mut text = std::fs::read_to_string(&path).expect("a configuration");
    text.push_str(&format!("\n[limits]\nrequests_per_second = {requests_per_second}\n"));
    strongroom.server.stop();
    std::fs::write(&path, text).expect("a configuration");
    strongroom.server.start();
}

/// So many final coins, each at an address of its own, by one transaction for each 500.
pub(crate) fn coins(strongroom: &Deployment, custody: &Custody, each: u64, count: usize) {
    let client = strongroom.desk.initiator();
    let path = format!("/wallets/{}/addresses", custody.wallet);
    let asked = json!({"account": custody.account});
    let addresses: Vec<_> =
        (0..count).map(|_| text(&client.post(&path, &asked).ok(), "address")).collect();
    let node = strongroom.networks.utxo(custody.network);
    // Makes the node mine what it needs to have coins of its own.
    node.fund(&addresses[0], each);
    let whole = each as f64 / 100_000_000.0;
    for some in addresses[1..].chunks(500) {
        let outputs: serde_json::Map<String, Value> =
            some.iter().map(|address| (address.clone(), json!(whole))).collect();
        node.must("sendmany", json!(["", outputs]));
    }
    strongroom.networks.mine(custody.network, FINAL);
}

/// When each transfer's first attempt was authorised and when it was signed, in microseconds, by the
/// entries themselves. Complete once there are `count` signed ones; waits for that.
pub fn signings(strongroom: &Deployment, count: usize) -> Vec<(u64, u64)> {
    let log = rusqlite::Connection::open_with_flags(
        strongroom.log_file(),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .expect("the log");
    let (mut authorised, mut signed) = (BTreeMap::new(), BTreeMap::new());
    let mut read = 0_i64;
    let started = Instant::now();
    while signed.len() < count {
        let sql = "SELECT position, entry FROM entries WHERE position > ?1 ORDER BY position";
        let mut statement = log.prepare_cached(sql).expect("a statement");
        let mut rows = statement.query([read]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            read = row.get(0).expect("a position");
            let bytes: Vec<u8> = row.get(1).expect("an entry");
            let entry = EntryRef::parse(&bytes).expect("an entry");
            let time = entry.time.micros();
            match entry.r#type {
                "transfer.attempt-authorised" => {
                    authorised.entry(entry.stream.to_owned()).or_insert(time);
                }
                "transfer.attempt-signed" => {
                    signed.insert(entry.stream.to_owned(), time);
                }
                _ => {}
            }
        }
        assert!(started.elapsed() < PATIENCE * 5, "{} of {count} were signed", signed.len());
        std::thread::sleep(Duration::from_millis(10));
    }
    signed.into_iter().map(|(transfer, signed)| (authorised[&transfer], signed)).collect()
}
