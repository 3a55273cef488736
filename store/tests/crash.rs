//! A writer that is killed at any moment, two hundred times: what was acknowledged is there, once,
//! and the log verifies. Never pretends to crash: the writer is a process of its own and gets
//! SIGKILL.
//!
//! The moments are drawn from a seed, which a failure prints; what the kernel does at such a moment
//! no seed can say. `STRONGROOM_SEED=n` draws others.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do"
)]

#[path = "faults/random.rs"]
mod random;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use random::Random;
use strongroom_store::conformance::append_to;
use strongroom_store::{
    Append, AppendError, AppendLog, AuditLog, Idempotency, PAGE_LIMIT, Position, ReadLog, SqliteLog,
};

const LOG: &str = "STRONGROOM_CRASH_TEST_LOG";
const WRITERS: u64 = 16;
const ROUNDS: u64 = 200;
/// A new log after so many rounds: each round verifies the whole of it.
const ROUNDS_OF_A_LOG: u64 = 25;

/// (writer, sequence before, position) of acknowledged appends.
type Acknowledged = BTreeSet<(u64, u64, u64)>;

/// The process that is killed. As a test of its own it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writer_process() {
    let Ok(path) = std::env::var(LOG) else { return };
    let log = Arc::new(SqliteLog::open(path).unwrap());
    let writers = (0..WRITERS).map(|number| tokio::spawn(write(Arc::clone(&log), number)));
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

fn stream(writer: u64) -> String {
    format!("writer:{writer}")
}

fn append(writer: u64, sequence: u64) -> Append {
    let mut append = append_to(&[(&stream(writer), sequence)]);
    append.idempotency = Some(Idempotency {
        caller: stream(writer),
        key: sequence.to_string(),
        request_sha256: strongroom_store::ledger::payload_hash(b"body"),
        outcome: sequence.to_string().into_bytes(),
    });
    append
}

/// Appends to its own stream for ever, and says each position once it was acknowledged.
async fn write(log: Arc<SqliteLog>, number: u64) {
    let first = log.stream_sequence(&stream(number)).await.unwrap();
    if let Some(last) = first.checked_sub(1) {
        // Whoever died before the answer came asks again.
        let again = log.append(append(number, last)).await;
        assert!(matches!(again, Err(AppendError::KeyUsed(_))), "{again:?}");
    }
    for sequence in first.. {
        loop {
            match log.append(append(number, sequence)).await {
                Ok(appended) => {
                    let position = appended.positions.unwrap().last;
                    // One write call: a line is whole or missing.
                    let line = format!("acknowledged {number} {sequence} {position}\n");
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                    break;
                }
                Err(AppendError::Unavailable { .. }) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
    }
}

/// When a writer is killed.
#[derive(Debug)]
enum Moment {
    /// Once it has acknowledged so many appends.
    Acknowledged(u64),
    /// So long after it was started: it may not have opened the log yet, or be in the middle of it.
    After(Duration),
}

impl Moment {
    fn draw(random: &mut Random) -> Self {
        if random.once_in(3) {
            Self::After(Duration::from_micros(random.below(60_000)))
        } else {
            Self::Acknowledged(random.scaled(500))
        }
    }
}

fn start(path: &Path) -> (Child, Receiver<(u64, u64, u64)>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer_process", "--nocapture"])
        .env(LOG, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (send, said) = channel();
    let output = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            // The test harness prints the name of the test before the first line.
            let Some((_, numbers)) = line.split_once("acknowledged ") else { continue };
            let numbers: Vec<u64> = numbers.split(' ').map(|one| one.parse().unwrap()).collect();
            let [writer, sequence, position] = numbers.try_into().unwrap();
            send.send((writer, sequence, position)).unwrap();
        }
    });
    (child, said)
}

