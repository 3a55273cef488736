//! The log's format and its proofs: entry, leaf hash, chain, export.
//!
//! Never does I/O of its own, never stores anything and knows no rule of custody: whoever holds the
//! bytes (a server, a signer, an auditor) checks them here in the same way.
//!
//! The format is fixed for good; `tests/golden/` holds it byte by byte.

mod chain;
mod cursor;
mod entry;
pub mod export;
mod hash;
mod position;
mod sequences;
mod timestamp;
pub mod tree;

pub use chain::{Chain, ChainError, Head};
pub use entry::{ENTRY_LIMIT, Entry, EntryError, EntryRef, MAX_INTEGER, PAYLOAD_LIMIT};
pub use hash::{Hash, HashError, leaf_hash, node_hash, payload_hash};
pub use position::{Position, PositionError};
pub use sequences::Sequences;
pub use timestamp::{Timestamp, TimestampError};
pub use tree::{Frontier, ProofError, Tile, TileHashes, Tiles, TreeHead};
