//! The tree against what others publish and compute. Never against this crate's own words: the
//! vectors are named in `SOURCES.md`, the other implementation is the crate `tlog_tiles`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use strongroom_ledger::tree::{
    consistency_tiles, inclusion_tiles, prove_consistency, prove_inclusion, root, root_tiles,
    verify_consistency, verify_inclusion,
};
use strongroom_ledger::{Frontier, Hash, Tile, Tiles, TreeHead, leaf_hash};
use tlog_tiles::tlog;

/// The entries of the reference tree of Certificate Transparency.
const ENTRIES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// Its roots, at sizes 1 to 8.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

const L0: &str = ROOTS[0];
const L1: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const L4: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const N23: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const N45: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const N67: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const N4567: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";

/// (index, size, path)
const INCLUSION: [(u64, u64, &[&str]); 7] = [
    (0, 1, &[]),
    (0, 2, &[L1]),
    (1, 2, &[L0]),
    (2, 3, &[ROOTS[1]]),
    (1, 5, &[L0, N23, L4]),
    (0, 8, &[L1, N23, N4567]),
    (5, 8, &[L4, N67, ROOTS[3]]),
];

/// (old, new, proof)
const CONSISTENCY: [(u64, u64, &[&str]); 4] =
    [(1, 1, &[]), (1, 8, &[L1, N23, N4567]), (2, 5, &[N23, L4]), (6, 8, &[N45, N67, ROOTS[3]])];

fn hash(text: &str) -> Hash {
    text.parse().unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn reference_leaves() -> Vec<Hash> {
    ENTRIES.iter().map(|entry| leaf_hash(&unhex(entry))).collect()
}

/// The leaves and every tile-level subtree over them, as a store keeps them.
struct Rows(Vec<Vec<Hash>>);

impl Rows {
    fn new(leaves: &[Hash]) -> Self {
        let mut rows = vec![leaves.to_vec(), Vec::new(), Vec::new()];
        let mut frontier = Frontier::new();
        for leaf in leaves {
            frontier.push(*leaf, |level, _, hash| rows[usize::from(level)].push(hash));
        }
        Self(rows)
    }

    fn tiles(&self, names: &[Tile]) -> Tiles {
        let row = |tile: &Tile| {
            let first = usize::try_from(tile.index).unwrap() * 256;
            self.0[usize::from(tile.level)][first..first + usize::from(tile.width)].to_vec()
        };
        names.iter().map(|tile| (*tile, row(tile))).collect()
    }

    fn root(&self, size: u64) -> Hash {
        root(size, &self.tiles(&root_tiles(size))).unwrap()
    }

    fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        prove_inclusion(index, size, &self.tiles(&inclusion_tiles(index, size))).unwrap()
    }

    fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
        prove_consistency(old, new, &self.tiles(&consistency_tiles(old, new))).unwrap()
    }
}

#[test]
fn the_reference_tree_has_its_roots_and_proofs() {
    let leaves = reference_leaves();
    let rows = Rows::new(&leaves);
    let head = |size: u64| TreeHead { size, root: hash(ROOTS[usize::try_from(size).unwrap() - 1]) };
    for size in 1..=8 {
        assert_eq!(rows.root(size), head(size).root);
    }
    for (index, size, path) in INCLUSION {
        let path: Vec<_> = path.iter().map(|text| hash(text)).collect();
        assert_eq!(rows.inclusion(index, size), path, "leaf {index} of {size}");
        let leaf = leaves[usize::try_from(index).unwrap()];
        verify_inclusion(leaf, index, head(size), &path).unwrap();
    }
    for (old, new, proof) in CONSISTENCY {
        let proof: Vec<_> = proof.iter().map(|text| hash(text)).collect();
        assert_eq!(rows.consistency(old, new), proof, "{old} to {new}");
        verify_consistency(head(old), head(new), &proof).unwrap();
    }
}

