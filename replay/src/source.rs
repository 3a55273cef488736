//! Where entries come from: a log in any store, or an export. Never opened for writing, and nothing
//! is believed: the bytes are handed out as they stand.

use crate::{
    export::{Manifest, SegmentError, Segments},
    finding::Fault,
    prepared::Raw,
};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use strongroom_ledger::Head;
use strongroom_ledger::export::{ExportError, Pair, Reader};
use strongroom_store::{
    LocationError, LogLocation, OpenError, Options, PAGE_LIMIT, RawLog, RawRow, ReadError,
};

/// How every SQLite file begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// A file is read in pieces of this many bytes.
const PIECE: usize = 1 << 20;

/// Why a source can't be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// No place of a log.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// The store.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What is in it.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The export.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The export in segments.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// A thread of ours ended without a word.
    #[error("the reader ended without a reason")]
    Ended,
}

impl SourceError {
    /// What an auditor calls it.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Export(ExportError::Truncated { .. }) => Fault::Truncated,
            Self::Export(ExportError::TooLong { .. } | ExportError::Newline { .. }) => {
                Fault::Malformed
            }
            Self::Segment(error) => error.fault(),
            Self::Export(ExportError::Io(_))
            | Self::Io { .. }
            | Self::Location(_)
            | Self::Open(_)
            | Self::Read(_)
            | Self::Ended => Fault::Unreadable,
        }
    }
}

/// A log in a store, page by page.
pub struct Stored {
    runtime: tokio::runtime::Runtime,
    log: Box<dyn RawLog>,
    /// The head that it claimed when it was opened.
    claimed: Head,
    /// What was read and not handed out.
    page: VecDeque<RawRow>,
    /// Where the last row that was read is filed.
    after: i64,
}

/// A log, entry by entry.
pub enum Source {
    /// A log in a store.
    Log(Box<Stored>),
    /// An export in one file.
    Export(Reader<Box<dyn BufRead + Send>>),
    /// An export in segments.
    Segments(Box<Segments>),
}

impl Source {
    /// Opens what `place` names: `-` for standard input, a folder with a manifest, an export, a
    /// server's SQLite file, or the URL of a store (see [`LogLocation`]). The password of a store
    /// never stands in its URL.
    pub fn open(place: &str, password_file: Option<PathBuf>) -> Result<Self, SourceError> {
        if place == "-" {
            return Ok(Self::reader(Box::new(BufReader::with_capacity(PIECE, io::stdin()))));
        }
        if place.contains("://") || place.starts_with("sqlite:") {
            return Self::store(&place.parse()?, password_file);
        }
        let path = Path::new(place);
        let io = |error| SourceError::Io { path: place.to_owned(), error };
        if path.is_dir() {
            return Ok(Self::Segments(Box::new(Segments::open(path)?)));
        }
        let mut file = File::open(path).map_err(io)?;
        let mut start = Vec::new();
        let length = u64::try_from(SQLITE.len()).unwrap_or(u64::MAX);
        Read::by_ref(&mut file).take(length).read_to_end(&mut start).map_err(io)?;
        if start == SQLITE {
            return Self::store(&LogLocation::Sqlite(path.to_owned()), password_file);
        }
        // A pipe can't be read twice, so what was looked at is put before the rest.
        let whole = io::Cursor::new(start).chain(file);
        Ok(Self::reader(Box::new(BufReader::with_capacity(PIECE, whole))))
    }

    /// An export that is read from anywhere.
    pub fn reader(input: Box<dyn BufRead + Send>) -> Self {
        Self::Export(Reader::new(input))
    }

    fn store(place: &LogLocation, password_file: Option<PathBuf>) -> Result<Self, SourceError> {
        let error = |error| SourceError::Io { path: place.to_string(), error };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(error)?;
        let options = Options { password_file, ..Options::default() };
        let mut log = runtime.block_on(place.audit(&options))?;
        let claimed = runtime.block_on(log.head())?;
        let stored = Stored { runtime, log, claimed, page: VecDeque::new(), after: 0 };
        Ok(Self::Log(Box::new(stored)))
    }

    /// The next entry with its payload and what it is filed under; `None` at the end.
    pub fn read(&mut self) -> Result<Option<Raw>, SourceError> {
        match self {
            Self::Log(stored) => stored.next(),
            Self::Export(reader) => {
                let mut pair = Pair::default();
                Ok(reader.read(&mut pair)?.then_some(Raw { filed: None, pair }))
            }
            Self::Segments(segments) => {
                let mut pair = Pair::default();
                Ok(segments.read(&mut pair)?.then_some(Raw { filed: None, pair }))
            }
        }
    }

    /// The heads that the source claims: when it was opened, and now. A file claims none.
    pub fn claims(&mut self) -> Result<Option<(Head, Head)>, SourceError> {
        match self {
            Self::Log(stored) => {
                let now = stored.runtime.block_on(stored.log.head())?;
                Ok(Some((stored.claimed, now)))
            }
            Self::Export(_) | Self::Segments(_) => Ok(None),
        }
    }

    /// What an export in segments says of itself.
    pub fn manifest(&self) -> Option<&Manifest> {
        match self {
            Self::Segments(segments) => Some(segments.manifest()),
            Self::Log(_) | Self::Export(_) => None,
        }
    }

    /// About how many entries there are, where the source says.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Log(stored) => Some(stored.claimed.position.get()),
            Self::Segments(segments) => Some(segments.manifest().last),
            Self::Export(_) => None,
        }
    }
}

impl Stored {
    fn next(&mut self) -> Result<Option<Raw>, SourceError> {
        if self.page.is_empty() {
            self.page = self.runtime.block_on(self.log.raw_after(self.after, PAGE_LIMIT))?.into();
        }
        let Some(RawRow { filed, entry, payload }) = self.page.pop_front() else {
            return Ok(None);
        };
        self.after = filed;
        Ok(Some(Raw { filed: Some(filed), pair: Pair { entry, payload } }))
    }
}
