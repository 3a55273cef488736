//! The one task that writes. Never answers before the server said that it wrote, and never goes on
//! after an append of which nobody knows whether it is there.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use strongroom_ledger::{EntryRef, Head, Position, Timestamp, TreeHead, leaf_hash};
use tokio::sync::{mpsc, oneshot, watch};

use super::connection::AppendFailure;
use super::index::Place;
use super::reading::Shared;
use super::record::{Event, Outcome};
use super::refusals::Refusals;
use crate::append::{Append, AppendError, Appended, Idempotency, StoredOutcome};
use crate::clock::Clock;
use crate::numbering::{Checked, Known, Numbering, Row, judge};
use crate::open::Options;
use crate::read::ReadError;
use crate::tree::Tree;

/// A batch ends before the append that would take it over this many bytes: servers take an append
/// of 1 MiB unless they are told to take more.
const BATCH_BYTES: usize = 800 * 1024;
/// No server can be told to take more than 16 MiB.
const APPEND_BYTES: usize = 15 * 1024 * 1024;
/// What the server and we add to an event's payload, at most about.
const EVENT_BYTES: usize = 2 * 1024;

type Answer = oneshot::Sender<Result<Appended, AppendError>>;
type Results = Vec<Result<Appended, AppendError>>;

/// An append on its way, and where its answer goes.
pub(super) struct Request {
    pub(super) checked: Checked,
    pub(super) answer: Answer,
}

/// What makes the log stop for good.
#[derive(Debug, thiserror::Error)]
enum Fatal {
    #[error("{0}")]
    Append(#[from] AppendError),
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("{0}")]
    Server(#[from] AppendFailure),
    #[error("{0}")]
    Entry(String),
}

pub(super) struct Sequencer {
    queue: mpsc::Receiver<Request>,
    /// Taken from the queue, but too large for the batch before.
    waiting: Option<Request>,
    heads: watch::Sender<Head>,
    shared: Arc<Shared>,
    refusals: Refusals,
    numbering: Numbering,
    time: Timestamp,
    clock: Clock,
    batch: usize,
}

/// What is decided and not yet written.
struct Batch<'a> {
    shared: &'a Shared,
    sequences: HashMap<String, u64>,
    outcomes: HashMap<(String, String), StoredOutcome>,
    rows: Vec<Row>,
    /// With the index of the row that each belongs to.
    kept: Vec<(usize, Outcome)>,
    refusals: Vec<(Head, Outcome)>,
}

impl Known for Batch<'_> {
    type Failure = Fatal;

    fn sequence(&mut self, stream: &str) -> Result<u64, Fatal> {
        let known = self.sequences.get(stream).copied();
        Ok(known.unwrap_or_else(|| self.shared.index(|index| index.sequence(stream))))
    }

    fn outcome(&mut self, caller: &str, key: &str) -> Result<Option<StoredOutcome>, Fatal> {
        Ok(self.outcomes.get(&(caller.to_owned(), key.to_owned())).cloned())
    }
}

/// What no server takes in one call, and so can never be atomic here.
pub(super) fn check_size(append: &Append) -> Result<(), AppendError> {
    let bytes = weight(append);
    if bytes <= APPEND_BYTES {
        return Ok(());
    }
    Err(AppendError::invalid(format!(
        "it has about {bytes} bytes, KurrentDB takes {APPEND_BYTES} in one call"
    )))
}

fn weight(append: &Append) -> usize {
    let events: usize = append.events.iter().map(|event| event.payload.len() + EVENT_BYTES).sum();
    // Base64.
    events + append.idempotency.as_ref().map_or(0, |kept| kept.outcome.len() / 3 * 4 + EVENT_BYTES)
}

impl Sequencer {
    pub(super) fn new(
        queue: mpsc::Receiver<Request>,
        heads: watch::Sender<Head>,
        shared: Arc<Shared>,
        refusals: Refusals,
        (tree, time): (Tree, Timestamp),
        options: &Options,
    ) -> Self {
        let clock = Arc::clone(&options.clock);
        let numbering = Numbering::new(*heads.borrow(), time, tree, Arc::clone(&clock));
        let batch = options.batch.max(1);
        let waiting = None;
        Self { queue, waiting, heads, shared, refusals, numbering, time, clock, batch }
    }

