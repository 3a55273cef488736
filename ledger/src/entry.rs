//! An entry of the log: one line of JSON in one spelling. Never accepts bytes that it would not
//! itself have written: the bytes as stored are the bytes that are hashed.

use uuid::Uuid;

use crate::cursor::{Alphabet, Cursor};
use crate::hash::Hash;
use crate::position::Position;
use crate::timestamp::Timestamp;

/// The largest whole number in an entry: 2^53-1, which every JSON reader holds exactly.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;
/// The most bytes that an entry may have. Its fields add up to less than a quarter of it.
pub const ENTRY_LIMIT: usize = 4 * 1024;
/// The most bytes that a payload may have.
pub const PAYLOAD_LIMIT: usize = 1024 * 1024;

static TYPE_BYTES: Alphabet = Alphabet::new(b"abcdefghijklmnopqrstuvwxyz0123456789.-");
static NAME_BYTES: Alphabet = Alphabet::new(b"abcdefghijklmnopqrstuvwxyz0123456789.-:_");
const TYPE_LIMIT: usize = 64;
const NAME_LIMIT: usize = 128;
const TYPE_RULE: &str = "a type of 1 to 64 of a-z 0-9 . -";
const STREAM_RULE: &str = "a stream of 1 to 128 of a-z 0-9 : . _ -";
const ACTOR_RULE: &str = "an actor of 1 to 128 of a-z 0-9 : . _ -";
const POSITION_RULE: &str = "a position from 1 to 2^53-1";
const SEQUENCE_RULE: &str = "a sequence from 1 to 2^53-1";
const VERSION_RULE: &str = "a version from 1 to 65535";

/// Why bytes are not an entry, or fields cannot become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// More bytes than any entry has.
    #[error("an entry has at most {ENTRY_LIMIT} bytes, this has {found}")]
    TooLong {
        /// How many bytes there are.
        found: usize,
    },
    /// The bytes leave the one spelling here.
    #[error("byte {offset} of the entry: expected {expected}")]
    Unexpected {
        /// Bytes before the fault, counted from 0.
        offset: usize,
        /// What has to stand there.
        expected: &'static str,
    },
    /// A field holds what no entry may hold.
    #[error("an entry needs {rule}")]
    Field {
        /// What the field has to be.
        rule: &'static str,
    },
}

/// The fields of an entry, borrowing its names from the bytes it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryRef<'a> {
    /// Place in the log, from 1, no gaps.
    pub position: Position,
    /// When the sequencer appended it; never before the entry before it.
    pub time: Timestamp,
    /// The stream: `[a-z0-9:._-]{1,128}`.
    pub stream: &'a str,
    /// Place in its stream, from 1, no gaps; at most 2^53-1.
    pub sequence: u64,
    /// Name of the event: `[a-z0-9.-]{1,64}`.
    pub r#type: &'a str,
    /// Version of the payload's schema, from 1.
    pub version: u16,
    /// Who caused it: `[a-z0-9:._-]{1,128}`.
    pub actor: &'a str,
    /// The command that decided it.
    pub command: Uuid,
    /// The conversation it belongs to.
    pub correlation: Uuid,
    /// The message directly before it, if any.
    pub causation: Option<Uuid>,
    /// SHA-256 of the payload bytes.
    pub payload_sha256: Hash,
    /// Leaf of the entry before; zero for the first.
    pub prev: Hash,
}

/// The fields of an entry that owns its names; see [`EntryRef`] for what each holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// See [`EntryRef::position`].
    pub position: Position,
    /// See [`EntryRef::time`].
    pub time: Timestamp,
    /// See [`EntryRef::stream`].
    pub stream: String,
    /// See [`EntryRef::sequence`].
    pub sequence: u64,
    /// See [`EntryRef::type`].
    pub r#type: String,
    /// See [`EntryRef::version`].
    pub version: u16,
    /// See [`EntryRef::actor`].
    pub actor: String,
    /// See [`EntryRef::command`].
    pub command: Uuid,
    /// See [`EntryRef::correlation`].
    pub correlation: Uuid,
    /// See [`EntryRef::causation`].
    pub causation: Option<Uuid>,
    /// See [`EntryRef::payload_sha256`].
    pub payload_sha256: Hash,
    /// See [`EntryRef::prev`].
    pub prev: Hash,
}

