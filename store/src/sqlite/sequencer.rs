//! Two threads that take turns: while one stores a batch and waits for its fsync, the other makes
//! the next. Never answers before the fsync of a batch, nor before that of any batch before it; a
//! failure stops both for good.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::State;
use super::committer::Committer;
use super::numberer::{Batch, Numberer};
use crate::append::AppendError;
use crate::open::OpenError;
use crate::read::ReadError;

/// How long requests may lie in the queue while the batch before is being stored.
const LOOK: Duration = Duration::from_micros(100);

/// What makes a sequencer stop for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fatal {
    #[error("SQLite failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("{0}")]
    Append(#[from] AppendError),
}

/// The order of batches is the order in which the threads have the numberer: it is let go only by
/// the thread that has the committer.
pub(crate) struct Sequencer {
    numberer: Mutex<Numberer>,
    committer: Mutex<Turn>,
    back: Condvar,
    state: Arc<State>,
}

/// Where the committer is.
enum Turn {
    Free(Box<Committer>),
    /// The other thread stores a batch.
    Away,
    /// The log was closed, or it has stopped.
    Gone,
}

impl Sequencer {
    pub(crate) fn new(numberer: Numberer, committer: Committer, state: Arc<State>) -> Self {
        let committer = Mutex::new(Turn::Free(Box::new(committer)));
        Self { numberer: Mutex::new(numberer), committer, back: Condvar::new(), state }
    }

    /// Starts the threads.
    pub(crate) fn start(self) -> Result<Vec<JoinHandle<()>>, OpenError> {
        let shared = Arc::new(self);
        let threads = ["sequencer", "sequencer-2"].map(|name| {
            let sequencer = Arc::clone(&shared);
            let thread = std::thread::Builder::new().name(name.to_owned());
            thread.spawn(move || sequencer.run())
        });
        let threads = threads.into_iter().collect::<Result<_, _>>();
        threads.map_err(|error| OpenError::Unavailable(error.to_string()))
    }

    /// One of the threads: serves the queue until every handle is gone or something fails.
    fn run(&self) {
        // Whatever ends this thread, a panic too, ends the other: nothing may be stored behind a
        // batch of which nobody knows.
        let _end = End(self);
        while let Some((mut committer, batch)) = self.next() {
            if let Err(fatal) = committer.store(&batch) {
                return self.stop(&fatal);
            }
            // Before the next batch goes: who is answered now may still come along with it, and an
            // fsync is shared by as many as can be.
            for (answer, result) in batch.answers {
                // A writer that does not wait any more loses the answer, not the append.
                let _ = answer.send(result);
            }
            self.give_back(Turn::Free(committer));
        }
    }

    /// The next batch, and the right to store it. `None` at the end.
    fn next(&self) -> Option<(Box<Committer>, Batch)> {
        // A thread that panicked has stopped the log: whatever it left behind is not used.
        let mut numberer = self.numberer.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(first) = numberer.wait() else {
            self.close();
            return None;
        };
        if numberer.is_full() {
            let committer = self.await_committer(|| ())?;
            numberer.forget();
            self.give_back(Turn::Free(committer));
        }
        let mut batch = Batch::default();
        let mut made = numberer.take(&mut batch, Some(first), true);
        let committer = self.await_committer(|| {
            if made.is_ok() {
                made = numberer.take(&mut batch, None, true);
            }
        })?;
        let made = made.and_then(|()| numberer.take(&mut batch, None, false));
        if let Err(fatal) = made {
            // Before the answers are dropped, so that who waits for one learns why.
            self.stop(&fatal);
            return None;
        }
        numberer.end(&mut batch);
        Some((committer, batch))
    }

    /// Waits until the batch before is durable, and calls `meanwhile` now and then. `None` when the
    /// log takes no more.
    fn await_committer(&self, mut meanwhile: impl FnMut()) -> Option<Box<Committer>> {
        let mut turn = self.committer.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match std::mem::replace(&mut *turn, Turn::Away) {
                Turn::Free(committer) => return Some(committer),
                Turn::Gone => {
                    *turn = Turn::Gone;
                    return None;
                }
                Turn::Away => {}
            }
            let waited = self.back.wait_timeout(turn, LOOK).unwrap_or_else(PoisonError::into_inner);
            if waited.1.timed_out() {
                drop(waited);
                meanwhile();
                turn = self.committer.lock().unwrap_or_else(PoisonError::into_inner);
            } else {
                turn = waited.0;
            }
        }
    }

    fn give_back(&self, turn: Turn) {
        // What was there goes after the lock: a committer closes files.
        let before = {
            let mut place = self.committer.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *place, turn)
        };
        self.back.notify_all();
        drop(before);
    }

    /// After the last handle is gone.
    fn close(&self) {
        if let Some(mut committer) = self.await_committer(|| ())
            && let Err(fatal) = committer.checkpoint()
        {
            self.stop(&fatal);
        }
    }

    fn stop(&self, fatal: &Fatal) {
        let reason = fatal.to_string();
        tracing::error!(%reason, "the log has stopped; reopen and verify it");
        // Requests still queued find the reason when the sender of their answer is dropped.
        let _ = self.state.stopped.set(reason);
    }
}

/// Ends the sequencer when a thread of it ends.
struct End<'a>(&'a Sequencer);

impl Drop for End<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("a thread of the sequencer panicked");
            let _ = self.0.state.stopped.set("a thread of the sequencer panicked".to_owned());
        }
        self.0.give_back(Turn::Gone);
    }
}
