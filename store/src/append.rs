//! What is asked of an append and what it answers. Never holds a position that was not committed.

use strongroom_ledger::{Entry, Hash, Head, PAYLOAD_LIMIT, Position, Timestamp};
use uuid::Uuid;

/// The most events of one append.
pub const EVENTS_LIMIT: usize = 1024;
const CALLER_LIMIT: usize = 128;
const KEY_LIMIT: usize = 255;

/// An event that has no position yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The stream it belongs to: `[a-z0-9:._-]{1,128}`; must be among the expected ones.
    pub stream: String,
    /// Its name: `[a-z0-9.-]{1,64}`.
    pub r#type: String,
    /// Version of its payload's schema, from 1.
    pub version: u16,
    /// JSON on one line: 1 byte to 1 MiB.
    pub payload: Vec<u8>,
}

/// What the writer believes of a stream, whether it writes to it or only read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The stream.
    pub stream: String,
    /// Its last sequence; 0 when it does not exist.
    pub sequence: u64,
}

/// A caller's id for a request, with the answer to give whenever it is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Whose key it is: 1 to 128 bytes. Two callers may use the same key.
    pub caller: String,
    /// The key: 1 to 255 bytes.
    pub key: String,
    /// The hash of the request's body, by which a repeat is told from a reuse.
    pub request_sha256: Hash,
    /// The answer, kept byte by byte; at most 1 MiB. A refusal has one too, with no events.
    pub outcome: Vec<u8>,
}

/// Events that are appended together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// Every stream that is written to, and those that were only read; each once.
    pub expected: Vec<Expected>,
    /// The events, in their order; at most [`EVENTS_LIMIT`].
    pub events: Vec<NewEvent>,
    /// Who caused them: `[a-z0-9:._-]{1,128}`.
    pub actor: String,
    /// The command that decided them.
    pub command: Uuid,
    /// The conversation they belong to.
    pub correlation: Uuid,
    /// The message directly before, if any.
    pub causation: Option<Uuid>,
    /// Given where the caller may repeat the request.
    pub idempotency: Option<Idempotency>,
}

/// The first and last position of the events of one append; there is no other's between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Positions {
    /// Of its first event.
    pub first: Position,
    /// Of its last event.
    pub last: Position,
}

/// An append that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Where its events are; `None` when it had none.
    pub positions: Option<Positions>,
    /// The head right after its last event (with no events: the head that it was judged at).
    pub head: Head,
    /// The time of the log's last entry then: with events, of all of them.
    pub time: Timestamp,
}

/// The answer that was kept for an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOutcome {
    /// The hash of the body of the first request.
    pub request_sha256: Hash,
    /// Its answer, byte by byte.
    pub outcome: Vec<u8>,
    /// Where its events are; `None` when it had none.
    pub positions: Option<Positions>,
}

/// Why nothing was appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Conflict: another append came first. Load again, decide again.
    #[error("stream {stream} is at sequence {found}, the writer expected {expected}")]
    Conflict {
        /// The stream that moved on.
        stream: String,
        /// What the writer believed.
        expected: u64,
        /// What it is.
        found: u64,
    },
    /// The same request was answered before: here is that answer.
    #[error("this request was answered before: the stored outcome is the answer")]
    KeyUsed(StoredOutcome),
    /// Refused: the key belongs to a request with another body.
    #[error("idempotency key {key} of {caller} was used for another request: choose a new key")]
    KeyReused {
        /// Whose key it is.
        caller: String,
        /// The key.
        key: String,
    },
    /// Unavailable: nothing was appended, try again later.
    #[error("the log takes no more appends now: {reason}")]
    Unavailable {
        /// What is short.
        reason: String,
    },
    /// Corrupt: the log stopped for good; it is not known whether this append is durable. Reopen
    /// and verify.
    #[error("the log has stopped: {reason}; it must be reopened and verified")]
    Stopped {
        /// What stopped it.
        reason: String,
    },
    /// A bug of the caller: no log would take this append.
    #[error("this append can never be accepted: {reason}")]
    Invalid {
        /// What has to change.
        reason: String,
    },
}

impl AppendError {
    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid { reason: reason.into() }
    }
}

impl Append {
    /// Checks what needs no log: names, sizes, that every written stream is expected, once.
    pub fn validate(&self) -> Result<(), AppendError> {
        if self.events.len() > EVENTS_LIMIT {
            return Err(AppendError::invalid(format!(
                "it has {} events, at most {EVENTS_LIMIT} fit",
                self.events.len()
            )));
        }
        Entry::check_actor(&self.actor).map_err(|error| AppendError::invalid(error.to_string()))?;
        self.validate_expected()?;
        self.events.iter().try_for_each(|event| self.validate_event(event))?;
        self.idempotency.as_ref().map_or(Ok(()), Idempotency::validate)
    }

    fn validate_expected(&self) -> Result<(), AppendError> {
        let mut streams: Vec<&str> = self.expected.iter().map(|of| of.stream.as_str()).collect();
        streams.sort_unstable();
        let twice = streams.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(one),
            _ => None,
        });
        if let Some(stream) = twice {
            return Err(AppendError::invalid(format!("stream {stream} is expected twice")));
        }
        streams.iter().try_for_each(|stream| {
            Entry::check_stream(stream).map_err(|error| AppendError::invalid(error.to_string()))
        })
    }

    fn validate_event(&self, event: &NewEvent) -> Result<(), AppendError> {
        let NewEvent { stream, r#type, version, payload } = event;
        Entry::check_type(r#type).map_err(|error| AppendError::invalid(error.to_string()))?;
        if *version == 0 {
            return Err(AppendError::invalid(format!("{type} has version 0: the first is 1")));
        }
        if !self.expected.iter().any(|of| of.stream == *stream) {
            return Err(AppendError::invalid(format!(
                "it writes to stream {stream} without an expected sequence"
            )));
        }
        if !(1..=PAYLOAD_LIMIT).contains(&payload.len()) {
            return Err(AppendError::invalid(format!(
                "the payload of {type} has {} bytes, allowed are 1 to {PAYLOAD_LIMIT}",
                payload.len()
            )));
        }
        if payload.contains(&b'\n') {
            return Err(AppendError::invalid(format!("the payload of {type} is not one line")));
        }
        Ok(())
    }

    /// Bytes that this append makes the log hold, about.
    pub(crate) fn weight(&self) -> usize {
        let events: usize = self.events.iter().map(|event| event.payload.len() + 640).sum();
        events + self.idempotency.as_ref().map_or(0, |kept| kept.outcome.len() + 256)
    }
}

impl Idempotency {
    fn validate(&self) -> Result<(), AppendError> {
        let bounded = [
            ("caller", self.caller.len(), 1, CALLER_LIMIT),
            ("key", self.key.len(), 1, KEY_LIMIT),
            ("outcome", self.outcome.len(), 0, PAYLOAD_LIMIT),
        ];
        for (what, len, least, most) in bounded {
            if !(least..=most).contains(&len) {
                return Err(AppendError::invalid(format!(
                    "the idempotency {what} has {len} bytes, allowed are {least} to {most}"
                )));
            }
        }
        Ok(())
    }
}