    /// Serves the queue until every handle is gone or something fails.
    pub(super) async fn run(mut self) {
        while let Some(first) = self.next().await {
            let (work, answers) = self.gather(first);
            match self.serve(work).await {
                Ok(results) => answers.into_iter().zip(results).for_each(|(answer, result)| {
                    // A writer that does not wait any more loses the answer, not the append.
                    let _ = answer.send(result);
                }),
                // Before the answers are dropped, so that who waits for one learns why.
                Err(fatal) => {
                    let reason = fatal.to_string();
                    tracing::error!(%reason, "the log has stopped; reopen and verify it");
                    let _ = self.shared.stopped.set(reason);
                    return;
                }
            }
        }
    }

    async fn next(&mut self) -> Option<Request> {
        match self.waiting.take() {
            Some(waiting) => Some(waiting),
            None => self.queue.recv().await,
        }
    }

    /// Whatever is queued by now shares the next call.
    fn gather(&mut self, first: Request) -> (Vec<Checked>, Vec<Answer>) {
        let mut bytes = weight(&first.checked.append);
        let (mut work, mut answers) = (vec![first.checked], vec![first.answer]);
        while work.len() < self.batch {
            let Ok(next) = self.queue.try_recv() else { break };
            bytes += weight(&next.checked.append);
            if bytes > BATCH_BYTES {
                self.waiting = Some(next);
                break;
            }
            work.push(next.checked);
            answers.push(next.answer);
        }
        (work, answers)
    }

    /// One call, atomic, for all events; the results may be told only once it is answered.
    async fn serve(&mut self, work: Vec<Checked>) -> Result<Results, Fatal> {
        let (head, tree) = (self.numbering.head, self.numbering.tree_head());
        let shared = Arc::clone(&self.shared);
        let mut batch = Batch {
            shared: &shared,
            sequences: HashMap::new(),
            outcomes: HashMap::new(),
            rows: Vec::new(),
            kept: Vec::new(),
            refusals: Vec::new(),
        };
        let mut results = Vec::with_capacity(work.len());
        for checked in work {
            results.push(self.place(checked, &mut batch).await?);
        }
        let Batch { rows, kept, refusals, .. } = batch;
        if let Err(refused) = self.write(rows, kept, head).await? {
            self.rewind(head, tree)?;
            return Ok(results.iter().map(|_| Err(refused.clone())).collect());
        }
        // A crash here leaves events that are durable and refusals that nobody was told of: asked
        // again, they are judged again.
        self.refuse(refusals).await?;
        Ok(results)
    }

    /// Judges one append and makes its rows.
    async fn place(
        &mut self,
        checked: Checked,
        batch: &mut Batch<'_>,
    ) -> Result<Result<Appended, AppendError>, Fatal> {
        let key = checked.append.idempotency.clone();
        if let Some(key) = &key
            && let Err(unavailable) = self.look_up(key, batch).await?
        {
            return Ok(Err(unavailable));
        }
        if let Err(refused) = judge(batch, &checked.append)? {
            return Ok(Err(refused));
        }
        let Batch { rows, sequences, .. } = batch;
        let appended = self.numbering.number(checked, |row| {
            sequences.insert(row.stream.clone(), row.sequence);
            rows.push(row);
        })?;
        if let Some(key) = key {
            let outcome = Outcome::of(&key, appended.positions.map(|of| of.first));
            match appended.positions {
                Some(_) => batch.kept.push((batch.rows.len() - 1, outcome)),
                None => batch.refusals.push((appended.head, outcome)),
            }
            let stored = StoredOutcome {
                request_sha256: key.request_sha256,
                outcome: key.outcome,
                positions: appended.positions,
            };
            batch.outcomes.insert((key.caller, key.key), stored);
        }
        Ok(Ok(appended))
    }

