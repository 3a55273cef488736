//! Moving a log to another backend, entry for entry, byte for byte. Never makes an entry, and never
//! says that a copy is done before it was read back and verified.
//!
//! A copy that was interrupted goes on where the target ends: every batch is one append there.

use std::collections::{BTreeMap, VecDeque};

use strongroom_ledger::{Chain, Head, Position, TreeHead, leaf_hash};

use crate::adoption::Adoption;
use crate::append::{AppendError, Appended, Idempotency};
use crate::log::{AppendLog, BoxFuture};
use crate::proof;
use crate::raw::{RawLog, RawOutcome, RawRow};
use crate::read::{PAGE_LIMIT, ReadError};

/// Entries that are adopted together, unless one request's answer needs them to stand alone.
const GROUP: usize = 512;
/// A group ends with the entry that takes it over this many bytes.
const GROUP_BYTES: usize = 512 * 1024;
/// Groups on their way to the disk at once.
const ON_THEIR_WAY: usize = 8;

/// What a copy did, and what stands in the target now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Entries that this run wrote; others were there already.
    pub entries: u64,
    /// Kept answers that this run wrote.
    pub outcomes: u64,
    /// The end of both logs.
    pub head: Head,
    /// The tree of both logs.
    pub tree: TreeHead,
}

/// Why a copy was not made, or not finished.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The source cannot be read, or is damaged.
    #[error("the source: {0}")]
    Source(ReadError),
    /// The target cannot be read, or is damaged.
    #[error("the target: {0}")]
    Target(ReadError),
    /// The target does not take it.
    #[error("the target takes no more: {0}")]
    Append(#[from] AppendError),
    /// The target holds another log, or more than the source.
    #[error(
        "the target has another entry {position} than the source: it is another log, or one of them \
         was changed; nothing was written over"
    )]
    Parted {
        /// The last entry of the target, or where the two differ.
        position: Position,
    },
    /// The source is how the target begins.
    #[error(
        "the source ends at {source_end}; the target has the same up to there and ends at \
         {target_end}: there is nothing to copy"
    )]
    Behind {
        /// The last entry of the source.
        source_end: Position,
        /// The last entry of the target.
        target_end: Position,
    },
    /// The target answers a request otherwise than the source.
    #[error(
        "the target does not keep the source's answer to key {key} of {caller}, although it has the \
         entries: this copy did not make it; copy to an empty place"
    )]
    Answer {
        /// Whose key it is.
        caller: String,
        /// The key.
        key: String,
    },
    /// The target is complete up to where the source was when the copy began.
    #[error(
        "the source has grown to {source_end} while it was copied, the target ends at {target_end}: \
         stop who writes to it, then run this again"
    )]
    Grows {
        /// The last entry of the source.
        source_end: Position,
        /// The last entry of the target.
        target_end: Position,
    },
}

/// Copies what the target lacks, then reads the target back and verifies it whole, its answers too.
/// `progress` is told the last position that is durable in the target.
pub async fn copy(
    from: &mut dyn RawLog,
    to: &dyn AppendLog,
    mut progress: impl FnMut(Position),
) -> Result<Copied, CopyError> {
    let start = to.head();
    // Before the answers are read: those of all entries up to here are then among them. An entry
    // that comes meanwhile would be copied without its answer, which would never be missed.
    let end = from.head().await.map_err(CopyError::Source)?;
    check_same(from, end, to, start).await?;
    let mut answers = Answers::read(from, start.position).await?;
    let mut writing = Writing { to, answered: VecDeque::new() };
    let (mut filed, mut group) = (place(start.position), Group::default());
    while filed < place(end.position) {
        let mut page = from.raw_after(filed, PAGE_LIMIT).await.map_err(CopyError::Source)?;
        page.retain(|row| row.filed <= place(end.position));
        if page.is_empty() {
            break;
        }
        for row in page {
            filed = row.filed;
            let begins = answers.begin_at(filed);
            if begins || (answers.open.is_none() && group.is_full()) {
                writing.adopt(group.take(), &mut progress).await?;
            }
            group.push(row);
            if let Some(answer) = answers.end_at(filed) {
                group.idempotency = Some(answer);
                writing.adopt(group.take(), &mut progress).await?;
            }
        }
    }
    writing.adopt(group.take(), &mut progress).await?;
    writing.wait_for(0, &mut progress).await?;
    let (head, tree) = verify(to).await?;
    let refusals = verify_answers(from, to, head.position).await?;
    let behind = from.raw_after(place(end.position), 1).await.map_err(CopyError::Source)?;
    let source = from.head().await.map_err(CopyError::Source)?;
    if source == end && !behind.is_empty() {
        let reason = "entries lie behind the log's head";
        return Err(CopyError::Source(ReadError::corrupt(end.position, reason)));
    }
    if source != head {
        let (source_end, target_end) = (source.position, head.position);
        return Err(if source_end == target_end {
            CopyError::Parted { position: target_end }
        } else {
            CopyError::Grows { source_end, target_end }
        });
    }
    let entries = head.position.get().saturating_sub(start.position.get());
    Ok(Copied { entries, outcomes: answers.written + refusals, head, tree })
}

