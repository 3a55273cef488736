//! The signer's copy of the log, read beside the running signer: verified from the pinned first entry
//! on, with every rule applied again. Never writes, takes no lock, and never acts on what it reads.
//!
//! The journal stays with the running process, so an older copy put in place of the file is noticed
//! here only by where it ends: whoever asks is told up to which entry the answer holds.

use std::{
    fs::File,
    io::{self, BufReader},
    path::{Path, PathBuf},
};

use strongroom_domain::{Refusal, audit::Audited};
use strongroom_ledger::{
    Chain, ChainError,
    export::{ExportError, Pair, Reader},
};

use crate::{
    follower::{Pinned, leaf_of, read as recorded},
    pinned::check_founding,
};

/// Why the copy can't be believed.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// The file.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An entry is not the next one.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A line is malformed.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Another log, or not one that enrols this signer.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// An entry that the rules do not allow.
    #[error("{0}")]
    Unlawful(String),
}

/// Reads the copy in a data directory, up to its last whole entry: the signer may be writing the next.
pub fn read(directory: &Path, pinned: &Pinned) -> Result<Audited, ReadingError> {
    let path = directory.join("log.jsonl");
    let file = File::open(&path).map_err(|source| ReadingError::Io { path, source })?;
    let mut reader = Reader::new(BufReader::new(file));
    let (mut chain, mut pair) = (Chain::start(), Pair::default());
    let mut audited = Audited::default();
    loop {
        match reader.read(&mut pair) {
            Ok(true) => {}
            Ok(false) | Err(ExportError::Truncated { .. }) => return Ok(audited),
            Err(error) => return Err(error.into()),
        }
        let entry = chain.extend(&pair.entry, &pair.payload)?;
        let leaf = leaf_of(&entry).map_err(ReadingError::Unlawful)?;
        let recorded = recorded(&entry, &pair.payload, leaf)?;
        check_founding(&recorded, pinned)?;
        let extended = audited.extend(&recorded);
        extended.map_err(|violation| ReadingError::Unlawful(violation.to_string()))?;
    }
}
