//! Proofs over a log on any backend, from its tiles. Never hands out a proof that does not hold: a
//! damaged tile is found here, before somebody else finds it.

use strongroom_ledger::tree::{
    consistency_tiles, inclusion_tiles, prove_consistency, prove_inclusion, root, root_tiles,
    verify_consistency, verify_inclusion,
};
use strongroom_ledger::{Hash, Position, Tile, TileHashes, Tiles, TreeHead};

use crate::log::ReadLog;
use crate::read::ReadError;
use crate::tree::{damaged, no_proof};

/// The tree over the first `size` entries. A size beyond the durable head is
/// [`ReadError::Unavailable`].
pub async fn tree_head(log: &dyn ReadLog, size: u64) -> Result<TreeHead, ReadError> {
    within(log, size)?;
    let tiles = gather(log, root_tiles(size)).await?;
    head_of(size, &tiles)
}

/// The audit path of the entry at `position` in the tree of the first `size` entries; its leaf has
/// index `position - 1`. The entry must be among them: [`ReadError::Unavailable`] else.
pub async fn inclusion(
    log: &dyn ReadLog,
    position: Position,
    size: u64,
) -> Result<Vec<Hash>, ReadError> {
    within(log, size)?;
    let index = position.previous().map(Position::get).filter(|index| *index < size);
    let index = index.ok_or_else(|| ReadError::Unavailable {
        reason: format!("entry {position} is not among the first {size}"),
    })?;
    let of_leaf = leaf_tile(index, size)?;
    let mut needed = inclusion_tiles(index, size);
    needed.push(of_leaf);
    needed.extend(root_tiles(size));
    let tiles = gather(log, needed).await?;
    let path = prove_inclusion(index, size, &tiles).map_err(|error| no_proof(size, error))?;
    let place = usize::try_from(index % 256).unwrap_or_default();
    let leaf = tiles.hashes(of_leaf).and_then(|leaves| leaves.get(place)).copied();
    let leaf = leaf.ok_or_else(|| damaged(size, "a leaf is missing"))?;
    verify_inclusion(leaf, index, head_of(size, &tiles)?, &path)
        .map_err(|error| no_proof(size, error))?;
    Ok(path)
}

/// The proof that the tree of the first `new` entries begins with that of the first `old`. A new
/// size beyond the durable head, or below the old one, is [`ReadError::Unavailable`].
pub async fn consistency(log: &dyn ReadLog, old: u64, new: u64) -> Result<Vec<Hash>, ReadError> {
    within(log, new)?;
    if old > new {
        return Err(ReadError::Unavailable {
            reason: format!("a log of {old} entries cannot become one of {new}"),
        });
    }
    let mut needed = consistency_tiles(old, new);
    needed.extend(root_tiles(old));
    needed.extend(root_tiles(new));
    let tiles = gather(log, needed).await?;
    let proof = prove_consistency(old, new, &tiles).map_err(|error| no_proof(new, error))?;
    verify_consistency(head_of(old, &tiles)?, head_of(new, &tiles)?, &proof)
        .map_err(|error| no_proof(new, error))?;
    Ok(proof)
}

fn head_of(size: u64, tiles: &Tiles) -> Result<TreeHead, ReadError> {
    let root = root(size, tiles).map_err(|error| no_proof(size, error))?;
    Ok(TreeHead { size, root })
}

fn leaf_tile(index: u64, size: u64) -> Result<Tile, ReadError> {
    Tile::of(0, index / 256, size).ok_or_else(|| damaged(size, "a leaf has no tile"))
}

fn within(log: &dyn ReadLog, size: u64) -> Result<(), ReadError> {
    let durable = log.head().position.get();
    if size <= durable {
        return Ok(());
    }
    Err(ReadError::Unavailable {
        reason: format!("the log has {durable} entries, a tree of {size} was asked for"),
    })
}

/// Each tile once, the widest of a place.
async fn gather(log: &dyn ReadLog, mut needed: Vec<Tile>) -> Result<Tiles, ReadError> {
    needed.sort_unstable();
    needed.reverse();
    needed.dedup_by_key(|tile| (tile.level, tile.index));
    let hashes = log.tiles(&needed).await?;
    if hashes.len() != needed.len() {
        return Err(damaged(0, "not every tile was given"));
    }
    Ok(needed.into_iter().zip(hashes).collect())
}
