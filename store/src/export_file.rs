//! A log in a file of the export format, as a source to copy from: an export, or the copy that a
//! signer keeps (`log.jsonl`). Never checks what it reads, and never writes.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use strongroom_ledger::export::{ExportError, Pair, Reader};
use strongroom_ledger::{Head, Position, leaf_hash};

use crate::log::BoxFuture;
use crate::open::OpenError;
use crate::raw::{RawLog, RawOutcome, RawRow};
use crate::read::{PAGE_BYTES, PAGE_LIMIT, ReadError};

/// An export, read from its beginning to its end. It files entries by their place in the file.
///
/// A last entry that is there in part is left out: a signer that was killed while it wrote leaves
/// one, and nobody was told that it has it.
pub struct ExportFile {
    path: PathBuf,
    reader: Reader<BufReader<File>>,
    /// What the next entry of the file is filed under.
    next: i64,
}

impl ExportFile {
    /// Opens the file.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self { path: path.to_owned(), reader: reader(path)?, next: 1 })
    }

    fn rewind(&mut self) -> Result<(), ReadError> {
        let begin = |error: OpenError| ReadError::Unavailable { reason: error.to_string() };
        self.reader = reader(&self.path).map_err(begin)?;
        self.next = 1;
        Ok(())
    }

    /// The next whole entry.
    fn pair(&mut self) -> Result<Option<Pair>, ReadError> {
        let mut pair = Pair::default();
        match self.reader.read(&mut pair) {
            Ok(true) => {
                self.next += 1;
                Ok(Some(pair))
            }
            Ok(false) | Err(ExportError::Truncated { .. }) => Ok(None),
            Err(ExportError::Io(error)) => {
                Err(ReadError::Unavailable { reason: error.to_string() })
            }
            Err(error @ (ExportError::TooLong { .. } | ExportError::Newline { .. })) => {
                let place = u64::try_from(self.next).ok().and_then(Position::new);
                Err(ReadError::corrupt(place.unwrap_or(Position::LAST), error.to_string()))
            }
        }
    }

    fn last(&mut self) -> Result<Head, ReadError> {
        self.rewind()?;
        let (mut head, mut position) = (Head::EMPTY, Position::START);
        while let Some(pair) = self.pair()? {
            position = position.next().unwrap_or(Position::LAST);
            head = Head { position, leaf: leaf_hash(&pair.entry) };
        }
        Ok(head)
    }

    fn page(&mut self, after: i64, limit: usize) -> Result<Vec<RawRow>, ReadError> {
        if self.next > after.saturating_add(1) {
            self.rewind()?;
        }
        let (mut page, mut bytes) = (Vec::new(), 0);
        while page.len() < limit.min(PAGE_LIMIT) && bytes <= PAGE_BYTES {
            let filed = self.next;
            let Some(Pair { entry, payload }) = self.pair()? else { break };
            if filed > after {
                bytes += entry.len() + payload.len();
                page.push(RawRow { filed, entry, payload });
            }
        }
        Ok(page)
    }
}

fn reader(path: &Path) -> Result<Reader<BufReader<File>>, OpenError> {
    let file = File::open(path);
    let file = file.map_err(|error| {
        OpenError::Unavailable(format!("cannot read {}: {error}", path.display()))
    })?;
    Ok(Reader::new(BufReader::new(file)))
}

impl RawLog for ExportFile {
    fn head(&mut self) -> BoxFuture<'_, Result<Head, ReadError>> {
        Box::pin(async move { self.last() })
    }

    fn raw_after(
        &mut self,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RawRow>, ReadError>> {
        Box::pin(async move { self.page(after, limit) })
    }

    /// An export holds none.
    fn outcomes(&mut self) -> BoxFuture<'_, Result<Vec<RawOutcome>, ReadError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use strongroom_ledger::export::Writer;

    use super::*;
    use crate::conformance::append_to;
    use crate::copy::{CopyError, copy};
    use crate::{AppendLog, AuditLog, MemoryLog, ReadLog, SqliteLog};

    async fn log(path: &Path, entries: u64) -> SqliteLog {
        let log = SqliteLog::open(path).unwrap();
        for sequence in 0..entries {
            log.append(append_to(&[("a", sequence)])).await.unwrap();
        }
        log
    }

    #[tokio::test]
    async fn a_log_that_lost_its_end_gets_it_back_from_an_export() {
        let folder = tempfile::tempdir().unwrap();
        let (whole, backup) = (folder.path().join("whole.db"), folder.path().join("backup.db"));
        let export = folder.path().join("log.jsonl");
        let log = log(&whole, 20).await;
        log.backup(&backup).unwrap();
        for sequence in 20..35 {
            log.append(append_to(&[("a", sequence)])).await.unwrap();
        }
        AuditLog::open_read_only(&whole).unwrap().export(File::create(&export).unwrap()).unwrap();
        let restored = SqliteLog::open(&backup).unwrap();
        assert_eq!(restored.head().position.get(), 20);
        let mut source = ExportFile::open(&export).unwrap();
        let copied = copy(&mut source, &restored, |_| ()).await.unwrap();
        assert_eq!((copied.entries, copied.head), (15, log.head()));
        // A torn end is what a killed signer leaves.
        let mut file = File::options().append(true).open(&export).unwrap();
        file.write_all(b"{\"position\":36,").unwrap();
        let again = copy(&mut source, &restored, |_| ()).await.unwrap();
        assert_eq!((again.entries, again.head), (0, log.head()));
    }

    #[tokio::test]
    async fn an_export_of_another_history_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(&folder.path().join("log.db"), 3).await;
        let other = MemoryLog::default();
        for sequence in 0..9 {
            other.append(append_to(&[("other", sequence)])).await.unwrap();
        }
        let path = folder.path().join("other.jsonl");
        let mut writer = Writer::new(File::create(&path).unwrap());
        for record in other.read_from(Position::FIRST, 9).await.unwrap() {
            writer.write(&record.bytes, &record.payload).unwrap();
        }
        writer.finish().unwrap();
        let refused = copy(&mut ExportFile::open(&path).unwrap(), &log, |_| ()).await;
        assert!(matches!(refused, Err(CopyError::Parted { .. })), "{refused:?}");
        assert_eq!(log.head().position.get(), 3);
    }
}
