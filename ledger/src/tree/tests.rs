//! The tree against its definition, and at the sizes where tiles begin and end. Never uses the crates
//! of others: `tests/tree.rs` does.

use proptest::prelude::*;

use super::tile::TILE_HEIGHT;
use super::*;
use crate::hash::{Hash, leaf_hash, node_hash};

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
}

/// MTH of RFC 6962 section 2.1, as it stands there.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => TreeHead::EMPTY.root,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(mth(left), mth(right))
        }
    }
}

/// PATH of section 2.1.1.
fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, other) = if index < left.len() {
        (path(index, left), right)
    } else {
        (path(index - left.len(), right), left)
    };
    path.push(mth(other));
    path
}

/// SUBPROOF of section 2.1.2.
fn subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![mth(leaves)] };
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut proof, other) = if old <= left.len() {
        (subproof(old, left, whole), right)
    } else {
        (subproof(old - left.len(), right, false), left)
    };
    proof.push(mth(other));
    proof
}

/// What the store keeps: the leaves, and the subtrees that the frontier reports.
#[derive(Default)]
struct Stored {
    frontier: Frontier,
    levels: Vec<Vec<Hash>>,
}

impl Stored {
    fn new(leaves: &[Hash]) -> Self {
        let mut stored = Self { levels: vec![Vec::new()], ..Self::default() };
        for leaf in leaves {
            stored.push(*leaf);
        }
        stored
    }

    fn push(&mut self, leaf: Hash) {
        self.levels[0].push(leaf);
        let levels = &mut self.levels;
        self.frontier.push(leaf, |level, index, hash| {
            let level = usize::from(level);
            if levels.len() == level {
                levels.push(Vec::new());
            }
            assert_eq!(levels[level].len() as u64, index, "subtrees come in order");
            levels[level].push(hash);
        });
    }

    fn tiles(&self, names: &[Tile]) -> Tiles {
        let row = |tile: &Tile| {
            let first = usize::try_from(tile.index).unwrap() * usize::from(TILE_WIDTH);
            self.levels[usize::from(tile.level)][first..first + usize::from(tile.width)].to_vec()
        };
        names.iter().map(|tile| (*tile, row(tile))).collect()
    }

    fn root(&self, size: u64) -> Hash {
        root(size, &self.tiles(&root_tiles(size))).unwrap()
    }

    fn head(&self, size: u64) -> TreeHead {
        TreeHead { size, root: self.root(size) }
    }

    fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        prove_inclusion(index, size, &self.tiles(&inclusion_tiles(index, size))).unwrap()
    }

    fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
        prove_consistency(old, new, &self.tiles(&consistency_tiles(old, new))).unwrap()
    }
}

/// Every proof that differs from `proof` in one hash, lacks one or has one more.
fn altered(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for at in 0..proof.len() {
        let mut changed = proof.to_vec();
        changed[at] = leaf_hash(changed[at].as_bytes());
        all.push(changed);
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        all.push(shorter);
    }
    for extra in [TreeHead::EMPTY.root, proof.last().copied().unwrap_or(Hash::ZERO)] {
        all.push([proof, &[extra]].concat());
        all.push([&[extra], proof].concat());
    }
    all
}

#[test]
fn the_empty_tree_has_the_hash_of_nothing() {
    assert_eq!(TreeHead::EMPTY.root, crate::payload_hash(b""));
    assert_eq!(Frontier::new().head(), TreeHead::EMPTY);
    assert_eq!(root(0, &Tiles::new()).unwrap(), TreeHead::EMPTY.root);
    assert_eq!(root_tiles(0), []);
}

#[test]
fn proofs_are_those_of_the_definition() {
    let all = leaves(70);
    let stored = Stored::new(&all);
    for size in 0..=70_usize {
        let tree = &all[..size];
        assert_eq!(stored.root(size as u64), mth(tree));
        for index in 0..size {
            assert_eq!(stored.inclusion(index as u64, size as u64), path(index, tree));
        }
        for old in 1..=size {
            assert_eq!(stored.consistency(old as u64, size as u64), subproof(old, tree, true));
        }
    }
}

