//! The Merkle tree over the log's entries as it grows, and as a backend keeps it. Never stored by
//! itself: what an append adds to it is stored in the append's own transaction.

use strongroom_ledger::tree::{TILE_WIDTH, root_tiles};
use strongroom_ledger::{Frontier, Hash, Position, ProofError, Tile, TileHashes, Tiles, TreeHead};

use crate::read::ReadError;

/// Bytes of a stored hash, and of a stored leaf tile.
const HASH_BYTES: usize = 32;

/// A full leaf tile, to be stored: the leaves of 256 entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeafTile {
    /// It holds the entries from position `index * 256 + 1` on.
    pub(crate) index: u64,
    /// 256 of them.
    pub(crate) hashes: Vec<Hash>,
}

/// The hash of a full subtree over `256^level` leaves, to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subtree {
    /// 1 or more.
    pub(crate) level: u8,
    /// It covers leaves from `index * 256^level` on.
    pub(crate) index: u64,
    pub(crate) hash: Hash,
}

/// What was completed and is not stored yet.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Grown {
    pub(crate) leaf_tiles: Vec<LeafTile>,
    pub(crate) subtrees: Vec<Subtree>,
}

/// The right edge of the tree, the leaves that do not fill a tile yet, and what grew since a
/// backend last asked.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    frontier: Frontier,
    pending: Vec<Hash>,
    grown: Grown,
}

impl Tree {
    /// The tree without entries.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The tree of a log that is opened again: `tiles` are those of [`Tree::needed`], `head` is
    /// what was stored with the last entry. They have to agree.
    pub(crate) fn reopen(head: TreeHead, tiles: &Tiles) -> Result<Self, ReadError> {
        let frontier = Frontier::from_tiles(head.size, tiles)
            .map_err(|error| damaged(head.size, &error.to_string()))?;
        let found = frontier.root();
        if found != head.root {
            let reason = format!(
                "the stored tree has the root {found} at size {}, the head row says {}",
                head.size, head.root
            );
            return Err(damaged(head.size, &reason));
        }
        let pending = match Tile::of(0, head.size / u64::from(TILE_WIDTH), head.size) {
            Some(tile) => tiles.hashes(tile).unwrap_or_default().to_vec(),
            None => Vec::new(),
        };
        Ok(Self { frontier, pending, grown: Grown::default() })
    }

    /// What has to be read before a log of `size` entries is opened again.
    pub(crate) fn needed(size: u64) -> Vec<Tile> {
        root_tiles(size)
    }

    /// Adds the leaf of the next entry.
    pub(crate) fn push(&mut self, leaf: Hash) {
        let subtrees = &mut self.grown.subtrees;
        let index = self.frontier.size() / u64::from(TILE_WIDTH);
        self.frontier
            .push(leaf, |level, index, hash| subtrees.push(Subtree { level, index, hash }));
        self.pending.push(leaf);
        if self.pending.len() == usize::from(TILE_WIDTH) {
            let hashes = std::mem::take(&mut self.pending);
            self.grown.leaf_tiles.push(LeafTile { index, hashes });
        }
    }

    /// What is to be stored with the entries since the last call; afterwards nothing is.
    pub(crate) fn take_grown(&mut self) -> Grown {
        std::mem::take(&mut self.grown)
    }

    /// Size and root.
    pub(crate) fn head(&self) -> TreeHead {
        self.frontier.head()
    }
}

impl LeafTile {
    /// As it is stored: 256 hashes of 32 bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        bytes_of(&self.hashes)
    }
}

/// Hashes one after the other.
pub(crate) fn bytes_of(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Where the hashes of a tile are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The first `width` hashes of a stored leaf tile.
    LeafTile { index: u64, width: usize },
    /// The leaves of the `width` entries from `first` on: their tile is not full yet.
    Entries { first: Position, width: usize },
    /// The hashes of the `width` stored subtrees from `first` on.
    Subtrees { level: u8, first: u64, width: usize },
}

