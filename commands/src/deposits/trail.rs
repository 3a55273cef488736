//! The blocks that were read last, to find where a reorganisation began. Never longer than
//! [`DEPTH`](super::DEPTH).

use super::DEPTH;
use std::collections::VecDeque;
use strongroom_nodes::BlockHash;

/// The last blocks that were read, lowest first, and the height to read next.
pub(super) struct Trail {
    blocks: VecDeque<(u64, BlockHash)>,
    /// No block below is ever read.
    birth: u64,
    next: u64,
}

impl Trail {
    /// Nothing was read yet.
    pub(super) fn from_birth(birth: u64) -> Self {
        Self { blocks: VecDeque::new(), birth, next: birth }
    }

    /// All was read up to this block.
    pub(super) fn after(birth: u64, height: u64, hash: BlockHash) -> Self {
        let mut trail = Self::from_birth(birth);
        trail.jump(height, hash);
        trail
    }

    /// The height to read next.
    pub(super) const fn next(&self) -> u64 {
        self.next
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

    /// This block was read.
    pub(super) fn push(&mut self, height: u64, hash: BlockHash) {
        self.blocks.push_back((height, hash));
        if self.blocks.len() > DEPTH_BLOCKS {
            self.blocks.pop_front();
        }
        self.next = height.saturating_add(1);
    }

    /// No block up to this one need be read.
    pub(super) fn jump(&mut self, height: u64, hash: BlockHash) {
        self.blocks.clear();
        self.push(height, hash);
    }

    /// The last block is not on the chain: read from its height again. Where nothing is left that
    /// could be compared, from [`DEPTH`](super::DEPTH) blocks below it.
    pub(super) fn step_back(&mut self) {
        let Some((height, _)) = self.blocks.pop_back() else { return };
        let lowest = if self.blocks.is_empty() { height.saturating_sub(DEPTH) } else { height };
        self.next = lowest.max(self.birth);
    }
}

const DEPTH_BLOCKS: usize = 100;
const _: () = assert!(DEPTH == 100, "one depth, in two types");
