//! What the publisher needs of others: somebody who holds the log's private keys, witnesses, and a
//! place for the newest checkpoint. Never a private key, never a socket.

use strongroom_ledger::{Hash, TreeHead};
use strongroom_store::BoxFuture;

/// Holds the log's private keys. Blocks for as long as signing takes.
pub trait CheckpointSigner: Send + Sync {
    /// A checkpoint of this head with both signatures of the log (C2SP tlog-checkpoint), or why
    /// there is none.
    fn sign(&self, origin: &str, head: TreeHead) -> Result<String, String>;
}

/// Keeps the newest checkpoint that counts, so that a restored older copy of the log is recognised.
/// Blocks until it is durable.
pub trait CheckpointKeeper: Send + Sync {
    /// Replaces what was kept. A crash leaves the one or the other.
    fn keep(&self, checkpoint: &str) -> Result<(), String>;
}

/// What a witness is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Submission {
    /// The size that the proof begins at: what the witness cosigned last, 0 before.
    pub old: u64,
    /// From there to the checkpoint (RFC 6962 §2.1.2).
    pub proof: Vec<Hash>,
    /// The checkpoint's size.
    pub size: u64,
    /// The note, signed by the log.
    pub checkpoint: String,
}

/// What a witness says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It cosigned: signature lines of a note, each ended by a line feed. Not verified yet.
    Cosigned(String),
    /// It cosigned another size last.
    Conflict {
        /// That size, in entries.
        size: u64,
    },
    /// It can't be reached, or can't work now.
    Unavailable(String),
    /// It will not cosign, for a reason that is no news about the log.
    Refused(String),
    /// It holds another history of this log: a person must look.
    Fork(String),
}

/// Remembers how far it has seen a log, and cosigns nothing else (C2SP tlog-witness). Bounds its own
/// time: an answer always comes.
pub trait Witness: Send + Sync {
    /// The name of its key.
    fn name(&self) -> &str;

    /// Asks it once.
    fn cosign<'a>(&'a self, submission: &'a Submission) -> BoxFuture<'a, Answer>;
}
