//! What sqlite-es and postgres-es 0.5 do through cqrs-es: commands a second by 1, 16 and 256
//! clients, each of which makes one event of the size that `store/benches/append.rs` uses. Never
//! linked by the product: they sit on an older sqlx and SQLite.
//!
//! `cargo run --release [-- ROUNDS]`

#[path = "../../tests/src/postgres.rs"]
mod cluster;

use std::collections::HashMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cluster::Cluster;
use cqrs_es::CqrsFramework;
use cqrs_es::persist::{PersistedEventRepository, PersistedEventStore};
use postgres_es::{PostgresCqrs, default_postgress_pool, postgres_cqrs};
use sqlite_es::{SqliteCqrs, sqlite_cqrs};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use strongroom_benches_es::{PAYLOAD, Transfer};
use uuid::Uuid;

const ROUND: Duration = Duration::from_millis(500);

/// The table of sqlite-es's own migration, without the ones that nothing here uses.
const SQLITE: &str = "CREATE TABLE events (
  aggregate_type text NOT NULL, aggregate_id text NOT NULL,
  sequence integer CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL,
  event_version text NOT NULL, payload text NOT NULL, metadata text NOT NULL,
  PRIMARY KEY (aggregate_type, aggregate_id, sequence)) STRICT";

/// The table of postgres-es's own `db/init.sql`, likewise.
const POSTGRES: &str = "CREATE TABLE events (
  aggregate_type text NOT NULL, aggregate_id text NOT NULL,
  sequence bigint CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL,
  event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
  PRIMARY KEY (aggregate_type, aggregate_id, sequence))";

type Cqrs<R> = CqrsFramework<Transfer, PersistedEventStore<R, Transfer>>;

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

async fn sqlite(path: &Path, synchronous: SqliteSynchronous) -> SqliteCqrs<Transfer> {
    let options = SqliteConnectOptions::from_str(&format!("sqlite://{}", path.display()))
        .expect("a path is a connection string")
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .busy_timeout(Duration::from_secs(60));
    // Ten connections, as sqlite-es's own `default_sqlite_pool` has.
    let pool = SqlitePoolOptions::new().max_connections(10).connect_with(options).await;
    let pool = pool.expect("a new database opens");
    sqlx::query(SQLITE).execute(&pool).await.expect("a new database has no table");
    sqlite_cqrs(pool, vec![], ())
}

/// Ten connections too, which is its own default.
async fn postgres(url: &str) -> PostgresCqrs<Transfer> {
    let pool = default_postgress_pool(url).await;
    sqlx::query(POSTGRES).execute(&pool).await.expect("a new database has no table");
    postgres_cqrs(pool, vec![], ())
}

/// One command after the other; how long each took, and how many failed.
async fn client<R>(cqrs: Arc<Cqrs<R>>, until: Instant) -> (Vec<Duration>, u64)
where
    R: PersistedEventRepository,
{
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

async fn measure<R>(name: &str, clients: usize, rounds: u32, cqrs: Cqrs<R>)
where
    R: PersistedEventRepository + 'static,
{
    let cqrs = Arc::new(cqrs);
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
    let percentile =
        |of: usize| taken.get(taken.len() * of / 100).map_or(0.0, |one| one.as_secs_f64() * 1000.0);
    println!(
        "{name:>15} {clients:>9} {:>12.0} {:>8.2} {:>8.2} {failed:>8}",
        taken.len() as f64 / spent.as_secs_f64(),
        percentile(50),
        percentile(99),
    );
}

#[tokio::main]
async fn main() {
    let rounds: u32 = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(8);
    let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).expect("a directory");
    let cluster = Cluster::start();
    println!("{PAYLOAD} bytes of payload; {rounds} rounds of {ROUND:?}");
    println!("          store   clients   commands/s   p50 ms   p99 ms   failed");
    for clients in [1_usize, 16, 256] {
        measure("postgres-es", clients, rounds, postgres(&cluster.database()).await).await;
    }
    for (name, synchronous) in
        [("sqlite-es FULL", SqliteSynchronous::Full), ("… NORMAL", SqliteSynchronous::Normal)]
    {
        for clients in [1_usize, 16, 256] {
            let path = directory.path().join(format!("{name}-{clients}.db"));
            measure(name, clients, rounds, sqlite(&path, synchronous.clone()).await).await;
        }
    }
}
