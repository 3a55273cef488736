//! Ranges of leaves, and how they divide into full subtrees. Never allocates more than a proof has.

use crate::hash::{Hash, node_hash};
use crate::tree::tile::{TILE_HEIGHT, Tile, TileHashes};
use crate::tree::verify::ProofError;

/// Leaves from `start` on, before `end`: a node of some tree, so `start` is a multiple of the
/// smallest power of two that is not below the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// A full subtree: leaves `[index * 2^height, (index + 1) * 2^height)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Full {
    height: u32,
    index: u64,
}

impl Range {
    pub(crate) const fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Where RFC 6962 divides it: after the largest power of two below its length (which is over 1).
    pub(crate) fn split(self) -> (Self, Self) {
        let left = 1_u64 << self.len().saturating_sub(1).checked_ilog2().unwrap_or(0);
        let middle = self.start.saturating_add(left);
        (Self { start: self.start, end: middle }, Self { start: middle, end: self.end })
    }

    /// The full subtrees that it consists of, from left to right, each smaller than the one before.
    pub(crate) fn full(self) -> impl Iterator<Item = Full> {
        let mut start = self.start;
        std::iter::from_fn(move || {
            let height = self.end.checked_sub(start)?.checked_ilog2()?;
            let full = Full { height, index: start >> height };
            start = start.saturating_add(1 << height);
            Some(full)
        })
    }

    /// The Merkle tree hash of the range; `None` only for one without leaves.
    pub(crate) fn hash(self, size: u64, tiles: &impl TileHashes) -> Result<Hash, ProofError> {
        let mut peaks = Vec::new();
        for full in self.full() {
            peaks.push(full.hash(size, tiles)?);
        }
        fold_peaks(&peaks).ok_or(ProofError::Empty)
    }
}

/// The hash over full subtrees, from left to right, each smaller than the one before.
pub(crate) fn fold_peaks(peaks: &[Hash]) -> Option<Hash> {
    let (last, rest) = peaks.split_last()?;
    Some(rest.iter().rev().fold(*last, |right, left| node_hash(*left, right)))
}

impl Full {
    /// The tile that it is computed from, as a tree of `size` leaves has it.
    pub(crate) fn tile(self, size: u64) -> Option<Tile> {
        let level = u8::try_from(self.height / TILE_HEIGHT).ok()?;
        let first = self.index.checked_shl(self.height % TILE_HEIGHT)?;
        Tile::of(level, first >> TILE_HEIGHT, size)
    }

    pub(crate) fn hash(self, size: u64, tiles: &impl TileHashes) -> Result<Hash, ProofError> {
        let tile = self.tile(size).ok_or(ProofError::Empty)?;
        let hashes = tiles.hashes(tile).ok_or(ProofError::MissingTile { tile })?;
        if hashes.len() != usize::from(tile.width) {
            return Err(ProofError::TileWidth { tile, found: hashes.len() });
        }
        let count = 1_usize << (self.height % TILE_HEIGHT);
        let mask = (1_u64 << TILE_HEIGHT) - 1;
        let from = (self.index << (self.height % TILE_HEIGHT)) & mask;
        let row = usize::try_from(from)
            .ok()
            .and_then(|from| hashes.get(from..from.checked_add(count)?))
            .ok_or(ProofError::TileWidth { tile, found: hashes.len() })?;
        Ok(perfect(row))
    }
}

/// The root over a row whose length is a power of two, without an allocation: every hash climbs as
/// far as it completes a subtree.
fn perfect(row: &[Hash]) -> Hash {
    let mut waiting = [Hash::ZERO; TILE_HEIGHT as usize + 1];
    for (index, leaf) in row.iter().enumerate() {
        let mut hash = *leaf;
        let climbs = index.trailing_ones();
        let mut slots = waiting.iter_mut();
        for left in slots.by_ref().take(climbs as usize) {
            hash = node_hash(*left, hash);
        }
        if let Some(slot) = slots.next() {
            *slot = hash;
        }
    }
    let height = row.len().checked_ilog2().unwrap_or(0);
    waiting.get(height as usize).copied().unwrap_or(Hash::ZERO)
}