/// What was acknowledged until the kill. What is in the pipe by then was, and is read on.
fn run_and_kill(path: &Path, moment: &Moment) -> Vec<(u64, u64, u64)> {
    let (mut child, said) = start(path);
    let mut acknowledged = Vec::new();
    match moment {
        Moment::After(delay) => std::thread::sleep(*delay),
        Moment::Acknowledged(enough) => {
            for _ in 0..*enough {
                acknowledged.push(said.recv().expect("the writer ended by itself"));
            }
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(said);
    acknowledged
}

/// Every acknowledged append is there with its bytes, once, in a log that verifies.
fn check(path: &Path, all: &Acknowledged) {
    let audit = AuditLog::open_read_only(path).unwrap();
    let head = audit.verify_all().unwrap();
    let mut found = Acknowledged::new();
    let mut next = Position::FIRST;
    while next <= head.position {
        for record in audit.read_from(next, PAGE_LIMIT).unwrap() {
            let writer: u64 = record.entry.stream.strip_prefix("writer:").unwrap().parse().unwrap();
            let before = record.entry.sequence - 1;
            assert_eq!(record.payload, format!(r#"{{"after":{before}}}"#).into_bytes());
            assert!(found.insert((writer, before, record.entry.position.get())));
            next = record.entry.position.next().unwrap();
        }
    }
    let missing: Vec<_> = all.difference(&found).collect();
    assert!(missing.is_empty(), "acknowledged, but not there: {missing:?}");
    for (writer, sequence, position) in &found {
        let kept = audit.outcome(&stream(*writer), &sequence.to_string()).unwrap().unwrap();
        assert_eq!(kept.positions.unwrap().last.get(), *position);
        assert_eq!(kept.outcome, sequence.to_string().into_bytes());
    }
}

/// Callers whose answer was lost ask again: they get the answer that was kept, or their append is
/// made now, but never twice.
fn ask_again(path: &Path, all: &mut Acknowledged) {
    let log = SqliteLog::open(path).unwrap();
    assert_eq!(log.verify_all().unwrap(), log.head());
    for writer in 0..WRITERS {
        let last = all.iter().filter(|(of, _, _)| *of == writer).map(|(_, at, _)| *at).max();
        let asked = last.map_or(0, |last| last + 1);
        for sequence in last.into_iter().chain([asked]) {
            let known = all.iter().find(|one| (one.0, one.1) == (writer, sequence)).copied();
            match (log.append_blocking(append(writer, sequence)), known) {
                (Err(AppendError::KeyUsed(kept)), Some((_, _, position))) => {
                    assert_eq!(kept.positions.unwrap().last.get(), position);
                }
                (Err(AppendError::KeyUsed(kept)), None) => {
                    all.insert((writer, sequence, kept.positions.unwrap().last.get()));
                }
                (Ok(made), None) => {
                    all.insert((writer, sequence, made.positions.unwrap().last.get()));
                }
                (answer, known) => panic!("{writer} {sequence}: {answer:?}, known {known:?}"),
            }
        }
    }
}

#[test]
fn what_was_acknowledged_survives_two_hundred_kills() {
    let seed = std::env::var("STRONGROOM_SEED").map_or(3, |text| text.parse().unwrap());
    println!("STRONGROOM_SEED={seed}");
    let mut random = Random::new(seed);
    let (mut total, mut early) = (0, 0);
    for log in 0..ROUNDS / ROUNDS_OF_A_LOG {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.db");
        let mut all = Acknowledged::new();
        for round in 0..ROUNDS_OF_A_LOG {
            let moment = Moment::draw(&mut random);
            println!("log {log}, round {round}: killed at {moment:?}");
            let acknowledged = run_and_kill(&path, &moment);
            total += acknowledged.len();
            early += u64::from(acknowledged.is_empty());
            for one in acknowledged {
                assert!(all.insert(one), "{one:?} was acknowledged twice");
            }
            // Otherwise the next writer is the first to open what this one left.
            if random.index(4) != 0 && path.exists() {
                ask_again(&path, &mut all);
                check(&path, &all);
            }
        }
        ask_again(&path, &mut all);
        check(&path, &all);
    }
    println!("{ROUNDS} kills, {early} before any answer; {total} appends acknowledged");
}
