//! The stream beside the log: outcomes without events, and who opened the log last. Never holds an
//! entry, and nothing here decides what is in the log.
//!
//! Every server that opens the log first writes `opened` here, behind what it has read: one that
//! opened it before is then not at the stream's end any more, and can keep no refusal.

use serde::{Deserialize, Serialize};
use strongroom_ledger::{Hash, Head, Position};
use uuid::Uuid;

use super::connection::{AppendFailure, Connection, ReadFailure};
use super::record::{self, Event, Outcome};
use crate::append::StoredOutcome;
use crate::open::OpenError;
use crate::raw::RawOutcome;
use crate::read::ReadError;

const OUTCOME: &str = "outcome";
const OPENED: &str = "opened";
/// Servers that open one log at the same moment get in each other's way so often at most.
const TURNS: usize = 5;

/// A refusal with the end of the log that it was judged at.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    judged: Head,
    outcome: Outcome,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    server: Uuid,
}

/// A refusal that was found at open.
pub(super) struct Found {
    pub(super) revision: u64,
    pub(super) name: Hash,
    pub(super) judged: Head,
}

/// The stream of refusals.
pub(super) struct Refusals {
    stream: String,
    last: Option<u64>,
}

impl Refusals {
    /// The stream that belongs to the log in `ledger`.
    pub(super) fn of(ledger: &str) -> Self {
        Self { stream: format!("{ledger}-outcomes"), last: None }
    }

    pub(super) fn stream(&self) -> &str {
        &self.stream
    }

    /// Reads everything, and takes the stream over from whoever had it.
    pub(super) async fn open(&mut self, connection: &Connection) -> Result<Vec<Found>, OpenError> {
        let mut found = Vec::new();
        let server = Uuid::new_v4();
        for _ in 0..TURNS {
            self.load(connection, &mut found).await?;
            let opened = event(OPENED, &Opened { server }).map_err(OpenError::Unavailable)?;
            match connection.append(&self.stream, self.last, &[opened]).await {
                Ok(last) => {
                    self.last = Some(last);
                    return Ok(found);
                }
                // Another server was quicker: read what it wrote.
                Err(AppendFailure::Foreign { .. }) => {}
                Err(AppendFailure::Tombstone(stream)) => return Err(tombstone(&stream).into()),
                Err(other) => return Err(OpenError::Unavailable(other.to_string())),
            }
        }
        Err(OpenError::Unavailable("other servers open this log again and again".to_owned()))
    }

    async fn load(
        &mut self,
        connection: &Connection,
        found: &mut Vec<Found>,
    ) -> Result<(), ReadError> {
        let mut next = self.last.map_or(0, |last| last.saturating_add(1));
        let begun = connection.read(&self.stream, next, usize::MAX).await;
        let mut reading = match begun {
            Ok(reading) => reading,
            Err(failure) => return self.ended(failure, next),
        };
        loop {
            let event = match reading.next().await {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(()),
                Err(failure) => return self.ended(failure, next),
            };
            if event.revision != next {
                return Err(self.damaged(next, "it is missing: truncated or scavenged"));
            }
            record::check_id(&event).map_err(|why| self.damaged(next, &why))?;
            if event.event_type == OUTCOME {
                let Refusal { judged, outcome } =
                    parse(&event.data).map_err(|why| self.damaged(next, &why))?;
                let name = Outcome::place(&outcome.caller, &outcome.key);
                found.push(Found { revision: next, name, judged });
            } else if event.event_type != OPENED {
                return Err(self.damaged(next, "it is no outcome: another program wrote it"));
            }
            self.last = Some(next);
            next = next.saturating_add(1);
        }
    }

    /// Every refusal that is kept, without taking the stream over.
    pub(super) async fn all(
        &mut self,
        connection: &Connection,
    ) -> Result<Vec<RawOutcome>, ReadError> {
        let mut found = Vec::new();
        self.load(connection, &mut found).await?;
        let mut refusals = Vec::with_capacity(found.len());
        for Found { revision, .. } in found {
            let (caller, key, stored) = at(connection, &self.stream, revision).await?;
            refusals.push(RawOutcome::of(caller, key, stored));
        }
        Ok(refusals)
    }

