//! What sqlite-es 0.5 does through cqrs-es: commands a second by 1, 16 and 256 clients, each of
//! which makes one event of the size that `store/benches/append.rs` uses. Never linked by the
//! product: it sits on an older sqlx and SQLite.
//!
//! `cargo run --release [-- ROUNDS]`

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};
use sqlite_es::{SqliteCqrs, sqlite_cqrs};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use uuid::Uuid;

const ROUND: Duration = Duration::from_millis(500);
const PAYLOAD: usize = 300;

/// The table of sqlite-es's own migration, without the ones that nothing here uses.
const EVENTS: &str = "CREATE TABLE events (
  aggregate_type text NOT NULL, aggregate_id text NOT NULL,
  sequence integer CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL,
  event_version text NOT NULL, payload text NOT NULL, metadata text NOT NULL,
  PRIMARY KEY (aggregate_type, aggregate_id, sequence)) STRICT";

#[derive(Default, Serialize, Deserialize)]
struct Transfer {
    events: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Requested {
    after: String,
}

impl DomainEvent for Requested {
    fn event_type(&self) -> String {
        "transfer.requested".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Transfer {
    const TYPE: &'static str = "transfer";
    type Command = ();
    type Event = Requested;
    type Error = Infallible;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), sink: &EventSink<Self>) -> Result<(), Infallible> {
        // `{"after":"…"}` is 12 bytes without what is in it.
        let after = format!("{:0width$}", self.events, width = PAYLOAD - 12);
        sink.write(Requested { after }, self).await;
        Ok(())
    }

    fn apply(&mut self, _: Requested) {
        self.events += 1;
    }
}

/// What an entry of the log carries beside its payload.
fn metadata() -> HashMap<String, String> {
    let text = |key: &str, value: String| (key.to_owned(), value);
    HashMap::from([
        text("actor", "person:01920000-0000-7000-8000-000000000001".to_owned()),
        text("command", Uuid::now_v7().to_string()),
        text("correlation", Uuid::now_v7().to_string()),
        text("causation", Uuid::now_v7().to_string()),
        text("time", "2026-11-22T17:18:00.000000Z".to_owned()),
    ])
}

async fn open(path: &Path, synchronous: SqliteSynchronous) -> SqliteCqrs<Transfer> {
    let options = SqliteConnectOptions::from_str(&format!("sqlite://{}", path.display()))
        .expect("a path is a connection string")
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .busy_timeout(Duration::from_secs(60));
    // Ten connections, as sqlite-es's own `default_sqlite_pool` has.
    let pool = SqlitePoolOptions::new().max_connections(10).connect_with(options).await;
    let pool = pool.expect("a new database opens");
    sqlx::query(EVENTS).execute(&pool).await.expect("a new database has no table");
    sqlite_cqrs(pool, vec![], ())
}

/// One command after the other; how long each took, and how many failed.
async fn client(cqrs: Arc<SqliteCqrs<Transfer>>, until: Instant) -> (Vec<Duration>, u64) {
    let (mut taken, mut failed) = (Vec::new(), 0);
    loop {
        // An aggregate lives for ten events, as in the other bench.
        let id = Uuid::now_v7().to_string();
        for _ in 0..10 {
            let start = Instant::now();
            if start >= until {
                return (taken, failed);
            }
            match cqrs.execute_with_metadata(&id, (), metadata()).await {
                Ok(()) => taken.push(start.elapsed()),
                Err(_) => failed += 1,
            }
        }
    }
}

#[tokio::main]
async fn main() {
    let rounds: u32 = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(8);
    let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).expect("a directory");
    println!("{PAYLOAD} bytes of payload; {rounds} rounds of {ROUND:?}");
    println!("synchronous   clients   commands/s   p50 ms   p99 ms   failed");
    for (name, synchronous) in
        [("FULL", SqliteSynchronous::Full), ("NORMAL", SqliteSynchronous::Normal)]
    {
        for clients in [1_usize, 16, 256] {
            let path = directory.path().join(format!("{name}-{clients}.db"));
            let cqrs = Arc::new(open(&path, synchronous.clone()).await);
            let (mut taken, mut failed, mut spent) = (Vec::new(), 0, Duration::ZERO);
            for _ in 0..rounds {
                let start = Instant::now();
                let tasks = (0..clients)
                    .map(|_| tokio::spawn(client(Arc::clone(&cqrs), start + ROUND)))
                    .collect::<Vec<_>>();
                for task in tasks {
                    let (times, failures) = task.await.expect("a client does not panic");
                    taken.extend(times);
                    failed += failures;
                }
                spent += start.elapsed();
            }
            taken.sort_unstable();
            let percentile = |of: usize| {
                taken.get(taken.len() * of / 100).map_or(0.0, |one| one.as_secs_f64() * 1000.0)
            };
            println!(
                "{name:>11} {clients:>9} {:>12.0} {:>8.2} {:>8.2} {failed:>8}",
                taken.len() as f64 / spent.as_secs_f64(),
                percentile(50),
                percentile(99),
            );
        }
    }
}
