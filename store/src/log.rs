//! The ports of the log, which every backend implements. Never more than a backend must do.

use std::future::Future;
use std::pin::Pin;

use strongroom_ledger::{Hash, Head, Position, Tile};

use crate::adoption::Adoption;
use crate::append::{Append, AppendError, Appended, StoredOutcome};
use crate::read::{ReadError, Record};
use crate::subscription::Subscription;

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Reading a log.
///
/// Only durable entries are ever seen, in the order of positions, without gaps. Each record was
/// checked against its payload, its neighbours of the same page and the place it was found at; a
/// hole or a mismatch is [`ReadError::Corrupt`] or [`ReadError::Chain`], never a shorter answer.
pub trait ReadLog: Send + Sync {
    /// The last durable entry.
    fn head(&self) -> Head;

    /// A page of entries from `from` on ([`Position::START`] counts as the first). It may be
    /// shorter than `limit` (at most [`crate::PAGE_LIMIT`]); it is empty only at the end.
    fn read_from(
        &self,
        from: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>>;

    /// A page of the entries of a stream from sequence `from` on; otherwise as
    /// [`ReadLog::read_from`]. A stream that does not exist is empty.
    fn read_stream<'a>(
        &'a self,
        stream: &'a str,
        from: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Record>, ReadError>>;

    /// The last sequence of a stream; 0 when it does not exist.
    fn stream_sequence<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Result<u64, ReadError>>;

    /// The answer that was kept for a caller's idempotency key.
    fn outcome<'a>(
        &'a self,
        caller: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredOutcome>, ReadError>>;

    /// The hashes of tiles of the Merkle tree over the entries (leaf `n` is the entry at position
    /// `n + 1`), in their order, each exactly as wide as it was asked for; a full tile may be asked
    /// for narrower. One that reaches beyond the durable head is [`ReadError::Unavailable`]; one
    /// that should be there and is not, [`ReadError::Corrupt`]. The hashes themselves are as they
    /// are stored: `tree_head`, `inclusion` and `consistency` hold them against one another.
    fn tiles<'a>(&'a self, tiles: &'a [Tile]) -> BoxFuture<'a, Result<Vec<Vec<Hash>>, ReadError>>;

    /// All entries from `from` on, and then those to come, as they become durable.
    fn subscribe(&self, from: Position) -> Subscription;
}

/// Appending to a log.
pub trait AppendLog: ReadLog {
    /// Appends all events or none, and answers when they are durable.
    ///
    /// The append is on its way when this function returns: a future that is dropped does not take
    /// it back. In this order: what no log would take is [`AppendError::Invalid`]; a key that was
    /// used is answered from what is stored, whatever the streams look like by now; a stream that
    /// is not where it is expected to be is [`AppendError::Conflict`]. Refusals leave no trace.
    ///
    /// Entries get positions without gaps, times that never run backwards, sequences without gaps
    /// per stream, and the leaf of the entry before. One append's entries lie together.
    ///
    /// A full queue is [`AppendError::Unavailable`] at once. After a failure that leaves open
    /// what is durable, this and every later append is [`AppendError::Stopped`].
    fn append(&self, append: Append) -> BoxFuture<'static, Result<Appended, AppendError>>;

    /// Stores entries of another log byte for byte, as [`AppendLog::append`] stores new ones. They
    /// must follow this log's last entry; where they do not, the log stops, because then two write.
    fn adopt(&self, adoption: Adoption) -> BoxFuture<'static, Result<Appended, AppendError>>;

    /// Why the log has stopped for good; `None` while it serves.
    fn stop_reason(&self) -> Option<String>;
}
