//! A log on disks that fail, simulated: thousands of histories, each drawn from a seed. Never uses
//! a mock of the product: SQLite, the sequencer and its threads are the real ones, only the file
//! system under SQLite is not.
//!
//! In one history of three the sequencer makes a batch while it stores another: there the order of
//! reads is the threads' and not the seed's, in all else a seed is one history.
//!
//! A broken rule prints its seed. `STRONGROOM_SEED=n cargo test -p strongroom-store --test faults`
//! runs that history alone and tells its steps; `STRONGROOM_HISTORIES=n` sets how many are run.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    clippy::large_stack_arrays,
    reason = "clippy takes the parts of an integration test for product code"
)]

mod disk;
mod gate;
mod history;
mod model;
mod plan;
mod random;
mod report;
mod scenarios;
mod shared_memory;
mod vfs;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use history::History;
use report::Report;

const HISTORIES: u64 = 2500;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Runs a history; a broken rule is the trace and the seed.
fn run(seed: u64) -> Result<(Report, Vec<String>), String> {
    let mut history = History::new(seed);
    let result = history.run();
    let (report, trace) = (history.report.clone(), std::mem::take(&mut history.trace));
    match result {
        Ok(()) => Ok((report, trace)),
        Err(broken) => {
            let broken: String = broken.chars().take(2000).collect();
            Err(format!("{}\n{broken}\nSTRONGROOM_SEED={seed}", trace.join("\n")))
        }
    }
}

#[test]
fn what_was_acknowledged_survives_every_fault_of_an_honest_disk_and_a_lie_is_noticed() {
    if let Some(seed) = number("STRONGROOM_SEED") {
        let (report, trace) = run(seed).unwrap_or_else(|broken| panic!("{broken}"));
        println!("{}\n{report:#?}", trace.join("\n"));
        return;
    }
    let histories = number("STRONGROOM_HISTORIES").unwrap_or(HISTORIES);
    let next = AtomicU64::new(0);
    let total = Mutex::new(Report::default());
    let broken = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= histories {
                        return;
                    }
                    match run(seed) {
                        Ok((report, _)) => total.lock().unwrap().add(&report),
                        Err(why) => broken.lock().unwrap().push(why),
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    let first = broken.iter().take(4).cloned().collect::<Vec<_>>().join("\n\n");
    assert!(broken.is_empty(), "{} of {histories} histories broke a rule:\n{first}", broken.len());
    let total = total.into_inner().unwrap();
    println!("seeds 0 to {}: {total:#?}", histories - 1);
    if histories >= HISTORIES {
        total.assert_that_everything_happened();
    }
}

#[test]
fn a_seed_is_one_history() {
    for seed in (0..30).filter(|seed| !History::new(*seed).overlaps()) {
        let (first, again) = (run(seed).unwrap(), run(seed).unwrap());
        assert_eq!(first.1, again.1, "seed {seed}");
        assert_eq!(first, again, "seed {seed}");
    }
}
