//! A log as a file: JSON Lines, an entry and then its payload, in the order of positions.
//!
//! Never verifies: it hands out the bytes as they stand, and [`crate::Chain`] judges them.

use std::io::{self, BufRead, Read, Write};

use crate::entry::{ENTRY_LIMIT, PAYLOAD_LIMIT};

/// Why an export cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file itself.
    #[error("the export cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// A line holds more than a line of its kind may hold.
    #[error("line {line} has more than {limit} bytes")]
    TooLong {
        /// The line, counted from 1.
        line: u64,
        /// The most bytes that it may have.
        limit: usize,
    },
    /// An entry or payload that contains a newline cannot be one line.
    #[error("line {line} would contain a newline: entries and payloads are one line each")]
    Newline {
        /// The line, counted from 1.
        line: u64,
    },
    /// The file ends within a line, or between an entry and its payload.
    #[error("the export ends in the middle of line {line}: it was cut off")]
    Truncated {
        /// The line, counted from 1.
        line: u64,
    },
}

/// An entry's bytes and its payload's, as they stand in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pair {
    /// The bytes of the entry.
    pub entry: Vec<u8>,
    /// The bytes of its payload.
    pub payload: Vec<u8>,
}

/// Writes an export.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    line: u64,
}

impl<W: Write> Writer<W> {
    /// Starts at the first line. `out` should be buffered.
    pub const fn new(out: W) -> Self {
        Self { out, line: 0 }
    }

    /// Writes the next entry and its payload.
    pub fn write(&mut self, entry: &[u8], payload: &[u8]) -> Result<(), ExportError> {
        self.line(entry, ENTRY_LIMIT)?;
        self.line(payload, PAYLOAD_LIMIT)
    }

    /// Flushes, and gives back what was written to.
    pub fn finish(mut self) -> Result<W, ExportError> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn line(&mut self, bytes: &[u8], limit: usize) -> Result<(), ExportError> {
        self.line += 1;
        let line = self.line;
        if bytes.len() > limit {
            return Err(ExportError::TooLong { line, limit });
        }
        if bytes.contains(&b'\n') {
            return Err(ExportError::Newline { line });
        }
        self.out.write_all(bytes)?;
        Ok(self.out.write_all(b"\n")?)
    }
}

/// Reads an export, holding no more than one entry and its payload.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    line: u64,
}

impl<R: BufRead> Reader<R> {
    /// Starts at the first line.
    pub const fn new(input: R) -> Self {
        Self { input, line: 0 }
    }

    /// Gives back what was read from.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// Replaces `pair` by the next entry and payload; `false` at the end of the file.
    pub fn read(&mut self, pair: &mut Pair) -> Result<bool, ExportError> {
        if !self.bytes(&mut pair.entry, ENTRY_LIMIT)? {
            return Ok(false);
        }
        if !self.bytes(&mut pair.payload, PAYLOAD_LIMIT)? {
            return Err(ExportError::Truncated { line: self.line });
        }
        Ok(true)
    }

    fn bytes(&mut self, into: &mut Vec<u8>, limit: usize) -> Result<bool, ExportError> {
        into.clear();
        self.line += 1;
        let line = self.line;
        // One byte for the newline and one to tell "too long" from "just fits".
        let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(2);
        let read = self.input.by_ref().take(bound).read_until(b'\n', into)?;
        if read == 0 {
            return Ok(false);
        }
        if into.pop_if(|last| *last == b'\n').is_some() {
            return if into.len() > limit {
                Err(ExportError::TooLong { line, limit })
            } else {
                Ok(true)
            };
        }
        if into.len() > limit {
            return Err(ExportError::TooLong { line, limit });
        }
        Err(ExportError::Truncated { line })
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Pair, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut pair = Pair::default();
        self.read(&mut pair).map(|more| more.then_some(pair)).transpose()
    }
}
