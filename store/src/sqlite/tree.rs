//! The tree's tables: full leaf tiles and full subtrees, stored once and never changed. Never a
//! second truth: what they say follows from the entries, and [`Audit`] holds it against them.

#[cfg(test)]
mod tests;

use rusqlite::{Connection, OptionalExtension, params};
use strongroom_ledger::{Hash, Position, Tile, Tiles, TreeHead, leaf_hash};

use crate::read::ReadError;
use crate::sql::integer;
use crate::tree::{Grown, LeafTile, Source, Subtree, Tree, damaged, leaf_hashes, whole};

const HEAD: &str = "SELECT position, root FROM head WHERE id = 1";
const LEAF_TILE: &str = "SELECT hashes FROM leaf_tiles WHERE number = ?1";
const LEAVES: &str =
    "SELECT entry FROM entries WHERE position >= ?1 AND position < ?2 ORDER BY position";
const SUBTREES: &str = "SELECT hash FROM subtrees
  WHERE level = ?1 AND number >= ?2 AND number < ?3 ORDER BY number";

/// The tree as the head row has it.
pub(crate) fn head(db: &Connection) -> Result<TreeHead, ReadError> {
    let (at, root): (i64, Vec<u8>) = db
        .prepare_cached(HEAD)?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or_else(|| ReadError::corrupt(Position::START, "the head row is missing"))?;
    let position = crate::sql::position(at)?;
    Ok(TreeHead { size: position.get(), root: crate::sql::hash(&root, position)? })
}

/// Stores what grew: within the transaction of the entries that made it grow.
pub(crate) fn store(db: &Connection, grown: &Grown) -> Result<(), rusqlite::Error> {
    for tile in &grown.leaf_tiles {
        db.prepare_cached("INSERT INTO leaf_tiles VALUES (?1, ?2)")?
            .execute(params![integer(tile.index), tile.bytes()])?;
    }
    for Subtree { level, index, hash } in &grown.subtrees {
        db.prepare_cached("INSERT INTO subtrees VALUES (?1, ?2, ?3)")?.execute(params![
            level,
            integer(*index),
            hash.as_bytes()
        ])?;
    }
    Ok(())
}

/// The hashes of tiles of a log that is durable up to `durable`.
pub(crate) fn tiles(
    db: &Connection,
    tiles: &[Tile],
    durable: Position,
) -> Result<Vec<Vec<Hash>>, ReadError> {
    tiles.iter().map(|tile| whole(*tile, hashes(db, *tile, durable)?)).collect()
}

fn hashes(db: &Connection, tile: Tile, durable: Position) -> Result<Vec<Hash>, ReadError> {
    match Source::of(tile, durable)? {
        Source::LeafTile { index, width } => {
            let stored: Option<Vec<u8>> = db
                .prepare_cached(LEAF_TILE)?
                .query_row([integer(index)], |row| row.get(0))
                .optional()?;
            // A missing one has no hashes: `whole` finds it.
            stored.map_or(Ok(Vec::new()), |bytes| leaf_hashes(index, &bytes, width))
        }
        Source::Entries { first, width } => {
            let range = params![integer(first.get()), end(first.get(), width)];
            let mut statement = db.prepare_cached(LEAVES)?;
            let mut rows = statement.query(range)?;
            let mut hashes = Vec::with_capacity(width);
            while let Some(row) = rows.next()? {
                hashes.push(leaf_hash(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?));
            }
            Ok(hashes)
        }
        Source::Subtrees { level, first, width } => {
            let range = params![level, integer(first), end(first, width)];
            let mut statement = db.prepare_cached(SUBTREES)?;
            let mut rows = statement.query(range)?;
            let mut hashes = Vec::with_capacity(width);
            while let Some(row) = rows.next()? {
                let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
                hashes.push(crate::sql::hash(bytes, durable)?);
            }
            Ok(hashes)
        }
    }
}

fn end(first: u64, width: usize) -> i64 {
    integer(first.saturating_add(u64::try_from(width).unwrap_or(u64::MAX)))
}

