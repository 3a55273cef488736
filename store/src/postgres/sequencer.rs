//! The one session that writes, on a thread of its own; the next batch is made while one is being
//! stored. Never answers before the commit is back, and never tries again after one that failed:
//! whether it was made is unknown until the log is reopened and verified.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use sqlx::Connection;
use sqlx::postgres::PgConnection;
use strongroom_ledger::{Head, TreeHead};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinHandle};

use super::batch::{Batch, Kept, Streams, Writing};
use super::session::{LEASE, Target, close};
use super::{State, query, tree};
use crate::append::{AppendError, Appended};
use crate::numbering::{Checked, Numbering, judge};
use crate::open::{OpenError, Options};
use crate::read::ReadError;
use crate::tree::Grown;

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
    /// The session that writes; away while a batch is being stored.
    db: Option<PgConnection>,
    /// Asks what a batch has to know, meanwhile.
    asking: PgConnection,
    flight: Option<Flight>,
    queue: mpsc::Receiver<Request>,
    heads: watch::Sender<Head>,
    state: Arc<State>,
    numbering: Numbering,
    streams: Streams,
    /// The answers that the batch on its way keeps.
    kept: Kept,
    batch: usize,
    term: i64,
    /// When the server last answered the session that writes.
    heard: Instant,
}

/// A batch on its way to the server, and what is told when it is stored.
struct Flight {
    storing: JoinHandle<Result<PgConnection, Fatal>>,
    head: Head,
    told: Told,
}

/// The answers of a batch, and who waits for them.
type Told = Vec<(Answer, Result<Appended, AppendError>)>;

/// A batch that was judged and numbered. What it says may be told only when it is stored, and all
/// before it is.
struct Made {
    writing: Writing,
    before: Head,
    head: Head,
    tree: TreeHead,
    grown: Grown,
    told: Told,
}

