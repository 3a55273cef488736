//! The log on KurrentDB (EventStoreDB): one stream of the server. Never writes to it without the
//! exact revision that it expects, and never believes what it reads.
//!
//! docs/decisions/0012-kurrentdb.md says how an append is made safe to repeat.

mod address;
mod audit;
mod connection;
mod index;
mod opening;
mod reading;
mod record;
mod refusals;
mod sequencer;

use std::sync::{Arc, OnceLock, RwLock};

use strongroom_ledger::{Hash, Head, Position, Tile};
use tokio::sync::{mpsc, oneshot, watch};

use crate::adoption::Adoption;
use crate::append::{Append, AppendError, StoredOutcome};
use crate::log::{AppendLog, BoxFuture, ReadLog};
use crate::numbering::Checked;
use crate::open::{OpenError, Options};
use crate::password::Password;
use crate::read::{ReadError, Record};
use crate::subscription::Subscription;
use address::Address;
pub use audit::KurrentAudit;
use connection::Connection;
use opening::{Rebuilt, check_metadata};
use reading::{Reading, Shared};
use refusals::Refusals;
use sequencer::{Request, Sequencer};

/// A log on a KurrentDB server, open for writing. Clones are handles of the same log; what is
/// queued when the last one goes is still written.
#[derive(Clone)]
pub struct KurrentLog {
    queue: mpsc::Sender<Request>,
    reading: Reading,
}

impl KurrentLog {
    /// Opens the log at `url` or makes one; reads and verifies all of it. Must be called in a tokio
    /// runtime, which then also does the writing.
    ///
    /// Of the options `queue`, `batch`, `clock` and `password_file` count.
    pub async fn open(url: &str, options: &Options) -> Result<Self, OpenError> {
        let connection = connect(url, options)?;
        let stream = connection.address.stream.clone();
        let mut refusals = Refusals::of(&stream);
        check_metadata(&connection, &stream).await?;
        check_metadata(&connection, refusals.stream()).await?;
        // Before the log is read: from here on no other server keeps refusals.
        let found = refusals.open(&connection).await?;
        let rebuilt = Rebuilt::read(&connection).await?.with_refusals(&found)?;
        let Rebuilt { index, tree, time, .. } = rebuilt;
        let (heads, watched) = watch::channel(index.head());
        let shared = Arc::new(Shared {
            connection,
            refusals: refusals.stream().to_owned(),
            index: RwLock::new(index),
            stopped: OnceLock::new(),
        });
        let (queue, requests) = mpsc::channel(options.queue.max(1));
        let writer = Arc::clone(&shared);
        let sequencer = Sequencer::new(requests, heads, writer, refusals, (tree, time), options);
        tokio::spawn(sequencer.run());
        Ok(Self { queue, reading: Reading { shared, heads: watched } })
    }

    fn submit(
        &self,
        checked: Result<Checked, AppendError>,
    ) -> BoxFuture<'static, Result<crate::Appended, AppendError>> {
        match checked.and_then(|checked| self.enqueue(checked)) {
            Err(error) => Box::pin(std::future::ready(Err(error))),
            Ok(answer) => {
                let shared = Arc::clone(&self.reading.shared);
                Box::pin(async move { answer.await.unwrap_or_else(|_| Err(stopped(&shared))) })
            }
        }
    }

    fn enqueue(
        &self,
        checked: Checked,
    ) -> Result<oneshot::Receiver<Result<crate::Appended, AppendError>>, AppendError> {
        sequencer::check_size(&checked.append)?;
        let (answer, answered) = oneshot::channel();
        match self.queue.try_send(Request { checked, answer }) {
            Ok(()) => Ok(answered),
            Err(mpsc::error::TrySendError::Full(_)) => {
                Err(AppendError::Unavailable { reason: "its queue is full".to_owned() })
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(stopped(&self.reading.shared)),
        }
    }
}

fn connect(url: &str, options: &Options) -> Result<Connection, OpenError> {
    let password = options.password_file.as_deref().map(Password::read).transpose()?;
    Connection::new(Address::parse(url)?, password.as_ref())
}

fn stopped(shared: &Shared) -> AppendError {
    let reason = shared.stopped.get().cloned();
    AppendError::Stopped { reason: reason.unwrap_or_else(|| "its task ended".to_owned()) }
}

impl AppendLog for KurrentLog {
    fn append(&self, append: Append) -> BoxFuture<'static, Result<crate::Appended, AppendError>> {
        self.submit(Checked::new(append))
    }

    fn adopt(
        &self,
        adoption: Adoption,
    ) -> BoxFuture<'static, Result<crate::Appended, AppendError>> {
        self.submit(Checked::adopting(adoption))
    }

    fn stop_reason(&self) -> Option<String> {
        let ended = || self.queue.is_closed().then(|| "its task ended".to_owned());
        self.reading.shared.stopped.get().cloned().or_else(ended)
    }
}

impl ReadLog for KurrentLog {
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
