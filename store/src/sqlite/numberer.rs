//! The half of the sequencer that makes entries: it runs ahead of the one that stores them by at
//! most one batch. Never answers anybody: what it makes is not durable yet.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvError};

use rusqlite::Connection;
use strongroom_ledger::{Hash, Head};
use tokio::sync::oneshot;

use super::query;
use super::sequencer::Fatal;
use crate::append::{AppendError, Appended, Idempotency, StoredOutcome};
use crate::numbering::{Checked, Known, Numbering, Row, judge};
use crate::open::Options;
use crate::read::ReadError;
use crate::tree::Grown;

/// A batch ends with the append that takes it over this many bytes.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

pub(crate) type Answer = oneshot::Sender<Result<Appended, AppendError>>;
/// Caller and key.
pub(crate) type Key = (String, String);

/// An append on its way, and where its answer goes.
pub(crate) struct Request {
    pub(crate) checked: Checked,
    pub(crate) answer: Answer,
}

/// An entry to be stored, with the id of its stream.
pub(crate) struct Placed {
    pub(crate) stream: i64,
    /// Whether the stream has to be stored, too.
    pub(crate) is_new: bool,
    pub(crate) row: Row,
}

/// What is stored in one transaction, and the answers that may be given after its fsync.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) rows: Vec<Placed>,
    pub(crate) outcomes: Vec<(Key, Arc<StoredOutcome>)>,
    pub(crate) grown: Grown,
    /// Head and root after the last entry; `None` when there is none.
    pub(crate) end: Option<(Head, Hash)>,
    pub(crate) answers: Vec<(Answer, Result<Appended, AppendError>)>,
    bytes: usize,
}

/// Judges appends and makes their entries.
pub(crate) struct Numberer {
    queue: Receiver<Request>,
    /// Reads only: it knows what is durable.
    db: Connection,
    numbering: Numbering,
    streams: Streams,
    /// The keys of the batch that is being stored, and of the one that is being made.
    keys: [HashMap<Key, Arc<StoredOutcome>>; 2],
    most: usize,
    ahead: usize,
}

/// The streams that were met lately; those of entries that are not durable yet are all among them.
struct Streams {
    known: HashMap<String, Stream>,
    limit: usize,
}

#[derive(Clone, Copy)]
struct Stream {
    /// 0 until the stream has an entry.
    id: i64,
    sequence: u64,
}

/// What is known while a batch is made. What is not durable is asked first: it may become so, and
/// be forgotten here, at any moment, but then the database knows it.
struct Knowledge<'a> {
    db: &'a Connection,
    streams: &'a mut Streams,
    keys: &'a [HashMap<Key, Arc<StoredOutcome>>; 2],
}

impl Known for Knowledge<'_> {
    type Failure = Fatal;

    fn sequence(&mut self, stream: &str) -> Result<u64, Fatal> {
        if let Some(known) = self.streams.known.get(stream) {
            return Ok(known.sequence);
        }
        let (id, sequence) = query::stream(self.db, stream)?.unwrap_or((0, 0));
        self.streams.known.insert(stream.to_owned(), Stream { id, sequence });
        Ok(sequence)
    }

    fn outcome(&mut self, caller: &str, key: &str) -> Result<Option<StoredOutcome>, Fatal> {
        let of = (caller.to_owned(), key.to_owned());
        if let Some(kept) = self.keys.iter().find_map(|keys| keys.get(&of)) {
            return Ok(Some(StoredOutcome::clone(kept)));
        }
        Ok(query::outcome(self.db, caller, key)?)
    }
}

impl Numberer {
    pub(crate) fn new(
        queue: Receiver<Request>,
        db: Connection,
        numbering: Numbering,
        options: &Options,
    ) -> Self {
        let streams = Streams { known: HashMap::new(), limit: options.streams };
        let most = options.batch.max(1);
        // What is made ahead waits too: no more of it than may wait in the queue.
        let ahead = most.min(options.queue.max(1));
        Self { queue, db, numbering, streams, keys: Default::default(), most, ahead }
    }

