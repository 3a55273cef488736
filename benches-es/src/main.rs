//! What sqlite-es and postgres-es 0.5 do through cqrs-es: commands a second by 1, 16 and 256
//! clients, each of which makes one event of the size that `store/benches/append.rs` uses, taking
//! turns with our log on the same disk and the same server. Never links the product: the two sit on
//! different versions of sqlx and SQLite, so our side is a program of its own.
//!
//! `cargo run --release -- TURNS [ROUNDS]`; TURNS is what
//! `cargo build --release -p strongroom-store --example turns` makes.

#[path = "../../tests/src/postgres.rs"]
mod cluster;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
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

/// Our log, in a process of its own.
struct Ours {
    process: Child,
    asks: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Ours {
    fn start(program: &str, location: &str) -> Self {
        let mut process = Command::new(program)
            .arg(location)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("our side starts");
        let asks = process.stdin.take().expect("it is piped");
        let answers = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        Self { process, asks, answers }
    }

    fn turn(&mut self, writers: usize, sum: &mut Sum) {
        writeln!(self.asks, "{writers} {}", ROUND.as_millis()).expect("our side listens");
        let line = self.answers.next().expect("our side answers").expect("with a line");
        let mut words = line.split(' ').skip(1);
        let spent = words.next().and_then(|word| word.parse().ok()).expect("seconds");
        let micros = |word: &str| Duration::from_micros(word.parse().expect("microseconds"));
        sum.add(words.map(micros).collect(), Duration::from_secs_f64(spent));
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// What one side did in all its turns.
#[derive(Default)]
struct Sum {
    taken: Vec<Duration>,
    rates: Vec<f64>,
    failed: u64,
}

impl Sum {
    fn add(&mut self, taken: Vec<Duration>, spent: Duration) {
        self.rates.push(taken.len() as f64 / spent.as_secs_f64());
        self.taken.extend(taken);
    }

    fn print(mut self, name: &str, writers: usize) {
        self.taken.sort_unstable();
        let percentile = |of: usize| {
            let one = self.taken.get(self.taken.len() * of / 100);
            one.map_or(0.0, |one| one.as_secs_f64() * 1000.0)
        };
        let (p50, p99) = (percentile(50), percentile(99));
        let (rate, least, most) = spread(self.rates);
        println!(
            "{name:>22} {writers:>7} {rate:>10.0} ({least:>6.0} to {most:>6.0}) {p50:>8.2} \
             {p99:>8.2} {:>7}",
            self.failed,
        );
    }
}

/// Median, least and most.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_unstable_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    (at(values.len() / 2), at(0), at(values.len().saturating_sub(1)))
}

async fn turn<R>(cqrs: &Arc<Cqrs<R>>, clients: usize, sum: &mut Sum)
where
    R: PersistedEventRepository + 'static,
{
    let start = Instant::now();
    let tasks = (0..clients)
        .map(|_| tokio::spawn(client(Arc::clone(cqrs), start + ROUND)))
        .collect::<Vec<_>>();
    let mut taken = Vec::new();
    for task in tasks {
        let (times, failures) = task.await.expect("a client does not panic");
        taken.extend(times);
        sum.failed += failures;
    }
    sum.add(taken, start.elapsed());
}

async fn measure<R>(name: &str, clients: usize, rounds: u32, cqrs: Cqrs<R>, mut ours: Ours)
where
    R: PersistedEventRepository + 'static,
{
    let cqrs = Arc::new(cqrs);
    let (mut theirs, mut sum) = (Sum::default(), Sum::default());
    // The first turn fills caches.
    turn(&cqrs, clients, &mut Sum::default()).await;
    ours.turn(clients, &mut Sum::default());
    for _ in 0..rounds {
        turn(&cqrs, clients, &mut theirs).await;
        ours.turn(clients, &mut sum);
    }
    let ratios = sum.rates.iter().zip(&theirs.rates).map(|(ours, theirs)| ours / theirs).collect();
    let (ratio, least, most) = spread(ratios);
    theirs.print(name, clients);
    sum.print("our log", clients);
    println!("{:>22} {clients:>7} {ratio:>8.1} × ({least:.1} to {most:.1})", "ours to theirs");
}

#[tokio::main]
async fn main() {
    let program = std::env::args().nth(1).expect("the path of our side, `turns`");
    let rounds: u32 = std::env::args().nth(2).map_or(8, |rounds| rounds.parse().expect("rounds"));
    let place = std::env::var("BENCH_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").to_owned());
    let directory = tempfile::tempdir_in(place).expect("a directory");
    let cluster = Cluster::start();
    println!("{PAYLOAD} bytes of payload; {rounds} rounds of {ROUND:?}, taking turns");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load {}", load.trim());
    println!("                 store writers a second (least to most)    p50 ms   p99 ms  failed");
    for clients in [1_usize, 16, 256] {
        let ours = Ours::start(&program, &cluster.database());
        measure("postgres-es", clients, rounds, postgres(&cluster.database()).await, ours).await;
    }
    for (name, synchronous) in [
        ("sqlite-es FULL", SqliteSynchronous::Full),
        ("sqlite-es NORMAL", SqliteSynchronous::Normal),
    ] {
        for clients in [1_usize, 16, 256] {
            let path = directory.path().join(format!("{name}-{clients}.db"));
            let log = directory.path().join(format!("ours-{name}-{clients}.db"));
            let ours = Ours::start(&program, &format!("sqlite:{}", log.display()));
            let theirs = sqlite(&path, synchronous.clone()).await;
            measure(name, clients, rounds, theirs, ours).await;
        }
    }
}
