//! What group commit on PostgreSQL costs: durable appends of one event each, by 1, 16 and 256
//! writers, against a bare `INSERT … SELECT FROM unnest` of the same rows in batches of the same
//! size, on the same server. Never compares two machines or two moments: both sides take turns in
//! one run, and what counts is the ratio.
//!
//! `cargo bench -p strongroom-store --bench postgres [-- ROUNDS]`; `TMPDIR` names the disk.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has nothing to report")]
#![expect(clippy::print_stdout, reason = "it reports on standard output")]
#![expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "rates and ratios")]

#[path = "../../tests/src/postgres.rs"]
mod cluster;

use std::time::{Duration, Instant};

use cluster::Cluster;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, Row};
use strongroom_store::{
    Append, AppendLog, Expected, NewEvent, Options, Position, PostgresLog, ReadLog,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

const ROUND: Duration = Duration::from_millis(250);
const PAYLOAD: usize = 300;

/// The table of a log with its indexes, and nothing else of it.
const BARE: &str = r#"CREATE TABLE bare (
  aggregate_type text COLLATE "C" NOT NULL, aggregate_id text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL, event_type text COLLATE "C" NOT NULL,
  event_version text COLLATE "C" NOT NULL, payload json NOT NULL, metadata json NOT NULL,
  position bigint NOT NULL UNIQUE, entry bytea NOT NULL,
  PRIMARY KEY (aggregate_type, aggregate_id, sequence))"#;
const INSERT: &str = "INSERT INTO bare SELECT t, i, s, e, v, p::json, m::json, n, b
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::bigint[], $9::bytea[]) AS rows (t, i, s, e, v, p, m, n, b)";
const ROWS: &str = "SELECT aggregate_type, aggregate_id, sequence, event_type, event_version,
    payload::text, metadata::text, position, entry
  FROM strongroom_log.events WHERE position > $1 ORDER BY position";

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
async fn writer(log: PostgresLog, until: Instant) -> Vec<Duration> {
    let mut taken = Vec::new();
    loop {
        // A stream lives for ten events, as a transfer does.
        let stream = format!("transfer-{}", Uuid::now_v7());
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

/// A log under load, and the bare table that gets the same rows.
struct Pair {
    log: PostgresLog,
    bare: PgConnection,
}

#[derive(Default)]
struct Sum {
    ours: Duration,
    bare: Duration,
    /// Of each round.
    ratios: Vec<f64>,
    rows: u64,
    commits: u64,
    taken: Vec<Duration>,
}

impl Pair {
    async fn open(url: &str) -> Self {
        let log = PostgresLog::open(url, &Options::default()).await.unwrap();
        let mut bare = PgConnection::connect(url).await.unwrap();
        sqlx::query(BARE).execute(&mut bare).await.unwrap();
        Self { log, bare }
    }

    /// Appends for a while, then inserts the same rows bare, as many to a commit as ours had.
    async fn round(&mut self, writers: usize, sum: &mut Sum) {
        let (from, commits) = (self.log.head().position, self.log.commits());
        let start = Instant::now();
        let until = start + ROUND;
        let tasks = (0..writers).map(|_| tokio::spawn(writer(self.log.clone(), until)));
        for task in tasks.collect::<Vec<_>>() {
            sum.taken.extend(task.await.unwrap());
        }
        let ours = start.elapsed();
        sum.ours += ours;
        let commits = self.log.commits() - commits;
        let rows = self.rows_after(from).await;
        let count = u64::try_from(rows.len()).unwrap();
        let batch = usize::try_from(count.div_ceil(commits)).unwrap();
        let mut batches: Vec<_> = rows.chunks(batch).map(Batch::of).collect();
        let start = Instant::now();
        for batch in batches.drain(..) {
            batch.insert(&mut self.bare).await;
        }
        let bare = start.elapsed();
        sum.bare += bare;
        sum.ratios.push(bare.div_duration_f64(ours) * 100.0);
        sum.rows += count;
        sum.commits += commits;
    }

    async fn rows_after(&mut self, from: Position) -> Vec<PgRow> {
        let from = i64::try_from(from.get()).unwrap();
        sqlx::query(ROWS).bind(from).fetch_all(&mut self.bare).await.unwrap()
    }
}

#[derive(Default)]
struct Batch {
    texts: [Vec<String>; 6],
    sequences: Vec<i64>,
    positions: Vec<i64>,
    entries: Vec<Vec<u8>>,
}

impl Batch {
    fn of(rows: &[PgRow]) -> Self {
        let mut batch = Self::default();
        for row in rows {
            for (texts, column) in batch.texts.iter_mut().zip([0, 1, 3, 4, 5, 6]) {
                texts.push(row.get(column));
            }
            batch.sequences.push(row.get(2));
            batch.positions.push(row.get(7));
            batch.entries.push(row.get(8));
        }
        batch
    }

    async fn insert(self, db: &mut PgConnection) {
        let [types, ids, events, versions, payloads, metadatas] = self.texts;
        sqlx::query(INSERT)
            .bind(types)
            .bind(ids)
            .bind(self.sequences)
            .bind(events)
            .bind(versions)
            .bind(payloads)
            .bind(metadatas)
            .bind(self.positions)
            .bind(self.entries)
            .execute(db)
            .await
            .unwrap();
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
    let cluster = Cluster::start();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{PAYLOAD} bytes of payload; {rounds} rounds of {ROUND:?}, taking turns");
    println!("load {}; ratio: median of the rounds (quartiles)", load.trim());
    println!("writers   appends/s   p50 ms   p99 ms   rows/commit   bare rows/s   ratio");
    for writers in [1_usize, 16, 256] {
        let mut sum = Sum::default();
        runtime.block_on(async {
            let mut pair = Pair::open(&cluster.database()).await;
            // The first round fills caches and lets both tables grow.
            pair.round(writers, &mut Sum::default()).await;
            for _ in 0..rounds {
                pair.round(writers, &mut sum).await;
            }
        });
        sum.taken.sort_unstable();
        let percentile = |of: usize| {
            sum.taken.get(sum.taken.len() * of / 100).map_or(0.0, |one| one.as_secs_f64() * 1000.0)
        };
        let rows = sum.rows as f64;
        println!(
            "{writers:>7} {:>11.0} {:>8.2} {:>8.2} {:>13.1} {:>13.0}   {}",
            rows / sum.ours.as_secs_f64(),
            percentile(50),
            percentile(99),
            rows / sum.commits as f64,
            rows / sum.bare.as_secs_f64(),
            quartiles(sum.ratios)
        );
    }
}
