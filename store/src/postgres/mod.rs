//! The log on PostgreSQL, 15 and newer. Never writes from more than one session, and the database
//! refuses whatever else would: `schema.sql`, docs/decisions/0011-postgresql.md.

mod audit;
mod batch;
mod columns;
mod error;
mod import;
mod payload;
mod query;
mod readers;
mod sequencer;
mod session;
mod tree;
mod verify;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use strongroom_ledger::{Hash, Head, Position, Tile};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};

use crate::adoption::Adoption;
use crate::append::{Append, AppendError, Appended, StoredOutcome};
use crate::log::{AppendLog, BoxFuture, ReadLog};
use crate::numbering::Checked;
use crate::open::{OpenError, Options};
use crate::read::{ReadError, Record};
use crate::subscription::Subscription;
pub use audit::PostgresAudit;
pub use import::{ImportError, import_postgres_es};
use readers::Readers;
use sequencer::{Request, Sequencer};
use session::Target;

/// How often a standby tries to become the sequencer.
const TRY_AGAIN: Duration = Duration::from_millis(250);

/// A log in a PostgreSQL database, open for writing. Clones are handles of the same log; the last
/// one that goes waits for what is queued, and lets another process have the log.
///
/// After any failure of its session it has stopped for good ([`AppendError::Stopped`]): a commit
/// whose answer was lost may have been made. Opening it again finds out.
#[derive(Clone)]
pub struct PostgresLog {
    writing: Arc<Writing>,
    reading: Reading,
}

struct Writing {
    queue: Option<mpsc::Sender<Request>>,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
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
    readers: Arc<Readers>,
    heads: watch::Receiver<Head>,
}

impl PostgresLog {
    /// Opens the log of the database at `postgres://user@host:port/database`, or makes its tables;
    /// verifies its last entries and its tree against its head. [`OpenError::Locked`] at once where
    /// another session has it.
    pub async fn open(url: &str, options: &Options) -> Result<Self, OpenError> {
        let target = Target::new(url, options)?;
        let state = Arc::new(State::default());
        let (queue, requests) = mpsc::channel(options.queue.max(1));
        let (opened, answer) = oneshot::channel();
        let thread = std::thread::Builder::new().name("sequencer".to_owned());
        let thread = thread.spawn({
            let (target, options, state) = (target.clone(), options.clone(), Arc::clone(&state));
            move || sequence(&target, &options, requests, state, opened)
        });
        let thread = thread.map_err(|error| OpenError::Unavailable(error.to_string()))?;
        let gone = |_| Err(OpenError::Unavailable("the sequencer's thread ended".to_owned()));
        // Where this fails or is given up, the thread ends by itself: nobody has its queue.
        let heads = answer.await.unwrap_or_else(gone)?;
        let writing = Writing { queue: Some(queue), state, thread: Some(thread) };
        let readers = Arc::new(Readers::open(&target, options).await?);
        Ok(Self { writing: Arc::new(writing), reading: Reading { readers, heads } })
    }

    /// As [`PostgresLog::open`], but waits up to `patience` for the log to be free and for the
    /// server to answer: a standby, which takes over when the active one dies.
    pub async fn open_when_free(
        url: &str,
        options: &Options,
        patience: Duration,
    ) -> Result<Self, OpenError> {
        let start = Instant::now();
        loop {
            match Self::open(url, options).await {
                Err(OpenError::Locked { .. } | OpenError::Unavailable(_))
                    if start.elapsed() < patience =>
                {
                    tokio::time::sleep(TRY_AGAIN).await;
                }
                opened => return opened,
            }
        }
    }

    /// How many batches were committed since the log was opened: appends share one where they can.
    pub fn commits(&self) -> u64 {
        self.writing.state.commits.load(Ordering::Relaxed)
    }

    /// Verifies every entry from the first on, its columns, the tree and the head.
    pub async fn verify_all(&self) -> Result<Head, ReadError> {
        self.reading.readers.read(|db| Box::pin(verify::verify_all(db))).await
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
        payload::check(&checked.append)?;
        let (answer, answered) = oneshot::channel();
        let queue = self.writing.queue.as_ref().ok_or_else(|| self.writing.stopped())?;
        match queue.try_send(Request { checked, answer }) {
            Ok(()) => Ok(answered),
            Err(TrySendError::Full(_)) => {
                Err(AppendError::Unavailable { reason: "its queue is full".to_owned() })
            }
            Err(TrySendError::Closed(_)) => Err(self.writing.stopped()),
        }
    }
}

/// The sequencer's thread: its runtime serves nothing else, so that nothing delays it.
fn sequence(
    target: &Target,
    options: &Options,
    requests: mpsc::Receiver<Request>,
    state: Arc<State>,
    opened: oneshot::Sender<Result<watch::Receiver<Head>, OpenError>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = opened.send(Err(OpenError::Unavailable(error.to_string())));
            return;
        }
    };
    runtime.block_on(async {
        match Sequencer::open(target, options, requests, state).await {
            // Nobody waits for it any more: the queue is closed too, and it ends at once.
            Ok(sequencer) => {
                let _ = opened.send(Ok(sequencer.heads()));
                sequencer.run().await;
            }
            Err(error) => drop(opened.send(Err(error))),
        }
    });
}

impl AppendLog for PostgresLog {
    fn append(&self, append: Append) -> BoxFuture<'static, Result<Appended, AppendError>> {
        self.submit(Checked::new(append))
    }

    fn adopt(&self, adoption: Adoption) -> BoxFuture<'static, Result<Appended, AppendError>> {
        self.submit(Checked::adopting(adoption))
    }

    fn stop_reason(&self) -> Option<String> {
        let ended = || self.writing.queue.as_ref().is_none_or(mpsc::Sender::is_closed);
        let why = || ended().then(|| "its thread ended".to_owned());
        self.writing.state.stopped.get().cloned().or_else(why)
    }
}

impl ReadLog for PostgresLog {
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

impl ReadLog for Reading {
    fn head(&self) -> Head {
        *self.heads.borrow()
    }

    fn read_from(
        &self,
        from: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        // Taken before the read: whatever was durable by then must be found.
        let durable = self.head().position;
        Box::pin(self.readers.read(move |db| Box::pin(query::read_from(db, from, limit, durable))))
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a str,
        from: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Record>, ReadError>> {
        let stream = stream.to_owned();
        Box::pin(self.readers.read(move |db| {
            Box::pin(async move { query::read_stream(db, &stream, from, limit).await })
        }))
    }

    fn stream_sequence<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Result<u64, ReadError>> {
        let stream = stream.to_owned();
        Box::pin(
            self.readers
                .read(move |db| Box::pin(async move { query::sequence(db, &stream).await })),
        )
    }

    fn outcome<'a>(
        &'a self,
        caller: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredOutcome>, ReadError>> {
        let (caller, key) = (caller.to_owned(), key.to_owned());
        Box::pin(
            self.readers
                .read(move |db| Box::pin(async move { query::outcome(db, &caller, &key).await })),
        )
    }

    fn tiles<'a>(&'a self, tiles: &'a [Tile]) -> BoxFuture<'a, Result<Vec<Vec<Hash>>, ReadError>> {
        let (tiles, durable) = (tiles.to_vec(), self.head().position);
        Box::pin(
            self.readers
                .read(move |db| Box::pin(async move { tree::tiles(db, &tiles, durable).await })),
        )
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
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the sequencer's thread panicked");
        }
    }
}
