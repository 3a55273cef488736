//! Whether a log grows slower as it grows longer: appends by 1, 16 and 256 writers, and proofs, when
//! it holds ten thousand, a hundred thousand, a million and ten million entries. All sizes take turns
//! in one run; what counts is the ratio to the shortest. Never a made-up log: every entry was
//! appended.
//!
//! `cargo bench -p strongroom-store --bench growth [-- ROUNDS]`. `GROWTH_SIZES` names other sizes of
//! the SQLite log (`10000,100000`); `BENCH_DIR` names the disk, which needs 9 GB; with `BENCH_KEEP`
//! the files stay there as `growth-SIZE.db`, for `cargo bench -p strongroom-replay`. `TMPDIR` is
//! where PostgreSQL's million go.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has nothing to report")]
#![expect(clippy::print_stdout, reason = "it reports on standard output")]
#![expect(clippy::float_arithmetic, reason = "rates and ratios")]

#[path = "../../tests/src/postgres.rs"]
mod cluster;
mod workload;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cluster::Cluster;
use strongroom_store::{
    AppendLog, LogLocation, Options, Position, ReadLog, consistency, inclusion,
};
use tokio::runtime::Runtime;
use uuid::Uuid;
use workload::{Done, fill, load, percentile, spread, write};

/// A log this short is made anew for each round, because a round makes it much longer.
const SHORT: u64 = 100_000;
/// Of the entries that were there before the measurement.
const PAYLOAD: usize = 200;
const PROOFS: u64 = 500;
/// Rounds end by the number of their appends.
const HOUR: Duration = Duration::from_hours(1);

struct Place {
    runtime: Runtime,
    kind: Kind,
    options: Options,
}

enum Kind {
    Sqlite { first: PathBuf, again: PathBuf },
    Postgres(Cluster),
}

/// A log of about `size` entries.
struct Grown {
    size: u64,
    log: Arc<dyn AppendLog>,
}

impl Place {
    fn grow(&self, size: u64) -> Grown {
        let location = match &self.kind {
            Kind::Sqlite { first, again } => {
                let path = first.join(format!("growth-{size}.db"));
                if path.exists() {
                    // The one before may still be closing.
                    LogLocation::Sqlite(again.join(format!("{size}-{}.db", Uuid::now_v7())))
                } else {
                    LogLocation::Sqlite(path)
                }
            }
            Kind::Postgres(cluster) => LogLocation::Postgres(cluster.database()),
        };
        let log = self.runtime.block_on(async {
            let log = location.open(&self.options).await.unwrap();
            fill(&log, size, PAYLOAD).await;
            log
        });
        Grown { size, log }
    }

    fn appends(&self, logs: &mut [Grown], writers: usize, rounds: usize) {
        let count = match writers {
            1 => 1000,
            16 => 6000,
            _ => 20_000,
        };
        let mut done: Vec<Vec<Done>> = logs.iter().map(|_| Vec::new()).collect();
        for round in 0..=rounds {
            for (grown, done) in logs.iter_mut().zip(&mut done) {
                if grown.size <= SHORT && grown.log.head().position.get() > grown.size + 100 {
                    *grown = self.grow(grown.size);
                }
                let made = self.runtime.block_on(write(&grown.log, writers, count, HOUR));
                // The first round fills caches.
                if round > 0 {
                    done.push(made);
                }
            }
        }
        let base = done.first().map(|done| rates(done)).unwrap_or_default();
        for (grown, done) in logs.iter().zip(done) {
            let mut ratios: Vec<_> =
                rates(&done).iter().zip(&base).map(|(rate, base)| rate / base * 100.0).collect();
            let (rate, slowest, fastest) = spread(&mut rates(&done));
            let (ratio, least, most) = spread(&mut ratios);
            let mut taken: Vec<_> = done.into_iter().flat_map(|done| done.taken).collect();
            taken.sort_unstable();
            let of = |percent| percentile(&taken, percent).as_secs_f64() * 1000.0;
            println!(
                "{writers:>7} {:>10} {rate:>9.0} ({slowest:>6.0} to {fastest:>6.0}) {:>7.2} \
                 {:>7.2}   {ratio:>4.0} % ({least:.0} to {most:.0})",
                grown.size,
                of(50),
                of(99),
            );
        }
    }

    fn proofs(&self, grown: &Grown) {
        let (mut included, mut consistent) = (Vec::new(), Vec::new());
        let size = grown.log.head().position.get();
        let log: &dyn ReadLog = &*grown.log;
        for number in 0..PROOFS {
            let index = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size;
            let start = Instant::now();
            let position = Position::new(index + 1).unwrap();
            self.runtime.block_on(inclusion(log, position, size)).unwrap();
            included.push(start.elapsed());
            let start = Instant::now();
            self.runtime.block_on(consistency(log, index, size)).unwrap();
            consistent.push(start.elapsed());
        }
        included.sort_unstable();
        consistent.sort_unstable();
        let of = |taken: &[Duration], percent| percentile(taken, percent).as_secs_f64() * 1e6;
        println!(
            "{:>10}   inclusion {:>6.0} {:>6.0}   consistency {:>6.0} {:>6.0}",
            grown.size,
            of(&included, 50),
            of(&included, 99),
            of(&consistent, 50),
            of(&consistent, 99),
        );
    }

    fn measure(&self, name: &str, sizes: &[u64], rounds: usize) {
        println!("{name}");
        let mut logs = Vec::new();
        for size in sizes {
            let start = Instant::now();
            logs.push(self.grow(*size));
            println!("filled to {size} in {:.1} s", start.elapsed().as_secs_f64());
        }
        println!("load {}; {rounds} rounds, taking turns", load());
        println!("writers    entries appends/s (least to most)      p50 ms  p99 ms   to shortest");
        for writers in [1_usize, 16, 256] {
            self.appends(&mut logs, writers, rounds);
        }
        println!("{PROOFS} proofs of each kind, made and checked: p50 and p99, microseconds");
        for grown in &logs {
            self.proofs(grown);
        }
        println!("load {}", load());
    }
}

fn rates(done: &[Done]) -> Vec<f64> {
    done.iter().map(Done::rate).collect()
}

fn sizes() -> Vec<u64> {
    match std::env::var("GROWTH_SIZES") {
        Ok(sizes) => sizes.split(',').map(|size| size.parse().unwrap()).collect(),
        Err(_) => vec![10_000, 100_000, 1_000_000, 10_000_000],
    }
}

fn main() {
    let rounds = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(8);
    let directory = std::env::var("BENCH_DIR").unwrap_or(env!("CARGO_TARGET_TMPDIR").to_owned());
    let temporary = tempfile::tempdir_in(&directory).unwrap();
    let keep = std::env::var_os("BENCH_KEEP").is_some();
    let path = if keep { Path::new(&directory) } else { temporary.path() };
    let sqlite = Place {
        runtime: Runtime::new().unwrap(),
        kind: Kind::Sqlite { first: path.to_owned(), again: temporary.path().to_owned() },
        options: Options::default(),
    };
    sqlite.measure("SQLite", &sizes(), rounds);
    drop(sqlite);
    let postgres = Place {
        runtime: Runtime::new().unwrap(),
        kind: Kind::Postgres(Cluster::start()),
        options: Options::default(),
    };
    let sizes: Vec<_> = sizes().into_iter().filter(|size| *size <= 1_000_000).collect();
    postgres.measure("PostgreSQL", &sizes, rounds);
}
