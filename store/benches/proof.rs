//! What a proof costs on SQLite: inclusion and consistency in logs of ten thousand to ten million
//! entries, made, checked and handed out. Never the first time a page is read from the disk: the
//! file is in the system's cache, as that of a log in use is.
//!
//! Only the last thousand entries are there; before them a log has just its tree, which is all that
//! a proof reads. `cargo bench -p strongroom-store --bench proof [-- PROOFS]`; `BENCH_DIR` names the
//! disk.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has nothing to report")]
#![expect(clippy::print_stdout, reason = "it reports on standard output")]
#![expect(clippy::float_arithmetic, reason = "times")]

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use strongroom_store::ledger::{EntryRef, Frontier, Hash, Timestamp, leaf_hash, payload_hash};
use strongroom_store::{Position, SqliteLog, consistency, inclusion};
use tokio::runtime::Runtime;
use uuid::Uuid;

const TAIL: u64 = 1000;
const TILE: usize = 256;
const PAYLOAD: &[u8] = b"{}";

/// The tree of a log, as its tables keep it.
struct Grown<'a> {
    db: &'a Connection,
    tree: Frontier,
    tile: Vec<u8>,
}

impl Grown<'_> {
    fn push(&mut self, leaf: Hash) {
        let mut insert =
            self.db.prepare_cached("INSERT INTO subtrees VALUES (?1, ?2, ?3)").unwrap();
        self.tree.push(leaf, |level, index, hash| {
            let index = i64::try_from(index).unwrap();
            insert.execute(params![level, index, hash.as_bytes()]).unwrap();
        });
        self.tile.extend(leaf.as_bytes());
        if self.tile.len() == TILE * 32 {
            let number = i64::try_from(self.tree.size()).unwrap() / 256 - 1;
            let mut insert =
                self.db.prepare_cached("INSERT INTO leaf_tiles VALUES (?1, ?2)").unwrap();
            insert.execute(params![number, self.tile]).unwrap();
            self.tile.clear();
        }
    }
}

/// A file that opens as a log of `size` entries.
fn make(path: &Path, size: u64) {
    drop(SqliteLog::open(path).unwrap());
    let db = Connection::open(path).unwrap();
    db.execute_batch("PRAGMA synchronous = OFF; BEGIN").unwrap();
    let mut grown = Grown { db: &db, tree: Frontier::new(), tile: Vec::new() };
    for number in 1..=size - TAIL {
        grown.push(leaf_hash(&number.to_be_bytes()));
    }
    db.execute("INSERT INTO streams VALUES (1, 'bench')", []).unwrap();
    let mut prev = leaf_hash(b"before");
    for number in size - TAIL + 1..=size {
        let entry = EntryRef {
            position: Position::new(number).unwrap(),
            time: Timestamp::EPOCH,
            stream: "bench",
            sequence: number,
            r#type: "bench.happened",
            version: 1,
            actor: "person:01920000-0000-7000-8000-000000000001",
            command: Uuid::from_u128(1),
            correlation: Uuid::from_u128(2),
            causation: None,
            payload_sha256: payload_hash(PAYLOAD),
            prev,
        };
        let entry = entry.encode().unwrap();
        prev = leaf_hash(&entry);
        let number = i64::try_from(number).unwrap();
        db.execute(
            "INSERT INTO entries VALUES (?1, 1, ?1, ?2, ?3)",
            params![number, entry, PAYLOAD],
        )
        .unwrap();
        grown.push(prev);
    }
    let root = grown.tree.root();
    db.execute(
        "UPDATE head SET position = ?1, leaf = ?2, root = ?3",
        params![i64::try_from(size).unwrap(), prev.as_bytes(), root.as_bytes()],
    )
    .unwrap();
    db.execute_batch("COMMIT").unwrap();
}

/// Well spread numbers below `limit`, the same in each run.
fn spread(number: u64, limit: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % limit
}

fn shown(mut taken: Vec<Duration>) -> String {
    taken.sort_unstable();
    let of = |percent: usize| {
        taken.get(taken.len() * percent / 100).map_or(0.0, |one| one.as_secs_f64() * 1e6)
    };
    format!("{:>8.0} {:>8.0}", of(50), of(99))
}

fn main() {
    let proofs: u64 = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(2000);
    let runtime = Runtime::new().unwrap();
    let place = std::env::var("BENCH_DIR").unwrap_or(env!("CARGO_TARGET_TMPDIR").to_owned());
    let directory = tempfile::tempdir_in(place).unwrap();
    println!("{proofs} proofs each, microseconds");
    println!("   entries   inclusion p50, p99   consistency p50, p99   open");
    for size in [10_000, 100_000, 1_000_000, 10_000_000_u64] {
        let path = directory.path().join(format!("{size}.db"));
        make(&path, size);
        let start = Instant::now();
        let log = SqliteLog::open(&path).unwrap();
        let opened = start.elapsed();
        let (mut included, mut consistent) = (Vec::new(), Vec::new());
        for number in 0..proofs {
            let index = spread(number, size);
            let start = Instant::now();
            let position = Position::new(index + 1).unwrap();
            runtime.block_on(inclusion(&log, position, size)).unwrap();
            included.push(start.elapsed());
            let start = Instant::now();
            runtime.block_on(consistency(&log, index, size)).unwrap();
            consistent.push(start.elapsed());
        }
        let opened = opened.as_secs_f64() * 1e3;
        println!("{size:>10}    {}      {}   {opened:>4.0} ms", shown(included), shown(consistent));
    }
}