    /// Fetches the answer that was kept for a key, before it is judged.
    async fn look_up(
        &self,
        key: &Idempotency,
        batch: &mut Batch<'_>,
    ) -> Result<Result<(), AppendError>, Fatal> {
        let name = (key.caller.clone(), key.key.clone());
        if batch.outcomes.contains_key(&name) {
            return Ok(Ok(()));
        }
        match self.shared.stored(&key.caller, &key.key).await {
            Ok(None) => Ok(Ok(())),
            Ok(Some(stored)) => {
                batch.outcomes.insert(name, stored);
                Ok(Ok(()))
            }
            Err(ReadError::Unavailable { reason }) => Ok(Err(AppendError::Unavailable { reason })),
            Err(corrupt) => Err(corrupt.into()),
        }
    }

    /// Writes the entries behind `before`; the inner error is a refusal that left nothing.
    async fn write(
        &mut self,
        rows: Vec<Row>,
        kept: Vec<(usize, Outcome)>,
        before: Head,
    ) -> Result<Result<(), AppendError>, Fatal> {
        let Some(time) = rows.last().map(|row| time_of(&row.entry)).transpose()? else {
            return Ok(Ok(()));
        };
        let named = rows.iter().map(|row| (row.stream.clone(), leaf_hash(&row.entry)));
        let named: Vec<_> = named.collect();
        let mut kept = kept.into_iter().peekable();
        let (mut events, mut outcomes) = (Vec::with_capacity(rows.len()), Vec::new());
        for (number, row) in rows.into_iter().enumerate() {
            let outcome = kept.next_if(|(of, _)| *of == number).map(|(_, outcome)| outcome);
            if let Some(outcome) = &outcome {
                let name = Outcome::place(&outcome.caller, &outcome.key);
                outcomes.push((name, Place::Entry(row.position)));
            }
            events.push(Event::of(row, outcome.as_ref()).map_err(Fatal::Entry)?);
        }
        let stream = &self.shared.connection.address.stream;
        let last = before.position.previous().map(Position::get);
        match self.shared.connection.append(stream, last, &events).await {
            Ok(_) => {}
            Err(AppendFailure::Refused(reason)) => {
                let reason = format!("{reason}; docs/backends.md says how to raise MaxAppendSize");
                return Ok(Err(AppendError::Unavailable { reason }));
            }
            Err(other) => return Err(other.into()),
        }
        let grown = self.numbering.grown();
        let mut index = self.shared.index.write().unwrap_or_else(PoisonError::into_inner);
        for (stream, leaf) in named {
            index.push(&stream, leaf);
        }
        index.grow(grown);
        for (name, place) in outcomes {
            index.keep(name, place);
        }
        drop(index);
        self.time = time;
        self.heads.send_replace(self.numbering.head);
        Ok(Ok(()))
    }

    async fn refuse(&mut self, refusals: Vec<(Head, Outcome)>) -> Result<(), Fatal> {
        if refusals.is_empty() {
            return Ok(());
        }
        let names =
            refusals.iter().map(|(_, outcome)| Outcome::place(&outcome.caller, &outcome.key));
        let names: Vec<_> = names.collect();
        let first = self.refusals.keep(&self.shared.connection, refusals).await?;
        let mut index = self.shared.index.write().unwrap_or_else(PoisonError::into_inner);
        for (name, revision) in names.into_iter().zip(first..) {
            index.keep(name, Place::Refusal(revision));
        }
        Ok(())
    }

    /// Forgets the entries of a batch that the server refused whole.
    fn rewind(&mut self, head: Head, tree: TreeHead) -> Result<(), Fatal> {
        let tiles = self.shared.index(super::index::Index::tiles)?;
        let tree = Tree::reopen(tree, &tiles)?;
        self.numbering = Numbering::new(head, self.time, tree, Arc::clone(&self.clock));
        Ok(())
    }
}

fn time_of(entry: &[u8]) -> Result<Timestamp, Fatal> {
    EntryRef::parse(entry).map(|entry| entry.time).map_err(|why| Fatal::Entry(why.to_string()))
}
