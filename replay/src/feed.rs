//! Brings entries from a source to whoever judges them, in order: read on one thread, hashed and
//! decoded on others. Never holds more than a few batches, however long the log is.

use crate::{
    prepared::{Depth, Prepared, Raw},
    source::{Source, SourceError},
};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use strongroom_ledger::{Head, export::Pair};

/// A batch ends with the entry that takes it to this many bytes, or with the last of so many
/// entries: enough that handing it over costs nothing.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_ENTRIES: usize = 512;
/// Batches that may wait at each worker's door, on both sides.
const WAITING: usize = 2;

/// A batch, or the end: whoever stops without saying so has not come to it.
type Read<T> = Result<Option<VecDeque<T>>, SourceError>;

/// Entries, ready to be judged.
pub(crate) enum Feed<'a> {
    /// One at a time on the caller's thread: no more is read than is asked for.
    Here(&'a mut Source, Depth),
    /// On threads of their own.
    Threads(Threads),
}

/// A reader and its workers. Batch *n* goes through worker *n* modulo their number, so the order of
/// the batches needs no sorting.
pub(crate) struct Threads {
    workers: Vec<Receiver<Read<Prepared>>>,
    turn: usize,
    batch: VecDeque<Prepared>,
    /// Judged, on its way back to the reader.
    spent: Vec<Pair>,
    back: Sender<Vec<Pair>>,
    ended: bool,
    reader: Option<JoinHandle<Source>>,
    source: Option<Source>,
}

impl Feed<'_> {
    /// Starts the threads.
    pub(crate) fn threads(source: Source, depth: Depth) -> Self {
        let count = std::thread::available_parallelism().map_or(2, usize::from);
        let (mut doors, mut workers) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (door, batches) = sync_channel(WAITING);
            let (out, done) = sync_channel(WAITING);
            std::thread::spawn(move || work(&batches, &out, depth));
            doors.push(door);
            workers.push(done);
        }
        let (back, spent) = channel();
        let reader = Some(std::thread::spawn(move || read(source, &doors, &spent)));
        Feed::Threads(Threads {
            workers,
            turn: 0,
            batch: VecDeque::new(),
            spent: Vec::new(),
            back,
            ended: false,
            reader,
            source: None,
        })
    }

    /// Takes back an entry that nobody needs any more. Memory that one thread takes and another
    /// gives back has both wait for the allocator's lock, which cost half of the speed.
    pub(crate) fn spent(&mut self, prepared: Prepared) {
        if let Self::Threads(threads) = self {
            threads.spent.push(prepared.raw.pair);
            if threads.spent.len() >= BATCH_ENTRIES {
                // A reader that has ended takes nothing: then it is freed here.
                drop(threads.back.send(std::mem::take(&mut threads.spent)));
            }
        }
    }

    /// The next entry; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Prepared>, SourceError> {
        match self {
            Self::Here(source, depth) => Ok(source.read()?.map(|raw| Prepared::of(raw, *depth))),
            Self::Threads(threads) => threads.next(),
        }
    }

    /// The heads that the source claims: when it was opened, and now. To be asked at the end.
    pub(crate) fn claims(&mut self) -> Result<Option<(Head, Head)>, SourceError> {
        match self {
            Self::Here(source, _) => source.claims(),
            Self::Threads(threads) => threads.source()?.claims(),
        }
    }

    /// The source, at the end.
    pub(crate) fn source(&mut self) -> Result<&Source, SourceError> {
        match self {
            Self::Here(source, _) => Ok(source),
            Self::Threads(threads) => threads.source().map(|source| &*source),
        }
    }
}

impl Threads {
    fn next(&mut self) -> Result<Option<Prepared>, SourceError> {
        while self.batch.is_empty() && !self.ended {
            let worker = self.workers.get(self.turn).ok_or(SourceError::Ended)?;
            let batch = worker.recv().map_err(|_| SourceError::Ended)?;
            self.turn = self.turn.saturating_add(1).checked_rem(self.workers.len()).unwrap_or(0);
            match batch? {
                Some(batch) => self.batch = batch,
                None => self.ended = true,
            }
        }
        Ok(self.batch.pop_front())
    }

    /// Lets the reader end, wherever it is, and takes the source back.
    fn source(&mut self) -> Result<&mut Source, SourceError> {
        if let Some(reader) = self.reader.take() {
            self.workers.clear();
            self.source = reader.join().ok();
        }
        self.source.as_mut().ok_or(SourceError::Ended)
    }
}

/// Reads batches until the end, the first error, or until nobody takes them.
fn read(
    mut source: Source,
    doors: &[SyncSender<Read<Raw>>],
    spent: &Receiver<Vec<Pair>>,
) -> Source {
    let mut doors = doors.iter().cycle();
    let mut send = |batch| doors.next().is_some_and(|door| door.send(batch).is_ok());
    loop {
        spent.try_iter().for_each(drop);
        let (batch, end) = fill(&mut source);
        // What was read before an error is judged before it: it may tell more.
        let taken = send(Ok(Some(batch)));
        if let Some(end) = end {
            send(end.map(|()| None));
            return source;
        }
        if !taken {
            return source;
        }
    }
}

/// A batch, and how the source ended where it did.
fn fill(source: &mut Source) -> (VecDeque<Raw>, Option<Result<(), SourceError>>) {
    let (mut batch, mut bytes) = (VecDeque::with_capacity(BATCH_ENTRIES), 0_usize);
    while bytes < BATCH_BYTES && batch.len() < BATCH_ENTRIES {
        match source.read() {
            Ok(Some(raw)) => {
                let both = raw.pair.entry.len().saturating_add(raw.pair.payload.len());
                bytes = bytes.saturating_add(both);
                batch.push_back(raw);
            }
            Ok(None) => return (batch, Some(Ok(()))),
            Err(error) => return (batch, Some(Err(error))),
        }
    }
    (batch, None)
}

fn work(batches: &Receiver<Read<Raw>>, out: &SyncSender<Read<Prepared>>, depth: Depth) {
    while let Ok(batch) = batches.recv() {
        let prepare =
            |batch: VecDeque<Raw>| batch.into_iter().map(|raw| Prepared::of(raw, depth)).collect();
        if out.send(batch.map(|batch| batch.map(prepare))).is_err() {
            return;
        }
    }
}
