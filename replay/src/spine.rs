//! What holds a log together without knowing what it means: form, chain, payload hashes, tree, and
//! what was known of it before. Never says that anything in it was allowed.

use crate::{
    finding::{Fault, Finding},
    prepared::Prepared,
};
use serde::Serialize;
use strongroom_ledger::{Chain, ChainError, Frontier, Hash, Head, TreeHead};

/// What is known of a log before it is read.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Expected {
    /// The leaf of entry 1.
    pub genesis: Option<Hash>,
    /// A head that the log once had: it must contain it.
    pub head: Option<Head>,
    /// A tree that witnesses saw: the log must begin with it.
    pub tree: Option<TreeHead>,
}

/// A log that is whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Whole {
    /// How many entries there are.
    pub entries: u64,
    /// The last one.
    pub head: Head,
    /// The leaf of entry 1.
    pub genesis: Hash,
    /// The Merkle tree over all of them.
    pub tree: TreeHead,
}

/// Reads a log's form.
#[derive(Clone, Debug)]
pub struct Spine {
    expected: Expected,
    chain: Chain,
    tree: Frontier,
    genesis: Hash,
}

/// Why an entry was not accepted.
pub(crate) enum Stop {
    /// The chain says so: its neighbours may tell more.
    Chain(ChainError),
    /// All there is to say.
    Found(Finding),
}

/// Judges one entry after another.
pub(crate) trait Judge {
    /// Judges the next entry. After a refusal the judge must not be asked any more.
    fn judge(&mut self, prepared: &Prepared) -> Result<(), Stop>;

    /// What it knows of the log's form.
    fn spine(&self) -> &Spine;
}

impl Spine {
    /// Before the first entry.
    pub const fn new(expected: Expected) -> Self {
        Self { expected, chain: Chain::start(), tree: Frontier::new(), genesis: Hash::ZERO }
    }

    /// The last entry that was accepted.
    pub const fn head(&self) -> Head {
        self.chain.head()
    }

    /// The tree over all that was accepted.
    pub fn tree(&self) -> TreeHead {
        self.tree.head()
    }

    /// What was known before.
    pub const fn expected(&self) -> &Expected {
        &self.expected
    }

    fn pinned(&self) -> Result<(), Finding> {
        let Head { position, leaf } = self.chain.head();
        if let Some(expected) = self.expected.genesis.filter(|pinned| *pinned != leaf)
            && position.get() == 1
        {
            return Err(Finding::genesis(expected, leaf));
        }
        if let Some(pinned) = self.expected.head
            && pinned.position == position
            && pinned.leaf != leaf
        {
            let expected = pinned.leaf;
            let message =
                format!("entry {position} has leaf {leaf}, expected the pinned {expected}");
            return Err(Finding::at(Fault::OtherHead, position.get(), message));
        }
        self.witnessed(position.get())
    }

    /// Whether the log begins with the tree that was witnessed.
    fn witnessed(&self, position: u64) -> Result<(), Finding> {
        let Some(seen) = self.expected.tree.filter(|seen| seen.size == position) else {
            return Ok(());
        };
        let root = self.tree.root();
        if root == seen.root {
            return Ok(());
        }
        let message = format!(
            "the tree over the first {position} entries has root {root}, the checkpoint's \
             witnesses saw {}: this is another history",
            seen.root
        );
        Err(Finding::at(Fault::Forked, position, message))
    }

    /// Judges the end.
    pub(crate) fn finish(&self) -> Result<Whole, Finding> {
        let head = self.head();
        if head.position.get() == 0 {
            let message = "the log has no entries, expected a charter";
            return Err(Finding::of(Fault::Truncated, message));
        }
        if let Some(pinned) = self.expected.head.filter(|pinned| pinned.position > head.position) {
            return Err(Finding::truncated(head, format!("entry {}", pinned.position)));
        }
        let entries = head.position.get();
        if let Some(seen) = self.expected.tree.filter(|seen| seen.size > entries) {
            let message = format!(
                "the log ends at entry {entries}, the checkpoint's witnesses saw {}: it was cut or \
                 rolled back",
                seen.size
            );
            return Err(Finding::at(Fault::Truncated, entries, message));
        }
        Ok(Whole { entries, head, genesis: self.genesis, tree: self.tree() })
    }
}

impl Judge for Spine {
    fn judge(&mut self, prepared: &Prepared) -> Result<(), Stop> {
        let leaf = prepared.extend(&mut self.chain).map_err(Stop::Chain)?;
        self.tree.push(leaf, |_, _, _| {});
        if self.chain.head().position.get() == 1 {
            self.genesis = leaf;
        }
        self.pinned().map_err(Stop::Found)
    }

    fn spine(&self) -> &Spine {
        self
    }
}
