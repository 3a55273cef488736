//! What holds a log together without knowing what it means: form, chain, payload hashes, tree, and
//! what was known of it before. Never says that anything in it was allowed.

use crate::{
    finding::{Fault, Finding},
    name::{Name, Origin, Witnessed},
    prepared::Prepared,
};
use serde::Serialize;
use strongroom_domain::charter::{LogResumed, Resumption};
use strongroom_ledger::{Chain, ChainError, Frontier, Hash, Head, TreeHead};

/// What is known of a log before it is read.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Expected {
    /// The leaf of entry 1.
    pub genesis: Option<Hash>,
    /// A head that the log once had: it must contain it.
    pub head: Option<Head>,
    /// A tree that witnesses saw: the log must have that name, and begin with it.
    pub seen: Option<Witnessed>,
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
    /// What it is called in checkpoints; `None` where entry 1 is no charter.
    pub origin: Option<String>,
    /// Where it went on from an earlier entry, in order.
    pub resumed: Vec<Resumed>,
}

/// Where a log went on from an earlier entry, because what stood behind it was lost everywhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Resumed {
    /// The entry with the certificate.
    pub position: u64,
    /// What the certificate says.
    #[serde(flatten)]
    pub resumption: Resumption,
}

/// Reads a log's form.
#[derive(Clone, Debug)]
pub struct Spine {
    expected: Expected,
    chain: Chain,
    tree: Frontier,
    genesis: Hash,
    name: Name,
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
    pub fn new(expected: Expected) -> Self {
        Self {
            expected,
            chain: Chain::start(),
            tree: Frontier::new(),
            genesis: Hash::ZERO,
            name: Name::default(),
        }
    }

    /// The last entry that was accepted.
    pub const fn head(&self) -> Head {
        self.chain.head()
    }

    /// The tree over all that was accepted.
    pub fn tree(&self) -> TreeHead {
        self.tree.head()
    }

    /// What it is called, as its entries say so far; `None` where entry 1 is no charter.
    pub fn origin(&self) -> Option<Origin> {
        self.name.origin()
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

    /// Whether the log is the one that was witnessed, and begins with the tree that was.
    fn witnessed(&self, position: u64) -> Result<(), Finding> {
        let Some(Witnessed { origin, tree }) = self.expected.seen else { return Ok(()) };
        if position == 1
            && let Some(own) = self.name.origin()
            && own.log != origin.log
        {
            let message = format!(
                "the checkpoint is of {origin}, this is {own}: it says nothing of this log, bring \
                 one of its own"
            );
            return Err(Finding::of(Fault::BadCheckpoint, message));
        }
        let root = self.tree.root();
        if tree.size != position || root == tree.root {
            return Ok(());
        }
        self.same_history(origin)?;
        let message = format!(
            "the tree over the first {position} entries has root {root}, the checkpoint's \
             witnesses saw {}: this is another history",
            tree.root
        );
        Err(Finding::at(Fault::Forked, position, message))
    }

    /// A quorum may give entries up: what was seen of them then convicts nobody.
    fn same_history(&self, origin: Origin) -> Result<(), Finding> {
        let own = self.name.origin().map_or(0, |own| own.resumption);
        let resumed = self.name.resumed();
        let given_up = resumed.iter().find(|(_, it)| it.resumption.number > origin.resumption);
        let message = if let Some((position, LogResumed { resumption, .. })) = given_up {
            format!(
                "the checkpoint is of {origin}, from before resumption {} in entry {position}, by \
                 which what stood behind entry {} was given up: bring one from after it",
                resumption.number, resumption.from.position
            )
        } else if own < origin.resumption {
            let last = self.head().position;
            format!(
                "the checkpoint is of {origin}, but up to entry {last} this log has no such \
                 resumption: it may be the history that was given up by it"
            )
        } else {
            return Ok(());
        };
        Err(Finding::of(Fault::BadCheckpoint, message))
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
        if let Some(seen) = self.expected.seen.filter(|seen| seen.tree.size > entries) {
            if self.name.origin().is_some_and(|own| own.resumption > seen.origin.resumption) {
                self.same_history(seen.origin)?;
            }
            let message = format!(
                "the log ends at entry {entries}, the checkpoint's witnesses saw {}: it was cut or \
                 rolled back",
                seen.tree.size
            );
            return Err(Finding::at(Fault::Truncated, entries, message));
        }
        let resumed = self.name.resumed().iter().map(|(position, it)| Resumed {
            position: *position,
            resumption: it.resumption.clone(),
        });
        Ok(Whole {
            entries,
            head,
            genesis: self.genesis,
            tree: self.tree(),
            origin: self.name.origin().map(|origin| origin.to_string()),
            resumed: resumed.collect(),
        })
    }
}

impl Judge for Spine {
    fn judge(&mut self, prepared: &Prepared) -> Result<(), Stop> {
        let leaf = prepared.extend(&mut self.chain).map_err(Stop::Chain)?;
        self.tree.push(leaf, |_, _, _| {});
        if self.chain.head().position.get() == 1 {
            self.genesis = leaf;
        }
        if let Some(naming) = &prepared.naming {
            self.name.keep(self.chain.head().position.get(), naming);
        }
        self.pinned().map_err(Stop::Found)
    }

    fn spine(&self) -> &Spine {
        self
    }
}
