//! What can go wrong with a read model. Never a refusal: nothing is decided here.

use strongroom_domain::UnreadableEntry;
use strongroom_store::ReadError;

/// Why a read model cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is left alone: it may be somebody's only copy of something.
    #[error("{path} is not a read model of Strongroom: name another file, or remove it yourself")]
    NotOurs {
        /// The file.
        path: String,
    },
    /// A read model of another build, opened by somebody who may not rebuild it.
    #[error("{path} has format {found}, this build reads {expected}: use the server's own build")]
    Format {
        /// The file.
        path: String,
        /// What it has.
        found: i32,
        /// What this build has.
        expected: i32,
    },
    /// The file can't be used.
    #[error("the read model cannot be opened: {0}")]
    Database(#[from] rusqlite::Error),
    /// The old file can't be removed.
    #[error("the read model cannot be replaced: {0}")]
    Io(#[from] std::io::Error),
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Unavailable: try again later; if it stays, remove the file and start again.
    #[error("the read model cannot be read: {0}")]
    Database(#[from] rusqlite::Error),
    /// Corrupt: a row says what no event could have written. Remove the file and start again.
    #[error("the read model is damaged: {0}. Remove it: it will be made again from the log")]
    Damaged(String),
    /// Unavailable: the program is stopping.
    #[error("the read model was closed")]
    Closed,
}

/// Why following the log has ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The log itself.
    #[error("the read model stops: {0}")]
    Log(#[from] ReadError),
    /// An entry that this build does not know or that is damaged.
    #[error("the read model stops: {0}")]
    Unreadable(#[from] UnreadableEntry),
    /// Corrupt: an entry that does not follow from those before it.
    #[error("the read model stops at entry {position}: {reason}")]
    Misfit {
        /// Which entry.
        position: u64,
        /// What does not fit.
        reason: String,
    },
    /// Unavailable: the file can't be written.
    #[error("the read model cannot be written: {0}")]
    Database(#[from] rusqlite::Error),
    /// Unavailable: the program is stopping.
    #[error("the read model was closed")]
    Closed,
}

/// The read model has not come so far in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the read model is at position {reached}, {wanted} was waited for")]
pub struct Behind {
    /// What was waited for.
    pub wanted: u64,
    /// How far it is.
    pub reached: u64,
}
