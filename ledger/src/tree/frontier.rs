//! The right edge of a tree that grows. Never keeps more than one hash for each level.

use crate::hash::{Hash, node_hash};
use crate::tree::head::TreeHead;
use crate::tree::range::{Range, fold_peaks};
use crate::tree::tile::{TILE_HEIGHT, TileHashes};
use crate::tree::verify::ProofError;

/// A tree of which only the full subtrees at its right edge are known: enough for its root, and to
/// append.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// One for each bit of `size` that is set, the largest first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// The frontier of a tree of `size` leaves, from the tiles that [`crate::tree::root_tiles`] names.
    pub fn from_tiles(size: u64, tiles: &impl TileHashes) -> Result<Self, ProofError> {
        let whole = Range { start: 0, end: size };
        let peaks = whole.full().map(|full| full.hash(size, tiles)).collect::<Result<_, _>>()?;
        Ok(Self { size, peaks })
    }

    /// How many leaves there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root.
    pub fn root(&self) -> Hash {
        fold_peaks(&self.peaks).unwrap_or(TreeHead::EMPTY.root)
    }

    /// Size and root.
    pub fn head(&self) -> TreeHead {
        TreeHead { size: self.size, root: self.root() }
    }

    /// Appends a leaf. `subtree(level, index, hash)` is called, from the lowest level up, for each
    /// *tile-level* subtree that the leaf completes: `level` is 1 or more, and `hash` is that of the
    /// full subtree over leaves `[index * 256^level, (index + 1) * 256^level)`.
    ///
    /// A tree of 2^64-1 leaves stays as it is; a log ends at 2^53-1 entries.
    pub fn push(&mut self, leaf: Hash, mut subtree: impl FnMut(u8, u64, Hash)) {
        let Some(size) = self.size.checked_add(1) else { return };
        let mut hash = leaf;
        for height in 1..=self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(left, hash);
            if height.is_multiple_of(TILE_HEIGHT)
                && let Ok(level) = u8::try_from(height / TILE_HEIGHT)
            {
                subtree(level, self.size >> height, hash);
            }
        }
        self.peaks.push(hash);
        self.size = size;
    }
}
