//! Tiles: the tree in rows of 256 hashes, as C2SP tlog-tiles cuts it. Never holds a hash that is not
//! that of a full subtree, so a tile once full stays what it is.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::hash::Hash;

/// How many hashes a full tile has: 2^8.
pub const TILE_WIDTH: u16 = 256;
/// How many levels of the tree a tile spans.
pub(crate) const TILE_HEIGHT: u32 = 8;
/// Levels of a tree with at most 2^64-1 leaves: 0 to 7.
const LEVELS: u8 = 8;

/// The name of a tile: `width` hashes, each over `256^level` leaves, the first of which is the
/// subtree `index * 256` of that level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// 0: the hashes are leaves; at most 7.
    pub level: u8,
    /// Which tile of its level.
    pub index: u64,
    /// How many hashes it has: 1 to 256.
    pub width: u16,
}

/// Why a text is not the path of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a tile is named <level>/<index>[.p/<width>]: level 0 to 7, index in groups of three digits \
     (x001/x234/067), width 1 to 255"
)]
pub struct TileError;

impl Tile {
    /// The tile as a tree of `size` leaves has it; `None` when that tree has no hash in it.
    pub fn of(level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = size.checked_shr(TILE_HEIGHT.checked_mul(u32::from(level))?)?;
        let before = index.checked_mul(u64::from(TILE_WIDTH))?;
        let left = hashes.checked_sub(before)?.min(u64::from(TILE_WIDTH));
        let width = u16::try_from(left).ok().filter(|width| *width > 0)?;
        Some(Self { level, index, width })
    }

    /// Whether it has all the hashes that it can have.
    pub const fn is_full(self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The leaves that its hashes cover: the first, and the one after the last. `None` for a tile
    /// that no tree has.
    pub fn leaves(self) -> Option<(u64, u64)> {
        let each = 1_u64.checked_shl(TILE_HEIGHT.checked_mul(u32::from(self.level))?)?;
        let first = self.index.checked_mul(u64::from(TILE_WIDTH))?;
        let end = first.checked_add(u64::from(self.width))?;
        Some((first.checked_mul(each)?, end.checked_mul(each)?))
    }
}

/// `<level>/<index>[.p/<width>]`, what stands after `/tile/` in C2SP tlog-tiles.
impl fmt::Display for Tile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        write!(out, "{}", self.level)?;
        for (place, group) in groups.iter().enumerate().rev() {
            write!(out, "/{}{group:03}", if place == 0 { "" } else { "x" })?;
        }
        if self.is_full() { Ok(()) } else { write!(out, ".p/{}", self.width) }
    }
}

impl FromStr for Tile {
    type Err = TileError;

    /// Reads exactly what is printed.
    fn from_str(text: &str) -> Result<Self, TileError> {
        let read = || {
            let (level, rest) = text.split_once('/')?;
            let (path, width) = match rest.split_once(".p/") {
                Some((path, width)) => (path, width.parse().ok()?),
                None => (rest, TILE_WIDTH),
            };
            let mut index = 0_u64;
            for group in path.split('/') {
                let digits: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
                index = index.checked_mul(1000)?.checked_add(digits)?;
            }
            let tile = Self { level: level.parse().ok()?, index, width };
            tile.leaves()?;
            (tile.level < LEVELS && (1..=TILE_WIDTH).contains(&width)).then_some(tile)
        };
        // Printing is the rule; whatever else `parse` let through is another spelling.
        read().filter(|tile| tile.to_string() == text).ok_or(TileError)
    }
}

/// Where the hashes of tiles come from: a map, a store that was read before, a network.
pub trait TileHashes {
    /// The hashes of a tile, exactly `tile.width` of them; `None` when they are not at hand.
    fn hashes(&self, tile: Tile) -> Option<&[Hash]>;
}

/// Tiles at hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tiles(BTreeMap<Tile, Vec<Hash>>);

impl Tiles {
    /// None.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a tile, or replaces it. One that has not `tile.width` hashes is found by whoever uses it.
    pub fn insert(&mut self, tile: Tile, hashes: Vec<Hash>) {
        self.0.insert(tile, hashes);
    }
}

impl FromIterator<(Tile, Vec<Hash>)> for Tiles {
    fn from_iter<I: IntoIterator<Item = (Tile, Vec<Hash>)>>(tiles: I) -> Self {
        Self(tiles.into_iter().collect())
    }
}

impl TileHashes for Tiles {
    /// A wider tile at the same place serves too: tiles only grow.
    fn hashes(&self, tile: Tile) -> Option<&[Hash]> {
        let widest = Tile { width: TILE_WIDTH, ..tile };
        let (_, hashes) = self.0.range(tile..=widest).next()?;
        hashes.get(..usize::from(tile.width))
    }
}
