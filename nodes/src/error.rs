//! Why a node gave no answer that can be used. Never carries credentials.

/// A call to a node failed. What a node says is foreign text: it is cut to 300 characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// Down, not reachable, too slow, starting up, overloaded or not accepting our credentials: try
    /// again later.
    #[error("node {node} is unavailable: {reason}")]
    Unavailable {
        /// Host and port.
        node: String,
        /// What went wrong.
        reason: String,
    },
    /// The node understood the call and says no. Not said of a transaction: see
    /// [`Submission::Rejected`](crate::Submission::Rejected).
    #[error("node {node} refused {method}: {message} (code {code})")]
    Rejected {
        /// Host and port.
        node: String,
        /// The RPC method.
        method: String,
        /// The node's own error code.
        code: i64,
        /// The node's own words.
        message: String,
    },
    /// The node answered with what its protocol does not allow. Nothing of it was used.
    #[error("node {node} gave no valid answer to {method}: {reason}")]
    Malformed {
        /// Host and port.
        node: String,
        /// The RPC method.
        method: String,
        /// What was wrong with the answer.
        reason: String,
    },
    /// The node follows another chain than the one configured for it: a person must correct the
    /// configuration. No other answer of this node is used.
    #[error("node {node} is on the wrong chain: expected {expected}, it is on {found}")]
    WrongChain {
        /// Host and port.
        node: String,
        /// Genesis hash or chain id as configured.
        expected: String,
        /// Genesis hash or chain id that the node reports.
        found: String,
    },
}

impl NodeError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
