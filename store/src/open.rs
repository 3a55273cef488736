//! How a log is opened and why it is not. Never opens anything itself.

use std::path::PathBuf;

use crate::clock::{Clock, system_clock};
use crate::read::ReadError;

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Unavailable: another process writes to this log.
    #[error("another process has this log open for writing: it holds the lock on {path}")]
    Locked {
        /// The file that is locked.
        path: PathBuf,
    },
    /// This program links a SQLite that can damage a log.
    #[error("SQLite {found} is linked, at least {least} is needed")]
    SqliteTooOld {
        /// Its version number, such as 3051003 for 3.51.3.
        found: i32,
        /// The least that will do.
        least: i32,
    },
    /// What is there is no log.
    #[error("this is no log of Strongroom")]
    NotALog,
    /// The log was written by another version of this program.
    #[error("this log has format {found}, this program knows {known}")]
    Format {
        /// The format of the log.
        found: i32,
        /// The format of this program.
        known: i32,
    },
    /// Refused: something that was given for opening the log has to be changed by a person.
    #[error("{0}")]
    Refused(String),
    /// Corrupt: the log is damaged. Stop and tell a person.
    #[error(transparent)]
    Damaged(ReadError),
    /// Unavailable: the file, the server or the machine.
    #[error("the log cannot be opened now: {0}")]
    Unavailable(String),
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable { reason } => Self::Unavailable(reason),
            ReadError::Closed => Self::Unavailable(error.to_string()),
            ReadError::Corrupt { .. } | ReadError::Chain(_) => Self::Damaged(error),
        }
    }
}

/// How a log is served. The defaults suit a server of its own.
#[derive(Clone)]
pub struct Options {
    /// Appends that may wait; one more is refused at once. Default 4096.
    pub queue: usize,
    /// The most appends that share an fsync. Default 1024.
    pub batch: usize,
    /// Connections that read. Default 4.
    pub readers: usize,
    /// Streams whose last sequence is kept in memory. Default 100 000.
    pub streams: usize,
    /// What tells the time of an entry. Default: this machine.
    pub clock: Clock,
    /// The file with the password of the backend's server, readable by its owner only (mode 0600).
    /// Default: none, and SQLite needs none.
    pub password_file: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: 4096,
            batch: 1024,
            readers: 4,
            streams: 100_000,
            clock: system_clock(),
            password_file: None,
        }
    }
}