    fn ended(&self, failure: ReadFailure, next: u64) -> Result<(), ReadError> {
        match failure {
            ReadFailure::NotFound if next == 0 => Ok(()),
            ReadFailure::NotFound => Err(self.damaged(next, "the stream is gone")),
            ReadFailure::Tombstone => Err(tombstone(&self.stream)),
            ReadFailure::Unavailable(reason) => Err(ReadError::Unavailable { reason }),
        }
    }

    fn damaged(&self, revision: u64, reason: &str) -> ReadError {
        damaged(&self.stream, revision, reason)
    }

    /// Keeps refusals, all or none; gives the revision of the first.
    pub(super) async fn keep(
        &mut self,
        connection: &Connection,
        refusals: Vec<(Head, Outcome)>,
    ) -> Result<u64, AppendFailure> {
        let events = refusals.into_iter().map(|(judged, outcome)| {
            event(OUTCOME, &Refusal { judged, outcome }).map_err(AppendFailure::Unknown)
        });
        let events = events.collect::<Result<Vec<_>, _>>()?;
        let first = self.last.map_or(0, |last| last.saturating_add(1));
        self.last = Some(connection.append(&self.stream, self.last, &events).await?);
        Ok(first)
    }
}

/// The answer that was kept at `revision` of the stream, for this caller's key.
pub(super) async fn fetch(
    connection: &Connection,
    stream: &str,
    revision: u64,
    of: (&str, &str),
) -> Result<StoredOutcome, ReadError> {
    let (caller, key, stored) = at(connection, stream, revision).await?;
    if (caller.as_str(), key.as_str()) != of {
        return Err(damaged(stream, revision, "it is the outcome of another key than at open"));
    }
    Ok(stored)
}

/// The caller, the key and the answer at `revision` of the stream.
async fn at(
    connection: &Connection,
    stream: &str,
    revision: u64,
) -> Result<(String, String, StoredOutcome), ReadError> {
    let damaged = |reason: &str| damaged(stream, revision, reason);
    let failed = |failure: ReadFailure| match failure {
        ReadFailure::NotFound => damaged("the stream is gone"),
        ReadFailure::Tombstone => tombstone(stream),
        ReadFailure::Unavailable(reason) => ReadError::Unavailable { reason },
    };
    let mut reading = connection.read(stream, revision, 1).await.map_err(failed)?;
    let event = reading.next().await.map_err(failed)?;
    let event = event.filter(|event| event.revision == revision);
    let event = event.ok_or_else(|| damaged("it is missing: truncated or scavenged"))?;
    record::check_id(&event).map_err(|why| damaged(&why))?;
    let Refusal { outcome, .. } = parse(&event.data).map_err(|why| damaged(&why))?;
    let stored = outcome.stored(None).map_err(|why| damaged(&why))?;
    Ok((outcome.caller, outcome.key, stored))
}

fn event<T: Serialize>(r#type: &str, data: &T) -> Result<Event, String> {
    let data = serde_json::to_vec(data).map_err(|error| error.to_string())?;
    Ok(Event { r#type: r#type.to_owned(), data: data.into(), metadata: Vec::new().into() })
}

fn parse(data: &[u8]) -> Result<Refusal, String> {
    serde_json::from_slice(data).map_err(|error| format!("it is damaged: {error}"))
}

fn damaged(stream: &str, revision: u64, reason: &str) -> ReadError {
    ReadError::corrupt(Position::START, format!("{stream} at revision {revision}: {reason}"))
}

/// A stream that nobody may write to or read any more.
pub(super) fn tombstone(stream: &str) -> ReadError {
    let reason = format!("stream {stream} was deleted for good (tombstone): somebody tampered");
    ReadError::corrupt(Position::START, reason)
}
