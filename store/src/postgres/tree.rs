//! The tree's tables: full leaf tiles and full subtrees, stored once and never changed. Never a
//! second truth: what they say follows from the entries.

use sqlx::postgres::PgConnection;
use strongroom_ledger::{Hash, Position, Tile, Tiles, TreeHead, leaf_hash};

use crate::read::ReadError;
use crate::sql::{hash, integer, position};
use crate::tree::{Source, Tree, leaf_hashes, whole};

/// The tree as the head row has it.
pub(crate) async fn head(db: &mut PgConnection) -> Result<TreeHead, ReadError> {
    let found = sqlx::query_as("SELECT position, root FROM strongroom_log.head WHERE id = 1");
    let (at, root): (i64, Vec<u8>) = found
        .fetch_optional(db)
        .await?
        .ok_or_else(|| ReadError::corrupt(Position::START, "the head row is missing"))?;
    let position = position(at)?;
    Ok(TreeHead { size: position.get(), root: hash(&root, position)? })
}

/// The hashes of tiles of a log that is durable up to `durable`.
pub(crate) async fn tiles(
    db: &mut PgConnection,
    tiles: &[Tile],
    durable: Position,
) -> Result<Vec<Vec<Hash>>, ReadError> {
    let mut found = Vec::with_capacity(tiles.len());
    for tile in tiles {
        found.push(whole(*tile, hashes(db, *tile, durable).await?)?);
    }
    Ok(found)
}

async fn hashes(
    db: &mut PgConnection,
    tile: Tile,
    durable: Position,
) -> Result<Vec<Hash>, ReadError> {
    match Source::of(tile, durable)? {
        Source::LeafTile { index, width } => {
            let stored = leaf_tile(db, index).await?;
            // A missing one has no hashes: `whole` finds it.
            stored.map_or(Ok(Vec::new()), |bytes| leaf_hashes(index, &bytes, width))
        }
        Source::Entries { first, width } => {
            let entries: Vec<(Vec<u8>,)> = sqlx::query_as(
                "SELECT entry FROM strongroom_log.events WHERE position >= $1 AND position < $2
                 ORDER BY position",
            )
            .bind(integer(first.get()))
            .bind(end(first.get(), width))
            .fetch_all(db)
            .await?;
            Ok(entries.iter().map(|(entry,)| leaf_hash(entry)).collect())
        }
        Source::Subtrees { level, first, width } => {
            let stored: Vec<(Vec<u8>,)> = sqlx::query_as(
                "SELECT hash FROM strongroom_log.subtrees
                 WHERE level = $1 AND number >= $2 AND number < $3 ORDER BY number",
            )
            .bind(i16::from(level))
            .bind(integer(first))
            .bind(end(first, width))
            .fetch_all(db)
            .await?;
            stored.iter().map(|(bytes,)| hash(bytes, durable)).collect()
        }
    }
}

pub(crate) async fn leaf_tile(
    db: &mut PgConnection,
    index: u64,
) -> Result<Option<Vec<u8>>, ReadError> {
    let found = sqlx::query_as("SELECT hashes FROM strongroom_log.leaf_tiles WHERE number = $1");
    let found: Option<(Vec<u8>,)> = found.bind(integer(index)).fetch_optional(db).await?;
    Ok(found.map(|(hashes,)| hashes))
}

fn end(first: u64, width: usize) -> i64 {
    integer(first.saturating_add(u64::try_from(width).unwrap_or(u64::MAX)))
}

/// The tree that goes on, held against the root in the head row.
pub(crate) async fn reopen(db: &mut PgConnection) -> Result<Tree, ReadError> {
    let head = head(db).await?;
    let needed = Tree::needed(head.size);
    let found = tiles(db, &needed, position(integer(head.size))?).await?;
    Tree::reopen(head, &needed.into_iter().zip(found).collect::<Tiles>())
}
