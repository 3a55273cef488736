//! How much of the speed of bare SHA-256 a verifier keeps, over a log of a million entries.
//! Never holds the whole log: it is made and checked in parts, and only the checking is timed.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has nothing to report")]
#![expect(clippy::print_stdout, clippy::float_arithmetic, reason = "it reports a ratio")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sha2::{Digest, Sha256};
use strongroom_ledger::{Chain, EntryRef, Hash, Position, Timestamp, leaf_hash, payload_hash};
use uuid::Uuid;

const ENTRIES: u64 = 1_000_000;
const PART: u64 = 20_000;
/// A transfer's life is about this many events, so this many entries share a stream.
const EVENTS_PER_STREAM: u64 = 10;

type Part = Vec<(Vec<u8>, Vec<u8>)>;

/// A log that grows: ten events for each of many streams, taking turns in groups of a hundred.
struct Growing {
    position: Position,
    prev: Hash,
}

impl Growing {
    fn part(&mut self) -> Part {
        (0..PART).map(|_| self.entry()).collect()
    }

    fn entry(&mut self) -> (Vec<u8>, Vec<u8>) {
        let before = self.position.get();
        let round = before / (100 * EVENTS_PER_STREAM);
        let id = Uuid::from_u128(u128::from(round * 100 + before % 100) << 64);
        let payload = format!(r#"{{"transfer":"{id}","note":"{before:0200}"}}"#).into_bytes();
        self.position = self.position.next().unwrap();
        let stream = format!("transfer:{id}");
        let entry = EntryRef {
            position: self.position,
            time: Timestamp::from_micros(1_795_367_880_000_000 + before).unwrap(),
            stream: &stream,
            sequence: before / 100 % EVENTS_PER_STREAM + 1,
            r#type: "transfer.requested",
            version: 1,
            actor: "person:01920000-0000-7000-8000-000000000001",
            command: id,
            correlation: id,
            causation: Some(id),
            payload_sha256: payload_hash(&payload),
            prev: self.prev,
        }
        .encode()
        .unwrap();
        self.prev = leaf_hash(&entry);
        (entry, payload)
    }
}

/// Time that `check` takes over the whole log.
fn over_the_log(mut check: impl FnMut(&[u8], &[u8])) -> Duration {
    let mut log = Growing { position: Position::START, prev: Hash::ZERO };
    let mut spent = Duration::ZERO;
    for _ in 0..ENTRIES / PART {
        let part = log.part();
        spent += timed(&part, &mut check);
    }
    spent
}

fn repeated(times: u64, mut once: impl FnMut() -> Duration) -> Duration {
    (0..times).map(|_| once()).sum()
}

fn verification(c: &mut Criterion) {
    let mut group = c.benchmark_group("a million entries");
    group.sample_size(10).throughput(Throughput::Elements(ENTRIES));
    group.bench_function("bare SHA-256", |b| {
        b.iter_custom(|times| {
            repeated(times, || {
                over_the_log(|entry, payload| {
                    black_box(Sha256::digest(entry));
                    black_box(Sha256::digest(payload));
                })
            })
        });
    });
    group.bench_function("Chain::extend", |b| {
        b.iter_custom(|times| {
            repeated(times, || {
                let mut chain = Chain::start();
                over_the_log(|entry, payload| {
                    black_box(chain.extend(entry, payload).unwrap());
                })
            })
        });
    });
    group.bench_function("EntryRef::parse alone", |b| {
        b.iter_custom(|times| {
            repeated(times, || {
                over_the_log(|entry, _| {
                    black_box(EntryRef::parse(entry).unwrap());
                })
            })
        });
    });
    group.finish();
}

/// The number that counts: both over the same parts, taking turns, so that noise hits both.
fn ratio(_: &mut Criterion) {
    let mut log = Growing { position: Position::START, prev: Hash::ZERO };
    let mut chain = Chain::start();
    let (mut bare, mut verified, mut parsed) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for _ in 0..ENTRIES / PART {
        let part = log.part();
        bare += timed(&part, |entry, payload| {
            black_box((Sha256::digest(entry), Sha256::digest(payload)));
        });
        verified += timed(&part, |entry, payload| {
            black_box(chain.extend(entry, payload).unwrap());
        });
        parsed += timed(&part, |entry, _| {
            black_box(EntryRef::parse(entry).unwrap());
        });
    }
    println!("a million entries: bare SHA-256 {bare:.2?}, Chain::extend {verified:.2?}");
    println!(
        "verification runs at {:.0} % of bare SHA-256",
        bare.div_duration_f64(verified) * 100.0
    );
    println!("of its time, parsing is {:.0} %", parsed.div_duration_f64(verified) * 100.0);
}

fn timed(part: &Part, mut check: impl FnMut(&[u8], &[u8])) -> Duration {
    let start = Instant::now();
    for (entry, payload) in part {
        check(entry, payload);
    }
    start.elapsed()
}

criterion_group!(benches, ratio, verification);
criterion_main!(benches);
