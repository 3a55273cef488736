//! What group commit costs: durable appends of one event each, by 1, 16 and 256 writers, against a
//! bare rusqlite insert of the same bytes in batches of the same size. Never compares two machines
//! or two moments: both sides take turns in one run, and what counts is the ratio.
//!
//! `cargo bench -p strongroom-store [-- SECONDS-PER-ROUND]`

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has nothing to report")]
#![expect(clippy::print_stdout, reason = "it reports on standard output")]
#![expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "rates and ratios")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use strongroom_store::{
    Append, AppendLog, Expected, NewEvent, Position, ReadLog, Record, SqliteLog,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

const ROUNDS: usize = 4;
const PAYLOAD: usize = 300;

/// The table and index of a log, and nothing else of it.
const BARE: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE entries (position INTEGER PRIMARY KEY, stream INTEGER NOT NULL,
    sequence INTEGER NOT NULL, entry BLOB NOT NULL, payload BLOB NOT NULL) STRICT;
  CREATE UNIQUE INDEX entries_of_stream ON entries (stream, sequence);";

fn append(stream: &str, sequence: u64) -> Append {
    let event = NewEvent {
        stream: stream.to_owned(),
        r#type: "transfer.requested".to_owned(),
        version: 1,
        payload: format!(r#"{{"after":"{sequence:0width$}"}}"#, width = PAYLOAD - 12).into_bytes(),
    };
    Append {
        expected: vec![Expected { stream: stream.to_owned(), sequence }],
        events: vec![event],
        actor: "person:01920000-0000-7000-8000-000000000001".to_owned(),
        command: Uuid::from_u128(1 << 100),
        correlation: Uuid::from_u128(2 << 100),
        causation: Some(Uuid::from_u128(3 << 100)),
        idempotency: None,
    }
}

/// One event after the other, each when the one before is durable. How long each took.
async fn writer(log: Arc<SqliteLog>, until: Instant) -> Vec<Duration> {
    let mut taken = Vec::new();
    loop {
        // A stream lives for ten events, as a transfer does.
        let stream = format!("transfer:{}", Uuid::now_v7());
        for sequence in 0..10 {
            let start = Instant::now();
            if start >= until {
                return taken;
            }
            log.append(append(&stream, sequence)).await.unwrap();
            taken.push(start.elapsed());
        }
    }
}

struct Round {
    seconds: f64,
    taken: Vec<Duration>,
    commits: u64,
    records: Vec<Record>,
}

fn ours(runtime: &Runtime, path: &Path, writers: usize, length: Duration) -> Round {
    let log = Arc::new(SqliteLog::open(path).unwrap());
    let start = Instant::now();
    let taken: Vec<Duration> = runtime.block_on(async {
        let tasks: Vec<_> =
            (0..writers).map(|_| tokio::spawn(writer(Arc::clone(&log), start + length))).collect();
        let mut taken = Vec::new();
        for task in tasks {
            taken.extend(task.await.unwrap());
        }
        taken
    });
    let seconds = start.elapsed().as_secs_f64();
    let records = runtime.block_on(async {
        let mut records: Vec<Record> = Vec::new();
        loop {
            let next = u64::try_from(records.len()).unwrap() + 1;
            let page = log.read_from(Position::new(next).unwrap(), 1000).await.unwrap();
            if page.is_empty() {
                return records;
            }
            records.extend(page);
        }
    });
    Round { seconds, taken, commits: log.commits(), records }
}

/// Inserts the same bytes, `batch` rows a transaction; how many rows a second.
fn bare(path: &Path, records: &[Record], batch: usize) -> f64 {
    let db = Connection::open(path).unwrap();
    db.execute_batch(BARE).unwrap();
    let mut insert = db.prepare("INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5)").unwrap();
    let streams: Vec<i64> = {
        let mut ids = std::collections::HashMap::new();
        let rows = records.iter().map(|one| {
            let position = i64::try_from(one.entry.position.get()).unwrap();
            *ids.entry(&one.entry.stream).or_insert(position)
        });
        rows.collect()
    };
    let start = Instant::now();
    for (rows, ids) in records.chunks(batch).zip(streams.chunks(batch)) {
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        for (row, id) in rows.iter().zip(ids) {
            let position = i64::try_from(row.entry.position.get()).unwrap();
            let sequence = i64::try_from(row.entry.sequence).unwrap();
            insert.execute(params![position, id, sequence, row.bytes, row.payload]).unwrap();
        }
        db.execute_batch("COMMIT").unwrap();
    }
    records.len() as f64 / start.elapsed().as_secs_f64()
}

fn main() {
    let seconds = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(2);
    let length = Duration::from_secs(seconds);
    let runtime = Runtime::new().unwrap();
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    println!("{PAYLOAD} bytes of payload; {ROUNDS} rounds of {seconds} s, taking turns");
    println!("writers   appends/s   p50 ms   p99 ms   rows/commit   bare rows/s   ratio");
    for writers in [1_usize, 16, 256] {
        let (mut rate, mut against, mut batch) = (0.0, 0.0, 0.0);
        let mut taken = Vec::new();
        for round in 0..ROUNDS {
            let name = |kind| directory.path().join(format!("{kind}-{writers}-{round}.db"));
            let one = ours(&runtime, &name("ours"), writers, length);
            let rows = one.records.len() as f64;
            let per_commit = rows / one.commits as f64;
            batch += per_commit / ROUNDS as f64;
            rate += rows / one.seconds / ROUNDS as f64;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1..=256")]
            let size = per_commit.round().max(1.0) as usize;
            against += bare(&name("bare"), &one.records, size) / ROUNDS as f64;
            taken.extend(one.taken);
        }
        taken.sort_unstable();
        let percentile = |of: usize| {
            taken.get(taken.len() * of / 100).map_or(0.0, |one| one.as_secs_f64() * 1000.0)
        };
        println!(
            "{writers:>7} {rate:>11.0} {:>8.2} {:>8.2} {batch:>13.1} {against:>13.0} {:>6.0} %",
            percentile(50),
            percentile(99),
            rate / against * 100.0
        );
    }
}