#[test]
fn every_proof_holds_and_no_altered_one_does() {
    let all = leaves(66);
    let stored = Stored::new(&all);
    let heads: Vec<_> = (0..=66).map(|size| stored.head(size)).collect();
    for new in &heads {
        for (index, leaf) in (0..new.size).zip(&all) {
            let proof = stored.inclusion(index, new.size);
            verify_inclusion(*leaf, index, *new, &proof).unwrap();
            for wrong in altered(&proof) {
                verify_inclusion(*leaf, index, *new, &wrong).unwrap_err();
            }
            verify_inclusion(leaf_hash(b"other"), index, *new, &proof).unwrap_err();
            verify_inclusion(*leaf, index + 1, *new, &proof).unwrap_err();
            verify_inclusion(*leaf, index, TreeHead { root: *leaf, ..*new }, &proof)
                .err()
                .map_or_else(|| assert_eq!(new.size, 1), drop);
        }
        for old in heads.iter().take_while(|old| old.size <= new.size) {
            let proof = stored.consistency(old.size, new.size);
            verify_consistency(*old, *new, &proof).unwrap();
            for wrong in altered(&proof) {
                verify_consistency(*old, *new, &wrong).unwrap_err();
            }
            let other = TreeHead { root: leaf_hash(b"other"), ..*old };
            verify_consistency(other, *new, &proof).unwrap_err();
            if old.size > 0 {
                let other = TreeHead { root: leaf_hash(b"other"), ..*new };
                verify_consistency(*old, other, &proof).unwrap_err();
            }
            if old.size < new.size {
                verify_consistency(*new, *old, &proof).unwrap_err();
            }
        }
    }
}

#[test]
fn every_proof_holds_up_to_three_hundred_leaves() {
    let all = leaves(300);
    let stored = Stored::new(&all);
    let heads: Vec<_> = (0..=300).map(|size| stored.head(size)).collect();
    let mut frontier = Frontier::new();
    for (head, leaf) in heads.iter().zip(&all) {
        assert_eq!(frontier.head(), *head, "the frontier is the tree recomputed");
        frontier.push(*leaf, |_, _, _| ());
    }
    for (new, start) in heads.iter().zip((0..7).cycle()).skip(67) {
        // Every seventh, from another start each time: all of them take the time of a whole suite.
        for (index, leaf) in (0..new.size).zip(&all).skip(start).step_by(7) {
            let proof = stored.inclusion(index, new.size);
            verify_inclusion(*leaf, index, *new, &proof).unwrap();
        }
        for old in heads.iter().take_while(|old| old.size <= new.size).skip(start).step_by(7) {
            let proof = stored.consistency(old.size, new.size);
            verify_consistency(*old, *new, &proof).unwrap();
        }
    }
}

/// Around every width at which tiles begin and end.
const EDGES: [u64; 13] =
    [1, 2, 254, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_536 + 256 + 1];

#[test]
fn proofs_hold_where_tiles_begin_and_end() {
    let all = leaves(EDGES[12]);
    let mut stored = Stored::new(&[]);
    let mut heads = Vec::new();
    for leaf in &all {
        stored.push(*leaf);
        if EDGES.contains(&stored.frontier.size()) {
            heads.push(stored.frontier.head());
        }
    }
    for new in &heads {
        assert_eq!(stored.head(new.size), *new);
        for index in EDGES.map(|edge| edge - 1).into_iter().filter(|index| *index < new.size) {
            let leaf = all[usize::try_from(index).unwrap()];
            verify_inclusion(leaf, index, *new, &stored.inclusion(index, new.size)).unwrap();
        }
        for old in heads.iter().take_while(|old| old.size <= new.size) {
            verify_consistency(*old, *new, &stored.consistency(old.size, new.size)).unwrap();
        }
    }
}