/// What happens next.
#[expect(clippy::large_enum_variant, reason = "there is one, and it is taken apart at once")]
enum Turn {
    Asked(Option<Request>),
    Stored(Result<Result<PgConnection, Fatal>, JoinError>),
    Quiet,
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
        Ok(Self {
            db: Some(db),
            asking: target.reader().await?,
            flight: None,
            queue,
            heads,
            state,
            numbering,
            streams,
            kept: Kept::default(),
            batch: options.batch.max(1),
            term,
            heard: Instant::now(),
        })
    }

    pub(crate) fn heads(&self) -> watch::Receiver<Head> {
        self.heads.subscribe()
    }

    /// Serves the queue until every handle is gone or something fails.
    pub(crate) async fn run(mut self) {
        match self.serve().await {
            Ok(()) => {
                if let Some(db) = self.db {
                    // Everything is stored; what fails here ends with the session all the same.
                    let _ = close(db).await;
                }
            }
            Err(fatal) => {
                self.tell(&fatal);
                tracing::error!(reason = %fatal, "the log has stopped; reopen and verify it");
            }
        }
    }

    async fn serve(&mut self) -> Result<(), Fatal> {
        loop {
            match self.turn().await {
                Turn::Asked(Some(first)) => {
                    let made = self.make(first).await?;
                    // Told before the batch, with its answers, is dropped.
                    self.settle().await.inspect_err(|fatal| self.tell(fatal))?;
                    self.launch(made)?;
                    // Requests of which nothing is stored keep us busy, and the server waiting.
                    if self.flight.is_none() && self.heard.elapsed() >= LEASE / 3 {
                        self.ping().await?;
                    }
                }
                Turn::Asked(None) => return self.settle().await,
                Turn::Stored(stored) => self.land(stored)?,
                Turn::Quiet => self.ping().await?,
            }
        }
    }

    async fn turn(&mut self) -> Turn {
        match &mut self.flight {
            Some(flight) => tokio::select! {
                biased;
                stored = &mut flight.storing => Turn::Stored(stored),
                asked = self.queue.recv() => Turn::Asked(asked),
            },
            None => match tokio::time::timeout(LEASE / 3, self.queue.recv()).await {
                Ok(asked) => Turn::Asked(asked),
                Err(_) => Turn::Quiet,
            },
        }
    }

    /// The server hears of us, and we of a session that it has ended.
    async fn ping(&mut self) -> Result<(), Fatal> {
        if let Some(db) = &mut self.db {
            db.ping().await?;
            self.heard = Instant::now();
        }
        Ok(self.asking.ping().await?)
    }

    /// Before answers are dropped, so that who waits for one learns why.
    fn tell(&self, fatal: &Fatal) {
        let _ = self.state.stopped.set(fatal.to_string());
    }

    /// Judges and numbers what is queued by now.
    async fn make(&mut self, first: Request) -> Result<Made, Fatal> {
        let (work, answers) = self.gather(first);
        let judged = tokio::time::timeout(ANSWERED_WITHIN, self.judge(work)).await;
        match judged.unwrap_or(Err(Fatal::Silent)) {
            Ok((mut made, results)) => {
                made.told = answers.into_iter().zip(results).collect();
                Ok(made)
            }
            Err(fatal) => {
                self.tell(&fatal);
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

    async fn judge(
        &mut self,
        work: Vec<Checked>,
    ) -> Result<(Made, Vec<Result<Appended, AppendError>>), Fatal> {
        let before = self.numbering.head;
        // The entries of a batch on its way are counted in what is known, and nowhere else.
        if self.flight.is_none() {
            self.streams.bound();
        }
        let asked = work.iter().map(|checked| &checked.append);
        let kept = std::mem::take(&mut self.kept);
        let mut known = Batch::look_up(&mut self.asking, &mut self.streams, kept, asked).await?;
        let mut writing = Writing::default();
        let mut results = Vec::with_capacity(work.len());
        for checked in work {
            results.push(place(&mut self.numbering, &mut known, checked, &mut writing)?);
        }
        self.kept = known.into_kept();
        let (head, tree) = (self.numbering.head, self.numbering.tree_head());
        let grown = self.numbering.grown();
        Ok((Made { writing, before, head, tree, grown, told: Vec::new() }, results))
    }

    /// Sends a batch: one statement, one transaction, one commit. The one before is stored.
    fn launch(&mut self, made: Made) -> Result<(), Fatal> {
        let Made { writing, before, head, tree, grown, told } = made;
        if writing.is_empty() {
            answer(told);
            return Ok(());
        }
        let (term, db) = (self.term, self.db.take());
        let mut db = db.ok_or_else(|| Fatal::Bug("the session that writes is away"))?;
        let storing = tokio::spawn(async move {
            let storing = writing.store(&mut db, term, before, (head, tree), &grown);
            match tokio::time::timeout(ANSWERED_WITHIN, storing).await {
                Ok(Ok(true)) => Ok(db),
                Ok(Ok(false)) => Err(Fatal::Fenced),
                Ok(Err(error)) => Err(error.into()),
                Err(_) => Err(Fatal::Silent),
            }
        });
        self.flight = Some(Flight { storing, head, told });
        Ok(())
    }

    /// Waits for the batch on its way.
    async fn settle(&mut self) -> Result<(), Fatal> {
        let Some(flight) = &mut self.flight else { return Ok(()) };
        let stored = (&mut flight.storing).await;
        self.land(stored)
    }

    /// A batch is stored: now its answers may be told.
    fn land(
        &mut self,
        stored: Result<Result<PgConnection, Fatal>, JoinError>,
    ) -> Result<(), Fatal> {
        let stored = stored.unwrap_or(Err(Fatal::Bug("storing a batch panicked")));
        self.db = Some(stored.inspect_err(|fatal| self.tell(fatal))?);
        self.heard = Instant::now();
        if let Some(Flight { head, told, .. }) = self.flight.take() {
            self.state.commits.fetch_add(1, Ordering::Relaxed);
            if head != *self.heads.borrow() {
                self.heads.send_replace(head);
            }
            answer(told);
        }
        Ok(())
    }
}

fn answer(told: Told) {
    for (answer, result) in told {
        // A writer that does not wait any more loses the answer, not the append.
        let _ = answer.send(result);
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