impl<'a> EntryRef<'a> {
    /// Reads an entry; accepts exactly what [`EntryRef::encode`] writes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, EntryError> {
        if bytes.len() > ENTRY_LIMIT {
            return Err(EntryError::TooLong { found: bytes.len() });
        }
        let mut cursor = Cursor::new(bytes);
        let entry = Self::fields(&mut cursor)?;
        cursor.end()?;
        Ok(entry)
    }

    fn fields(cursor: &mut Cursor<'a>) -> Result<Self, EntryError> {
        cursor.literal("{\"position\":")?;
        let position = cursor.integer(MAX_INTEGER, POSITION_RULE)?;
        let position = Position::new(position).ok_or(EntryError::Field { rule: POSITION_RULE })?;
        cursor.literal(",\"time\":\"")?;
        let time = cursor.time()?;
        cursor.literal("\",\"stream\":\"")?;
        let stream = cursor.name(NAME_LIMIT, &NAME_BYTES, STREAM_RULE)?;
        cursor.literal("\",\"sequence\":")?;
        let sequence = cursor.integer(MAX_INTEGER, SEQUENCE_RULE)?;
        cursor.literal(",\"type\":\"")?;
        let r#type = cursor.name(TYPE_LIMIT, &TYPE_BYTES, TYPE_RULE)?;
        cursor.literal("\",\"version\":")?;
        let version = cursor.integer(u64::from(u16::MAX), VERSION_RULE)?;
        let version =
            u16::try_from(version).map_err(|_| EntryError::Field { rule: VERSION_RULE })?;
        cursor.literal(",\"actor\":\"")?;
        let actor = cursor.name(NAME_LIMIT, &NAME_BYTES, ACTOR_RULE)?;
        cursor.literal("\",\"command\":\"")?;
        let command = cursor.uuid()?;
        cursor.literal("\",\"correlation\":\"")?;
        let correlation = cursor.uuid()?;
        cursor.literal("\",\"causation\":")?;
        let causation = Self::optional_causation(cursor)?;
        cursor.literal(",\"payload_sha256\":\"")?;
        let payload_sha256 = cursor.hash()?;
        cursor.literal("\",\"prev\":\"")?;
        let prev = cursor.hash()?;
        cursor.literal("\"}")?;
        Ok(Self {
            position,
            time,
            stream,
            sequence,
            r#type,
            version,
            actor,
            command,
            correlation,
            causation,
            payload_sha256,
            prev,
        })
    }

    fn optional_causation(cursor: &mut Cursor<'a>) -> Result<Option<Uuid>, EntryError> {
        if cursor.literal("null").is_ok() {
            return Ok(None);
        }
        cursor.literal("\"")?;
        let causation = cursor.uuid()?;
        cursor.literal("\"")?;
        Ok(Some(causation))
    }

    /// The bytes of the entry: one line of JSON, no whitespace, no newline.
    ///
    /// Fails when a field breaks its rule: what could not be read back is never written.
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        self.check()?;
        let mut out = Vec::with_capacity(512 + self.stream.len() + self.actor.len());
        put_number(&mut out, "{\"position\":", self.position.get());
        put_text(&mut out, ",\"time\":\"", &self.time.to_text());
        put_text(&mut out, "\",\"stream\":\"", self.stream.as_bytes());
        put_number(&mut out, "\",\"sequence\":", self.sequence);
        put_text(&mut out, ",\"type\":\"", self.r#type.as_bytes());
        put_number(&mut out, "\",\"version\":", u64::from(self.version));
        put_text(&mut out, ",\"actor\":\"", self.actor.as_bytes());
        put_uuid(&mut out, "\",\"command\":\"", &self.command);
        put_uuid(&mut out, "\",\"correlation\":\"", &self.correlation);
        match &self.causation {
            Some(causation) => {
                put_uuid(&mut out, "\",\"causation\":\"", causation);
                out.push(b'"');
            }
            None => out.extend_from_slice(b"\",\"causation\":null"),
        }
        put_text(&mut out, ",\"payload_sha256\":\"", &self.payload_sha256.to_hex());
        put_text(&mut out, "\",\"prev\":\"", &self.prev.to_hex());
        out.extend_from_slice(b"\"}");
        Ok(out)
    }

    fn check(&self) -> Result<(), EntryError> {
        let demand = |holds, rule| if holds { Ok(()) } else { Err(EntryError::Field { rule }) };
        demand(self.position > Position::START, POSITION_RULE)?;
        demand((1..=MAX_INTEGER).contains(&self.sequence), SEQUENCE_RULE)?;
        demand(self.version > 0, VERSION_RULE)?;
        Entry::check_stream(self.stream)?;
        Entry::check_type(self.r#type)?;
        Entry::check_actor(self.actor)
    }

    /// The same entry, owning its names.
    pub fn to_entry(&self) -> Entry {
        Entry {
            position: self.position,
            time: self.time,
            stream: self.stream.to_owned(),
            sequence: self.sequence,
            r#type: self.r#type.to_owned(),
            version: self.version,
            actor: self.actor.to_owned(),
            command: self.command,
            correlation: self.correlation,
            causation: self.causation,
            payload_sha256: self.payload_sha256,
            prev: self.prev,
        }
    }
}

