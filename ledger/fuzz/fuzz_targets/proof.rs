//! Proofs of any sizes, of hashes that somebody made up. Never panics and never believes one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use strongroom_ledger::tree::{
    consistency_tiles, inclusion_tiles, root_tiles, verify_consistency, verify_inclusion,
};
use strongroom_ledger::{Hash, Tile, TreeHead, leaf_hash};

fuzz_target!(|input: (u64, u64, Vec<[u8; 32]>, String)| {
    let (a, b, hashes, path) = input;
    let proof: Vec<Hash> = hashes.into_iter().map(Hash::new).collect();
    let root = leaf_hash(b"a root that nobody hashes to");
    let (old, new) = (TreeHead { size: a, root }, TreeHead { size: b, root });
    assert!(verify_inclusion(leaf_hash(b"leaf"), a, new, &proof).is_err());
    if a != b {
        assert!(verify_consistency(old, new, &proof).is_err());
    }
    for tile in [inclusion_tiles(a, b), consistency_tiles(a, b), root_tiles(a)].concat() {
        assert_eq!(tile.to_string().parse(), Ok(tile));
    }
    if let Ok(tile) = path.parse::<Tile>() {
        assert_eq!(tile.to_string(), path);
    }
});
