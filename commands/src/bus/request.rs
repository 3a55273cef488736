//! What a caller asks of the bus, and why it may not get it. Never holds a secret.

use strongroom_domain::{Actor, Command, Digest, Refusal};
use strongroom_store::ReadError;
use uuid::Uuid;

/// A command with everything that its entries will say about where it came from.
#[derive(Clone, Debug)]
pub struct Request {
    /// What to do.
    pub command: Command,
    /// Who causes it.
    pub actor: Actor,
    /// The command's own id.
    pub id: Uuid,
    /// The conversation that it belongs to.
    pub correlation: Uuid,
    /// The command directly before, if any.
    pub causation: Option<Uuid>,
    /// Given where the caller may repeat the request.
    pub idempotency: Option<IdempotencyKey>,
    /// Kept with the outcome and given back with it: the ids that were chosen for this request.
    pub subject: serde_json::Value,
}

impl Request {
    /// A command that begins a conversation of its own and is not repeated by its caller.
    pub fn new(command: Command, actor: Actor) -> Self {
        let id = Uuid::now_v7();
        Self {
            command,
            actor,
            id,
            correlation: id,
            causation: None,
            idempotency: None,
            subject: serde_json::Value::Null,
        }
    }

    /// As part of another conversation.
    #[must_use]
    pub fn within(mut self, correlation: Uuid) -> Self {
        self.correlation = correlation;
        self
    }
}

/// A caller's id for a request. The same key with the same body is answered as the first time,
/// refusals included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdempotencyKey {
    /// Whose key it is.
    pub caller: String,
    /// The key.
    pub key: String,
    /// Over the request's method, path and body.
    pub request_sha256: Digest,
}

/// Why a command did not happen.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommandError {
    /// Refused: a rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Refused: the idempotency key belongs to a request with another body.
    #[error("idempotency key {key} was used for another request: choose a new one")]
    KeyReused {
        /// The key.
        key: String,
    },
    /// Conflict: try again now.
    #[error("conflict: {because}")]
    Conflict {
        /// With what.
        because: String,
    },
    /// Unavailable: nothing happened, try again later.
    #[error("unavailable: {because}")]
    Unavailable {
        /// What is short.
        because: String,
    },
    /// Corrupt: the server must stop; whether this happened shows after a restart.
    #[error("stopped: {because}")]
    Corrupt {
        /// What is wrong.
        because: String,
    },
}

impl From<ReadError> for CommandError {
    fn from(error: ReadError) -> Self {
        let because = error.to_string();
        match error {
            ReadError::Unavailable { .. } => Self::Unavailable { because },
            ReadError::Corrupt { .. } | ReadError::Chain(_) | ReadError::Closed => {
                Self::Corrupt { because }
            }
        }
    }
}
