//! The right to write to a log, which one process has at a time. Never waits for it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::open::OpenError;

/// Held while the log is open for writing; the operating system lets go when the process dies.
#[derive(Debug)]
pub(crate) struct WriteLock {
    _file: File,
}

impl WriteLock {
    /// Takes the lock beside the log, `<log>.lock`. The file stays: only its lock counts.
    pub(crate) fn take(log: &Path) -> Result<Self, OpenError> {
        let mut path = log.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| OpenError::Unavailable(error.to_string()))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path }),
            Err(TryLockError::Error(error)) => Err(OpenError::Unavailable(error.to_string())),
        }
    }
}
