//! Where two logs part. Never judges either of them, and never holds more than an entry of each.

use crate::{
    finding::{Fault, Finding},
    prepared::Raw,
    source::Source,
};
use serde::Serialize;
use strongroom_ledger::{EntryRef, Hash, export::Pair, leaf_hash};

/// How two logs stand to one another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Diff {
    /// Every byte is the same.
    Equal {
        /// How many entries they have.
        entries: u64,
        /// The leaf of the last one.
        leaf: Option<Hash>,
    },
    /// One is the beginning of the other.
    Prefix {
        /// Which one is shorter: `a` or `b`.
        shorter: &'static str,
        /// How many entries it has.
        entries: u64,
        /// The first entry that only the other one has.
        next: Box<Side>,
    },
    /// They part.
    Parted {
        /// The first entry that differs, counted.
        position: u64,
        /// Whether only the payloads differ.
        payload_only: bool,
        /// The leaf of the last entry that they share.
        shared: Option<Hash>,
        /// What the first log has there.
        a: Box<Side>,
        /// What the second log has there.
        b: Box<Side>,
    },
}

/// An entry as one of the logs has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Side {
    /// Its leaf.
    pub leaf: Hash,
    /// The leaf of the entry that it says it follows; `None` where its bytes are no entry.
    pub prev: Option<Hash>,
    /// Its bytes, as text.
    pub entry: String,
    /// Its payload's.
    pub payload: String,
}

impl Side {
    fn of(pair: &Pair) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            leaf: leaf_hash(&pair.entry),
            prev: EntryRef::parse(&pair.entry).ok().map(|entry| entry.prev),
            entry: text(&pair.entry),
            payload: text(&pair.payload),
        }
    }
}

impl Diff {
    /// What the program ends with.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Equal { .. } => 0,
            Self::Prefix { .. } => Fault::Prefix.exit_code(),
            Self::Parted { .. } => Fault::Parted.exit_code(),
        }
    }
}

/// Holds two logs against one another, byte by byte, as they stand.
pub fn diff(
    a: &mut Source,
    b: &mut Source,
    mut progress: impl FnMut(u64),
) -> Result<Diff, Finding> {
    let (mut entries, mut leaf) = (0_u64, None);
    let next = |source: &mut Source, name: &str, after: u64| {
        source.read().map_err(|error| {
            let message = format!("{name}, after entry {after}: {error}");
            Finding::at(error.fault(), after.saturating_add(1), message)
        })
    };
    let one_more = |shorter, entries, raw: &Raw| {
        Ok(Diff::Prefix { shorter, entries, next: Box::new(Side::of(&raw.pair)) })
    };
    loop {
        match (next(a, "the first log", entries)?, next(b, "the second log", entries)?) {
            (None, None) => return Ok(Diff::Equal { entries, leaf }),
            (None, Some(more)) => return one_more("a", entries, &more),
            (Some(more), None) => return one_more("b", entries, &more),
            (Some(one), Some(two)) if one.pair == two.pair => {
                entries = entries.saturating_add(1);
                leaf = Some(leaf_hash(&one.pair.entry));
                progress(entries);
            }
            (Some(one), Some(two)) => {
                return Ok(Diff::Parted {
                    position: entries.saturating_add(1),
                    payload_only: one.pair.entry == two.pair.entry,
                    shared: leaf,
                    a: Box::new(Side::of(&one.pair)),
                    b: Box::new(Side::of(&two.pair)),
                });
            }
        }
    }
}
