//! How fast `strongroom-replay chain` checks a log in a SQLite file: entries a second on one core
//! and on both, against bare SHA-256 of the same bytes in the same run, and the memory that it
//! takes. Never checks anything itself.
//!
//! `cargo bench -p strongroom-replay --bench chain -- LOG… [ROUNDS]`; `cargo bench -p strongroom-store
//! --bench growth` makes logs.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has nothing to report")]
#![expect(clippy::print_stdout, reason = "it reports on standard output")]
#![expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "rates and ratios")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use strongroom_store::{AuditLog, PAGE_LIMIT, RawRow};

/// Hashed bare: as much as fits in memory beside everything else.
const SAMPLE: usize = 1_000_000;

/// Entries a second of bare SHA-256 of each entry and each payload, by so many threads.
fn bare(rows: &[RawRow], threads: usize) -> f64 {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for part in rows.chunks(rows.len().div_ceil(threads)) {
            scope.spawn(move || {
                for row in part {
                    black_box((Sha256::digest(&row.entry), Sha256::digest(&row.payload)));
                }
            });
        }
    });
    rows.len() as f64 / start.elapsed().as_secs_f64()
}

/// Entries a second of the program, and the most memory that it had (KiB).
fn chain(log: &Path, entries: f64, cores: &str) -> (f64, u64) {
    let start = Instant::now();
    let mut process = Command::new("taskset")
        .args(["--cpu-list", cores, env!("CARGO_BIN_EXE_strongroom-replay"), "--json", "chain"])
        .arg(log)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", process.id());
    let mut most = 0;
    let end = loop {
        if let Some(end) = process.try_wait().unwrap() {
            break end;
        }
        most = most.max(high_water(&status));
        std::thread::sleep(Duration::from_millis(2));
    };
    let spent = start.elapsed();
    assert!(end.success(), "the log is not whole");
    (entries / spent.as_secs_f64(), most)
}

fn high_water(status: &str) -> u64 {
    let status = std::fs::read_to_string(status).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

fn sample(log: &AuditLog) -> Vec<RawRow> {
    let mut rows: Vec<RawRow> = Vec::new();
    while rows.len() < SAMPLE {
        let after = rows.last().map_or(0, |row| row.filed);
        let page = log.raw_after(after, PAGE_LIMIT).unwrap();
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    rows
}

fn measure(path: &Path, rounds: usize) {
    let log = AuditLog::open_read_only(path).unwrap();
    let entries = log.head().unwrap().position.get() as f64;
    let rows = sample(&log);
    let bytes: usize = rows.iter().map(|row| row.entry.len() + row.payload.len()).sum();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "{}: {entries} entries of {:.0} bytes with their payload; {rounds} rounds; load {}",
        path.display(),
        bytes as f64 / rows.len() as f64,
        load.trim()
    );
    println!("cores   bare SHA-256 entries/s       chain entries/s (least to most)    ratio   MiB");
    // In the system's cache, so that the disk is not what is measured.
    chain(path, entries, "0,1");
    for (cores, threads) in [("0", 1), ("0,1", 2)] {
        let (mut hashed, mut checked, mut ratios, mut memory) = (vec![], vec![], vec![], 0);
        for _ in 0..rounds {
            let before = bare(&rows, threads);
            let (rate, most) = chain(path, entries, cores);
            let after = bare(&rows, threads);
            memory = memory.max(most);
            let around = f64::midpoint(before, after);
            hashed.push(around);
            checked.push(rate);
            ratios.push(rate / around * 100.0);
        }
        let (bare, bare_least, bare_most) = spread(&mut hashed);
        let (rate, least, most) = spread(&mut checked);
        let (ratio, ..) = spread(&mut ratios);
        println!(
            "{cores:>5} {bare:>10.0} ({bare_least:.0} to {bare_most:.0}) {rate:>10.0} ({least:.0} \
             to {most:.0}) {ratio:>4.0} % {:>6.0}",
            memory as f64 / 1024.0
        );
    }
}

/// Median, least and most.
fn spread(values: &mut [f64]) -> (f64, f64, f64) {
    values.sort_unstable_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    (at(values.len() / 2), at(0), at(values.len().saturating_sub(1)))
}

fn main() {
    let arguments: Vec<_> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let rounds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(3);
    let logs = arguments.iter().filter(|argument| argument.parse::<usize>().is_err());
    for log in logs {
        measure(&PathBuf::from(log), rounds);
    }
}
