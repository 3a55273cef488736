//! The port: what the sagas need of any chain's node. Never family-specific.

use std::future::Future;
use std::pin::Pin;

use crate::{BlockHash, NodeError, TransactionId};

/// What a port method returns: boxed, so that nodes of all families can stand in one map.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, NodeError>> + Send + 'a>>;

/// A node of any chain family.
///
/// Every method checks the node's chain first (once per outage, see `NodeError::WrongChain`), has a
/// time limit, and may be repeated without harm.
pub trait ChainNode: Send + Sync {
    /// The best block.
    fn tip(&self) -> Answer<'_, Tip>;

    /// The block at a height of the best chain; `None` above the tip. A reorganisation shows as
    /// another hash at a height already seen.
    fn block_hash(&self, height: u64) -> Answer<'_, Option<BlockHash>>;

    /// Where a transaction is. `since` is the height of the tip when the transaction was first
    /// submitted or seen, or anything lower: Bitcoin nodes without a transaction index are searched
    /// from the tip down to 100 blocks below it.
    fn transaction_status(&self, id: TransactionId, since: u64) -> Answer<'_, TransactionStatus>;

    /// Hands a signed transaction to the node. `id` is what the caller computed and logged before;
    /// a node that reports another id is `Malformed`. `since` as above: it lets a transaction that
    /// was confirmed in the meantime be told from one that lost its inputs or account nonce.
    ///
    /// A crash or lost answer here leaves the transaction broadcast: submit again.
    fn submit<'a>(&'a self, id: TransactionId, raw: &'a [u8], since: u64)
    -> Answer<'a, Submission>;
}

/// The last block of the best chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Blocks below it; genesis is 0.
    pub height: u64,
    /// Its hash.
    pub hash: BlockHash,
}

/// Where a transaction is, as this node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    /// Neither in the memory pool nor in the blocks searched. It may still be alive elsewhere.
    Unknown,
    /// Waiting for a block.
    InMempool,
    /// In a block of the best chain.
    InBlock(Inclusion),
}

/// A transaction's place in the best chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inclusion {
    /// The block's height.
    pub height: u64,
    /// The block's hash.
    pub block: BlockHash,
    /// Blocks from this one to the tip, both counted: at least 1.
    pub confirmations: u64,
    /// False for an Ethereum transaction that reverted: included and paid for, but nothing moved.
    /// Always true for the Bitcoin family.
    pub succeeded: bool,
}

/// What became of a submitted transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// The node took it and relays it.
    Accepted,
    /// It is in the node's memory pool or in a block already: as good as accepted.
    AlreadyKnown,
    /// The node will not have it.
    Rejected(Rejection),
}

/// A node's no to a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// What it means for the attempt.
    pub reason: RejectionReason,
    /// The node's own words, at most 300 characters.
    pub message: String,
}

/// What a node's no means for the attempt that made the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionReason {
    /// An input is spent in a block or unknown (its own transaction may have been reorganised away),
    /// or the account nonce is used: usually by another attempt of the same transfer.
    Superseded,
    /// An input is spent by a transaction in the memory pool that may not be replaced: nothing is
    /// decided until that one is in a block or dropped. litecoind replaces nothing unless started with
    /// `-mempoolreplacement=1`, whatever a transaction signals.
    Conflicting,
    /// Too little fee to be relayed or to replace what is in the memory pool: bump it.
    FeeTooLow,
    /// The account cannot pay for value and gas.
    InsufficientFunds,
    /// Anything else; submitting the same bytes again will not help.
    Invalid,
}
