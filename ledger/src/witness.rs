//! What a witness decides (C2SP tlog-witness), and the request it decides on. Never remembers: the
//! caller keeps the head, for each origin, on disk and under a lock.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, CheckpointError, base64_hash, decimal};
use crate::hash::Hash;
use crate::log_keys::{LogSignatureError, LogVerifier};
use crate::note::{Note, NoteError};
use crate::tree::{HASHES_IN_A_PROOF, ProofError, TreeHead, verify_consistency};

/// The content type of the answer to a conflict.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";

/// The body of `add-checkpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness is believed to have cosigned last.
    pub old: u64,
    /// From that size to the checkpoint's.
    pub proof: Vec<Hash>,
    /// The checkpoint, with the log's signatures.
    pub checkpoint: Note,
}

/// Why bytes are no request (400).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The first line.
    #[error("the request begins with 'old <size>'")]
    Old,
    /// A line of the proof.
    #[error("line {line} of the consistency proof is not the base64 of 32 bytes")]
    Proof {
        /// Which one, counted from 1.
        line: usize,
    },
    /// Too many lines.
    #[error("a consistency proof has at most {HASHES_IN_A_PROOF} lines")]
    TooLong,
    /// No empty line before the checkpoint.
    #[error("an empty line stands between the proof and the checkpoint")]
    Shape,
    /// The checkpoint.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessRefusal {
    /// The note is no checkpoint.
    #[error("the request's note is no checkpoint: {0}")]
    Malformed(CheckpointError),
    /// The note is of a log that it does not watch.
    #[error("this witness does not watch the log {origin}")]
    UnknownOrigin {
        /// The log.
        origin: String,
    },
    /// Not both keys of the log signed, or a signature is false.
    #[error("the checkpoint is not signed as it has to be: {0}")]
    Signature(LogSignatureError),
    /// The proof would start beyond the checkpoint.
    #[error("the proof starts at size {old}, the checkpoint has only {new}")]
    OldLarger {
        /// Where the proof starts.
        old: u64,
        /// The size of the checkpoint.
        new: u64,
    },
    /// The proof starts at another size than the witness cosigned last.
    #[error("this witness last cosigned size {size}: prove from there")]
    Conflict {
        /// What it cosigned last; 0 for nothing.
        size: u64,
    },
    /// The checkpoint is not what the last one grew into: proof of a fork, if the log signed it.
    #[error("the checkpoint does not continue the one cosigned before: {0}")]
    Inconsistent(ProofError),
}

/// A checkpoint that may be cosigned. Only [`consider`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    checkpoint: Checkpoint,
    note: Note,
}

impl WitnessRefusal {
    /// The HTTP status that the protocol gives it.
    pub const fn status(&self) -> u16 {
        match self {
            Self::UnknownOrigin { .. } => 404,
            Self::Signature(_) => 403,
            Self::Malformed(_) | Self::OldLarger { .. } => 400,
            Self::Conflict { .. } => 409,
            Self::Inconsistent(_) => 422,
        }
    }

    /// The body of the answer: the size for a conflict ([`SIZE_CONTENT_TYPE`]), else what is wrong.
    pub fn body(&self) -> String {
        match self {
            Self::Conflict { size } => format!("{size}\n"),
            Self::Malformed(_)
            | Self::UnknownOrigin { .. }
            | Self::Signature(_)
            | Self::OldLarger { .. }
            | Self::Inconsistent(_) => format!("{self}\n"),
        }
    }
}

impl Accepted {
    /// What to persist before signing.
    pub const fn head(&self) -> TreeHead {
        self.checkpoint.head()
    }

    /// What to sign.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note as it came.
    pub const fn note(&self) -> &Note {
        &self.note
    }
}

/// Whether a witness that cosigned `last` (for this origin; `None` for nothing yet) may cosign.
///
/// Checked in the order of C2SP tlog-witness, so that the status codes are its own. The caller
/// persists [`Accepted::head`] before it signs, and lets no second request in between.
pub fn consider(
    last: Option<TreeHead>,
    log: &LogVerifier,
    request: &AddCheckpoint,
) -> Result<Accepted, WitnessRefusal> {
    let last = last.unwrap_or(TreeHead::EMPTY);
    let signed = log.verify(&request.checkpoint).map_err(|error| match error {
        LogSignatureError::Origin { found, .. } => WitnessRefusal::UnknownOrigin { origin: found },
        LogSignatureError::Malformed(error) => WitnessRefusal::Malformed(error),
        LogSignatureError::Extensions
        | LogSignatureError::Wrong(_)
        | LogSignatureError::Missing { .. } => WitnessRefusal::Signature(error),
    })?;
    let new = signed.head();
    if request.old > new.size {
        return Err(WitnessRefusal::OldLarger { old: request.old, new: new.size });
    }
    if request.old != last.size {
        return Err(WitnessRefusal::Conflict { size: last.size });
    }
    verify_consistency(last, new, &request.proof).map_err(WitnessRefusal::Inconsistent)?;
    Ok(Accepted { checkpoint: signed.checkpoint().clone(), note: request.checkpoint.clone() })
}

impl AddCheckpoint {
    /// The log that the checkpoint names; `None` when the note is no checkpoint.
    pub fn origin(&self) -> Option<&str> {
        self.checkpoint.text().split('\n').next().filter(|origin| !origin.is_empty())
    }
}

impl FromStr for AddCheckpoint {
    type Err = RequestError;

    /// Reads exactly what is printed.
    fn from_str(body: &str) -> Result<Self, RequestError> {
        let (old, mut rest) = body.split_once('\n').ok_or(RequestError::Old)?;
        let old = old.strip_prefix("old ").and_then(decimal).ok_or(RequestError::Old)?;
        let mut proof = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n').ok_or(RequestError::Shape)?;
            rest = after;
            if line.is_empty() {
                break;
            }
            if proof.len() >= HASHES_IN_A_PROOF {
                return Err(RequestError::TooLong);
            }
            let hash = base64_hash(line);
            proof.push(hash.ok_or_else(|| RequestError::Proof { line: proof.len() + 1 })?);
        }
        Ok(Self { old, proof, checkpoint: rest.parse()? })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(out, "{}", STANDARD.encode(hash.as_bytes()))?;
        }
        write!(out, "\n{}", self.checkpoint)
    }
}
