//! A server that is asked for far more than it takes: it says so at once, stays whole, and keeps
//! what it acknowledged. Never measures a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use strongroom_domain::Network;
use strongroom_store::{AuditLog, Position};
use strongroom_tests::deployment::{Deployment, Networks};
use strongroom_tests::journey::{PATIENCE, text};

/// Requests under way that the server takes.
const IN_FLIGHT: usize = 16;
/// Callers that ask without a pause, each on a connection of its own.
const CALLERS: usize = 300;
const REQUESTS: usize = 30_000;
/// Which of a caller's requests reads instead of appending.
const READ_EVERY: usize = 4;

/// What was answered.
#[derive(Default)]
struct Answers {
    by_status: BTreeMap<u16, usize>,
    /// Accounts that were opened, by the server's word.
    opened: BTreeSet<String>,
    /// Statuses of a refusal that did not say when to come back.
    without_time: BTreeSet<u16>,
    other: Vec<String>,
}

/// The memory of the server while it is asked, in KiB.
#[derive(Default)]
struct Memory {
    samples: Vec<u64>,
}

impl Memory {
    fn sample(&mut self, process: u32) {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        let kib = line.split_whitespace().nth(1).unwrap();
        self.samples.push(kib.parse().unwrap());
    }

    /// It may fill its caches and pools in the first half; after that it has what it needs. A queue
    /// without a bound would hold thousands of requests more in the second.
    fn assert_flat(&self) {
        let (first, second) = self.samples.split_at(self.samples.len() / 2);
        let (first, second) = (first.iter().max().unwrap(), second.iter().max().unwrap());
        println!("{} samples of memory, at most {first} and {second} KiB", self.samples.len());
        assert!(*second < first * 3 / 2 + 16 * 1024, "memory grows: {:?}", self.samples);
    }
}

#[test]
fn under_overload_it_says_so_stays_whole_and_keeps_what_it_acknowledged() {
    let root = tempfile::tempdir().unwrap();
    let mut strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
    strongroom.server.stop();
    let file = strongroom.server.folder.join("strongroom.toml");
    let configuration = std::fs::read_to_string(&file).unwrap();
    let limits = format!("{configuration}\n[limits]\nin_flight = {IN_FLIGHT}\n");
    std::fs::write(&file, limits).unwrap();
    strongroom.server.start();

    let (answers, memory, healthy) = ask_too_much(&strongroom);
    println!("{:?}, {} accounts, {healthy} times healthy", answers.by_status, answers.opened.len());
    assert!(answers.other.is_empty(), "{:?}", answers.other);
    assert!(answers.without_time.is_empty(), "no Retry-After with {:?}", answers.without_time);
    let took = |status| answers.by_status.get(&status).copied().unwrap_or(0);
    assert!(took(503) + took(429) > REQUESTS / 10, "it was never too much");
    assert!(answers.opened.len() > 100, "it did nothing");
    assert!(healthy > 10, "nobody asked whether it lives");
    memory.assert_flat();

    // Afterwards it serves as before, and everything that it acknowledged is in the log.
    let client = strongroom.desk.initiator();
    let last = text(&client.post("/accounts", &json!({"asset": asset()})).ok(), "account");
    // The tables are behind the log; they are whole up to the last one that they show.
    client.wait(&format!("/accounts/{last}"), PATIENCE, |_| true);
    strongroom.server.stop();
    let missing: Vec<_> = answers.opened.difference(&in_the_log(&strongroom)).cloned().collect();
    assert!(missing.is_empty(), "acknowledged, but not there: {missing:?}");
    super::spine::the_audit_agrees(&strongroom);
    strongroom.stop();
}

fn asset() -> String {
    Network::LitecoinRegtest.native_asset().to_string()
}

/// Streams of the log, which verifies: `account-<id>` for each account.
fn in_the_log(strongroom: &Deployment) -> BTreeSet<String> {
    let log = AuditLog::open_read_only(strongroom.log_file()).unwrap();
    let head = log.verify_all().unwrap();
    let mut next = Position::FIRST;
    let mut accounts = BTreeSet::new();
    while next <= head.position {
        for record in log.read_from(next, 1000).unwrap() {
            if let Some(account) = record.entry.stream.strip_prefix("account-") {
                accounts.insert(account.to_owned());
            }
            next = record.entry.position.next().unwrap();
        }
    }
    accounts
}

/// Every caller at once, until all requests were answered; and meanwhile, how the server is.
fn ask_too_much(strongroom: &Deployment) -> (Answers, Memory, usize) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let token_file = &strongroom.desk.institution.initiator.token_file;
    let token = std::fs::read_to_string(token_file).unwrap().trim().to_owned();
    let url = strongroom.desk.url.clone();
    let answers = Arc::new(Mutex::new(Answers::default()));
    let left = Arc::new(AtomicUsize::new(REQUESTS));
    let done = Arc::new(AtomicBool::new(false));
    let process = strongroom.server.id();
    runtime.block_on(async {
        let watch = tokio::spawn(watch(url.clone(), process, Arc::clone(&done)));
        let callers = (0..CALLERS).map(|_| {
            let (url, token, left) = (url.clone(), token.clone(), Arc::clone(&left));
            tokio::spawn(call(url, token, left, Arc::clone(&answers)))
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.unwrap();
        }
        done.store(true, Ordering::Relaxed);
        let (memory, healthy) = watch.await.unwrap();
        let answers = std::mem::take(&mut *answers.lock().unwrap());
        (answers, memory, healthy)
    })
}

async fn call(url: String, token: String, left: Arc<AtomicUsize>, answers: Arc<Mutex<Answers>>) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let take = |left: usize| left.checked_sub(1);
    while let Ok(number) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
        let request = if number.is_multiple_of(READ_EVERY) {
            http.get(format!("{url}/api/v1/accounts?limit=100"))
        } else {
            http.post(format!("{url}/api/v1/accounts"))
                .header("Idempotency-Key", format!("overload-{number}"))
                .json(&json!({"asset": asset()}))
        };
        let answer = request.bearer_auth(&token).send().await;
        let (status, waits, body) = match answer {
            Ok(answer) => {
                let waits = answer.headers().contains_key("retry-after");
                (answer.status().as_u16(), waits, answer.json::<Value>().await)
            }
            Err(error) => {
                answers.lock().unwrap().other.push(error.to_string());
                continue;
            }
        };
        let mut answers = answers.lock().unwrap();
        *answers.by_status.entry(status).or_default() += 1;
        match (status, body) {
            (200..300, Ok(body)) if body["account"].is_string() => {
                answers.opened.insert(text(&body, "account"));
            }
            (429 | 503, _) if !waits => drop(answers.without_time.insert(status)),
            (200..300, Ok(_)) | (429 | 503, _) => {}
            (status, body) => answers.other.push(format!("{status} {body:?}")),
        }
    }
}

/// Whether it lives, and its memory, until told to end.
async fn watch(url: String, process: u32, done: Arc<AtomicBool>) -> (Memory, usize) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let (mut memory, mut healthy) = (Memory::default(), 0);
    while !done.load(Ordering::Relaxed) {
        let answer = http.get(format!("{url}/healthz")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "it is not answered whether it lives");
        healthy += 1;
        memory.sample(process);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    (memory, healthy)
}
