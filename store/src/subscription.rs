//! A reader that waits for entries to come. Never sees an entry that is not durable.

use std::sync::Arc;

use strongroom_ledger::{Head, Position};
use tokio::sync::watch;

use crate::log::ReadLog;
use crate::read::{PAGE_LIMIT, ReadError, Record};

/// All entries of a log from a position on, in batches, without an end.
pub struct Subscription {
    log: Arc<dyn ReadLog>,
    heads: watch::Receiver<Head>,
    next: Position,
}

impl Subscription {
    /// For backends: reads from `log` whenever `heads` tells of a durable head to read up to.
    pub fn new(log: Arc<dyn ReadLog>, heads: watch::Receiver<Head>, from: Position) -> Self {
        Self { log, heads, next: from.max(Position::FIRST) }
    }

    /// The next entries, at least one; waits for one if need be. Cancelling loses nothing.
    ///
    /// [`ReadError::Closed`] comes after the last entry of a log that takes no more.
    pub async fn next_batch(&mut self) -> Result<Vec<Record>, ReadError> {
        let next = self.next;
        let closed = self.heads.wait_for(|head| head.position >= next).await.is_err();
        let batch = self.log.read_from(next, PAGE_LIMIT).await?;
        match batch.last() {
            Some(last) => {
                self.next = last.entry.position.next().ok_or(ReadError::Closed)?;
                Ok(batch)
            }
            None if closed => Err(ReadError::Closed),
            None => Err(ReadError::corrupt(next, "the head lies behind it, but it is missing")),
        }
    }

    /// The position of the first entry of the next batch.
    pub const fn position(&self) -> Position {
        self.next
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Subscription").field("next", &self.next).finish_non_exhaustive()
    }
}
