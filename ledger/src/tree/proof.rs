//! Making proofs (RFC 6962 sections 2.1.1 and 2.1.2) from tiles. Never waits: the tiles are named
//! first, fetched by the caller, and only then used.

use std::collections::BTreeSet;

use crate::hash::Hash;
use crate::tree::head::TreeHead;
use crate::tree::range::Range;
use crate::tree::tile::{Tile, TileHashes};
use crate::tree::verify::ProofError;

/// The tiles that [`root`] and [`crate::Frontier::from_tiles`] need.
pub fn root_tiles(size: u64) -> Vec<Tile> {
    tiles_of(&[Range { start: 0, end: size }], size)
}

/// The tiles that [`prove_inclusion`] needs; none when there is no such proof.
pub fn inclusion_tiles(index: u64, size: u64) -> Vec<Tile> {
    inclusion(index, size).map_or_else(|_| Vec::new(), |ranges| tiles_of(&ranges, size))
}

/// The tiles that [`prove_consistency`] needs; none when there is no such proof.
pub fn consistency_tiles(old: u64, new: u64) -> Vec<Tile> {
    consistency(old, new).map_or_else(|_| Vec::new(), |ranges| tiles_of(&ranges, new))
}

/// The root of the tree with `size` leaves.
pub fn root(size: u64, tiles: &impl TileHashes) -> Result<Hash, ProofError> {
    if size == 0 {
        return Ok(TreeHead::EMPTY.root);
    }
    Range { start: 0, end: size }.hash(size, tiles)
}

/// The audit path of the leaf `index` in the tree with `size` leaves, from its sibling up.
pub fn prove_inclusion(
    index: u64,
    size: u64,
    tiles: &impl TileHashes,
) -> Result<Vec<Hash>, ProofError> {
    hashes_of(&inclusion(index, size)?, size, tiles)
}

/// The proof that the tree with `new` leaves begins with the tree with `old` leaves. Empty when
/// `old` is 0 or `new`.
pub fn prove_consistency(
    old: u64,
    new: u64,
    tiles: &impl TileHashes,
) -> Result<Vec<Hash>, ProofError> {
    hashes_of(&consistency(old, new)?, new, tiles)
}

fn tiles_of(ranges: &[Range], size: u64) -> Vec<Tile> {
    let full = ranges.iter().flat_map(|range| range.full());
    full.filter_map(|full| full.tile(size)).collect::<BTreeSet<_>>().into_iter().collect()
}

fn hashes_of(
    ranges: &[Range],
    size: u64,
    tiles: &impl TileHashes,
) -> Result<Vec<Hash>, ProofError> {
    ranges.iter().map(|range| range.hash(size, tiles)).collect()
}

/// PATH of RFC 6962 section 2.1.1, as ranges.
fn inclusion(index: u64, size: u64) -> Result<Vec<Range>, ProofError> {
    if index >= size {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    let mut node = Range { start: 0, end: size };
    let mut path = Vec::new();
    while node.len() > 1 {
        let (left, right) = node.split();
        let inside_left = index < left.end;
        path.push(if inside_left { right } else { left });
        node = if inside_left { left } else { right };
    }
    path.reverse();
    Ok(path)
}

/// PROOF of RFC 6962 section 2.1.2, as ranges.
fn consistency(old: u64, new: u64) -> Result<Vec<Range>, ProofError> {
    if old > new {
        return Err(ProofError::Shrunk { old, new });
    }
    if old == 0 {
        return Ok(Vec::new());
    }
    let mut node = Range { start: 0, end: new };
    let mut proof = Vec::new();
    while node.end != old {
        let (left, right) = node.split();
        let inside_left = old <= left.end;
        proof.push(if inside_left { right } else { left });
        node = if inside_left { left } else { right };
    }
    // A node that begins the tree is the old tree itself: whoever verifies has its root.
    if node.start != 0 {
        proof.push(node);
    }
    proof.reverse();
    Ok(proof)
}
