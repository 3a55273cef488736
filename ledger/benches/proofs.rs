//! What the proofs cost: the tree while a log grows, proofs over ten million entries, and the
//! signatures of a checkpoint. Never holds ten million leaves: the tiles that a proof needs are made
//! up, and a proof over made-up hashes costs what a true one costs.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has nothing to report")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sha2::{Digest, Sha256};
use strongroom_ledger::tree::{
    consistency_tiles, inclusion_tiles, prove_consistency, prove_inclusion, root, root_tiles,
    verify_consistency, verify_inclusion,
};
use strongroom_ledger::witness::consider;
use strongroom_ledger::{
    AddCheckpoint, Frontier, Hash, KeyName, LogKeys, Note, Tile, Tiles, Timestamp, TreeHead,
    WitnessKey, WitnessPolicy, leaf_hash, node_hash,
};

/// Not a power of two, and not a multiple of 256.
const SIZE: u64 = 10_000_019;
const OLD: u64 = 9_900_077;
const INDEX: u64 = 6_543_210;
const ENTRIES: u64 = 100_000;
/// About what an entry has.
const ENTRY_BYTES: usize = 600;

fn growing(c: &mut Criterion) {
    let entries: Vec<_> = (0..ENTRIES)
        .map(|index| {
            let mut entry = index.to_be_bytes().to_vec();
            entry.resize(ENTRY_BYTES, b'x');
            entry
        })
        .collect();
    let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let mut group = c.benchmark_group("a hundred thousand entries of 600 bytes");
    group.sample_size(10).throughput(Throughput::Elements(ENTRIES));
    group.bench_function("bare SHA-256 of the entries", |b| {
        b.iter(|| {
            for entry in &entries {
                black_box(Sha256::digest(entry));
            }
        });
    });
    group.bench_function("Frontier::push of their leaves", |b| {
        b.iter(|| {
            let mut frontier = Frontier::new();
            for leaf in &leaves {
                frontier.push(*leaf, |_, _, _| ());
            }
            black_box(frontier.root())
        });
    });
    group.finish();
}

/// Tiles whose subtrees fit together, so that proofs over them verify: every leaf is the same.
fn tiles(names: &[Tile]) -> Tiles {
    let row = |tile: &Tile| {
        let height = 8 * u32::from(tile.level);
        let hash = (0..height).fold(leaf_hash(b"leaf"), |hash, _| node_hash(hash, hash));
        vec![hash; usize::from(tile.width)]
    };
    names.iter().map(|tile| (*tile, row(tile))).collect()
}

fn head(size: u64) -> TreeHead {
    TreeHead { size, root: root(size, &tiles(&root_tiles(size))).unwrap() }
}

fn proving(c: &mut Criterion) {
    let (old, new) = (head(OLD), head(SIZE));
    let leaf: Hash = leaf_hash(b"leaf");
    let for_inclusion = tiles(&inclusion_tiles(INDEX, SIZE));
    let for_consistency = tiles(&consistency_tiles(OLD, SIZE));
    let for_root = tiles(&root_tiles(SIZE));
    let path = prove_inclusion(INDEX, SIZE, &for_inclusion).unwrap();
    let proof = prove_consistency(OLD, SIZE, &for_consistency).unwrap();
    let mut group = c.benchmark_group("ten million entries");
    group.bench_function("prove inclusion", |b| {
        b.iter(|| prove_inclusion(black_box(INDEX), SIZE, &for_inclusion).unwrap());
    });
    group.bench_function("verify inclusion", |b| {
        b.iter(|| verify_inclusion(black_box(leaf), INDEX, new, &path).unwrap());
    });
    group.bench_function("prove consistency", |b| {
        b.iter(|| prove_consistency(black_box(OLD), SIZE, &for_consistency).unwrap());
    });
    group.bench_function("verify consistency", |b| {
        b.iter(|| verify_consistency(black_box(old), new, &proof).unwrap());
    });
    group.bench_function("frontier from tiles", |b| {
        b.iter(|| Frontier::from_tiles(black_box(SIZE), &for_root).unwrap());
    });
    group.finish();
}

fn signing(c: &mut Criterion) {
    let name = |text: &str| KeyName::new(text).unwrap();
    let log = LogKeys::from_seeds(&name("strongroom/bench"), &[1; 32], &[2; 32]).unwrap();
    let now = |seconds: u64| Timestamp::from_micros((1_795_367_890 + seconds) * 1_000_000).unwrap();
    let witnesses: Vec<_> = (3..6)
        .map(|seed| WitnessKey::ed25519(name(&format!("witness/{seed}")), &[seed; 32]).unwrap())
        .collect();
    let keys = witnesses.iter().map(|witness| witness.verifier().clone()).collect();
    let verifier = log.verifier();
    let policy = WitnessPolicy::majority(verifier.clone(), keys, 2).unwrap();
    let mut note: Note = log.sign(head(SIZE), now(0)).unwrap().note().clone();
    let request = AddCheckpoint { old: 0, proof: Vec::new(), checkpoint: note.clone() };
    let accepted = consider(None, &verifier, &request).unwrap();
    for witness in witnesses.iter().take(2) {
        note.add(witness.cosign(&accepted, now(1)).unwrap()).unwrap();
    }
    let mut group = c.benchmark_group("a checkpoint");
    let mut seconds = 0;
    group.bench_function("sign with both keys", |b| {
        // Another time for each: how often ML-DSA-44 tries again depends on the message.
        let next = || {
            seconds += 1;
            now(seconds)
        };
        b.iter_batched(next, |at| log.sign(head_of_bench(), at).unwrap(), BatchSize::SmallInput);
    });
    group.bench_function("verify both signatures", |b| {
        b.iter(|| verifier.verify(black_box(&note)).unwrap());
    });
    group.bench_function("consider and cosign (Ed25519)", |b| {
        b.iter(|| {
            let accepted = consider(None, &verifier, black_box(&request)).unwrap();
            witnesses.first().unwrap().cosign(&accepted, now(1)).unwrap()
        });
    });
    group.bench_function("count with two cosignatures", |b| {
        b.iter(|| policy.counts(black_box(&note)).unwrap());
    });
    group.finish();
}

fn head_of_bench() -> TreeHead {
    TreeHead { size: SIZE, root: leaf_hash(b"root") }
}

criterion_group!(benches, growing, proving, signing);
criterion_main!(benches);
