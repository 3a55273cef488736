//! How many complete withdrawals a second, from request to signed, on this machine: real server,
//! real signers, real nodes; request and both approvals over REST, each approval with its own
//! signature. Prints where the processors' time went. It asserts nothing about speed.

#![allow(clippy::print_stdout, reason = "printing figures is what this program is for")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    clippy::format_push_string,
    reason = "a measurement: it stops at the first thing that is not as it must be"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use futures::StreamExt as _;
use serde_json::{Value, json};
use strongroom_api::approval_key::ApprovalKey;
use strongroom_domain::Network;
use strongroom_secrets::read_secret;
use strongroom_tests::deployment::{Deployment, Networks};
use strongroom_tests::journey::{Custody, FINAL, PATIENCE, amounts, text};
use uuid::Uuid;

/// Withdrawals per second, from request to signed.
#[derive(Parser)]
struct Arguments {
    /// `ethereum-dev` (HSM) or `litecoin-regtest` (2-of-3 FROST, one coin each).
    #[arg(long, default_value = "ethereum-dev")]
    network: Network,
    /// How many withdrawals.
    #[arg(long, default_value_t = 1000)]
    count: usize,
    /// How many clients ask at once.
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// What the server lets one token ask in a second: three tokens ask for everything here.
    #[arg(long, default_value_t = 100_000)]
    requests_per_second: u32,
}

/// A person's token and key, opened.
struct Speaker {
    id: String,
    token: String,
    key: Option<ApprovalKey>,
}

struct Load {
    http: reqwest::Client,
    url: String,
    initiator: Speaker,
    approvers: Vec<Speaker>,
    custody: Custody,
    destination: String,
    amount: u128,
    fee_cap: u128,
}

impl Load {
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
    async fn ask_and_approve(&self) {
        let asked = json!({
            "account": self.custody.account,
            "wallet": self.custody.wallet,
            "asset": self.custody.network.native_asset().to_string(),
            "amount": self.amount.to_string(),
            "destination": self.destination,
            "fee_cap": self.fee_cap.to_string(),
        });
        let answer = self.post("/transactions", &asked, &self.initiator).await;
        let proposal = text(&answer, "proposal");
        for approver in &self.approvers {
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
            self.post(&path, &body, approver).await;
        }
    }
}

fn main() {
    let arguments = Arguments::parse();
    let root = tempfile::tempdir().expect("a folder");
    let mut strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
    raise_limit(&mut strongroom, arguments.requests_per_second);
    let load = Arc::new(prepare(&strongroom, &arguments));
    // A profiler may wait for this line.
    println!("asking begins, server {}", strongroom.server.id());
    let before = processor_times(&strongroom, arguments.network);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let started = Instant::now();
    runtime.block_on(async {
        let work = futures::stream::iter(0..arguments.count);
        work.for_each_concurrent(arguments.clients, |_| async { load.ask_and_approve().await })
            .await;
    });
    let approved = started.elapsed();
    wait_until_signed(&strongroom, arguments.count);
    let signed = started.elapsed();
    let after = processor_times(&strongroom, arguments.network);
    let count = arguments.count as f64;
    println!("network            {}", arguments.network);
    println!("withdrawals        {}, {} clients", arguments.count, arguments.clients);
    println!("all approved after {approved:?}: {:.0} a second", count / approved.as_secs_f64());
    println!("all signed after   {signed:?}: {:.0} a second", count / signed.as_secs_f64());
    for ((name, before), (_, after)) in before.iter().zip(&after) {
        let spent = after.saturating_sub(*before).as_secs_f64();
        println!("  {name:<10} {:>7.2} ms of processor a withdrawal", spent * 1000.0 / count);
    }
    strongroom.stop();
}

