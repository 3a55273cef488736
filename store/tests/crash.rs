//! A writer that is killed at any moment: what was acknowledged is there, once, and the log
//! verifies. Never pretends to crash: the writer is a process of its own and gets SIGKILL.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use strongroom_store::conformance::append_to;
use strongroom_store::{AppendError, AppendLog, AuditLog, Idempotency, Position, SqliteLog};

const LOG: &str = "STRONGROOM_CRASH_TEST_LOG";
const WRITERS: u64 = 16;

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

/// Appends to its own stream for ever, and says each position once it was acknowledged.
async fn write(log: Arc<SqliteLog>, number: u64) {
    let stream = format!("writer:{number}");
    loop {
        let sequence = strongroom_store::ReadLog::stream_sequence(&*log, &stream).await.unwrap();
        for sequence in sequence.. {
            let mut append = append_to(&[(&stream, sequence)]);
            append.idempotency = Some(Idempotency {
                caller: stream.clone(),
                key: sequence.to_string(),
                request_sha256: strongroom_store::ledger::payload_hash(b"body"),
                outcome: sequence.to_string().into_bytes(),
            });
            match log.append(append).await {
                Ok(appended) => {
                    let position = appended.positions.unwrap().last;
                    // One write call: a line is whole or missing.
                    let line = format!("acknowledged {number} {sequence} {position}\n");
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
                Err(AppendError::Unavailable { .. }) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
    }
}

/// (writer, sequence before, position) of each acknowledgement until the kill.
fn run_and_kill(path: &Path, after: usize) -> Vec<(u64, u64, u64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer_process", "--nocapture"])
        .env(LOG, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    let mut killed = false;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // The test harness prints the name of the test before the first line, without a newline.
        let Some((_, numbers)) = line.split_once("acknowledged ") else { continue };
        let numbers: Vec<u64> = numbers.split(' ').map(|one| one.parse().unwrap()).collect();
        let [writer, sequence, position] = numbers.try_into().unwrap();
        acknowledged.push((writer, sequence, position));
        if acknowledged.len() >= after && !killed {
            // SIGKILL. What is in the pipe by now was acknowledged and is read on.
            child.kill().unwrap();
            killed = true;
        }
    }
    assert!(killed, "the writer ended by itself");
    child.wait().unwrap();
    acknowledged
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.db");
    let mut all: BTreeSet<(u64, u64, u64)> = BTreeSet::new();
    for round in 0..15 {
        // Early kills hit the start, later ones batches, and some a checkpoint.
        let acknowledged = run_and_kill(&path, 1 + round * round * 12);
        for one in acknowledged {
            assert!(all.insert(one), "{one:?} was acknowledged twice");
        }
        let audit = AuditLog::open_read_only(&path).unwrap();
        let head = audit.verify_all().unwrap();
        assert!(head.position.get() >= u64::try_from(all.len()).unwrap());
        let placed = all.iter().map(|(_, _, position)| *position).collect::<BTreeSet<_>>();
        assert_eq!(placed.len(), all.len(), "two appends share a position");
        for (writer, sequence, position) in &all {
            let place = Position::new(*position).unwrap();
            let record = audit.read_from(place, 1).unwrap().remove(0);
            assert_eq!(record.entry.stream, format!("writer:{writer}"));
            assert_eq!(record.entry.sequence, sequence + 1);
            let kept = audit.outcome(&record.entry.stream, &sequence.to_string()).unwrap();
            assert_eq!(kept.unwrap().positions.unwrap().last, place);
        }
    }
    let log = SqliteLog::open(&path).unwrap();
    assert_eq!(log.verify_all().unwrap(), strongroom_store::ReadLog::head(&log));
}