#[test]
fn a_frontier_from_tiles_is_the_one_that_grew() {
    let all = leaves(600);
    let mut stored = Stored::new(&[]);
    for leaf in all {
        let size = stored.frontier.size();
        let from_tiles = Frontier::from_tiles(size, &stored.tiles(&root_tiles(size))).unwrap();
        assert_eq!(from_tiles, stored.frontier);
        stored.push(leaf);
    }
}

#[test]
fn a_missing_or_short_tile_is_named() {
    let stored = Stored::new(&leaves(300));
    let tile = Tile { level: 0, index: 1, width: 44 };
    assert_eq!(
        root(300, &Tiles::new()).unwrap_err().to_string(),
        "tile 1/000.p/1 is needed and was not given"
    );
    let mut tiles = stored.tiles(&root_tiles(300));
    tiles.insert(tile, leaves(43));
    assert_eq!(root(300, &tiles), Err(ProofError::MissingTile { tile }));
}

#[test]
fn a_wider_tile_serves_for_a_narrower_one() {
    let stored = Stored::new(&leaves(300));
    let wide = stored.tiles(&[Tile { level: 0, index: 0, width: 256 }]);
    assert_eq!(root(77, &wide).unwrap(), stored.root(77));
}

#[test]
fn tiles_are_those_of_the_specification() {
    // C2SP tlog-tiles, "Partial Tiles": a tree of 70,000.
    let of = |level, index| Tile::of(level, index, 70_000).map(|tile| tile.width);
    assert_eq!((of(0, 272), of(0, 273), of(0, 274)), (Some(256), Some(112), None));
    assert_eq!((of(1, 0), of(1, 1), of(1, 2)), (Some(256), Some(17), None));
    assert_eq!((of(2, 0), of(2, 1), of(3, 0)), (Some(1), None, None));
    assert_eq!(Tile::of(1, 0, 256), Some(Tile { level: 1, index: 0, width: 1 }));
    assert_eq!(Tile { level: 1, index: 1, width: 17 }.leaves(), Some((65_536, 65_536 + 17 * 256)));
    assert_eq!((Tile::of(8, 0, u64::MAX), Tile::of(0, u64::MAX, u64::MAX)), (None, None));
}

#[test]
fn a_tile_has_one_spelling() {
    for (tile, text) in [
        (Tile { level: 0, index: 0, width: 256 }, "0/000"),
        (Tile { level: 3, index: 1_234_067, width: 256 }, "3/x001/x234/067"),
        (Tile { level: 0, index: 1000, width: 7 }, "0/x001/000.p/7"),
    ] {
        assert_eq!(tile.to_string(), text);
        assert_eq!(text.parse(), Ok(tile));
    }
    for wrong in [
        "",
        "0",
        "0/",
        "0/0",
        "0/00",
        "0/0000",
        "00/000",
        "8/000",
        "0/x000/000",
        "0/001/000",
        "0/x001/x000",
        "0/000.p/256",
        "0/000.p/0",
        "0/000.p/01",
        "0/000.p/",
        "0/-01",
        "0/+01",
        "0/x018/x446/x744/x073/x709/x551/x616",
        "7/x999/999",
        "0/000/",
        "/0/000",
        "0/000.p/1.p/1",
    ] {
        assert_eq!(wrong.parse::<Tile>(), Err(TileError), "{wrong}");
    }
}

