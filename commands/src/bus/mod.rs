//! The command bus: the one write path. Load, decide, append; nothing else in the program
//! appends. It never decides by itself, and never answers before what it says is durable.
//!
//! The bus holds the fold of the log in memory and decides on it under a lock, so decisions have
//! one order, which is the order of their appends. The lock is not held while the disk works:
//! the next decision builds on events that are on their way. Every append names the sequence of
//! each stream that was written or weighed; if any of them is not what the bus believed, or the
//! log stops, the bus stops for good, because what it holds may not be true. A restart reads
//! the log again: there is no other recovery.
//!
//! One log has one bus. Should somebody else append to it all the same, the bus notices at its next
//! append, by a stream's sequence or by the append's position, and stops. Commands that were decided
//! before it noticed are answered as [`CommandError::Corrupt`], and some of them may be in the log,
//! decided on what was not true any more: keeping others away is the store's part.

mod core;
mod outcome;
mod request;

pub use core::BusClock;
pub use outcome::{Happened, Outcome};
pub use request::{CommandError, IdempotencyKey, Request};

use self::core::Core;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use strongroom_domain::{Digest, Refusal, State, Stream};
use strongroom_store::{Append, AppendError, AppendLog, Appended, Idempotency, ReadError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[cfg(test)]
mod tests;

/// Decisions that may be on their way to the disk at once. Below the queue of the sequencer, so
/// that push-back happens here, before anything is decided.
const ON_THEIR_WAY: usize = 2048;

/// The one write path.
#[derive(Clone)]
pub struct Bus(Arc<Inner>);

struct Inner {
    log: Arc<dyn AppendLog>,
    core: Mutex<Core>,
    places: Arc<Semaphore>,
}

/// Why a log can't be served.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It can be read, and says something that this build can't follow.
    #[error("entry {position}: {because}")]
    Unreadable {
        /// Which entry.
        position: u64,
        /// Why.
        because: String,
    },
}

impl Bus {
    /// Reads the whole log, then serves it.
    pub async fn open(log: Arc<dyn AppendLog>, clock: BusClock) -> Result<Self, LoadError> {
        let core = Core::load(log.as_ref(), clock).await?;
        Ok(Self(Arc::new(Inner {
            log,
            core: Mutex::new(core),
            places: Arc::new(Semaphore::new(ON_THEIR_WAY)),
        })))
    }

    /// The log, for reading and following.
    pub fn log(&self) -> Arc<dyn AppendLog> {
        Arc::clone(&self.0.log)
    }

    /// Looks at the fold. It may hold events that are decided and not durable yet: good enough to
    /// prepare a command, never to tell anybody.
    pub fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock().state)
    }

    /// Looks at the fold while nothing is on its way to the disk: it is then what the log says up to
    /// `state.head`. `None` at other moments.
    pub fn read_settled<T>(&self, look: impl FnOnce(&State) -> T) -> Option<T> {
        let core = self.lock();
        core.is_settled().then(|| look(&core.state))
    }

    /// Now, by the bus's clock.
    pub fn now(&self) -> strongroom_domain::Timestamp {
        self.lock().now()
    }

    /// Decides and appends. Answers when all of it is durable.
    ///
    /// Dropping the future does not take the command back.
    pub async fn execute(&self, request: Request) -> Result<Outcome, CommandError> {
        let places = Arc::clone(&self.0.places);
        let place = places.try_acquire_owned().map_err(|_| CommandError::Unavailable {
            because: format!("{ON_THEIR_WAY} commands are on their way already"),
        })?;
        let Some(key) = request.idempotency.clone() else {
            return self.run(request, (place, None)).await;
        };
        let turn = Turn::take(&self.0, &key)?;
        match self.answered(&key).await? {
            Some(outcome) => Ok(outcome),
            None => self.run(request, (place, Some(turn))).await,
        }
    }

    /// What an earlier request with this key came to; its refusal is an error, as it was then. `None` where
    /// there was none.
    pub async fn answered(&self, key: &IdempotencyKey) -> Result<Option<Outcome>, CommandError> {
        let Some(stored) = self.0.log.outcome(&key.caller, &key.key).await? else {
            return Ok(None);
        };
        if *stored.request_sha256.as_bytes() != key.request_sha256.0 {
            return Err(CommandError::KeyReused { key: key.key.clone() });
        }
        Outcome::stored(&stored).map(Some)
    }

    async fn run(
        &self,
        request: Request,
        held: (OwnedSemaphorePermit, Option<Turn>),
    ) -> Result<Outcome, CommandError> {
        let (outcome, under_way, appending) = {
            let mut core = self.lock();
            let prepared = core.prepare(&request)?;
            let Some(append) = prepared.append else {
                return prepared.outcome.answer();
            };
            // Queued under the lock: the order of decisions is the order of appends.
            let appending = self.0.log.append(append);
            (prepared.outcome, prepared.under_way, appending)
        };
        // The caller may go away; what is on its way must still be accounted for, and keeps its
        // place and its key until it is.
        let bus = self.clone();
        let done = tokio::spawn(async move {
            let appended = appending.await;
            let settled = bus.settle(&under_way, appended);
            drop(held);
            settled
        });
        let appended = done.await.map_err(|_| CommandError::Corrupt {
            because: "the task that waited for the log died".to_owned(),
        })??;
        outcome.at(appended.positions).answer()
    }

    /// Takes note of what became durable, or stops.
    fn settle(
        &self,
        under_way: &UnderWay,
        appended: Result<Appended, AppendError>,
    ) -> Result<Appended, CommandError> {
        let mut core = self.lock();
        match appended {
            Ok(appended) => {
                core.durable(under_way, &appended)?;
                Ok(appended)
            }
            Err(error) => Err(core.stop(format!("an append was not taken: {error}"))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        // A thread that panicked under the lock left a decision half applied.
        self.0.core.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
            let mut core = poisoned.into_inner();
            let _ = core.stop("a decision panicked".to_owned());
            core
        })
    }
}