/// A public log as it answered: Google's Argon 2020, when it had 961,984,011 entries.
#[test]
fn the_proofs_of_a_public_log_verify() {
    let read = |text: &str| -> Vec<Hash> { text.lines().map(hash).collect() };
    let head = TreeHead {
        size: 961_984_011,
        root: hash(include_str!("golden/argon2020-root.txt").trim_end()),
    };
    let leaf = hash(include_str!("golden/argon2020-leaf-10000.txt").trim_end());
    let path = read(include_str!("golden/argon2020-inclusion-10000.txt"));
    verify_inclusion(leaf, 10_000, head, &path).unwrap();
    verify_inclusion(leaf, 10_001, head, &path).unwrap_err();
    let old = TreeHead {
        size: 3_654_490,
        root: hash(include_str!("golden/argon2020-root-3654490.txt").trim_end()),
    };
    let proof = read(include_str!("golden/argon2020-consistency-3654490.txt"));
    verify_consistency(old, head, &proof).unwrap();
    verify_consistency(TreeHead { size: 3_654_491, ..old }, head, &proof).unwrap_err();
}

/// The hashes as `tlog_tiles` numbers them.
struct Theirs(Vec<tlog::Hash>);

impl tlog::HashReader for Theirs {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).unwrap()]).collect())
    }
}

fn theirs(hash: Hash) -> tlog::Hash {
    tlog::Hash(*hash.as_bytes())
}

fn ours(hashes: Vec<tlog::Hash>) -> Vec<Hash> {
    hashes.into_iter().map(|hash| Hash::new(hash.0)).collect()
}

fn both(count: u64) -> (Rows, Theirs) {
    let leaves: Vec<_> = (0..count).map(|index| leaf_hash(&index.to_le_bytes())).collect();
    let mut stored = Theirs(Vec::new());
    for (index, leaf) in (0..).zip(&leaves) {
        let new = tlog::stored_hashes_for_record_hash(index, theirs(*leaf), &stored).unwrap();
        stored.0.extend(new);
    }
    (Rows::new(&leaves), stored)
}

fn agree(rows: &Rows, stored: &Theirs, size: u64, others: impl Iterator<Item = u64>) {
    assert_eq!(rows.root(size), Hash::new(tlog::tree_hash(size, stored).unwrap().0));
    for other in others {
        let proof = ours(tlog::prove_record(size, other - 1, stored).unwrap());
        assert_eq!(rows.inclusion(other - 1, size), proof, "leaf {other} - 1 of {size}");
        let proof = ours(tlog::prove_tree(size, other, stored).unwrap());
        assert_eq!(rows.consistency(other, size), proof, "{other} to {size}");
    }
}

#[test]
fn another_implementation_makes_the_same_proofs() {
    let (rows, stored) = both(300);
    for size in 1..=300 {
        let start = if size < 40 { 1 } else { 1 + size % 5 };
        agree(&rows, &stored, size, (start..=size).step_by(if size < 40 { 1 } else { 5 }));
    }
}

#[test]
fn another_implementation_makes_the_same_proofs_where_tiles_end() {
    let edges = [255, 256, 257, 65_279, 65_280, 65_281, 65_535, 65_536, 65_537, 66_000];
    let (rows, stored) = both(66_000);
    for size in edges {
        agree(&rows, &stored, size, edges.into_iter().filter(|other| *other <= size));
    }
}

#[test]
fn another_implementation_names_tiles_the_same() {
    let widths = [1_u16, 17, 255, 256];
    for (index, level, width) in [0, 9, 999, 1000, 1_234_067, 70_368_744_177]
        .into_iter()
        .flat_map(|index| [0_u8, 1, 2].map(|level| (index, level)))
        .flat_map(|(index, level)| widths.map(|width| (index, level, width)))
    {
        let tile = Tile { level, index, width };
        let their = tlog_tiles::Tile::new(8, level, index, width.into(), false);
        let path = their.path();
        assert_eq!(path, format!("tile/8/{tile}"));
    }
}
