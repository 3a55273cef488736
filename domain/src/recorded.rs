//! From the plain parts of a log's entry to an event and its place. Never verifies a hash or the
//! chain: who has the bytes does that, with `ledger`, before it comes here.

use crate::{DecodeError, Digest, Event, Head, Recorded, StreamError, TimestampError};

/// What of an entry this crate understands, as it stands in the log. `ledger` and this crate don't
/// know one another, so whoever reads a log takes its entries apart for the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryParts<'a> {
    /// Place in the log, counted from 1.
    pub position: u64,
    /// The entry's leaf hash.
    pub leaf: [u8; 32],
    /// RFC 3339 with six fractional digits.
    pub time: &'a str,
    /// Name of the stream.
    pub stream: &'a str,
    /// Place in the stream, counted from 1.
    pub sequence: u64,
    /// Stored type of the event.
    pub kind: &'a str,
    /// Stored version of that type.
    pub version: u16,
    /// The payload's bytes.
    pub payload: &'a [u8],
}

/// An entry that this build can't read. Corrupt, unless a newer build wrote it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("entry {position} can't be read: {reason}")]
pub struct UnreadableEntry {
    /// Which entry.
    pub position: u64,
    /// What of it.
    pub reason: Unreadable,
}

/// What of an entry can't be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    /// Its time.
    #[error(transparent)]
    Time(#[from] TimestampError),
    /// Its stream.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// Its event: [`DecodeError::Unknown`] is one of a newer build, or nobody's.
    #[error(transparent)]
    Event(#[from] DecodeError),
    /// Its payload means what its type can say, but this build would write it otherwise: two
    /// spellings of one event would have two hashes.
    #[error("the payload of {kind} is not in its one spelling")]
    Spelling {
        /// Stored type.
        kind: String,
    },
}

impl Recorded {
    /// Reads an entry whose bytes were verified.
    pub fn read(parts: EntryParts<'_>) -> Result<Self, UnreadableEntry> {
        let refuse = |reason: Unreadable| UnreadableEntry { position: parts.position, reason };
        let time = parts.time.parse().map_err(|error: TimestampError| refuse(error.into()))?;
        let stream = parts.stream.parse().map_err(|error: StreamError| refuse(error.into()))?;
        let event = Event::decode(parts.kind, parts.version, parts.payload)
            .map_err(|error| refuse(error.into()))?;
        if event.encode().ok().as_deref() != Some(parts.payload) {
            return Err(refuse(Unreadable::Spelling { kind: parts.kind.to_owned() }));
        }
        Ok(Self {
            head: Head { position: parts.position, leaf: Digest(parts.leaf) },
            time,
            stream,
            sequence: parts.sequence,
            event,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Stream, account::HoldVoided};

    const PAYLOAD: &str = r#"{"transfer":"0193a5b0-0000-7000-8000-000000000001"}"#;

    fn parts(payload: &str) -> EntryParts<'_> {
        EntryParts {
            position: 7,
            leaf: [9; 32],
            time: "2026-11-22T17:18:00.000000Z",
            stream: "account-0193a5b0-0000-7000-8000-000000000002",
            sequence: 3,
            kind: "account.hold-voided",
            version: 1,
            payload: payload.as_bytes(),
        }
    }

    #[test]
    fn an_entry_is_read_whole() {
        let recorded = Recorded::read(parts(PAYLOAD)).unwrap();
        assert_eq!(recorded.head, Head { position: 7, leaf: Digest([9; 32]) });
        assert_eq!(recorded.sequence, 3);
        assert!(matches!(recorded.stream, Stream::Account(_)));
        let transfer = "0193a5b0-0000-7000-8000-000000000001".parse().unwrap();
        let voided: crate::account::AccountEvent = HoldVoided { transfer }.into();
        assert_eq!(recorded.event, voided.into());
    }

    #[test]
    fn what_cannot_be_read_says_what_and_where() {
        let reason = |parts| Recorded::read(parts).unwrap_err().reason;
        let unknown = EntryParts { version: 2, ..parts(PAYLOAD) };
        assert!(matches!(
            reason(unknown),
            Unreadable::Event(DecodeError::Unknown { version: 2, .. })
        ));
        assert!(matches!(reason(parts("{}")), Unreadable::Event(DecodeError::Malformed { .. })));
        let spaced = PAYLOAD.replace(':', ": ");
        assert!(matches!(reason(parts(&spaced)), Unreadable::Spelling { .. }));
        let stream = EntryParts { stream: "account-7", ..parts(PAYLOAD) };
        assert!(matches!(reason(stream), Unreadable::Stream(_)));
        let time = EntryParts { time: "2026-11-22T17:18:00Z", ..parts(PAYLOAD) };
        assert!(matches!(reason(time), Unreadable::Time(_)));
    }
}
