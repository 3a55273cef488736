//! The log on SQLite, the embedded default. Never writes from more than one connection.

pub(crate) mod backup;
mod committer;
mod lock;
mod migrate;
mod numberer;
pub(crate) mod query;
pub(crate) mod schema;
mod sequencer;
#[cfg(test)]
mod tests;
pub(crate) mod tree;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use strongroom_ledger::{Hash, Head, Position, Tile};
use tokio::sync::{oneshot, watch};

use crate::adoption::Adoption;
use crate::append::{Append, AppendError, Appended, StoredOutcome};
use crate::log::{AppendLog, BoxFuture, ReadLog};
use crate::numbering::{Checked, Numbering};
use crate::open::{OpenError, Options};
use crate::read::{ReadError, Record};
use crate::subscription::Subscription;
use backup::BackupError;
use committer::Committer;
use lock::WriteLock;
use numberer::{Numberer, Request};
use sequencer::Sequencer;

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        ReadError::from(error).into()
    }
}

/// A log in a SQLite file, open for writing. Clones are handles of the same log; the last one that
/// goes waits for what is queued, and lets another process have the log.
#[derive(Clone)]
pub struct SqliteLog {
    writing: Arc<Writing>,
    reading: Reading,
}

struct Writing {
    queue: Option<SyncSender<Request>>,
    state: Arc<State>,
    threads: Vec<JoinHandle<()>>,
}

/// What the sequencer tells of itself.
#[derive(Default)]
struct State {
    stopped: OnceLock<String>,
    commits: AtomicU64,
}

/// Outlives the writing part in subscriptions, so that they do not keep the log locked.
#[derive(Clone)]
struct Reading {
    pool: Arc<Pool>,
    heads: watch::Receiver<Head>,
}

struct Pool {
    path: PathBuf,
    connections: Vec<Mutex<Connection>>,
    turn: AtomicUsize,
}

impl SqliteLog {
    /// Opens the log at `path` with the default [`Options`], or makes one.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with(path, &Options::default())
    }

    /// Opens the log at `path` or makes one; verifies its last entries against its head.
    pub fn open_with(path: impl AsRef<Path>, options: &Options) -> Result<Self, OpenError> {
        let path = path.as_ref();
        schema::check_sqlite()?;
        let lock = WriteLock::take(path)?;
        let db = schema::writer(path)?;
        sync_directory(path)?;
        let (head, time) = query::verify_tail(&db)?;
        let numbering = Numbering::new(head, time, tree::reopen(&db)?, Arc::clone(&options.clock));
        let (heads, watched) = watch::channel(head);
        let pool = Pool::open(path, options.readers)?;
        let (queue, requests) = sync_channel(options.queue);
        let state = Arc::new(State::default());
        let numberer = Numberer::new(requests, schema::reader(path)?, numbering, options);
        let committer = Committer::new(db, lock, heads, Arc::clone(&state));
        let threads = Sequencer::new(numberer, committer, Arc::clone(&state)).start()?;
        let writing = Writing { queue: Some(queue), state, threads };
        let reading = Reading { pool: Arc::new(pool), heads: watched };
        Ok(Self { writing: Arc::new(writing), reading })
    }

    /// [`AppendLog::append`] for code that is not async. Panics within an async task.
    pub fn append_blocking(&self, append: Append) -> Result<Appended, AppendError> {
        let answer = self.enqueue(Checked::new(append)?)?;
        answer.blocking_recv().unwrap_or_else(|_| Err(self.writing.stopped()))
    }

    /// How many batches were committed since the log was opened: appends share one where they can.
    pub fn commits(&self) -> u64 {
        self.writing.state.commits.load(Ordering::Relaxed)
    }

    /// Verifies every entry from the first on. Takes a while: a million entries a second at best.
    pub fn verify_all(&self) -> Result<Head, ReadError> {
        self.reading.pool.with(query::verify_all)
    }

    /// Copies the log as it is at this moment to `to`, while it is written; gives the head of the
    /// copy. The copy is one file, durable and verified whole when this returns: that takes as long
    /// as [`SqliteLog::verify_all`]. Nothing is written over. Do not call it on an async thread.
    pub fn backup(&self, to: &Path) -> Result<Head, BackupError> {
        backup::copy_file(&self.reading.pool.path, to)
    }

    /// Makes a log at `to` from a backup, which stays as it is; as [`SqliteLog::backup`] otherwise.
    ///
    /// A restored log lacks what came after the backup: signers and witnesses will notice.
    pub fn restore(backup: &Path, to: &Path) -> Result<Head, BackupError> {
        backup::copy_file(backup, to)
    }

    fn submit(
        &self,
        checked: Result<Checked, AppendError>,
    ) -> BoxFuture<'static, Result<Appended, AppendError>> {
        match checked.and_then(|checked| self.enqueue(checked)) {
            Err(error) => Box::pin(std::future::ready(Err(error))),
            Ok(answer) => {
                let writing = Arc::clone(&self.writing);
                Box::pin(async move { answer.await.unwrap_or_else(|_| Err(writing.stopped())) })
            }
        }
    }

    fn enqueue(
        &self,
        checked: Checked,
    ) -> Result<oneshot::Receiver<Result<Appended, AppendError>>, AppendError> {
        if self.writing.state.stopped.get().is_some() {
            return Err(self.writing.stopped());
        }
        let (answer, answered) = oneshot::channel();
        let queue = self.writing.queue.as_ref().ok_or_else(|| self.writing.stopped())?;
        match queue.try_send(Request { checked, answer }) {
            Ok(()) => Ok(answered),
            Err(TrySendError::Full(_)) => {
                Err(AppendError::Unavailable { reason: "its queue is full".to_owned() })
            }
            Err(TrySendError::Disconnected(_)) => Err(self.writing.stopped()),
        }
    }
}

