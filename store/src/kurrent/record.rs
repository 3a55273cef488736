//! An entry as an event of the server. Never takes an event that this program would not itself
//! have written at that place.
//!
//! Type: the entry's. Data: the payload. Custom metadata: the entry's line; on the last event of
//! an append with an idempotency key a second line, the outcome. Id: from the SHA-256 of the custom
//! metadata, so that the same append always has the same ids.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kurrentdb::{EventData, RecordedEvent};
use serde::{Deserialize, Serialize};
use strongroom_ledger::{EntryRef, Hash, Position, payload_hash};
use uuid::Uuid;

use crate::append::{Idempotency, Positions, StoredOutcome};
use crate::numbering::Row;
use crate::read::{ReadError, Record};

/// An event that is about to be written; cheap to clone, because a call may be made again.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) r#type: String,
    pub(super) data: Bytes,
    pub(super) metadata: Bytes,
}

/// An outcome as it is stored, with its events or, for a refusal, in a stream of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outcome {
    pub(super) caller: String,
    pub(super) key: String,
    request_sha256: Hash,
    /// Of the append's first event; absent where there are none.
    first: Option<Position>,
    /// Base64.
    answer: String,
}

impl Outcome {
    pub(super) fn of(key: &Idempotency, first: Option<Position>) -> Self {
        Self {
            caller: key.caller.clone(),
            key: key.key.clone(),
            request_sha256: key.request_sha256,
            first,
            answer: STANDARD.encode(&key.outcome),
        }
    }

    /// What a caller is told; `last` is where the outcome was found, if with events.
    pub(super) fn stored(&self, last: Option<Position>) -> Result<StoredOutcome, String> {
        let positions = match (self.first, last) {
            (Some(first), Some(last)) if first <= last && first >= Position::FIRST => {
                Some(Positions { first, last })
            }
            (None, None) => None,
            _ => return Err("its outcome names events that are not its own".to_owned()),
        };
        let outcome = STANDARD.decode(&self.answer);
        let outcome = outcome.map_err(|error| format!("its outcome is no base64: {error}"))?;
        Ok(StoredOutcome { request_sha256: self.request_sha256, outcome, positions })
    }

    pub(super) fn parse(line: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(line).map_err(|error| format!("its outcome is damaged: {error}"))
    }

    pub(super) fn line(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|error| error.to_string())
    }

    /// Where the answer of a caller's key is found.
    pub(super) fn place(caller: &str, key: &str) -> Hash {
        let mut name = Vec::with_capacity(caller.len() + key.len() + 8);
        // The length first, so that no two pairs give the same bytes.
        name.extend_from_slice(&u64::try_from(caller.len()).unwrap_or(u64::MAX).to_be_bytes());
        name.extend_from_slice(caller.as_bytes());
        name.extend_from_slice(key.as_bytes());
        payload_hash(&name)
    }
}

impl Event {
    /// The event of an entry, with the outcome where it is the last of its append.
    pub(super) fn of(row: Row, outcome: Option<&Outcome>) -> Result<Self, String> {
        let entry = EntryRef::parse(&row.entry).map_err(|error| error.to_string())?;
        let r#type = entry.r#type.to_owned();
        let mut metadata = row.entry;
        if let Some(outcome) = outcome {
            metadata.push(b'\n');
            metadata.extend_from_slice(&outcome.line()?);
        }
        Ok(Self { r#type, data: row.payload.into(), metadata: metadata.into() })
    }

    /// The same event always has the same id.
    pub(super) fn id(&self) -> Uuid {
        id(&self.metadata, &self.data)
    }

    /// For the server's client.
    pub(super) fn data(&self) -> EventData {
        EventData::binary(&self.r#type, self.data.clone())
            .metadata(self.metadata.clone())
            .id(self.id())
    }
}

/// From the SHA-256 of the metadata, which holds the entry; an event without any is named by its
/// data.
fn id(metadata: &[u8], data: &[u8]) -> Uuid {
    let hash = payload_hash(if metadata.is_empty() { data } else { metadata });
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    Uuid::new_v8(bytes)
}

/// The entry's line and the outcome's, as they stand in an event.
pub(super) fn lines(event: &RecordedEvent) -> (&[u8], Option<&[u8]>) {
    let mut lines = event.custom_metadata.splitn(2, |byte| *byte == b'\n');
    (lines.next().unwrap_or_default(), lines.next())
}

/// Checks the id of an event, which its bytes decide.
pub(super) fn check_id(event: &RecordedEvent) -> Result<(), String> {
    let expected = id(&event.custom_metadata, &event.data);
    if event.id == expected {
        return Ok(());
    }
    Err(format!("the event has id {}, its bytes give {expected}: altered or foreign", event.id))
}

/// The record of the event that stands where `position` belongs.
pub(super) fn record(position: Position, event: &RecordedEvent) -> Result<Record, ReadError> {
    let (entry, _) = lines(event);
    let record = Record::checked(position, entry.to_vec(), event.data.to_vec())?;
    check_id(event).map_err(|reason| ReadError::corrupt(position, reason))?;
    check_type(position, event, &record.entry.r#type)?;
    Ok(record)
}

/// Checks the type of an event, by which the server's own tools show it.
pub(super) fn check_type(
    position: Position,
    event: &RecordedEvent,
    r#type: &str,
) -> Result<(), ReadError> {
    if event.event_type == r#type {
        return Ok(());
    }
    let found = &event.event_type;
    Err(ReadError::corrupt(position, format!("the event has type {found}, its entry says {type}")))
}

/// The outcome that stands with an event, if one does.
pub(super) fn outcome(
    position: Position,
    event: &RecordedEvent,
) -> Result<Option<Outcome>, ReadError> {
    let (_, line) = lines(event);
    let parse = |line| Outcome::parse(line).map_err(|why| ReadError::corrupt(position, why));
    line.map(parse).transpose()
}

/// Where an event of the ledger stands: revision 0 is position 1.
pub(super) fn position(revision: u64) -> Result<Position, ReadError> {
    let place = revision.checked_add(1).and_then(Position::new);
    place.ok_or_else(|| ReadError::corrupt(Position::LAST, "the log is longer than a log can be"))
}
