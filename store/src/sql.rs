//! Numbers and hashes as the columns of SQL databases hold them. Never lets through a column that
//! is not what it must be.

use strongroom_ledger::{Hash, Position};

use crate::read::{PAGE_LIMIT, ReadError};

pub(crate) fn integer(value: u64) -> i64 {
    // Everything that comes here is at most 2^53-1; were it not, nothing would be found.
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number of rows that one page may have.
pub(crate) fn page_rows(limit: usize) -> i64 {
    i64::try_from(limit.min(PAGE_LIMIT)).unwrap_or(i64::MAX)
}

pub(crate) fn position(value: i64) -> Result<Position, ReadError> {
    u64::try_from(value)
        .ok()
        .and_then(Position::new)
        .ok_or_else(|| ReadError::corrupt(Position::START, format!("{value} is no position")))
}

pub(crate) fn hash(bytes: &[u8], of: Position) -> Result<Hash, ReadError> {
    let bytes = bytes.try_into().map_err(|_| ReadError::corrupt(of, "a hash without 32 bytes"))?;
    Ok(Hash::new(bytes))
}
