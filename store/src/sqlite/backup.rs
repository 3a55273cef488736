//! Copies of a log: backup while a server writes to it, and restore. Never gives a copy its name
//! before all of it was verified, and never writes over anything.
//!
//! A crash leaves a file `<target>.<uuid>.draft` behind, which can be removed.

#[cfg(test)]
mod tests;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use strongroom_ledger::Head;
use uuid::Uuid;

use super::{query, schema, sync_directory};
use crate::open::OpenError;
use crate::read::ReadError;

/// Pages between two pauses: 4 MiB.
const PAGES: i32 = 1024;
const PAUSE: Duration = Duration::from_millis(1);
/// What SQLite keeps beside a database. Where one of them is, it belongs to another file that had
/// this name, and SQLite would take it for ours.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Why there is no copy. Where there was none before, there is none now.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Refused: something has that name already.
    #[error("{path} is there already: a copy is never written over anything; choose another name")]
    Exists {
        /// What is in the way.
        path: PathBuf,
    },
    /// Corrupt: the log that was copied is damaged. Stop and tell a person.
    #[error("the log that was to be copied is damaged: {0}")]
    Damaged(ReadError),
    /// The log that was to be copied cannot be opened.
    #[error("the log that was to be copied: {0}")]
    Open(OpenError),
    /// Unavailable: the disk or the machine.
    #[error("the log cannot be copied now: {0}")]
    Unavailable(String),
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<OpenError> for BackupError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Damaged(error) => Self::Damaged(error),
            OpenError::Unavailable(reason) => Self::Unavailable(reason),
            OpenError::Locked { .. }
            | OpenError::SqliteTooOld { .. }
            | OpenError::NotALog
            | OpenError::Format { .. }
            | OpenError::Refused(_) => Self::Open(error),
        }
    }
}

impl From<ReadError> for BackupError {
    fn from(error: ReadError) -> Self {
        OpenError::from(error).into()
    }
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        ReadError::from(error).into()
    }
}

/// Copies the log at `from`, as it is at this moment, to `to`; gives the head of the copy. See
/// [`copy`].
pub(crate) fn copy_file(from: &Path, to: &Path) -> Result<Head, BackupError> {
    schema::check_sqlite()?;
    copy(&schema::reader(from)?, to)
}

/// Copies the log that `from` reads. A server that writes to it goes on undisturbed; until the copy
/// ends its WAL file grows. When this returns, the copy is durable and was verified whole.
pub(crate) fn copy(from: &Connection, to: &Path) -> Result<Head, BackupError> {
    refuse_what_is_there(to)?;
    let draft = Draft::new(to)?;
    let head = fill(from, &draft.0)?;
    File::open(&draft.0)?.sync_all()?;
    let copied = query::verify_all(&schema::reader(&draft.0)?)?;
    if copied != head {
        let reason = format!("the copy ends at {}, it should at {}", copied.leaf, head.leaf);
        return Err(ReadError::corrupt(copied.position, reason).into());
    }
    // A link, because a rename would silently take the place of a file that came by now.
    match std::fs::hard_link(&draft.0, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Exists { path: to.to_owned() });
        }
        linked => linked?,
    }
    drop(draft);
    sync_directory(to)?;
    Ok(head)
}

/// One snapshot, page by page. The copy is one file: it needs no WAL to be read, not even from a
/// disk that cannot be written to.
fn fill(from: &Connection, draft: &Path) -> Result<Head, BackupError> {
    // Held until the end: without it, every append would make SQLite begin again.
    let snapshot = from.unchecked_transaction()?;
    let head = query::head(&snapshot)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut to = Connection::open_with_flags(draft, flags)?;
    to.execute_batch("PRAGMA synchronous = FULL")?;
    Backup::new(&snapshot, &mut to)?.run_to_completion(PAGES, PAUSE, None)?;
    let mode: String = to.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode != "delete" {
        return Err(BackupError::Unavailable(format!("the copy's journal mode stays {mode}")));
    }
    Ok(head)
}

fn refuse_what_is_there(to: &Path) -> Result<(), BackupError> {
    let beside = BESIDE.iter().map(|suffix| with_suffix(to, suffix));
    for path in std::iter::once(to.to_owned()).chain(beside) {
        // A link that leads nowhere is something, too.
        if path.symlink_metadata().is_ok() {
            return Err(BackupError::Exists { path });
        }
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// A file that goes unless it was given its name.
struct Draft(PathBuf);

impl Draft {
    /// Readable by its owner only: a log says who holds what.
    fn new(to: &Path) -> Result<Self, BackupError> {
        let path = with_suffix(to, &format!(".{}.draft", Uuid::new_v4()));
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for suffix in std::iter::once("").chain(BESIDE) {
            let path = with_suffix(&self.0, suffix);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(path = %path.display(), %error, "a draft stays behind");
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
}