impl Source {
    /// Where `tile` is kept by a log that is durable up to `durable`. A tile that reaches beyond is
    /// refused, never cut short.
    pub(crate) fn of(tile: Tile, durable: Position) -> Result<Self, ReadError> {
        let size = durable.get();
        let beyond = || ReadError::Unavailable {
            reason: format!("tile {tile} reaches beyond the log, which has {size} entries"),
        };
        let known = Tile::of(tile.level, tile.index, size).ok_or_else(beyond)?;
        if tile.width == 0 || tile.width > known.width {
            return Err(beyond());
        }
        let width = usize::from(tile.width);
        let first = tile.index.checked_mul(u64::from(TILE_WIDTH)).ok_or_else(beyond)?;
        if tile.level > 0 {
            return Ok(Self::Subtrees { level: tile.level, first, width });
        }
        if known.is_full() {
            return Ok(Self::LeafTile { index: tile.index, width });
        }
        let first = first.checked_add(1).and_then(Position::new).ok_or_else(beyond)?;
        Ok(Self::Entries { first, width })
    }
}

/// The first `width` hashes of a stored leaf tile; a damaged one is named.
pub(crate) fn leaf_hashes(index: u64, bytes: &[u8], width: usize) -> Result<Vec<Hash>, ReadError> {
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if hashes.len() != usize::from(TILE_WIDTH) || !rest.is_empty() {
        let reason = format!("leaf tile {index} has {} bytes, it must have 8192", bytes.len());
        return Err(damaged(index.saturating_add(1).saturating_mul(256), &reason));
    }
    Ok(hashes.iter().take(width).map(|hash| Hash::new(*hash)).collect())
}

/// Holds the hashes of a tile against its width: what is stored must be all there.
pub(crate) fn whole(tile: Tile, hashes: Vec<Hash>) -> Result<Vec<Hash>, ReadError> {
    if hashes.len() == usize::from(tile.width) {
        return Ok(hashes);
    }
    let end = tile.leaves().map_or(0, |(_, end)| end);
    let reason =
        format!("tile {tile} should have {} hashes, {} are stored", tile.width, hashes.len());
    Err(damaged(end, &reason))
}

/// The tree of a log of `size` entries is not what it must be.
pub(crate) fn damaged(size: u64, reason: &str) -> ReadError {
    let position = Position::new(size).unwrap_or(Position::START);
    ReadError::corrupt(position, format!("its tree: {reason}"))
}

/// A proof cannot be made from what is stored, or does not hold: the tree is damaged.
pub(crate) fn no_proof(size: u64, error: ProofError) -> ReadError {
    damaged(size, &error.to_string())
}

#[cfg(test)]
mod tests {
    use strongroom_ledger::leaf_hash;

    use super::*;

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
    }

    #[test]
    fn what_grew_is_every_full_leaf_tile_and_subtree_once() {
        let mut tree = Tree::new();
        let mut grown = Grown::default();
        for leaf in leaves(600) {
            tree.push(leaf);
            let more = tree.take_grown();
            grown.leaf_tiles.extend(more.leaf_tiles);
            grown.subtrees.extend(more.subtrees);
        }
        let tiles = grown.leaf_tiles.iter().map(|tile| (tile.index, tile.hashes.len()));
        assert_eq!(tiles.collect::<Vec<_>>(), [(0, 256), (1, 256)]);
        let subtrees: Vec<_> = grown.subtrees.iter().map(|one| (one.level, one.index)).collect();
        assert_eq!(subtrees, [(1, 0), (1, 1)]);
        assert_eq!(tree.take_grown(), Grown::default());
    }

    #[test]
    fn a_tile_beyond_the_log_is_refused_and_never_cut_short() {
        let durable = Position::new(300).unwrap();
        let of = |level, index, width| Source::of(Tile { level, index, width }, durable);
        assert_eq!(of(0, 0, 256), Ok(Source::LeafTile { index: 0, width: 256 }));
        assert_eq!(of(0, 0, 7), Ok(Source::LeafTile { index: 0, width: 7 }));
        let first = Position::new(257).unwrap();
        assert_eq!(of(0, 1, 44), Ok(Source::Entries { first, width: 44 }));
        assert_eq!(of(1, 0, 1), Ok(Source::Subtrees { level: 1, first: 0, width: 1 }));
        for (level, index, width) in
            [(0, 1, 45), (0, 1, 0), (0, 2, 1), (1, 0, 2), (2, 0, 1), (63, 1, 1), (0, u64::MAX, 1)]
        {
            let refused = of(level, index, width);
            assert!(matches!(refused, Err(ReadError::Unavailable { .. })), "{refused:?}");
        }
    }
}
