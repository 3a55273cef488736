//! Reading a log for audit on any backend: what stands there, unchecked. Never hides damage, and
//! never writes.

use strongroom_ledger::Head;

use crate::append::{Idempotency, Positions, StoredOutcome};
use crate::log::BoxFuture;
use crate::read::ReadError;

/// What stands in a log, unchecked, for who wants to say what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRow {
    /// The position it is filed under.
    pub filed: i64,
    /// The bytes of the entry.
    pub entry: Vec<u8>,
    /// The bytes of its payload.
    pub payload: Vec<u8>,
}

/// The answer that a log keeps for a caller's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawOutcome {
    /// Whose request, and its answer.
    pub idempotency: Idempotency,
    /// Where its events are; `None` when it had none.
    pub positions: Option<Positions>,
}

impl RawOutcome {
    pub(crate) fn of(caller: String, key: String, stored: StoredOutcome) -> Self {
        let StoredOutcome { request_sha256, outcome, positions } = stored;
        Self { idempotency: Idempotency { caller, key, request_sha256, outcome }, positions }
    }
}

/// A log opened for nothing but audit, also while a server writes to it.
pub trait RawLog: Send {
    /// The head as the log claims it.
    fn head(&mut self) -> BoxFuture<'_, Result<Head, ReadError>>;

    /// A page of unchecked rows filed behind `after` (0 for the first), by the number that they
    /// are filed under, at most [`crate::PAGE_LIMIT`] or `limit`. Empty only at the end.
    fn raw_after(
        &mut self,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RawRow>, ReadError>>;

    /// Every answer that is kept, in no particular order and all in memory: some hundred bytes
    /// each. Only for who copies the whole log.
    fn outcomes(&mut self) -> BoxFuture<'_, Result<Vec<RawOutcome>, ReadError>>;
}
