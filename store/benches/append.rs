//! What group commit, chain and tree cost: durable appends of one event each, by 1, 16 and 256
//! writers, against a bare rusqlite insert of the same bytes: in batches of the size that ours had,
//! and in batches of one row for each writer, which is the best that a group commit could do. Never
//! compares two machines or two moments: all take turns in one run, and what counts is the ratio.
//!
//! `cargo bench -p strongroom-store [-- ROUNDS]`; `BENCH_DIR` names the disk.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has nothing to report")]
#![expect(clippy::print_stdout, reason = "it reports on standard output")]
#![expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "rates and ratios")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use strongroom_store::{
    Append, AppendLog, Expected, NewEvent, PAGE_LIMIT, Position, ReadLog, Record, SqliteLog,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

const ROUND: Duration = Duration::from_millis(250);
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
        payload: [br#"{"note":""#, [b'x'; PAYLOAD - 11].as_slice(), br#""}"#].concat(),
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

/// A log under load, and the bare tables that get the same rows.
struct Trio {
    log: Arc<SqliteLog>,
    alike: Bare,
    full: Bare,
}

struct Bare {
    db: Connection,
    streams: HashMap<String, i64>,
}

#[derive(Default)]
struct Sum {
    ours: Duration,
    /// Of each round, against the bare inserts.
    alike: Vec<f64>,
    full: Vec<f64>,
    rows: u64,
    commits: u64,
    taken: Vec<Duration>,
}

impl Trio {
    fn open(directory: &Path, writers: usize) -> Self {
        let log = SqliteLog::open(directory.join(format!("ours-{writers}.db"))).unwrap();
        let bare = |name| Bare::open(&directory.join(format!("{name}-{writers}.db")));
        Self { log: Arc::new(log), alike: bare("alike"), full: bare("full") }
    }

    /// Appends for `length`, then inserts the same rows bare, in both sizes of a batch.
    fn round(&mut self, runtime: &Runtime, writers: usize, length: Duration, sum: &mut Sum) {
        let (from, commits) = (self.log.head().position, self.log.commits());
        let start = Instant::now();
        let log = &self.log;
        runtime.block_on(async {
            let until = start + length;
            let tasks = (0..writers).map(|_| tokio::spawn(writer(Arc::clone(log), until)));
            for task in tasks.collect::<Vec<_>>() {
                sum.taken.extend(task.await.unwrap());
            }
        });
        let ours = start.elapsed();
        sum.ours += ours;
        let commits = log.commits() - commits;
        let records = runtime.block_on(read_after(log, from));
        let rows = u64::try_from(records.len()).unwrap();
        let alike = self.alike.insert(&records, usize::try_from(rows.div_ceil(commits)).unwrap());
        let full = self.full.insert(&records, writers);
        sum.alike.push(alike.div_duration_f64(ours) * 100.0);
        sum.full.push(full.div_duration_f64(ours) * 100.0);
        sum.rows += rows;
        sum.commits += commits;
    }
}

impl Bare {
    fn open(path: &Path) -> Self {
        let db = Connection::open(path).unwrap();
        db.execute_batch(BARE).unwrap();
        Self { db, streams: HashMap::new() }
    }

    fn insert(&mut self, records: &[Record], batch: usize) -> Duration {
        let rows: Vec<(i64, i64, i64, &Record)> = records
            .iter()
            .map(|row| {
                let position = i64::try_from(row.entry.position.get()).unwrap();
                let sequence = i64::try_from(row.entry.sequence).unwrap();
                let stream = self.streams.entry(row.entry.stream.clone()).or_insert(position);
                (position, *stream, sequence, row)
            })
            .collect();
        let mut insert =
            self.db.prepare("INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5)").unwrap();
        let start = Instant::now();
        for rows in rows.chunks(batch) {
            self.db.execute_batch("BEGIN IMMEDIATE").unwrap();
            for (position, stream, sequence, row) in rows {
                insert
                    .execute(params![position, stream, sequence, row.bytes, row.payload])
                    .unwrap();
            }
            self.db.execute_batch("COMMIT").unwrap();
        }
        start.elapsed()
    }
}

async fn read_after(log: &SqliteLog, after: Position) -> Vec<Record> {
    let (mut records, mut next) = (Vec::new(), after.next().unwrap());
    loop {
        let page = log.read_from(next, PAGE_LIMIT).await.unwrap();
        let Some(last) = page.last() else { return records };
        next = last.entry.position.next().unwrap();
        records.extend(page);
    }
}

/// The median, and where the middle half lies.
fn quartiles(mut ratios: Vec<f64>) -> String {
    ratios.sort_unstable_by(f64::total_cmp);
    let of = |quarter: usize| ratios.get(ratios.len() * quarter / 4).copied().unwrap_or(f64::NAN);
    format!("{:.0} % ({:.0} to {:.0})", of(2), of(1), of(3))
}

fn main() {
    let rounds: u32 = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(24);
    let runtime = Runtime::new().unwrap();
    let place = std::env::var("BENCH_DIR").unwrap_or(env!("CARGO_TARGET_TMPDIR").to_owned());
    let directory = tempfile::tempdir_in(place).unwrap();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{PAYLOAD} bytes of payload; {rounds} rounds of {ROUND:?}, taking turns");
    println!("load {}; ratios: median of the rounds (quartiles)", load.trim());
    println!(
        "writers   appends/s   p50 ms   p99 ms   rows/commit   to bare   to bare in full batches"
    );
    for writers in [1_usize, 16, 256] {
        let mut trio = Trio::open(directory.path(), writers);
        // The first round fills caches and lets both files grow.
        trio.round(&runtime, writers, ROUND, &mut Sum::default());
        let mut sum = Sum::default();
        (0..rounds).for_each(|_| trio.round(&runtime, writers, ROUND, &mut sum));
        sum.taken.sort_unstable();
        let percentile = |of: usize| {
            sum.taken.get(sum.taken.len() * of / 100).map_or(0.0, |one| one.as_secs_f64() * 1000.0)
        };
        let rows = sum.rows as f64;
        println!(
            "{writers:>7} {:>11.0} {:>8.2} {:>8.2} {:>13.1}   {}   {}",
            rows / sum.ours.as_secs_f64(),
            percentile(50),
            percentile(99),
            rows / sum.commits as f64,
            quartiles(sum.alike),
            quartiles(sum.full)
        );
    }
}