/// The tree that goes on, held against the root in the head row.
pub(crate) fn reopen(db: &Connection) -> Result<Tree, ReadError> {
    let head = head(db)?;
    ends_with(db, head.size)?;
    let needed = Tree::needed(head.size);
    let durable = crate::sql::position(integer(head.size))?;
    let found = tiles(db, &needed, durable)?;
    Tree::reopen(head, &needed.into_iter().zip(found).collect::<Tiles>())
}

/// Whether the tables end where a tree of `size` entries does: a row beyond, or a missing last one,
/// would stop a later append.
fn ends_with(db: &Connection, size: u64) -> Result<(), ReadError> {
    let last_tile: Option<i64> =
        db.query_row("SELECT max(number) FROM leaf_tiles", [], |row| row.get(0))?;
    let mut last = db.prepare("SELECT max(number) FROM subtrees WHERE level = ?1")?;
    for level in 1..=8_u8 {
        let expected = size.checked_shr(u32::from(level) * 8).unwrap_or(0).checked_sub(1);
        let expected = expected.map(integer);
        let found: Option<i64> = last.query_row([level], |row| row.get(0))?;
        if found != expected {
            let reason =
                format!("the last subtree of level {level} is {found:?}, not {expected:?}");
            return Err(damaged(size, &reason));
        }
        if level == 1 && last_tile != expected {
            let reason = format!("the last leaf tile is {last_tile:?}, not {expected:?}");
            return Err(damaged(size, &reason));
        }
    }
    Ok(())
}

/// Holds the tree's tables against the entries, one by one.
pub(crate) struct Audit<'a> {
    db: &'a Connection,
    tree: Tree,
    leaf_tiles: i64,
    subtrees: i64,
}

impl<'a> Audit<'a> {
    pub(crate) fn new(db: &'a Connection) -> Self {
        Self { db, tree: Tree::new(), leaf_tiles: 0, subtrees: 0 }
    }

    /// The leaf of the next entry; what it completes must be stored as it is.
    pub(crate) fn push(&mut self, leaf: Hash) -> Result<(), ReadError> {
        self.tree.push(leaf);
        let Grown { leaf_tiles, subtrees } = self.tree.take_grown();
        leaf_tiles.iter().try_for_each(|tile| self.leaf_tile(tile))?;
        subtrees.iter().try_for_each(|subtree| self.subtree(*subtree))
    }

    fn leaf_tile(&mut self, tile: &LeafTile) -> Result<(), ReadError> {
        self.leaf_tiles += 1;
        let stored: Option<Vec<u8>> = self
            .db
            .prepare_cached(LEAF_TILE)?
            .query_row([integer(tile.index)], |row| row.get(0))
            .optional()?;
        if stored.as_deref() == Some(tile.bytes().as_slice()) {
            return Ok(());
        }
        let reason = format!("leaf tile {} is not what the entries say", tile.index);
        Err(damaged(self.tree.head().size, &reason))
    }

    fn subtree(&mut self, subtree: Subtree) -> Result<(), ReadError> {
        self.subtrees += 1;
        let Subtree { level, index, hash } = subtree;
        let stored: Option<Vec<u8>> = self
            .db
            .prepare_cached("SELECT hash FROM subtrees WHERE level = ?1 AND number = ?2")?
            .query_row(params![level, integer(index)], |row| row.get(0))
            .optional()?;
        if stored.as_deref() == Some(hash.as_bytes().as_slice()) {
            return Ok(());
        }
        let reason = format!("subtree {index} of level {level} is not what the entries say");
        Err(damaged(self.tree.head().size, &reason))
    }

    /// After the last entry: the root, and that nothing more is stored.
    pub(crate) fn finish(self) -> Result<(), ReadError> {
        let (found, row) = (self.tree.head(), head(self.db)?);
        if row != found {
            let reason =
                format!("the head row says root {}, the entries give {}", row.root, found.root);
            return Err(damaged(found.size, &reason));
        }
        let counts = "SELECT (SELECT count(*) FROM leaf_tiles), (SELECT count(*) FROM subtrees)";
        let stored: (i64, i64) =
            self.db.query_row(counts, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if stored != (self.leaf_tiles, self.subtrees) {
            let reason = format!(
                "{} leaf tiles and {} subtrees are stored, the entries make {} and {}",
                stored.0, stored.1, self.leaf_tiles, self.subtrees
            );
            return Err(damaged(found.size, &reason));
        }
        Ok(())
    }
}
