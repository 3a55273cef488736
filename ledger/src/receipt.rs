//! A receipt (C2SP tlog-proof): an entry with its payload, and the proof that it is in the log that
//! the witnesses saw. Never believed before [`Receipt::verify`]: until then it is only text.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{base64_hash, decimal};
use crate::entry::{ENTRY_LIMIT, Entry, EntryError, PAYLOAD_LIMIT};
use crate::hash::{Hash, leaf_hash, payload_hash};
use crate::note::{NOTE_LIMIT, Note, NoteError};
use crate::policy::{CountError, CountingCheckpoint, WitnessPolicy};
use crate::position::Position;
use crate::tree::{HASHES_IN_A_PROOF, ProofError, verify_inclusion};

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// The most bytes that a receipt may have.
pub const RECEIPT_LIMIT: usize =
    (ENTRY_LIMIT + PAYLOAD_LIMIT + 2).div_ceil(3) * 4 + NOTE_LIMIT + 4096;

/// An entry, its payload and the proof, not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    entry: Vec<u8>,
    payload: Vec<u8>,
    index: u64,
    path: Vec<Hash>,
    checkpoint: Note,
}

/// What a receipt proves. Only [`Receipt::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedReceipt {
    entry: Entry,
    payload: Vec<u8>,
    checkpoint: CountingCheckpoint,
}

/// Why bytes are not a receipt, or parts do not make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// More than a receipt can have.
    #[error("a receipt has at most {RECEIPT_LIMIT} bytes")]
    TooLong,
    /// The first line.
    #[error("the first line of a receipt is '{HEADER}'")]
    Header,
    /// The second line.
    #[error(
        "the second line of a receipt is 'extra' and the base64 of two lines: the entry and its \
         payload"
    )]
    Extra,
    /// The third line.
    #[error("the third line of a receipt is 'index' and a decimal")]
    Index,
    /// A line of the proof, or too many of them.
    #[error("line {line} of the inclusion proof is not the base64 of 32 bytes, or one too many")]
    Path {
        /// Which one, counted from 1.
        line: usize,
    },
    /// No empty line before the checkpoint.
    #[error("an empty line stands between the inclusion proof and the checkpoint")]
    Shape,
    /// The checkpoint.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// What a receipt does not prove.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnprovenReceipt {
    /// The checkpoint does not count.
    #[error("the receipt's checkpoint does not count: {0}")]
    Checkpoint(#[from] CountError),
    /// The entry is none.
    #[error("the receipt's entry is malformed: {0}")]
    Entry(#[from] EntryError),
    /// The entry says another position than the proof.
    #[error("the receipt's entry has the position {position}, its proof is of index {index}")]
    Position {
        /// What the entry says.
        position: Position,
        /// What the proof says; it has to be one less.
        index: u64,
    },
    /// The payload is not the one that the entry names.
    #[error("the receipt's payload has SHA-256 {found}, its entry says {expected}")]
    Payload {
        /// The hash in the entry.
        expected: Hash,
        /// The hash of the payload bytes.
        found: Hash,
    },
    /// The entry is not in the tree.
    #[error("the receipt's entry is not in the checkpoint's tree: {0}")]
    Inclusion(#[from] ProofError),
}

impl Receipt {
    /// Puts a receipt together. `index` is the entry's position less one; whether the parts fit is
    /// for [`Receipt::verify`] to say.
    pub fn new(
        entry: Vec<u8>,
        payload: Vec<u8>,
        index: u64,
        path: Vec<Hash>,
        checkpoint: Note,
    ) -> Result<Self, ReceiptError> {
        let line = |bytes: &[u8], limit| bytes.len() <= limit && !bytes.contains(&b'\n');
        if !line(&entry, ENTRY_LIMIT) || !line(&payload, PAYLOAD_LIMIT) {
            return Err(ReceiptError::Extra);
        }
        if path.len() > HASHES_IN_A_PROOF {
            return Err(ReceiptError::Path { line: HASHES_IN_A_PROOF + 1 });
        }
        Ok(Self { entry, payload, index, path, checkpoint })
    }

    /// Checks everything: the log's and the witnesses' signatures, the entry's form, its position,
    /// its payload, and that it is in the tree.
    pub fn verify(&self, policy: &WitnessPolicy) -> Result<CheckedReceipt, UnprovenReceipt> {
        let checkpoint = policy.counts(&self.checkpoint)?;
        let entry = Entry::parse(&self.entry)?;
        if entry.position.previous().map(Position::get) != Some(self.index) {
            let (position, index) = (entry.position, self.index);
            return Err(UnprovenReceipt::Position { position, index });
        }
        let found = payload_hash(&self.payload);
        if found != entry.payload_sha256 {
            return Err(UnprovenReceipt::Payload { expected: entry.payload_sha256, found });
        }
        verify_inclusion(leaf_hash(&self.entry), self.index, checkpoint.head(), &self.path)?;
        Ok(CheckedReceipt { entry, payload: self.payload.clone(), checkpoint })
    }

    /// The checkpoint that it came with, not checked.
    pub const fn checkpoint(&self) -> &Note {
        &self.checkpoint
    }
}

impl CheckedReceipt {
    /// The entry.
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Its payload.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Its place in the log.
    pub const fn position(&self) -> Position {
        self.entry.position
    }

    /// The checkpoint that covers it, and who cosigned that.
    pub const fn checkpoint(&self) -> &CountingCheckpoint {
        &self.checkpoint
    }
}

impl FromStr for Receipt {
    type Err = ReceiptError;

    /// Reads exactly what is printed.
    fn from_str(text: &str) -> Result<Self, ReceiptError> {
        if text.len() > RECEIPT_LIMIT {
            return Err(ReceiptError::TooLong);
        }
        let (header, rest) = text.split_once('\n').ok_or(ReceiptError::Header)?;
        if header != HEADER {
            return Err(ReceiptError::Header);
        }
        let (extra, rest) = rest.split_once('\n').ok_or(ReceiptError::Extra)?;
        let (entry, payload) = read_extra(extra).ok_or(ReceiptError::Extra)?;
        let (index, mut rest) = rest.split_once('\n').ok_or(ReceiptError::Index)?;
        let index = index.strip_prefix("index ").and_then(decimal).ok_or(ReceiptError::Index)?;
        let mut path = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n').ok_or(ReceiptError::Shape)?;
            rest = after;
            if line.is_empty() {
                break;
            }
            let error = ReceiptError::Path { line: path.len() + 1 };
            if path.len() >= HASHES_IN_A_PROOF {
                return Err(error);
            }
            path.push(base64_hash(line).ok_or(error)?);
        }
        Self::new(entry, payload, index, path, rest.parse()?)
    }
}

fn read_extra(line: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut entry = STANDARD.decode(line.strip_prefix("extra ")?).ok()?;
    let end = entry.iter().position(|byte| *byte == b'\n')?;
    let mut payload = entry.split_off(end + 1);
    entry.pop();
    // A newline within the payload is refused when the receipt is put together.
    (payload.pop() == Some(b'\n')).then_some((entry, payload))
}

impl fmt::Display for Receipt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extra = [&self.entry, b"\n".as_slice(), &self.payload, b"\n"].concat();
        writeln!(out, "{HEADER}\nextra {}\nindex {}", STANDARD.encode(extra), self.index)?;
        for hash in &self.path {
            writeln!(out, "{}", STANDARD.encode(hash.as_bytes()))?;
        }
        write!(out, "\n{}", self.checkpoint)
    }
}