impl AppendLog for SqliteLog {
    fn append(&self, append: Append) -> BoxFuture<'static, Result<Appended, AppendError>> {
        self.submit(Checked::new(append))
    }

    fn adopt(&self, adoption: Adoption) -> BoxFuture<'static, Result<Appended, AppendError>> {
        self.submit(Checked::adopting(adoption))
    }

    fn stop_reason(&self) -> Option<String> {
        self.writing.state.stopped.get().cloned()
    }
}

impl ReadLog for SqliteLog {
    fn head(&self) -> Head {
        self.reading.head()
    }

    fn read_from(
        &self,
        from: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        self.reading.read_from(from, limit)
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a str,
        from: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Record>, ReadError>> {
        self.reading.read_stream(stream, from, limit)
    }

    fn stream_sequence<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Result<u64, ReadError>> {
        self.reading.stream_sequence(stream)
    }

    fn outcome<'a>(
        &'a self,
        caller: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredOutcome>, ReadError>> {
        self.reading.outcome(caller, key)
    }

    fn tiles<'a>(&'a self, tiles: &'a [Tile]) -> BoxFuture<'a, Result<Vec<Vec<Hash>>, ReadError>> {
        self.reading.tiles(tiles)
    }

    fn subscribe(&self, from: Position) -> Subscription {
        self.reading.subscribe(from)
    }
}

/// A page is read on the caller's thread: it is short, and a switch of threads costs as much.
impl ReadLog for Reading {
    fn head(&self) -> Head {
        *self.heads.borrow()
    }

    fn read_from(
        &self,
        from: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        Box::pin(async move {
            // Taken before the read: whatever was durable by then must be found.
            let durable = self.head().position;
            self.pool.with(|db| query::read_from(db, from, limit, durable))
        })
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a str,
        from: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Record>, ReadError>> {
        Box::pin(async move { self.pool.with(|db| query::read_stream(db, stream, from, limit)) })
    }

    fn stream_sequence<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Result<u64, ReadError>> {
        Box::pin(async move {
            let found = self.pool.with(|db| query::stream(db, stream))?;
            Ok(found.map_or(0, |(_, sequence)| sequence))
        })
    }

    fn outcome<'a>(
        &'a self,
        caller: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredOutcome>, ReadError>> {
        Box::pin(async move { self.pool.with(|db| query::outcome(db, caller, key)) })
    }

    fn tiles<'a>(&'a self, tiles: &'a [Tile]) -> BoxFuture<'a, Result<Vec<Vec<Hash>>, ReadError>> {
        Box::pin(async move {
            let durable = self.head().position;
            self.pool.with(|db| tree::tiles(db, tiles, durable))
        })
    }

    fn subscribe(&self, from: Position) -> Subscription {
        Subscription::new(Arc::new(self.clone()), self.heads.clone(), from)
    }
}

impl Writing {
    fn stopped(&self) -> AppendError {
        let reason = self.state.stopped.get().cloned();
        AppendError::Stopped { reason: reason.unwrap_or_else(|| "its thread ended".to_owned()) }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the sequencer panicked");
            }
        }
    }
}

impl Pool {
    fn open(path: &Path, readers: usize) -> Result<Self, OpenError> {
        let connections = (0..readers.max(1)).map(|_| schema::reader(path).map(Mutex::new));
        let connections = connections.collect::<Result<_, _>>()?;
        Ok(Self { path: path.to_owned(), connections, turn: AtomicUsize::new(0) })
    }

    /// Uses the first connection that is free, or waits for the one whose turn it is.
    fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        if let Some(free) = self.connections.iter().find_map(|one| one.try_lock().ok()) {
            return read(&free);
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        let missing = || ReadError::Unavailable { reason: "there are no readers".to_owned() };
        let one = self.connections.get(turn).ok_or_else(missing)?;
        read(&one.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A new file is durable only when its directory is.
fn sync_directory(log: &Path) -> Result<(), OpenError> {
    let directory = log.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or_else(|| Path::new("."));
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| OpenError::Unavailable(error.to_string()))
}