#[test]
fn what_is_in_no_tree_is_refused() {
    let tiles = Tiles::new();
    assert_eq!(prove_inclusion(5, 5, &tiles), Err(ProofError::NoSuchLeaf { index: 5, size: 5 }));
    assert_eq!(prove_consistency(6, 5, &tiles), Err(ProofError::Shrunk { old: 6, new: 5 }));
    assert_eq!(prove_consistency(0, 5, &tiles), Ok(Vec::new()));
    assert_eq!(prove_consistency(5, 5, &tiles), Ok(Vec::new()));
    assert_eq!((inclusion_tiles(5, 5), consistency_tiles(6, 5)), (Vec::new(), Vec::new()));
    let lie = TreeHead { size: 0, root: Hash::ZERO };
    let one = TreeHead { size: 1, root: leaf_hash(b"") };
    verify_consistency(lie, one, &[]).unwrap_err();
    verify_consistency(TreeHead::EMPTY, lie, &[]).unwrap_err();
    verify_consistency(TreeHead::EMPTY, one, &[]).unwrap();
}

/// A tree of any size in which almost all leaves are the same.
struct Sparse {
    special: Vec<u64>,
}

impl Sparse {
    fn leaf(&self, index: u64) -> Hash {
        if self.special.contains(&index) { leaf_hash(&index.to_be_bytes()) } else { Hash::ZERO }
    }

    fn full(&self, height: u32, index: u64) -> Hash {
        if height == 0 {
            return self.leaf(index);
        }
        if !self.special.iter().any(|leaf| leaf >> height == index) {
            return (0..height).fold(Hash::ZERO, |hash, _| node_hash(hash, hash));
        }
        node_hash(self.full(height - 1, index * 2), self.full(height - 1, index * 2 + 1))
    }

    fn tiles(&self, names: &[Tile]) -> Tiles {
        let row = |tile: &Tile| {
            let first = tile.index * u64::from(TILE_WIDTH);
            let indexes = first..first + u64::from(tile.width);
            let height = TILE_HEIGHT * u32::from(tile.level);
            let plain = (0..height).fold(Hash::ZERO, |hash, _| node_hash(hash, hash));
            let special = |index: u64| self.special.iter().any(|leaf| leaf >> height == index);
            indexes.map(|at| if special(at) { self.full(height, at) } else { plain }).collect()
        };
        names.iter().map(|tile| (*tile, row(tile))).collect()
    }

    fn head(&self, size: u64) -> TreeHead {
        let tiles = self.tiles(&root_tiles(size));
        let root = root(size, &tiles).unwrap();
        assert_eq!(Frontier::from_tiles(size, &tiles).unwrap().root(), root);
        TreeHead { size, root }
    }
}

/// Sizes of any magnitude, and those near powers of two and of 256.
fn sizes() -> impl Strategy<Value = u64> {
    prop_oneof![
        (0_u32..53).prop_flat_map(|bits| (1_u64 << bits)..=(1 << bits) * 2),
        (3_u32..53, -2_i64..=2).prop_map(|(bits, off)| (1_u64 << bits).saturating_add_signed(off)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn proofs_of_any_size_hold_and_altered_ones_do_not(
        (a, b) in (sizes(), sizes()),
        pick in any::<u64>(),
        other in any::<u64>(),
    ) {
        let (old, new) = (a.min(b), a.max(b));
        let index = pick % new;
        let tree = Sparse { special: vec![index, other % new, old - 1, old % new] };
        let (before, after) = (tree.head(old), tree.head(new));

        let proof = prove_inclusion(index, new, &tree.tiles(&inclusion_tiles(index, new))).unwrap();
        prop_assert!(proof.len() <= HASHES_IN_A_PROOF);
        verify_inclusion(tree.leaf(index), index, after, &proof).unwrap();
        for wrong in altered(&proof) {
            verify_inclusion(tree.leaf(index), index, after, &wrong).unwrap_err();
        }

        let proof = prove_consistency(old, new, &tree.tiles(&consistency_tiles(old, new))).unwrap();
        prop_assert!(proof.len() <= HASHES_IN_A_PROOF);
        verify_consistency(before, after, &proof).unwrap();
        for wrong in altered(&proof) {
            verify_consistency(before, after, &wrong).unwrap_err();
        }
    }
}
