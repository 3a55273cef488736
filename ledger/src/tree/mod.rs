//! The Merkle tree over the entries (RFC 6962 section 2.1): heads, tiles, proofs. Never reads a tile
//! itself: it names the tiles that a proof needs, and is given their hashes.
//!
//! The leaf of the entry at position `p` has index `p - 1`, and is [`crate::leaf_hash`] of its bytes;
//! the size of a tree is the number of its entries. Nothing here knows of the chain.

mod frontier;
mod head;
mod proof;
mod range;
mod tile;
mod verify;

#[cfg(test)]
mod tests;

pub use frontier::Frontier;
pub use head::TreeHead;
pub use proof::{
    consistency_tiles, inclusion_tiles, prove_consistency, prove_inclusion, root, root_tiles,
};
pub use tile::{TILE_WIDTH, Tile, TileError, TileHashes, Tiles};
pub use verify::{ProofError, verify_consistency, verify_inclusion};

pub(crate) use verify::HASHES_IN_A_PROOF;