/// Reads the whole source, before anything is written anywhere: a damaged one is then refused with
/// nothing half done. What is appended to it meanwhile is not read.
pub async fn check(from: &mut dyn RawLog) -> Result<Head, CopyError> {
    let end = from.head().await.map_err(CopyError::Source)?;
    let mut chain = Chain::start();
    let mut filed = 0;
    while chain.head().position < end.position {
        let page = from.raw_after(filed, PAGE_LIMIT).await.map_err(CopyError::Source)?;
        let Some(last) = page.last() else { break };
        filed = last.filed;
        for row in page {
            let read = chain.extend(&row.entry, &row.payload);
            read.map_err(|error| CopyError::Source(error.into()))?;
            let head = chain.head();
            if row.filed != place(head.position) {
                let reason = format!("it is filed as {}", row.filed);
                return Err(CopyError::Source(ReadError::corrupt(head.position, reason)));
            }
            if head.position == end.position && head.leaf != end.leaf {
                let reason = "the log's head says another hash";
                return Err(CopyError::Source(ReadError::corrupt(head.position, reason)));
            }
        }
    }
    if chain.head().position < end.position {
        let reason = format!("the log's head says that there are {}", end.position);
        return Err(CopyError::Source(ReadError::corrupt(chain.head().position, reason)));
    }
    Ok(end)
}

/// What the target has already must be how the source begins.
async fn check_same(
    from: &mut dyn RawLog,
    source: Head,
    to: &dyn AppendLog,
    target: Head,
) -> Result<(), CopyError> {
    let Some(before) = target.position.previous() else { return Ok(()) };
    if source.position < target.position {
        let there = to.read_from(source.position, 1).await.map_err(CopyError::Target)?;
        let same = there.first().is_some_and(|record| leaf_hash(&record.bytes) == source.leaf);
        let (source_end, target_end) = (source.position, target.position);
        return Err(if same || source == Head::EMPTY {
            CopyError::Behind { source_end, target_end }
        } else {
            CopyError::Parted { position: source_end }
        });
    }
    let found = from.raw_after(place(before), 1).await.map_err(CopyError::Source)?;
    let same = found.first().is_some_and(|row| {
        row.filed == place(target.position) && leaf_hash(&row.entry) == target.leaf
    });
    if same { Ok(()) } else { Err(CopyError::Parted { position: target.position }) }
}

/// The answers of the source that the target does not have yet.
struct Answers {
    /// By the position of the first event of the request.
    with_events: BTreeMap<i64, (i64, Idempotency)>,
    /// The request whose events are being read.
    open: Option<(i64, Idempotency)>,
    written: u64,
}

impl Answers {
    async fn read(from: &mut dyn RawLog, copied: Position) -> Result<Self, CopyError> {
        let all = from.outcomes().await.map_err(CopyError::Source)?.into_iter();
        let with_events = all.filter_map(|RawOutcome { idempotency, positions }| {
            // An answer is written with its events: what is behind has its answers.
            let at = positions.filter(|at| at.first > copied)?;
            Some((place(at.first), (place(at.last), idempotency)))
        });
        Ok(Self { with_events: with_events.collect(), open: None, written: 0 })
    }

    /// Whether the events of a request begin here.
    fn begin_at(&mut self, filed: i64) -> bool {
        let begins = self.with_events.remove(&filed);
        let found = begins.is_some();
        if found {
            self.open = begins;
        }
        found
    }