/// The usual limit is for one caller among many; here three tokens ask for everybody.
fn raise_limit(strongroom: &mut Deployment, requests_per_second: u32) {
    let path = strongroom.server.folder.join("strongroom.toml");
    let mut text = std::fs::read_to_string(&path).expect("a configuration");
    text.push_str(&format!("\n[limits]\nrequests_per_second = {requests_per_second}\n"));
    strongroom.server.stop();
    std::fs::write(&path, text).expect("a configuration");
    strongroom.server.start();
}

/// A funded wallet and opened keys. On Bitcoin's family one final coin for each withdrawal.
fn prepare(strongroom: &Deployment, arguments: &Arguments) -> Load {
    let network = arguments.network;
    let destination = strongroom.outside_address(network);
    strongroom.desk.allow(&[(network, destination.clone())]);
    let custody = strongroom.desk.custody(network);
    let (deposit, _, fee_cap) = amounts(network);
    let (amount, funds) = match network.family() {
        strongroom_domain::Family::Ethereum => (1_000_000, deposit * 1000),
        strongroom_domain::Family::Bitcoin => {
            let each = 2_000_000_u64;
            coins(strongroom, &custody, each, arguments.count);
            (1_000_000, u128::from(each) * arguments.count as u128)
        }
    };
    if network.family() == strongroom_domain::Family::Ethereum {
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
    let speaker = |person: &strongroom_tests::deployment::Person| Speaker {
        id: person.id.clone(),
        token: std::fs::read_to_string(&person.token_file).expect("a token").trim().to_owned(),
        key: person.key.as_ref().map(|(key, passphrase)| {
            let passphrase = read_secret(passphrase).expect("a passphrase");
            ApprovalKey::open(key, &passphrase).expect("a key")
        }),
    };
    Load {
        http: reqwest::Client::builder().no_proxy().build().expect("a client"),
        url: strongroom.desk.url.clone(),
        initiator: speaker(&institution.initiator),
        approvers: institution.approvers.iter().take(2).map(speaker).collect(),
        custody,
        destination,
        amount,
        fee_cap,
    }
}

/// So many final coins, each at an address of its own, by one transaction for each 500.
fn coins(strongroom: &Deployment, custody: &Custody, each: u64, count: usize) {
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

/// Counts recorded signatures in the log itself.
fn wait_until_signed(strongroom: &Deployment, count: usize) {
    let log = rusqlite::Connection::open_with_flags(
        strongroom.log_file(),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .expect("the log");
    let sql = "SELECT count(*) FROM entries WHERE CAST(entry AS TEXT) LIKE '%\"transfer.attempt-signed\"%'";
    let started = Instant::now();
    loop {
        let signed: i64 = log.query_row(sql, [], |row| row.get(0)).expect("a count");
        if usize::try_from(signed).unwrap_or(0) >= count {
            return;
        }
        assert!(started.elapsed() < PATIENCE * 5, "{signed} of {count} were signed");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Processor time of each process so far: ours, the chain's node, this program.
fn processor_times(strongroom: &Deployment, network: Network) -> Vec<(String, Duration)> {
    let mut all = vec![("server".to_owned(), processor_time(strongroom.server.id()))];
    for (number, signer) in strongroom.signers.iter().enumerate() {
        all.push((format!("signer-{}", number + 1), processor_time(signer.process())));
    }
    let node = match network.family() {
        strongroom_domain::Family::Ethereum => "anvil",
        strongroom_domain::Family::Bitcoin => "litecoind",
    };
    let own = std::process::id();
    let nodes = children(own).into_iter().filter(|id| name(*id).starts_with(node));
    all.push((node.to_owned(), nodes.map(processor_time).sum()));
    all.push(("load".to_owned(), processor_time(own)));
    all
}

/// User and system time together (proc(5), fields 14 and 15).
fn processor_time(id: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let after = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 =
        after.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap_or(0)).sum();
    Duration::from_millis(ticks * 10)
}

fn name(id: u32) -> String {
    std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default()
}

/// The processes that this thread's process started (its main thread did).
fn children(of: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{of}/task/{of}/children"));
    text.unwrap_or_default().split_whitespace().filter_map(|id| id.parse().ok()).collect()
}
