//! The signer's own memory on disk: an append-only file of records, durable before anybody is told.
//! Never rewrites a record, never goes on after a failed write or sync, and never forgets one that
//! it has acknowledged.
//!
//! A line is `checksum sequence batch left json\n`: SHA-256 in hex of everything after it, the
//! record's number from 1, the number of the write that it belongs to, and how many records of that
//! write follow. Concurrent callers share one write and one `fdatasync`.
//!
//! Only the last write can be torn by a crash, and nobody was told that it was done: on opening, what
//! is left of it is cut off, and reported. Damage anywhere before it, or anything that a crash cannot
//! explain, is [`JournalError::Corrupt`]: stop and call a person. A file that was replaced by an older
//! copy of itself cannot be told by looking at it; the log's head, held against ours, tells.

mod line;

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};
use strongroom_secrets::sync_directory;
use thiserror::Error;

/// Why the journal could not be opened or written.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The operating system refused while opening.
    #[error("cannot {step} the journal {}: {source}", path.display())]
    Io {
        /// Which step.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it open: two signers with one memory.
    #[error("the journal {} is in use by another process; run one signer for each data directory", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Damage that no crash explains.
    #[error("the journal {} is damaged at byte {offset}: {what}; do not repair it by hand", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// A write or sync failed, now or earlier. What is on disk is unknown: restart the process.
    #[error("the journal stopped after a failed write ({0}); restart the signer")]
    Stopped(String),
    /// A record cannot be written as JSON: a bug.
    #[error("a record has no JSON form: {0}")]
    Record(serde_json::Error),
}

/// What a torn last write left behind. Log it: after a power cut it is expected, else it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Where the file ends now.
    pub offset: usize,
    /// How many bytes were cut off.
    pub bytes: usize,
}

/// What opening found.
pub struct Opened<R> {
    /// For appending.
    pub journal: Journal,
    /// Every record, oldest first.
    pub records: Vec<R>,
    /// The torn write that was cut off, if there was one.
    pub cut: Option<Cut>,
}

/// An open journal. Share it by reference between threads.
pub struct Journal {
    state: Mutex<State>,
    turned: Condvar,
}

struct State {
    file: Option<File>,
    waiting: Vec<String>,
    /// Records taken in so far, written or waiting.
    accepted: u64,
    /// Records on disk.
    durable: u64,
    batch: u64,
    stopped: Option<String>,
}

impl Journal {
    /// Makes an empty journal; refused when there is a file already.
    ///
    /// Apart from [`Journal::open`], so that a lost file is never taken for a new signer.
    pub fn create(path: &Path) -> Result<(), JournalError> {
        let at = |step| move |source| JournalError::Io { step, path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(path).and_then(|file| file.sync_all()).map_err(at("create"))?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync_directory(directory.unwrap_or(Path::new("."))).map_err(at("sync the directory of"))
    }

    /// Opens a journal for this process alone, reads all of it and cuts off a torn last write.
    pub fn open<R: DeserializeOwned>(path: &Path) -> Result<Opened<R>, JournalError> {
        let at = |step| move |source| JournalError::Io { step, path: path.to_owned(), source };
        let mut file = OpenOptions::new().read(true).append(true).open(path).map_err(at("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::InUse { path: path.to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(at("lock")(source)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(at("read"))?;
        let corrupt = |offset, what| JournalError::Corrupt { path: path.to_owned(), offset, what };
        let found = line::read(&bytes).map_err(|damage| corrupt(damage.offset, damage.what))?;
        let mut records = Vec::with_capacity(found.records.len());
        for (offset, json) in &found.records {
            let record = serde_json::from_str(json).map_err(|_shape| {
                corrupt(*offset, "a record of a kind that this version does not know")
            })?;
            records.push(record);
        }
        let cut = (found.end < bytes.len())
            .then(|| Cut { offset: found.end, bytes: bytes.len().saturating_sub(found.end) });
        if cut.is_some() {
            let end = u64::try_from(found.end).unwrap_or(u64::MAX);
            file.set_len(end).and_then(|()| file.sync_all()).map_err(at("cut the torn end of"))?;
        }
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let state = State {
            file: Some(file),
            waiting: Vec::new(),
            accepted: count,
            durable: count,
            batch: found.batch,
            stopped: None,
        };
        let journal = Self { state: Mutex::new(state), turned: Condvar::new() };
        Ok(Opened { journal, records, cut })
    }

    /// Appends `records` in order, all or none, and returns once they are on disk.
    ///
    /// A crash before it returns leaves all of them or none.
    pub fn append_durable<R: Serialize>(&self, records: &[R]) -> Result<(), JournalError> {
        let lines = records
            .iter()
            .map(serde_json::to_string)
            .collect::<Result<Vec<_>, _>>()
            .map_err(JournalError::Record)?;
        let mut state = self.lock();
        state.running()?;
        state.accepted =
            state.accepted.saturating_add(u64::try_from(lines.len()).unwrap_or(u64::MAX));
        let ticket = state.accepted;
        state.waiting.extend(lines);
        while state.durable < ticket {
            state.running()?;
            state = match state.file.take() {
                Some(file) => self.write_waiting(state, file),
                None => self.turned.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        Ok(())
    }

    /// Whether it still writes.
    pub fn running(&self) -> Result<(), JournalError> {
        self.lock().running()
    }

    /// How many records are on disk.
    pub fn durable(&self) -> u64 {
        self.lock().durable
    }

    /// Writes what waits, for everybody, with the lock released meanwhile: whoever comes during the
    /// sync queues up for the next one.
    fn write_waiting<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        mut file: File,
    ) -> MutexGuard<'a, State> {
        let records = std::mem::take(&mut state.waiting);
        let first = state.durable.saturating_add(1);
        let batch = state.batch.saturating_add(1);
        drop(state);
        let bytes = line::write(&records, first, batch);
        let written = file.write_all(&bytes).and_then(|()| file.sync_data());
        let mut state = self.lock();
        match written {
            Ok(()) => {
                let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
                state.durable = state.durable.saturating_add(count);
                state.batch = batch;
                state.file = Some(file);
            }
            // A second sync may report success for pages that the first one lost: never retried.
            Err(error) => state.stopped = Some(error.to_string()),
        }
        self.turned.notify_all();
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn running(&self) -> Result<(), JournalError> {
        self.stopped.clone().map_or(Ok(()), |why| Err(JournalError::Stopped(why)))
    }
}

#[cfg(test)]
mod tests;