    /// The next request, whenever it comes.
    pub(crate) fn wait(&self) -> Result<Request, RecvError> {
        self.queue.recv()
    }

    /// Whether everything must be durable before the next batch is begun, so that streams can be
    /// forgotten: only the database knows them then.
    pub(crate) fn is_full(&self) -> bool {
        self.streams.known.len() > self.streams.limit
    }

    /// Forgets the streams. Only while nothing is on its way.
    pub(crate) fn forget(&mut self) {
        self.streams.known.clear();
    }

    /// Adds a request to a batch and then whatever is queued by now, while it is being waited for
    /// the batch before (`ahead`) or not any more.
    pub(crate) fn take(
        &mut self,
        batch: &mut Batch,
        first: Option<Request>,
        ahead: bool,
    ) -> Result<(), Fatal> {
        let most = if ahead { self.ahead } else { self.most };
        let mut next = first;
        let mut reading = false;
        while batch.answers.len() < most && batch.bytes <= BATCH_BYTES {
            let Some(request) = next.take().or_else(|| self.queue.try_recv().ok()) else { break };
            let Request { checked, answer } = request;
            batch.bytes += checked.append.weight();
            // One snapshot for all of them: SQLite keeps the pages that it has read for it.
            let begun = if reading { Ok(()) } else { self.begin() };
            reading = true;
            match begun.and_then(|()| self.place(checked, batch)) {
                Ok(result) => batch.answers.push((answer, result)),
                Err(fatal) => {
                    // Never sent, but kept: it may be dropped only once the log says why.
                    let reason = fatal.to_string();
                    batch.answers.push((answer, Err(AppendError::Stopped { reason })));
                    return Err(fatal);
                }
            }
        }
        if reading {
            self.db.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok(())
    }

    fn begin(&self) -> Result<(), Fatal> {
        self.db.prepare_cached("BEGIN")?.execute([])?;
        Ok(())
    }

    /// Ends a batch that goes to be stored; the one before is durable.
    pub(crate) fn end(&mut self, batch: &mut Batch) {
        self.keys.rotate_left(1);
        let [_, next] = &mut self.keys;
        next.clear();
        batch.grown = self.numbering.grown();
        if !batch.rows.is_empty() {
            batch.end = Some((self.numbering.head, self.numbering.tree_head().root));
        }
    }

    /// Judges one append and makes its rows.
    fn place(
        &mut self,
        mut checked: Checked,
        batch: &mut Batch,
    ) -> Result<Result<Appended, AppendError>, Fatal> {
        let mut known = Knowledge { db: &self.db, streams: &mut self.streams, keys: &self.keys };
        if let Err(refused) = judge(&mut known, &checked.append)? {
            return Ok(Err(refused));
        }
        let key = checked.append.idempotency.take();
        let (streams, rows) = (&mut self.streams, &mut batch.rows);
        let mut lost = None;
        let appended = self.numbering.number(checked, |row| match streams.place(row) {
            Ok(placed) => rows.push(placed),
            Err(error) => lost = Some(error),
        })?;
        if let Some(error) = lost {
            return Err(error.into());
        }
        if let Some(Idempotency { caller, key, request_sha256, outcome }) = key {
            let positions = appended.positions;
            let kept = Arc::new(StoredOutcome { request_sha256, outcome, positions });
            let [_, making] = &mut self.keys;
            making.insert((caller.clone(), key.clone()), Arc::clone(&kept));
            batch.outcomes.push(((caller, key), kept));
        }
        Ok(Ok(appended))
    }
}

impl Streams {
    /// Counts an entry of a stream; a stream's id is the position of its first entry.
    fn place(&mut self, row: Row) -> Result<Placed, ReadError> {
        let Some(stream) = self.known.get_mut(&row.stream) else {
            return Err(ReadError::corrupt(row.position, "its stream was not looked up"));
        };
        let is_new = stream.id == 0;
        if is_new {
            stream.id = crate::sql::integer(row.position.get());
        }
        stream.sequence = row.sequence;
        Ok(Placed { stream: stream.id, is_new, row })
    }
}
