//! What the server's errors mean for a log. Never shows a password: no error of sqlx holds one.

use strongroom_ledger::Position;

use crate::open::OpenError;
use crate::read::ReadError;

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        match code(&error).as_deref() {
            // data_corrupted, index_corrupted.
            Some("XX001" | "XX002") => Self::corrupt(Position::START, error.to_string()),
            _ => Self::Unavailable { reason: error.to_string() },
        }
    }
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        match code(&error).as_deref() {
            // The login, its rights, or the database: a person has to change something.
            Some("28000" | "28P01" | "3D000" | "42501" | "42704") => {
                Self::Refused(format!("PostgreSQL refuses: {error}"))
            }
            _ => ReadError::from(error).into(),
        }
    }
}

/// The SQLSTATE (PostgreSQL manual, appendix A), where the server gave one.
fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}