/// While it lives nobody else runs the same idempotency key.
struct Turn {
    inner: Arc<Inner>,
    name: (String, String),
}

impl Turn {
    fn take(inner: &Arc<Inner>, key: &IdempotencyKey) -> Result<Self, CommandError> {
        let name = (key.caller.clone(), key.key.clone());
        let mut core = inner.core.lock().unwrap_or_else(PoisonError::into_inner);
        if core.running.insert(name.clone()) {
            Ok(Self { inner: Arc::clone(inner), name })
        } else {
            Err(CommandError::Conflict {
                because: "a request with this idempotency key is running".to_owned(),
            })
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut core = self.inner.core.lock().unwrap_or_else(PoisonError::into_inner);
        core.running.remove(&self.name);
    }
}

/// What [`Core::prepare`] makes of a request.
struct Prepared {
    outcome: Outcome,
    under_way: UnderWay,
    /// `None` where nothing needs to be stored.
    append: Option<Append>,
}

/// What an append is to look like when it is durable.
#[derive(Default)]
struct UnderWay {
    /// The proposal that it opens: its event is the append's last.
    opened: Option<strongroom_domain::ProposalId>,
    /// The position of its first event; `None` where it has none.
    first: Option<u64>,
    /// Streams of what it approves: delays are measured from the time that its entries will have.
    approved: Vec<Stream>,
}

impl From<&IdempotencyKey> for Idempotency {
    fn from(key: &IdempotencyKey) -> Self {
        Self {
            caller: key.caller.clone(),
            key: key.key.clone(),
            request_sha256: strongroom_ledger::Hash::new(key.request_sha256.0),
            outcome: Vec::new(),
        }
    }
}

/// The statement that belongs to a proposal, for an approver to read.
///
/// Only for proposals that are open; [`Refusal`] otherwise.
pub fn statement(
    state: &State,
    proposal: strongroom_domain::ProposalId,
    answer: strongroom_domain::statement::Answer,
    approver: strongroom_domain::PersonId,
) -> Result<String, Refusal> {
    let place = strongroom_domain::place(state, proposal)?;
    let answers = state.proposals.get(&proposal).and_then(|proposal| proposal.answers());
    let answers = answers.ok_or_else(|| {
        Refusal::new(strongroom_domain::Rule::ProposalNotOpen, "the proposal is not open")
    })?;
    Ok(strongroom_domain::statement::approval(state, &place, answers, answer, approver))
}

/// A digest as the log's own hash type has it.
pub(crate) fn leaf(head: &strongroom_ledger::Head) -> Digest {
    Digest(*head.leaf.as_bytes())
}

/// A stream's name in the log.
pub(crate) fn name(stream: Stream) -> String {
    stream.to_string()
}
