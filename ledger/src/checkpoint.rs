//! A checkpoint (C2SP tlog-checkpoint): which log, how many entries, which root. Never says that
//! anybody signed it: [`crate::LogVerifier`] and [`crate::WitnessPolicy`] do.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Hash;
use crate::tree::TreeHead;

/// The largest size that a checkpoint may name: what other programs hold in a signed number.
const SIZE_LIMIT: u64 = i64::MAX.unsigned_abs();

/// The text of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    head: TreeHead,
    /// Extension lines, each with its newline.
    extensions: String,
}

/// Why a text is not a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Too few lines, an empty one, or no newline at the end.
    #[error("a checkpoint has three lines or more, none of them empty, each with a newline")]
    Lines,
    /// The second line.
    #[error("the size of a checkpoint is a decimal from 0 to 2^63-1 without leading zeros")]
    Size,
    /// The third line.
    #[error("the root of a checkpoint is the base64 of 32 bytes")]
    Root,
}

impl Checkpoint {
    /// A checkpoint of ours: without extension lines.
    pub fn new(origin: &crate::KeyName, head: TreeHead) -> Self {
        Self { origin: origin.as_str().to_owned(), head, extensions: String::new() }
    }

    /// Which log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its tree.
    pub const fn head(&self) -> TreeHead {
        self.head
    }

    /// Lines after the root, if any. The ML-DSA-44 signature does not cover them.
    pub fn extensions(&self) -> &str {
        &self.extensions
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Reads exactly what is printed: the text of a note.
    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let lines = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?;
        if lines.split('\n').any(str::is_empty) {
            return Err(CheckpointError::Lines);
        }
        let mut parts = text.splitn(4, '\n');
        let mut next = || parts.next().ok_or(CheckpointError::Lines);
        let (origin, size, root, extensions) = (next()?, next()?, next()?, next()?);
        let size = decimal(size).ok_or(CheckpointError::Size)?;
        let root = base64_hash(root).ok_or(CheckpointError::Root)?;
        let head = TreeHead { size, root };
        Ok(Self { origin: origin.to_owned(), head, extensions: extensions.to_owned() })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = STANDARD.encode(self.head.root.as_bytes());
        write!(out, "{}\n{}\n{root}\n{}", self.origin, self.head.size, self.extensions)
    }
}

/// A number from 0 to [`SIZE_LIMIT`] in its one spelling.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let leading = text.len() > 1 && text.starts_with('0');
    let number = if digits && !leading { text.parse().ok()? } else { return None };
    (number <= SIZE_LIMIT).then_some(number)
}

/// A hash in its one base64 spelling.
pub(crate) fn base64_hash(text: &str) -> Option<Hash> {
    // 44 digits are 32 bytes: nothing longer is decoded only to be thrown away.
    let bytes = if text.len() == 44 { STANDARD.decode(text).ok()? } else { return None };
    bytes.try_into().ok().map(Hash::new)
}
