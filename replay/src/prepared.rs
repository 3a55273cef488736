//! All that can be known of an entry without its neighbours: read, hashed, decoded. Never judges:
//! that needs what stands before, and so one thread.

use crate::name::{Naming, naming};
use strongroom_domain::{EntryParts, Recorded, UnreadableEntry};
use strongroom_ledger::{
    Chain, ChainError, EntryError, EntryRef, Hash, Head, export::Pair, leaf_hash, payload_hash,
};

/// An entry as it came out of a source.
#[derive(Debug, Default)]
pub struct Raw {
    /// What it is filed under, where there is such a thing.
    pub filed: Option<i64>,
    /// Its bytes.
    pub pair: Pair,
}

/// How much is asked of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// Its form, its hashes, its place.
    Chain,
    /// That, and what it means.
    Rules,
}

/// An entry, read and hashed.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) raw: Raw,
    link: Result<Link, EntryError>,
    /// What it means, where that was asked for and the entry has its form.
    pub(crate) recorded: Option<Result<Recorded, UnreadableEntry>>,
    /// What it says of the log's name.
    pub(crate) naming: Option<Naming>,
}

/// What the chain asks of an entry. The stream's name is the only one that it looks at.
#[derive(Debug)]
struct Link {
    fields: EntryRef<'static>,
    stream: (usize, usize),
    leaf: Hash,
    payload: Hash,
}

impl Prepared {
    pub(crate) fn of(raw: Raw, depth: Depth) -> Self {
        let bytes = &raw.pair.entry;
        let entry = match EntryRef::parse(bytes) {
            Ok(entry) => entry,
            Err(error) => return Self { raw, link: Err(error), recorded: None, naming: None },
        };
        let leaf = leaf_hash(bytes);
        let recorded = (depth == Depth::Rules).then(|| decoded(&entry, leaf, &raw.pair.payload));
        let naming = naming(&entry, &raw.pair.payload);
        // The name lies within the bytes: its place there outlives the borrow.
        let from = entry.stream.as_ptr().addr().saturating_sub(bytes.as_ptr().addr());
        let stream = (from, from.saturating_add(entry.stream.len()));
        let EntryRef { position, time, sequence, version, command, correlation, causation, .. } =
            entry;
        let (payload_sha256, prev) = (entry.payload_sha256, entry.prev);
        let fields = EntryRef {
            position,
            time,
            stream: "",
            sequence,
            r#type: "",
            version,
            actor: "",
            command,
            correlation,
            causation,
            payload_sha256,
            prev,
        };
        let payload = payload_hash(&raw.pair.payload);
        Self { link: Ok(Link { fields, stream, leaf, payload }), raw, recorded, naming }
    }

    /// Puts it behind what the chain holds.
    pub(crate) fn extend(&self, chain: &mut Chain) -> Result<Hash, ChainError> {
        let expected = chain.head().position.next().unwrap_or(chain.head().position);
        let malformed = |source| ChainError::Malformed { position: expected, source };
        let Link { fields, stream: (from, to), leaf, payload } =
            self.link.as_ref().map_err(|error| malformed(*error))?;
        let name = self.raw.pair.entry.get(*from..*to).and_then(|it| str::from_utf8(it).ok());
        // It was read out of these very bytes.
        let stream = name.unwrap_or_default();
        chain.extend_hashed(&EntryRef { stream, ..*fields }, *leaf, *payload)?;
        Ok(*leaf)
    }

    /// Where it says that it stands; `None` for what is no entry.
    pub(crate) fn says(&self) -> Option<(Head, Hash)> {
        let link = self.link.as_ref().ok()?;
        Some((Head { position: link.fields.position, leaf: link.leaf }, link.fields.prev))
    }
}

/// What an entry means.
fn decoded(entry: &EntryRef<'_>, leaf: Hash, payload: &[u8]) -> Result<Recorded, UnreadableEntry> {
    Recorded::read(EntryParts {
        position: entry.position.get(),
        leaf: *leaf.as_bytes(),
        time: str::from_utf8(&entry.time.to_text()).unwrap_or_default(),
        stream: entry.stream,
        sequence: entry.sequence,
        kind: entry.r#type,
        version: entry.version,
        payload,
    })
}
