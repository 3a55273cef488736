//! Entries that another log has already, to be stored here byte for byte. Never changes one, and
//! never takes one that does not follow what is here.

use strongroom_ledger::{EntryRef, Head, Position, Timestamp, leaf_hash, payload_hash};

use crate::append::{Append, AppendError, EVENTS_LIMIT, Expected, Idempotency, NewEvent};
use crate::numbering::Checked;
use crate::raw::RawRow;

/// Entries of another log, in their order, and the answer that was kept for the request that made
/// all of them. With no entries: the answer to a request that made none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// Entries and payloads as they stand; at most [`EVENTS_LIMIT`].
    pub rows: Vec<RawRow>,
    /// The request's key and answer.
    pub idempotency: Option<Idempotency>,
}

/// The first entry that is adopted names what has to be here already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Follows {
    pub(crate) head: Head,
    pub(crate) time: Timestamp,
}

/// Entries that were made elsewhere, for [`crate::numbering::Numbering`] to take as they are.
#[derive(Debug)]
pub(crate) struct Adopted {
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) times: Vec<Timestamp>,
    pub(crate) follows: Follows,
}

impl Checked {
    /// Checks what needs no log: that each entry is one, fits its payload and follows the entry
    /// before.
    pub(crate) fn adopting(adoption: Adoption) -> Result<Self, AppendError> {
        let Adoption { rows, idempotency } = adoption;
        if rows.len() > EVENTS_LIMIT {
            let found = rows.len();
            let reason = format!("{found} entries are adopted at once, at most {EVENTS_LIMIT} fit");
            return Err(AppendError::invalid(reason));
        }
        let Some(first) = rows.first() else { return Self::adopting_answer(idempotency) };
        let first = read(&first.entry)?;
        let mut append = Append {
            expected: Vec::new(),
            events: Vec::with_capacity(rows.len()),
            actor: first.actor.to_owned(),
            command: first.command,
            correlation: first.correlation,
            causation: first.causation,
            idempotency,
        };
        let before = first.position.previous().unwrap_or(Position::START);
        let follows =
            Follows { head: Head { position: before, leaf: first.prev }, time: first.time };
        let (mut head, mut time) = (follows.head, follows.time);
        let (mut hashes, mut times) = (Vec::new(), Vec::new());
        for row in &rows {
            let entry = read(&row.entry)?;
            let refuse = |why: &str| Err(invalid(entry.position, why));
            if Some(entry.position) != head.position.next() || entry.prev != head.leaf {
                return refuse("does not follow the entry before it");
            }
            if entry.time < time {
                return refuse("is dated before the entry before it");
            }
            if entry.payload_sha256 != payload_hash(&row.payload) {
                return refuse("has another payload");
            }
            expect(&mut append.expected, &append.events, &entry)?;
            append.events.push(NewEvent {
                stream: entry.stream.to_owned(),
                r#type: entry.r#type.to_owned(),
                version: entry.version,
                payload: row.payload.clone(),
            });
            head = Head { position: entry.position, leaf: leaf_hash(&row.entry) };
            time = entry.time;
            hashes.push(entry.payload_sha256);
            times.push(time);
        }
        append.validate()?;
        let entries = rows.into_iter().map(|row| row.entry).collect();
        Ok(Self { append, hashes, adopted: Some(Adopted { entries, times, follows }) })
    }

    fn adopting_answer(idempotency: Option<Idempotency>) -> Result<Self, AppendError> {
        if idempotency.is_none() {
            return Err(AppendError::invalid("there is nothing to adopt"));
        }
        Self::new(Append {
            expected: Vec::new(),
            events: Vec::new(),
            // Nothing is written that would name them.
            actor: "copy".to_owned(),
            command: uuid::Uuid::nil(),
            correlation: uuid::Uuid::nil(),
            causation: None,
            idempotency,
        })
    }
}

fn read(bytes: &[u8]) -> Result<EntryRef<'_>, AppendError> {
    EntryRef::parse(bytes).map_err(|error| AppendError::invalid(format!("no entry: {error}")))
}

fn invalid(position: Position, why: &str) -> AppendError {
    AppendError::invalid(format!("entry {position}, which is to be adopted, {why}"))
}

/// A stream has to be here up to the first entry of it that is adopted, and goes on without a gap.
fn expect(
    expected: &mut Vec<Expected>,
    events: &[NewEvent],
    entry: &EntryRef<'_>,
) -> Result<(), AppendError> {
    let before = entry.sequence.saturating_sub(1);
    let known = expected.iter().find(|of| of.stream == entry.stream);
    let Some(known) = known else {
        expected.push(Expected { stream: entry.stream.to_owned(), sequence: before });
        return Ok(());
    };
    let added = events.iter().filter(|event| event.stream == entry.stream).count();
    if u64::try_from(added).ok().and_then(|added| known.sequence.checked_add(added)) == Some(before)
    {
        return Ok(());
    }
    Err(invalid(entry.position, "skips or repeats a sequence of its stream"))
}