impl Entry {
    /// See [`EntryRef::parse`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        EntryRef::parse(bytes).map(|entry| entry.to_entry())
    }

    /// See [`EntryRef::encode`].
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        self.borrow().encode()
    }

    /// The same entry, borrowing the names.
    pub fn borrow(&self) -> EntryRef<'_> {
        EntryRef {
            position: self.position,
            time: self.time,
            stream: &self.stream,
            sequence: self.sequence,
            r#type: &self.r#type,
            version: self.version,
            actor: &self.actor,
            command: self.command,
            correlation: self.correlation,
            causation: self.causation,
            payload_sha256: self.payload_sha256,
            prev: self.prev,
        }
    }

    /// Whether a text can be the name of a stream.
    pub fn check_stream(stream: &str) -> Result<(), EntryError> {
        check(stream, NAME_LIMIT, &NAME_BYTES, STREAM_RULE)
    }

    /// Whether a text can be the name of an actor.
    pub fn check_actor(actor: &str) -> Result<(), EntryError> {
        check(actor, NAME_LIMIT, &NAME_BYTES, ACTOR_RULE)
    }

    /// Whether a text can be the type of an event.
    pub fn check_type(r#type: &str) -> Result<(), EntryError> {
        check(r#type, TYPE_LIMIT, &TYPE_BYTES, TYPE_RULE)
    }
}

fn check(
    name: &str,
    limit: usize,
    allowed: &Alphabet,
    rule: &'static str,
) -> Result<(), EntryError> {
    if (1..=limit).contains(&name.len()) && name.bytes().all(|byte| allowed.has(byte)) {
        Ok(())
    } else {
        Err(EntryError::Field { rule })
    }
}

fn put_text(out: &mut Vec<u8>, key: &str, text: &[u8]) {
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(text);
}

fn put_uuid(out: &mut Vec<u8>, key: &str, uuid: &Uuid) {
    put_text(out, key, uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
}

fn put_number(out: &mut Vec<u8>, key: &str, value: u64) {
    // 2^53-1 has 16 digits, and a u64 never more than 20.
    let mut digits = [b'0'; 20];
    let mut rest = value;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    put_text(out, key, digits.get(digits.len() - used..).unwrap_or_default());
}
