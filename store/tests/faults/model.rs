//! What a log must hold, and what it must answer. Never asks the log.

use std::collections::BTreeMap;

use strongroom_store::ledger::{Frontier, Hash, TreeHead};
use strongroom_store::{
    Append, AppendError, Appended, Head, Position, Positions, Record, StoredOutcome,
};

/// An entry that is certain: its bytes are known once it was read.
pub(crate) struct Known {
    pub(crate) stream: String,
    pub(crate) sequence: u64,
    pub(crate) payload: Vec<u8>,
    /// The bytes, once they were read. They never change after that.
    pub(crate) bytes: Option<Vec<u8>>,
}

/// Everything that was answered, and what nobody can know yet.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) entries: Vec<Known>,
    streams: BTreeMap<String, u64>,
    keys: BTreeMap<(String, String), StoredOutcome>,
    /// Appends whose answer was [`AppendError::Stopped`]: all of one is there, or nothing.
    pub(crate) unknown: Vec<Append>,
    /// Every append with a key that was ever made.
    pub(crate) keyed: Vec<Append>,
    /// What an honest witness keeps: the tree that was last acknowledged.
    tree: Frontier,
}

/// What the log must answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Appended(Option<Positions>),
    Refused(AppendError),
}

impl Model {
    pub(crate) fn sequence(&self, stream: &str) -> u64 {
        self.streams.get(stream).copied().unwrap_or(0)
    }

    pub(crate) fn len(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap()
    }

    pub(crate) fn stored(&self, append: &Append) -> Option<&StoredOutcome> {
        let key = append.idempotency.as_ref()?;
        self.keys.get(&(key.caller.clone(), key.key.clone()))
    }

    /// Whether an append would be made, and if so makes it here.
    pub(crate) fn answer(&mut self, append: &Append) -> Answer {
        if let Some(key) = &append.idempotency
            && let Some(stored) = self.stored(append)
        {
            return Answer::Refused(if stored.request_sha256 == key.request_sha256 {
                AppendError::KeyUsed(stored.clone())
            } else {
                AppendError::KeyReused { caller: key.caller.clone(), key: key.key.clone() }
            });
        }
        for of in &append.expected {
            let found = self.sequence(&of.stream);
            if found != of.sequence {
                let (stream, expected) = (of.stream.clone(), of.sequence);
                return Answer::Refused(AppendError::Conflict { stream, expected, found });
            }
        }
        Answer::Appended(self.make(append))
    }

    fn make(&mut self, append: &Append) -> Option<Positions> {
        let first = self.len() + 1;
        for event in &append.events {
            let sequence = self.sequence(&event.stream) + 1;
            self.streams.insert(event.stream.clone(), sequence);
            let (stream, payload) = (event.stream.clone(), event.payload.clone());
            self.entries.push(Known { stream, sequence, payload, bytes: None });
        }
        let at = |position| Position::new(position).unwrap();
        let last = self.len();
        let positions = (last >= first).then(|| Positions { first: at(first), last: at(last) });
        if let Some(key) = &append.idempotency {
            let (request_sha256, outcome) = (key.request_sha256, key.outcome.clone());
            let stored = StoredOutcome { request_sha256, outcome, positions };
            self.keys.insert((key.caller.clone(), key.key.clone()), stored);
        }
        positions
    }

    /// Holds what was read at a position against what is certain there.
    pub(crate) fn read(&mut self, record: &Record) -> Result<(), String> {
        let place = record.entry.position.get();
        let index = usize::try_from(place - 1).unwrap();
        let Some(known) = self.entries.get_mut(index) else {
            return Err(format!("position {place} holds what nobody appended"));
        };
        let filed = (record.entry.stream.as_str(), record.entry.sequence);
        if filed != (known.stream.as_str(), known.sequence) || record.payload != known.payload {
            return Err(format!("position {place} holds another event: {:?}", record.entry));
        }
        match &known.bytes {
            Some(bytes) if *bytes != record.bytes => {
                return Err(format!("the entry at position {place} changed"));
            }
            Some(_) => {}
            None => known.bytes = Some(record.bytes.clone()),
        }
        if self.tree.size() + 1 == place {
            self.tree.push(record.leaf(), |_, _, _| {});
        }
        Ok(())
    }

    /// After a restart: some of what was unknown is there. Gives how many were and were not.
    pub(crate) fn resolve(&mut self, records: &[Record]) -> Result<(u64, u64), String> {
        let (mut made, mut lost) = (0, 0);
        for append in std::mem::take(&mut self.unknown) {
            let from = self.entries.len();
            let found = records.get(from..from + append.events.len()).unwrap_or_default();
            let same = append
                .events
                .iter()
                .zip(found)
                .all(|(event, record)| event.payload == record.payload);
            if !append.events.is_empty() && same && found.len() == append.events.len() {
                self.make(&append);
                made += 1;
            } else {
                lost += 1;
            }
        }
        if records.len() > self.entries.len() {
            return Err(format!(
                "{} entries are explained, {} are there",
                self.entries.len(),
                records.len()
            ));
        }
        Ok((made, lost))
    }

    /// The tree that a witness keeps: everything that was read in its order.
    pub(crate) fn witnessed(&self) -> TreeHead {
        self.tree.head()
    }

    /// Whether an answer is the one that the model expects.
    pub(crate) fn agrees(expected: &Answer, got: &Result<Appended, AppendError>) -> bool {
        match (expected, got) {
            (Answer::Appended(positions), Ok(appended)) => appended.positions == *positions,
            (Answer::Refused(expected), Err(got)) => expected == got,
            (Answer::Appended(_), Err(_)) | (Answer::Refused(_), Ok(_)) => false,
        }
    }
}

/// The root of the first `size` records; `None` if there are fewer.
pub(crate) fn root_at(records: &[Record], size: u64) -> Option<Hash> {
    let first = records.get(..usize::try_from(size).unwrap())?;
    let mut tree = Frontier::new();
    for record in first {
        tree.push(record.leaf(), |_, _, _| {});
    }
    Some(tree.root())
}

/// Position and leaf of the last record.
pub(crate) fn head_of(records: &[Record]) -> Head {
    records
        .last()
        .map_or(Head::EMPTY, |record| Head { position: record.entry.position, leaf: record.leaf() })
}
