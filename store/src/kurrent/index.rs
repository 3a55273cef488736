//! What is known of a log without asking the server: where streams, outcomes and leaves are. Never
//! holds what is not durable, and no payloads.

use std::collections::{BTreeMap, HashMap};

use strongroom_ledger::{Hash, Head, Position, Tile, Tiles};

use crate::read::ReadError;
use crate::tree::{Grown, Source, Subtree, Tree, whole};

/// Where an outcome is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// With the last event of its append.
    Entry(Position),
    /// At a revision of the stream of refusals.
    Refusal(u64),
}

/// Built from the whole log at open; about 100 bytes an entry.
#[derive(Default)]
pub(super) struct Index {
    leaves: Vec<Hash>,
    subtrees: BTreeMap<(u8, u64), Hash>,
    streams: HashMap<String, Vec<Position>>,
    outcomes: HashMap<Hash, Place>,
}

impl Index {
    /// The last entry.
    pub(super) fn head(&self) -> Head {
        let position = u64::try_from(self.leaves.len()).ok().and_then(Position::new);
        match self.leaves.last().zip(position) {
            Some((leaf, position)) => Head { position, leaf: *leaf },
            None => Head::EMPTY,
        }
    }

    /// The leaf of an entry.
    pub(super) fn leaf(&self, position: Position) -> Option<Hash> {
        let index = usize::try_from(position.previous()?.get()).ok()?;
        self.leaves.get(index).copied()
    }

    /// Notes the next entry.
    pub(super) fn push(&mut self, stream: &str, leaf: Hash) {
        self.leaves.push(leaf);
        let position = self.head().position;
        match self.streams.get_mut(stream) {
            Some(positions) => positions.push(position),
            None => {
                self.streams.insert(stream.to_owned(), vec![position]);
            }
        }
    }

    /// Notes what the tree gained; its leaves are here already.
    pub(super) fn grow(&mut self, grown: Grown) {
        let subtree = |Subtree { level, index, hash }| ((level, index), hash);
        self.subtrees.extend(grown.subtrees.into_iter().map(subtree));
    }

    /// The hashes of a tile.
    pub(super) fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, ReadError> {
        let leaves = |first: u64, width| {
            let from = usize::try_from(first).unwrap_or(usize::MAX);
            self.leaves.iter().skip(from).take(width).copied().collect()
        };
        let hashes = match Source::of(tile, self.head().position)? {
            Source::LeafTile { index, width } => leaves(index.saturating_mul(256), width),
            Source::Entries { first, width } => {
                leaves(first.previous().map_or(0, Position::get), width)
            }
            Source::Subtrees { level, first, width } => {
                let from = self.subtrees.range((level, first)..).take(width);
                from.map(|(_, hash)| *hash).collect()
            }
        };
        whole(tile, hashes)
    }

    /// What the tree is made of again from.
    pub(super) fn tiles(&self) -> Result<Tiles, ReadError> {
        let mut tiles = Tiles::default();
        for tile in Tree::needed(self.head().position.get()) {
            tiles.insert(tile, self.hashes(tile)?);
        }
        Ok(tiles)
    }

    /// The last sequence of a stream.
    pub(super) fn sequence(&self, stream: &str) -> u64 {
        self.streams.get(stream).map_or(0, |of| u64::try_from(of.len()).unwrap_or(u64::MAX))
    }

    /// Where the entries of a stream are, from sequence `from` on.
    pub(super) fn positions(&self, stream: &str, from: u64, limit: usize) -> Vec<Position> {
        let skipped = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
        let positions = self.streams.get(stream).into_iter().flatten();
        positions.skip(skipped).take(limit).copied().collect()
    }

    /// Notes an outcome; gives where there was one already, which then stays.
    pub(super) fn keep(&mut self, name: Hash, place: Place) -> Option<Place> {
        let there = self.outcomes.get(&name).copied();
        if there.is_none() {
            self.outcomes.insert(name, place);
        }
        there
    }

    /// Where the outcome of a key is.
    pub(super) fn outcome(&self, name: Hash) -> Option<Place> {
        self.outcomes.get(&name).copied()
    }
}
