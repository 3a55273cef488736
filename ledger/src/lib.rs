//! The log's format and its proofs: entry, leaf hash, chain, export.
//!
//! Never does I/O of its own, never stores anything and knows no rule of custody: whoever holds the
//! bytes (a server, a signer, an auditor) checks them here in the same way.
//!
//! The format is fixed for good; `tests/golden/` holds it byte by byte.

mod chain;
mod checkpoint;
pub mod cosignature;
mod cursor;
mod entry;
pub mod export;
mod hash;
mod key_name;
mod log_keys;
mod note;
mod policy;
mod position;
mod receipt;
mod sequences;
mod signing;
mod timestamp;
pub mod tree;
mod verifier_key;
pub mod witness;
mod witness_key;

pub use chain::{Chain, ChainError, Head};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use entry::{ENTRY_LIMIT, Entry, EntryError, EntryRef, MAX_INTEGER, PAYLOAD_LIMIT};
pub use hash::{Hash, HashError, leaf_hash, node_hash, payload_hash};
pub use key_name::{KEY_NAME_LIMIT, KeyName, KeyNameError};
pub use log_keys::{LogKeys, LogSignatureError, LogVerifier, SignedCheckpoint};
pub use note::{KeyId, NOTE_LIMIT, Note, NoteError, NoteSignature, SIGNATURES_LIMIT};
pub use policy::{
    Cosigner, CountError, CountingCheckpoint, POLICY_LIMIT, PolicyError, PolicyTextError,
    UnwitnessedPolicy, Witness, WitnessPolicy,
};
pub use position::{Position, PositionError};
pub use receipt::{CheckedReceipt, RECEIPT_LIMIT, Receipt, ReceiptError, UnprovenReceipt};
pub use sequences::Sequences;
pub use signing::{SEED_BYTES, SignError};
pub use timestamp::{Timestamp, TimestampError};
pub use tree::{Frontier, ProofError, Tile, TileHashes, Tiles, TreeHead};
pub use verifier_key::{KeyAlgorithm, KeyError, VerifierKey, WrongSignature};
pub use witness::{Accepted, AddCheckpoint, RequestError, WitnessRefusal};
pub use witness_key::WitnessKey;
