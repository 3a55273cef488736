//! Checking proofs (RFC 9162 sections 2.1.3.2 and 2.1.4.2). Never takes a proof with a hash too many
//! or too few, even where the roots come out right.

use crate::hash::{Hash, node_hash};
use crate::tree::head::TreeHead;
use crate::tree::tile::Tile;

/// The most hashes that a proof between trees of at most 2^63-1 leaves has.
pub(crate) const HASHES_IN_A_PROOF: usize = 63;

/// Why a proof cannot be made, or does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// There is nothing to hash: not a size or a tile of any tree.
    #[error("a part of the tree without leaves was asked for")]
    Empty,
    /// The leaf is not in the tree.
    #[error("a tree of {size} leaves has no leaf {index} (they are counted from 0)")]
    NoSuchLeaf {
        /// The leaf.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// A tree never gets smaller.
    #[error("a tree of {old} leaves cannot become one of {new}")]
    Shrunk {
        /// The older size.
        old: u64,
        /// The newer size.
        new: u64,
    },
    /// The caller did not fetch a tile that was named.
    #[error("tile {tile} is needed and was not given")]
    MissingTile {
        /// The tile.
        tile: Tile,
    },
    /// A tile has another number of hashes than its name says.
    #[error("tile {tile} has {found} hashes, it should have {}", tile.width)]
    TileWidth {
        /// The tile.
        tile: Tile,
        /// How many hashes it has.
        found: usize,
    },
    /// The proof has another number of hashes than a proof between these sizes has.
    #[error("a proof of {found} hashes is too long or too short for these sizes")]
    Length {
        /// How many it has.
        found: usize,
    },
    /// The hashes do not lead to the root of the tree.
    #[error("the proof leads to the root {found}, the tree of {size} leaves has {expected}")]
    Root {
        /// Which tree.
        size: u64,
        /// Its root.
        expected: Hash,
        /// Where the proof leads.
        found: Hash,
    },
}

/// Checks that `leaf` is the leaf `index` of the tree `head`.
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    head: TreeHead,
    path: &[Hash],
) -> Result<(), ProofError> {
    if index >= head.size {
        return Err(ProofError::NoSuchLeaf { index, size: head.size });
    }
    let mut climb = Climb { at: index, last: head.size.saturating_sub(1) };
    let mut hash = leaf;
    for sibling in path {
        hash = match climb.step().ok_or(ProofError::Length { found: path.len() })? {
            Side::Left => node_hash(*sibling, hash),
            Side::Right => node_hash(hash, *sibling),
        };
    }
    if climb.last != 0 {
        return Err(ProofError::Length { found: path.len() });
    }
    demand_root(head, hash)
}

/// Checks that the tree `new` begins with the tree `old`.
///
/// Every tree begins with the empty one, and with itself: then the proof is empty.
pub fn verify_consistency(old: TreeHead, new: TreeHead, proof: &[Hash]) -> Result<(), ProofError> {
    if old.size > new.size {
        return Err(ProofError::Shrunk { old: old.size, new: new.size });
    }
    if old.size == 0 || old.size == new.size {
        if !proof.is_empty() {
            return Err(ProofError::Length { found: proof.len() });
        }
        return if old.size == 0 {
            demand_empty(old).and_then(|()| demand_empty(new))
        } else {
            demand_root(new, old.root)
        };
    }
    let length = ProofError::Length { found: proof.len() };
    // Up to the first node at which the old tree ends: below it both trees are the same.
    let mut climb = Climb { at: old.size - 1, last: new.size - 1 };
    let shared = climb.at.trailing_ones();
    climb = Climb { at: climb.at.unbounded_shr(shared), last: climb.last.unbounded_shr(shared) };
    let (first, rest) = if old.size.is_power_of_two() {
        (old.root, proof)
    } else {
        proof.split_first().map(|(first, rest)| (*first, rest)).ok_or(length)?
    };
    let (mut in_old, mut in_new) = (first, first);
    for sibling in rest {
        match climb.step().ok_or(length)? {
            Side::Left => {
                in_old = node_hash(*sibling, in_old);
                in_new = node_hash(*sibling, in_new);
            }
            Side::Right => in_new = node_hash(in_new, *sibling),
        }
    }
    if climb.last != 0 {
        return Err(length);
    }
    demand_root(old, in_old)?;
    demand_root(new, in_new)
}

/// On which side of the node the next hash of a proof stands.
enum Side {
    Left,
    Right,
}

/// The way from a leaf to the root: `fn` and `sn` of RFC 9162.
struct Climb {
    at: u64,
    last: u64,
}

impl Climb {
    /// One hash further up; `None` at the root.
    fn step(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let side = if self.at & 1 == 1 || self.at == self.last {
            // At the right edge: levels on which the node has no sibling are passed over.
            let skipped = if self.at == 0 { 0 } else { self.at.trailing_zeros() };
            self.at >>= skipped;
            self.last >>= skipped;
            Side::Left
        } else {
            Side::Right
        };
        self.at >>= 1;
        self.last >>= 1;
        Some(side)
    }
}

fn demand_empty(head: TreeHead) -> Result<(), ProofError> {
    if head.size == 0 { demand_root(head, TreeHead::EMPTY.root) } else { Ok(()) }
}

fn demand_root(head: TreeHead, found: Hash) -> Result<(), ProofError> {
    if head.root == found {
        return Ok(());
    }
    Err(ProofError::Root { size: head.size, expected: head.root, found })
}
