//! Remembers whether a node was seen to be on the right chain. Never remembers it over an outage.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::NodeError;

/// Checked once, then believed until the node was away: what answers at the same address afterwards
/// may be another node.
#[derive(Debug, Default)]
pub(crate) struct ChainIdentity(AtomicBool);

impl ChainIdentity {
    pub(crate) fn is_checked(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn confirm(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Passes an answer through; an outage makes the next call check again.
    pub(crate) fn observe<T>(&self, answer: Result<T, NodeError>) -> Result<T, NodeError> {
        if answer.as_ref().is_err_and(NodeError::is_unavailable) {
            self.0.store(false, Ordering::Release);
        }
        answer
    }
}
