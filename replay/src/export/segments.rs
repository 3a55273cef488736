//! Reads an export in segments as one log. Never skips a segment, and never opens a file that is
//! not beside its manifest.

use super::{
    Hashing, digest,
    manifest::{MANIFEST, Manifest, Named, Segment},
};
use crate::{finding::Fault, source::SourceError};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use strongroom_ledger::export::{Pair, Reader};
use strongroom_ledger::leaf_hash;

/// Why an export in segments can't be read on.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// No manifest, or none of ours.
    #[error("{path}: {reason}")]
    Manifest {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that the manifest names.
    #[error("segment {file} from entry {first} on can't be read: {error}")]
    Missing {
        /// Which.
        file: String,
        /// Its first entry.
        first: u64,
        /// Why.
        error: io::Error,
    },
    /// A segment ends too early.
    #[error("segment {file} ends after entry {found}, the manifest says {expected}")]
    Short {
        /// Which.
        file: String,
        /// The last entry that it has.
        found: u64,
        /// The last entry that it should have.
        expected: u64,
    },
    /// A segment goes on.
    #[error("segment {file} goes on after entry {expected}, its last by the manifest")]
    Long {
        /// Which.
        file: String,
        /// The last entry that it should have.
        expected: u64,
    },
    /// Other bytes.
    #[error("{file} is not the file that the manifest names: {reason}")]
    Other {
        /// Which.
        file: String,
        /// What differs.
        reason: String,
    },
}

impl SegmentError {
    /// What an auditor calls it.
    pub(crate) const fn fault(&self) -> Fault {
        match self {
            Self::Manifest { .. } | Self::Other { .. } => Fault::BadManifest,
            Self::Missing { .. } => Fault::Missing,
            Self::Short { .. } => Fault::Truncated,
            Self::Long { .. } => Fault::Repeated,
        }
    }
}

/// The segments, read one after the other.
pub struct Segments {
    folder: PathBuf,
    manifest: Manifest,
    /// Those that were not opened yet.
    next: usize,
    open: Option<Open>,
}

/// The segment that is being read.
struct Open {
    reader: Reader<BufReader<Hashing<File>>>,
    segment: Segment,
    /// How many of its entries are to come.
    left: u64,
    leaf: strongroom_ledger::Hash,
}

impl Segments {
    /// Reads the manifest of a folder.
    pub fn open(folder: &Path) -> Result<Self, SegmentError> {
        let path = folder.join(MANIFEST);
        let refuse = |reason: String| {
            let path = path.display().to_string();
            SegmentError::Manifest { path, reason }
        };
        let text = std::fs::read(&path).map_err(|error| {
            refuse(format!("{error}: an export in segments ends with its manifest"))
        })?;
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))?;
        manifest.form().map_err(refuse)?;
        Ok(Self { folder: folder.to_owned(), manifest, next: 0, open: None })
    }

    /// What it says of itself.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Replaces `pair` by the next entry and payload; `false` at the end.
    pub fn read(&mut self, pair: &mut Pair) -> Result<bool, SourceError> {
        loop {
            let Some(open) = &mut self.open else {
                let Some(segment) = self.manifest.segments.get(self.next) else {
                    return Ok(false);
                };
                self.open = Some(start(&self.folder, segment)?);
                self.next = self.next.saturating_add(1);
                continue;
            };
            let (file, last) = (open.segment.file.clone(), open.segment.last);
            if open.reader.read(pair)? {
                let Some(left) = open.left.checked_sub(1) else {
                    return Err(SegmentError::Long { file, expected: last }.into());
                };
                open.left = left;
                open.leaf = leaf_hash(&pair.entry);
                return Ok(true);
            }
            if open.left > 0 {
                let found = last.saturating_sub(open.left);
                return Err(SegmentError::Short { file, found, expected: last }.into());
            }
            if let Some(open) = self.open.take() {
                finish(&self.folder, open)?;
            }
        }
    }
}

fn start(folder: &Path, segment: &Segment) -> Result<Open, SegmentError> {
    let (file, first) = (segment.file.clone(), segment.first);
    let input = File::open(folder.join(&file)).map_err(|error| SegmentError::Missing {
        file,
        first,
        error,
    })?;
    let left = segment.last.saturating_sub(first).saturating_add(1);
    let reader = Reader::new(BufReader::with_capacity(1 << 20, Hashing::new(input)));
    Ok(Open { reader, segment: segment.clone(), left, leaf: strongroom_ledger::Hash::ZERO })
}

/// What the manifest says of a segment that was read to its end.
fn finish(folder: &Path, open: Open) -> Result<(), SegmentError> {
    let Open { reader, segment, leaf, .. } = open;
    let Segment { file, sha256, head, parquet, first, .. } = segment;
    let found = reader.into_inner().get_ref().hash();
    if found != sha256 {
        let reason = format!("it has SHA-256 {found}, expected {sha256}");
        return Err(SegmentError::Other { file, reason });
    }
    if leaf != head {
        let reason = format!("its last entry has leaf {leaf}, expected {head}");
        return Err(SegmentError::Other { file, reason });
    }
    let Some(Named { file, sha256 }) = parquet else { return Ok(()) };
    let found = File::open(folder.join(&file)).and_then(digest).map_err(|error| {
        let file = file.clone();
        SegmentError::Missing { file, first, error }
    })?;
    if found == sha256 {
        return Ok(());
    }
    let reason = format!("it has SHA-256 {found}, expected {sha256}");
    Err(SegmentError::Other { file, reason })
}
