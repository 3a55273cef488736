//! Where entries come from: a server's SQLite file, or an export. Never opened for writing, and
//! nothing is believed: the bytes are handed out as they stand.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use strongroom_ledger::Head;
use strongroom_ledger::export::{ExportError, Pair, Reader, Writer};
use strongroom_store::{AuditExportError, AuditLog, OpenError, PAGE_LIMIT, RawRow, ReadError};

/// How every SQLite file begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

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
    /// The SQLite file.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What is in it.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The export.
    #[error(transparent)]
    Export(#[from] ExportError),
}

/// A log, entry by entry.
pub enum Source {
    /// A server's file, page by page.
    Log {
        /// The file.
        log: AuditLog,
        /// The head that it claimed when it was opened.
        claimed: Head,
        /// What was read and not handed out.
        page: VecDeque<RawRow>,
        /// Where the last row that was read is filed.
        after: i64,
    },
    /// An export.
    Export(Reader<Box<dyn BufRead>>),
}

impl Source {
    /// Opens a server's file or an export, whichever it is.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let io = |error| SourceError::Io { path: path.display().to_string(), error };
        let mut file = File::open(path).map_err(io)?;
        let mut start = Vec::new();
        let length = u64::try_from(SQLITE.len()).unwrap_or(u64::MAX);
        Read::by_ref(&mut file).take(length).read_to_end(&mut start).map_err(io)?;
        if start == SQLITE {
            let log = AuditLog::open_read_only(path)?;
            let claimed = log.head()?;
            return Ok(Self::Log { log, claimed, page: VecDeque::new(), after: 0 });
        }
        // A pipe can't be read twice, so what was looked at is put before the rest.
        let whole: Box<dyn BufRead> = Box::new(BufReader::new(io::Cursor::new(start).chain(file)));
        Ok(Self::Export(Reader::new(whole)))
    }

    /// Replaces `pair` by the next entry and its payload; `None` at the end. Gives the position
    /// that the entry is filed under, where there is such a thing.
    pub fn next(&mut self, pair: &mut Pair) -> Result<Option<Option<i64>>, SourceError> {
        match self {
            Self::Log { log, page, after, .. } => {
                if page.is_empty() {
                    *page = log.raw_after(*after, PAGE_LIMIT)?.into();
                }
                let Some(RawRow { filed, entry, payload }) = page.pop_front() else {
                    return Ok(None);
                };
                *after = filed;
                *pair = Pair { entry, payload };
                Ok(Some(Some(filed)))
            }
            Self::Export(reader) => Ok(reader.read(pair)?.then_some(None)),
        }
    }

    /// The heads that the source claims: when it was opened, and now. An export claims none.
    pub fn claims(&self) -> Result<Option<(Head, Head)>, SourceError> {
        match self {
            Self::Log { log, claimed, .. } => Ok(Some((*claimed, log.head()?))),
            Self::Export(_) => Ok(None),
        }
    }

    /// Writes everything as an export, unchecked; gives the number of entries.
    pub fn export<W: Write>(&mut self, out: W) -> Result<u64, SourceError> {
        if let Self::Log { log, .. } = self {
            return log.export(out).map_err(|error| match error {
                AuditExportError::Read(error) => error.into(),
                AuditExportError::Write(error) => error.into(),
            });
        }
        let (mut writer, mut pair, mut count) = (Writer::new(out), Pair::default(), 0);
        while self.next(&mut pair)?.is_some() {
            writer.write(&pair.entry, &pair.payload)?;
            count += 1;
        }
        writer.finish()?;
        Ok(count)
    }
}
