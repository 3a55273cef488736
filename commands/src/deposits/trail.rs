//! The blocks that were read last, to find where a reorganisation began. Never longer than
//! [`DEPTH`](super::DEPTH).

use super::DEPTH;
use std::collections::VecDeque;
use strongroom_domain::deposit::BlockRef;
use strongroom_nodes::BlockHash;

/// The last blocks that were read, lowest first. All blocks that mattered below each were read too.
pub(super) struct Trail {
    blocks: VecDeque<(u64, BlockHash)>,
    /// No block below is ever read.
    birth: u64,
}

impl Trail {
    /// Nothing was read yet.
    pub(super) const fn from_birth(birth: u64) -> Self {
        Self { blocks: VecDeque::new(), birth }
    }

    /// As it was written down. `None` where it makes no sense.
    pub(super) fn resume(birth: u64, blocks: &[BlockRef]) -> Option<Self> {
        let mut trail = Self::from_birth(birth);
        for block in blocks {
            if trail.last().is_some_and(|(last, _)| last >= block.height) {
                return None;
            }
            trail.push(block.height, block.hash.parse().ok()?);
        }
        Some(trail)
    }

    /// To be written down.
    pub(super) fn blocks(&self) -> Vec<BlockRef> {
        let blocks = self.blocks.iter();
        blocks.map(|(height, hash)| BlockRef { height: *height, hash: hash.to_string() }).collect()
    }

    /// The height to read next.
    pub(super) fn next(&self) -> u64 {
        self.last().map_or(self.birth, |(height, _)| height.saturating_add(1).max(self.birth))
    }

    /// The last block that was read.
    pub(super) fn last(&self) -> Option<(u64, BlockHash)> {
        self.blocks.back().copied()
    }

    /// Whether a block with this parent goes on from what was read.
    pub(super) fn continues(&self, height: u64, previous: Option<BlockHash>) -> bool {
        match self.last() {
            Some((last, hash)) if last.checked_add(1) == Some(height) => previous == Some(hash),
            // Nothing is known of the block below.
            _ => true,
        }
    }

    /// This block was read, or need not be, and nor does any below it.
    pub(super) fn push(&mut self, height: u64, hash: BlockHash) {
        self.blocks.push_back((height, hash));
        if self.blocks.len() > LONGEST {
            self.blocks.pop_front();
        }
    }

    /// The last block is not on the chain: what is above the one before is read again. Where
    /// nothing is left that could be compared, all is.
    pub(super) fn step_back(&mut self) {
        self.blocks.pop_back();
    }
}

const LONGEST: usize = 100;
const _: () = assert!(DEPTH == 100, "one depth, in two types");
