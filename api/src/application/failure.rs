//! Why a request was not done: the four kinds, and what is wrong with a request as such. Never
//! holds a secret: whatever is in here, the caller reads.

use strongroom_commands::CommandError;
use strongroom_domain::{KeyId, Refusal, TransferId};
use strongroom_projections::{Behind, QueryError};
use strongroom_store::ReadError;

use crate::access::AccessError;

/// Why a request was not done.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// Refused: a rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Refused by the policy, and recorded: the transfer exists and is over.
    #[error("{refusal}")]
    RefusedAndRecorded {
        /// The rule.
        refusal: Refusal,
        /// The record.
        transfer: TransferId,
    },
    /// Refused: text that is no address of the network.
    #[error("{0}")]
    Address(String),
    /// Refused: the idempotency key is another request's.
    #[error("idempotency key {0} was used for another request: choose a new one")]
    KeyReused(String),
    /// Malformed: the request is not what it should be.
    #[error("{0}")]
    Malformed(String),
    /// Malformed: there must be an idempotency key.
    #[error("this changes something: send an Idempotency-Key of 1 to 255 visible ASCII characters")]
    KeyMissing,
    /// Malformed: an idempotency key of another form.
    #[error(
        "an Idempotency-Key is 1 to 255 visible ASCII characters without spaces: this one is not"
    )]
    KeyMalformed,
    /// A body that says it is no JSON.
    #[error("send the body as JSON with `Content-Type: application/json`")]
    MediaType,
    /// There is no such thing.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// By which id.
        id: String,
    },
    /// The token is missing, unknown, wrong or revoked.
    #[error(
        "sign in, or send `Authorization: Bearer sr1_…` with a token that is in force, or sign the \
         request"
    )]
    Unauthenticated,
    /// Signed in, but not lately enough for this, or not by a way in that can be.
    #[error(
        "this needs a person who has just proven who they are: sign in, then step up at \
         /api/v1/session/step-up, and repeat it within five minutes"
    )]
    StepUpNeeded,
    /// A cookie came without what only our own pages can send with it.
    #[error("{0}")]
    CrossSite(&'static str),
    /// Name, secret or code: never which.
    #[error("this is not how anybody signs in here: look at the name, the secret and the code")]
    SignInRefused,
    /// An invitation that is unknown, withdrawn or used: never which.
    #[error("this is no invitation that is in force: ask for a new one")]
    InvitationRefused,
    /// A signed request that is not good.
    #[error("the request's signature: {0}")]
    RequestSignature(&'static str),
    /// Wrong too often: nothing was looked at.
    #[error("wrong too often: wait {seconds} s")]
    LockedOut {
        /// How long.
        seconds: u64,
    },
    /// Too many requests.
    #[error("too many requests: wait a second")]
    TooMany,
    /// A body over the limit.
    #[error("the body is longer than this server takes")]
    TooLarge,
    /// A method that the path does not have.
    #[error("this path does not have this method")]
    Method,
    /// Conflict: try again now.
    #[error("{0}")]
    Conflict(String),
    /// Unavailable: try again later.
    #[error("{0}")]
    Unavailable(String),
    /// Corrupt: the server stops.
    #[error("{0}")]
    Corrupt(String),
}

impl Failure {
    /// A key that could not be used to derive.
    pub(super) fn underivable(key: KeyId, reason: impl std::fmt::Display) -> Self {
        Self::Corrupt(format!("the public key of {key} in the log is unusable: {reason}"))
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(refusal) => Self::Refused(refusal),
            CommandError::KeyReused { key } => Self::KeyReused(key),
            CommandError::Conflict { because } => Self::Conflict(because),
            CommandError::Unavailable { because } => Self::Unavailable(because),
            CommandError::Corrupt { because } => Self::Corrupt(because),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        CommandError::from(error).into()
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        let because = error.to_string();
        match error {
            QueryError::Database(_) | QueryError::Closed => Self::Unavailable(because),
            QueryError::Damaged(_) => Self::Corrupt(because),
        }
    }
}

impl From<Behind> for Failure {
    fn from(behind: Behind) -> Self {
        Self::Unavailable(behind.to_string())
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        // What exactly is wrong with the tokens' file is the operator's affair.
        tracing::error!(%error, "tokens cannot be looked up");
        Self::Unavailable("tokens cannot be looked up now".to_owned())
    }
}