    /// The request whose last event this is.
    fn end_at(&mut self, filed: i64) -> Option<Idempotency> {
        let ended = self.open.take_if(|(last, _)| *last == filed);
        self.written += u64::from(ended.is_some());
        ended.map(|(_, answer)| answer)
    }
}

/// Entries that will be adopted together.
#[derive(Default)]
struct Group {
    rows: Vec<RawRow>,
    bytes: usize,
    idempotency: Option<Idempotency>,
}

impl Group {
    fn push(&mut self, row: RawRow) {
        self.bytes += row.entry.len() + row.payload.len();
        self.rows.push(row);
    }

    /// A request's events, which are adopted with its answer, may go beyond.
    fn is_full(&self) -> bool {
        self.rows.len() >= GROUP || self.bytes > GROUP_BYTES
    }

    fn take(&mut self) -> Option<Adoption> {
        let Self { rows, idempotency, .. } = std::mem::take(self);
        (!rows.is_empty()).then_some(Adoption { rows, idempotency })
    }
}

/// Groups on their way.
struct Writing<'a> {
    to: &'a dyn AppendLog,
    answered: VecDeque<BoxFuture<'static, Result<Appended, AppendError>>>,
}

impl Writing<'_> {
    async fn adopt(
        &mut self,
        adoption: Option<Adoption>,
        progress: &mut impl FnMut(Position),
    ) -> Result<(), CopyError> {
        let Some(adoption) = adoption else { return Ok(()) };
        self.wait_for(ON_THEIR_WAY - 1, progress).await?;
        self.answered.push_back(self.to.adopt(adoption));
        Ok(())
    }

    /// Waits until at most `left` are on their way.
    async fn wait_for(
        &mut self,
        left: usize,
        progress: &mut impl FnMut(Position),
    ) -> Result<(), CopyError> {
        while self.answered.len() > left {
            let Some(next) = self.answered.pop_front() else { break };
            progress(next.await?.head.position);
        }
        Ok(())
    }
}

/// Holds every answer of the source whose events are copied up to `end` against the target's, and
/// copies those to requests that made no events, which the target may lack. They are read again: by
/// now there may be more of them. Gives how many were copied.
async fn verify_answers(
    from: &mut dyn RawLog,
    to: &dyn AppendLog,
    end: Position,
) -> Result<u64, CopyError> {
    let mut copied = 0;
    for RawOutcome { idempotency, positions } in from.outcomes().await.map_err(CopyError::Source)? {
        if positions.is_some_and(|at| at.last > end) {
            continue;
        }
        let Idempotency { caller, key, request_sha256, outcome } = &idempotency;
        let kept = to.outcome(caller, key).await.map_err(CopyError::Target)?;
        let same = kept.as_ref().is_some_and(|kept| {
            (&kept.request_sha256, &kept.outcome, kept.positions)
                == (request_sha256, outcome, positions)
        });
        if same {
            continue;
        }
        if kept.is_some() || positions.is_some() {
            return Err(CopyError::Answer { caller: caller.clone(), key: key.clone() });
        }
        to.adopt(Adoption { rows: Vec::new(), idempotency: Some(idempotency) }).await?;
        copied += 1;
    }
    Ok(copied)
}

/// Reads the whole log back; gives its end and its tree, which must agree with what is stored.
pub async fn verify(log: &dyn AppendLog) -> Result<(Head, TreeHead), CopyError> {
    let mut chain = Chain::start();
    let mut tree = strongroom_ledger::Frontier::new();
    while let Some(next) = chain.head().position.next() {
        let page = log.read_from(next, PAGE_LIMIT).await.map_err(CopyError::Target)?;
        for record in &page {
            let read = chain.extend(&record.bytes, &record.payload);
            read.map_err(|error| CopyError::Target(error.into()))?;
            tree.push(chain.head().leaf, |_, _, _| ());
        }
        if page.is_empty() {
            break;
        }
    }
    let (head, tree) = (chain.head(), tree.head());
    let stored = proof::tree_head(log, tree.size).await.map_err(CopyError::Target)?;
    if head != log.head() || stored != tree {
        let reason = "its head or its tree is not that of its entries";
        return Err(CopyError::Target(ReadError::corrupt(head.position, reason)));
    }
    Ok((head, tree))
}

fn place(position: Position) -> i64 {
    // At most 2^53-1; were it not, nothing would be found.
    i64::try_from(position.get()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
