//! The roots of the log's recent sizes. Never a root over an entry that was not verified: the
//! follower pushes leaves only after every check.

use std::collections::VecDeque;

use strongroom_ledger::{Frontier, Hash, TreeHead};

/// Leaves between two frontiers that are kept: a root costs at most so many hashes.
const STEP: u64 = 256;
/// Frontiers that are kept: the roots of at least the last 8192 sizes are known.
const STEPS: usize = 33;

/// A tree that grows, and what is needed to know its root at any of its recent sizes.
#[derive(Default)]
pub struct Roots {
    /// Every [`STEP`] leaves, the oldest first.
    steps: VecDeque<Frontier>,
    /// All leaves behind the oldest of them.
    leaves: VecDeque<Hash>,
    tip: Frontier,
}

impl Roots {
    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        if self.tip.size().is_multiple_of(STEP) {
            self.steps.push_back(self.tip.clone());
            if self.steps.len() > STEPS {
                self.steps.pop_front();
                self.leaves = self.leaves.split_off(count(STEP).min(self.leaves.len()));
            }
        }
        self.tip.push(leaf, |_, _, _| {});
        self.leaves.push_back(leaf);
    }

    /// Size and root of all that was pushed.
    pub fn head(&self) -> TreeHead {
        self.tip.head()
    }

    /// The root at a size; `None` where it lies ahead, or too far back.
    pub fn at(&self, size: u64) -> Option<Hash> {
        if size == self.tip.size() {
            return Some(self.tip.root());
        }
        if size > self.tip.size() {
            return None;
        }
        let base = self.steps.front()?.size();
        let behind = size.checked_sub(base)?;
        let mut frontier = self.steps.get(count(behind / STEP))?.clone();
        let from = count(frontier.size().saturating_sub(base));
        for leaf in self.leaves.range(from..).take(count(behind % STEP)) {
            frontier.push(*leaf, |_, _, _| {});
        }
        Some(frontier.root())
    }
}

/// What is kept is counted in thousands.
fn count(leaves: u64) -> usize {
    usize::try_from(leaves).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(number: u64) -> Hash {
        strongroom_ledger::leaf_hash(&number.to_be_bytes())
    }

    #[test]
    fn the_root_at_every_recent_size_is_what_it_was_then() {
        let (mut roots, mut plain) = (Roots::default(), Frontier::new());
        let mut then = vec![plain.root()];
        for number in 0..9_000 {
            roots.push(leaf(number));
            plain.push(leaf(number), |_, _, _| {});
            then.push(plain.root());
        }
        assert_eq!(roots.head(), plain.head());
        for size in 9_000 - 8_192..=9_000_u64 {
            assert_eq!(roots.at(size), Some(then[usize::try_from(size).unwrap()]), "{size}");
        }
        assert_eq!(roots.at(9_001), None);
        assert_eq!(roots.at(1), None, "too far back");
        assert!(roots.leaves.len() <= STEPS * 256);
    }

    #[test]
    fn an_empty_tree_has_its_root() {
        assert_eq!(Roots::default().at(0), Some(TreeHead::EMPTY.root));
        assert_eq!(Roots::default().at(1), None);
        let mut roots = Roots::default();
        roots.push(leaf(0));
        assert_eq!(roots.at(0), Some(TreeHead::EMPTY.root));
        assert_eq!(roots.at(1), Some(leaf(0)));
    }
}
