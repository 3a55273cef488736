//! The one session that writes, on a thread of its own. Never answers before the commit is back,
//! and never tries again after one that failed: whether it was made is unknown until the log is
//! reopened and verified.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::PgConnection;
use strongroom_ledger::Head;
use tokio::sync::{mpsc, oneshot, watch};

use super::batch::{Batch, Streams, Writing};
use super::session::{LEASE, Target, close};
use super::{State, query, tree};
use crate::append::{AppendError, Appended};
use crate::numbering::{Checked, Numbering, judge};
use crate::open::{OpenError, Options};
use crate::read::ReadError;

/// A batch ends with the append that takes it over this many bytes.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// A batch that is not answered within this time is lost from sight. By then a server that could
/// not reach us has given the log to another.
const ANSWERED_WITHIN: Duration = Duration::from_mins(1);

pub(crate) type Answer = oneshot::Sender<Result<Appended, AppendError>>;

/// An append on its way, and where its answer goes.
pub(crate) struct Request {
    pub(crate) checked: Checked,
    pub(crate) answer: Answer,
}

/// What makes a sequencer stop for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fatal {
    #[error("PostgreSQL failed, and what was under way may be stored or not: {0}")]
    Postgres(#[from] sqlx::Error),
    #[error("PostgreSQL gave no answer in a minute: what was under way may be stored or not")]
    Silent,
    #[error("another sequencer has this log now: the head or the term in the database is not ours")]
    Fenced,
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("{0}")]
    Append(#[from] AppendError),
    #[error("a fault of this program: {0}")]
    Bug(&'static str),
}

pub(crate) struct Sequencer {
    db: PgConnection,
    queue: mpsc::Receiver<Request>,
    heads: watch::Sender<Head>,
    state: Arc<State>,
    numbering: Numbering,
    streams: Streams,
    batch: usize,
    term: i64,
}

impl Sequencer {
    /// Takes the lock and a new term, and verifies the end of the log.
    pub(crate) async fn open(
        target: &Target,
        options: &Options,
        queue: mpsc::Receiver<Request>,
        state: Arc<State>,
    ) -> Result<Self, OpenError> {
        let mut db = target.sequencer().await?;
        let (term,): (i64,) =
            sqlx::query_as("SELECT strongroom_log.take_term()").fetch_one(&mut db).await?;
        let (head, time) = query::verify_tail(&mut db).await?;
        let tree = tree::reopen(&mut db).await?;
        let numbering = Numbering::new(head, time, tree, Arc::clone(&options.clock));
        let streams = Streams { known: HashMap::new(), limit: options.streams };
        let (heads, _) = watch::channel(head);
        let batch = options.batch.max(1);
        Ok(Self { db, queue, heads, state, numbering, streams, batch, term })
    }

    pub(crate) fn heads(&self) -> watch::Receiver<Head> {
        self.heads.subscribe()
    }

    /// Serves the queue until every handle is gone or something fails.
    pub(crate) async fn run(mut self) {
        let stopped = loop {
            match tokio::time::timeout(LEASE / 3, self.queue.recv()).await {
                Ok(Some(first)) => {
                    if let Err(fatal) = self.turn(first).await {
                        break Some(fatal);
                    }
                }
                Ok(None) => break None,
                // The server hears of us, and we of a session that it has ended.
                Err(_) => {
                    if let Err(error) = self.db.ping().await {
                        break Some(error.into());
                    }
                }
            }
        };
        match stopped {
            Some(fatal) => {
                let reason = fatal.to_string();
                tracing::error!(%reason, "the log has stopped; reopen and verify it");
                // Requests still queued find the reason when the sender of their answer is dropped.
                let _ = self.state.stopped.set(reason);
            }
            // Everything is stored; what fails here ends with the session all the same.
            None => drop(close(self.db).await),
        }
    }

    async fn turn(&mut self, first: Request) -> Result<(), Fatal> {
        let (work, answers) = self.gather(first);
        let served = tokio::time::timeout(ANSWERED_WITHIN, self.serve(work)).await;
        match served.unwrap_or(Err(Fatal::Silent)) {
            Ok(results) => {
                for (answer, result) in answers.into_iter().zip(results) {
                    // A writer that does not wait any more loses the answer, not the append.
                    let _ = answer.send(result);
                }
                Ok(())
            }
            Err(fatal) => {
                // Before the answers are dropped, so that who waits for one learns why.
                let _ = self.state.stopped.set(fatal.to_string());
                Err(fatal)
            }
        }
    }

    /// Whatever is queued by now shares the next commit.
    fn gather(&mut self, first: Request) -> (Vec<Checked>, Vec<Answer>) {
        let mut bytes = first.checked.append.weight();
        let (mut work, mut answers) = (vec![first.checked], vec![first.answer]);
        while work.len() < self.batch && bytes <= BATCH_BYTES {
            let Ok(next) = self.queue.try_recv() else { break };
            bytes += next.checked.append.weight();
            work.push(next.checked);
            answers.push(next.answer);
        }
        (work, answers)
    }

    /// One transaction, one commit; the results may be told only once it is back.
    async fn serve(
        &mut self,
        work: Vec<Checked>,
    ) -> Result<Vec<Result<Appended, AppendError>>, Fatal> {
        let before = self.numbering.head;
        let asked = work.iter().map(|checked| &checked.append);
        let mut known = Batch::look_up(&mut self.db, &mut self.streams, asked).await?;
        let mut writing = Writing::default();
        let mut results = Vec::with_capacity(work.len());
        for checked in work {
            results.push(place(&mut self.numbering, &mut known, checked, &mut writing)?);
        }
        if writing.is_empty() {
            return Ok(results);
        }
        let (head, grown) = (self.numbering.head, self.numbering.grown());
        let new = (head, self.numbering.tree_head());
        if !writing.store(&mut self.db, self.term, before, new, &grown).await? {
            return Err(Fatal::Fenced);
        }
        self.state.commits.fetch_add(1, Ordering::Relaxed);
        if head != before {
            self.heads.send_replace(head);
        }
        Ok(results)
    }
}

/// Judges one append and makes its rows.
fn place(
    numbering: &mut Numbering,
    known: &mut Batch<'_>,
    checked: Checked,
    writing: &mut Writing,
) -> Result<Result<Appended, AppendError>, Fatal> {
    if let Err(refused) = judge(known, &checked.append)? {
        return Ok(Err(refused));
    }
    let key = checked.append.idempotency.clone();
    let mut added = Ok(());
    let appended = numbering.number(checked, |row| {
        known.count(&row);
        if added.is_ok() {
            added = writing.add(row);
        }
    })?;
    added?;
    if let Some(key) = key {
        known.keep(&key, &appended);
        writing.keep(key, &appended);
    }
    Ok(Ok(appended))
}
