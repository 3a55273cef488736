//! A signed note (C2SP signed-note): a text, and lines that say who signed it. Never verified here:
//! a [`Note`] says what was written, not that any of it is true.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::key_name::{KeyName, is_name};

/// The most bytes that a note may have: room for 64 of the largest signatures.
pub const NOTE_LIMIT: usize = 256 * 1024;
/// The most signatures that a note may have.
pub const SIGNATURES_LIMIT: usize = 64;

/// What every signature line begins with.
const DASH: &str = "\u{2014} ";

/// Which key made a signature: the first four bytes of a hash, enough to find it and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    id: KeyId,
    bytes: Vec<u8>,
}

/// A text with at least one signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// Why bytes are not a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More than anybody needs.
    #[error("a note has at most {NOTE_LIMIT} bytes and {SIGNATURES_LIMIT} signatures")]
    TooLong,
    /// A control character other than the newline.
    #[error("a note has no control characters but newlines")]
    Control,
    /// No text with its newline, no empty line, or nothing after it.
    #[error("a note is a text, an empty line and at least one signature line, each with a newline")]
    Shape,
    /// A signature line in another spelling.
    #[error(
        "signature line {line}: it has to be '\u{2014} <name> <base64 of key id and signature>'"
    )]
    Signature {
        /// Which one, counted from 1.
        line: usize,
    },
}

impl NoteSignature {
    /// The signature `bytes` (without the key id) of the key `name`, `id`.
    pub(crate) fn new(name: &KeyName, id: KeyId, bytes: Vec<u8>) -> Self {
        Self { name: name.as_str().to_owned(), id, bytes }
    }

    /// The name of the key that is said to have signed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of that key.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The signature itself, as the key's algorithm makes it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads signature lines, as a witness answers with them. Each ends with a newline.
    pub fn parse_lines(text: &str) -> Result<Vec<Self>, NoteError> {
        if text.len() > NOTE_LIMIT {
            return Err(NoteError::TooLong);
        }
        let lines = text.strip_suffix('\n').ok_or(NoteError::Shape)?.split('\n');
        let mut signatures = Vec::new();
        for (line, number) in lines.zip(1..) {
            if number > SIGNATURES_LIMIT {
                return Err(NoteError::TooLong);
            }
            signatures.push(Self::parse(line).ok_or(NoteError::Signature { line: number })?);
        }
        Ok(signatures)
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
        let mut id = STANDARD.decode(signature).ok()?;
        let bytes = if id.len() > 4 { id.split_off(4) } else { return None };
        let id = KeyId(id.try_into().ok()?);
        is_name(name).then(|| Self { name: name.to_owned(), id, bytes })
    }
}

/// The line, with its newline.
impl fmt::Display for NoteSignature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signature = STANDARD.encode([&self.id.0, self.bytes.as_slice()].concat());
        writeln!(out, "{DASH}{} {signature}", self.name)
    }
}

impl Note {
    /// A note of a text that ends with a newline.
    pub(crate) const fn new(text: String, signatures: Vec<NoteSignature>) -> Self {
        Self { text, signatures }
    }

    /// What is signed: everything before the empty line, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in their order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a line unless it is there already. Whether it is a true signature is for others to say.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.contains(&signature) {
            return Ok(());
        }
        if self.signatures.len() >= SIGNATURES_LIMIT {
            return Err(NoteError::TooLong);
        }
        self.signatures.push(signature);
        Ok(())
    }
}

impl FromStr for Note {
    type Err = NoteError;

    /// Reads exactly what is printed.
    fn from_str(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_LIMIT {
            return Err(NoteError::TooLong);
        }
        if note.contains(|c: char| c < ' ' && c != '\n') {
            return Err(NoteError::Control);
        }
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::Shape)?;
        if lines.is_empty() {
            return Err(NoteError::Shape);
        }
        Ok(Self { text: format!("{text}\n"), signatures: NoteSignature::parse_lines(lines)? })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| signature.fmt(out))
    }
}
