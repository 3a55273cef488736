//! The signer's own copy of the log, in the export format (`strongroom_ledger::export`): an auditor
//! can check it as it lies there. Never holds an entry that does not extend, entry by entry, what was
//! verified before, and never shrinks below the head that the journal acknowledged, unless a quorum
//! agreed to give up what lies behind an earlier one.
//!
//! The order of things: verify and fold the pushed entries, [`LogCopy::commit`], then append the new
//! head to the journal, and only then answer. What lies behind the journal's head was acknowledged to
//! nobody: if a crash tore it, opening cuts it off.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use strongroom_ledger::{
    Chain, ChainError, EntryRef, Head, PAYLOAD_LIMIT, Position,
    export::{ExportError, Pair, Reader, Writer},
};
use strongroom_secrets::sync_directory;
use thiserror::Error;

/// Why the copy cannot be read or written.
#[derive(Debug, Error)]
pub enum LogCopyError {
    /// The operating system refused.
    #[error("cannot {step} the log copy {}: {source}", path.display())]
    Io {
        /// Which step.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An entry is not the next one: of a file, damage; of a push, a lie or a mistake.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A line of the file cannot be read, or one to be written is too long.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The file lacks entries that were acknowledged: lost, or an older copy was put in its place.
    #[error(
        "the log copy ends at {}, but the journal acknowledged {}: do not go on with either",
        found.position, acknowledged.position
    )]
    Short {
        /// Where the file ends.
        found: Head,
        /// What the journal says.
        acknowledged: Head,
    },
    /// At the acknowledged position stands another entry: the file is of another log.
    #[error("the log copy has leaf {} at {}, the journal acknowledged {}", found.leaf, found.position, acknowledged.leaf)]
    Forked {
        /// What the file has.
        found: Head,
        /// What the journal says.
        acknowledged: Head,
    },
    /// The caller's fold refused an entry of the file.
    #[error("the fold refused entry {position}: {why}")]
    Fold {
        /// The entry.
        position: u64,
        /// What the fold said.
        why: String,
    },
    /// A write or sync failed earlier: what is on disk is unknown.
    #[error("the log copy stopped after a failed write; restart the signer")]
    Stopped,
}

/// The copy, open for appending. The journal's lock keeps other processes away.
pub struct LogCopy {
    path: PathBuf,
    file: File,
    chain: Chain,
    staged: Writer<Vec<u8>>,
    stopped: bool,
}

/// What opening found.
pub struct Opened {
    /// For appending.
    pub copy: LogCopy,
    /// Bytes that were cut off behind the journal's head, normally 0.
    pub cut: u64,
}

impl LogCopy {
    /// Makes an empty copy; refused when there is a file already.
    pub fn create(path: &Path) -> Result<(), LogCopyError> {
        let at = failure("create", path);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(path).and_then(|file| file.sync_all()).map_err(at)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync_directory(directory.unwrap_or(Path::new(".")))
            .map_err(failure("sync the directory of", path))
    }

    /// Verifies the whole file, shows each entry with its payload to `fold`, and holds it against the
    /// head that the journal acknowledged last.
    pub fn open(
        path: &Path,
        acknowledged: Head,
        mut fold: impl FnMut(&EntryRef<'_>, &[u8]) -> Result<(), String>,
    ) -> Result<Opened, LogCopyError> {
        let file = OpenOptions::new().read(true).append(true).open(path);
        let mut file = file.map_err(failure("open", path))?;
        let length = file.metadata().map_err(failure("open", path))?.len();
        let mut reader = Reader::new(BufReader::new(&mut file));
        let (mut chain, mut pair, mut end) = (Chain::start(), Pair::default(), 0_u64);
        loop {
            let read = match reader.read(&mut pair) {
                Ok(false) => break,
                Ok(true) => chain.extend(&pair.entry, &pair.payload).map_err(LogCopyError::from),
                Err(error) => Err(error.into()),
            };
            let entry = match read {
                Ok(entry) => entry,
                Err(_torn) if chain.head().position >= acknowledged.position => break,
                Err(damage) => return Err(damage),
            };
            let position = entry.position;
            fold(&entry, &pair.payload)
                .map_err(|why| LogCopyError::Fold { position: position.get(), why })?;
            if position == acknowledged.position && chain.head() != acknowledged {
                return Err(LogCopyError::Forked { found: chain.head(), acknowledged });
            }
            let lines = pair.entry.len().saturating_add(pair.payload.len()).saturating_add(2);
            end = end.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
        }
        if chain.head().position < acknowledged.position {
            return Err(LogCopyError::Short { found: chain.head(), acknowledged });
        }
        let cut = length.saturating_sub(end);
        if cut > 0 {
            file.set_len(end)
                .and_then(|()| file.sync_all())
                .map_err(failure("cut the torn end of", path))?;
        }
        let staged = Writer::new(Vec::new());
        let copy = Self { path: path.to_owned(), file, chain, staged, stopped: false };
        Ok(Opened { copy, cut })
    }

    /// Cuts off everything behind the entry `last`, unless `goes_on` says that the next one (its
    /// stored type and payload) belongs there. Returns how many bytes went.
    ///
    /// A crash in the middle leaves the whole file or the cut one; doing it again is harmless.
    pub fn cut_behind(
        path: &Path,
        last: Position,
        goes_on: impl FnOnce(&str, &[u8]) -> bool,
    ) -> Result<u64, LogCopyError> {
        let file = OpenOptions::new().read(true).append(true).open(path);
        let mut file = file.map_err(failure("open", path))?;
        let length = file.metadata().map_err(failure("open", path))?.len();
        let mut reader = Reader::new(BufReader::new(&mut file));
        let (mut pair, mut end) = (Pair::default(), 0_u64);
        for _ in 0..last.get() {
            if !reader.read(&mut pair)? {
                return Ok(0);
            }
            let lines = pair.entry.len().saturating_add(pair.payload.len()).saturating_add(2);
            end = end.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
        }
        // What can't be read was never acknowledged, and is cut with the rest.
        let next = matches!(reader.read(&mut pair), Ok(true))
            && EntryRef::parse(&pair.entry).is_ok_and(|next| goes_on(next.r#type, &pair.payload));
        let cut = length.saturating_sub(end);
        if next || cut == 0 {
            return Ok(0);
        }
        file.set_len(end)
            .and_then(|()| file.sync_all())
            .map_err(failure("cut what was given up from", path))?;
        Ok(cut)
    }

    /// The last entry that was verified, committed or not.
    pub fn head(&self) -> Head {
        self.chain.head()
    }

    /// Verifies the next pushed entry and stages it. A refused one changes nothing.
    ///
    /// If the fold refuses an entry after this, or in doubt, drop the copy without a commit and open
    /// it again: nothing of what was staged is on disk.
    pub fn verify<'a>(
        &mut self,
        entry: &'a [u8],
        payload: &[u8],
    ) -> Result<EntryRef<'a>, LogCopyError> {
        if self.stopped {
            return Err(LogCopyError::Stopped);
        }
        // A verified entry holds no newline; its payload might, and would be two lines.
        if payload.contains(&b'\n') {
            return Err(ExportError::Newline { line: 0 }.into());
        }
        if payload.len() > PAYLOAD_LIMIT {
            return Err(ExportError::TooLong { line: 0, limit: PAYLOAD_LIMIT }.into());
        }
        let parsed = self.chain.extend(entry, payload)?;
        if let Err(error) = self.staged.write(entry, payload) {
            self.stopped = true;
            return Err(error.into());
        }
        Ok(parsed)
    }

    /// Makes all staged entries durable with one sync. Returns the head to acknowledge.
    ///
    /// A crash before it returns leaves some of them, whole or torn; opening keeps the whole ones.
    pub fn commit(&mut self) -> Result<Head, LogCopyError> {
        if self.stopped {
            return Err(LogCopyError::Stopped);
        }
        let staged = std::mem::replace(&mut self.staged, Writer::new(Vec::new())).finish()?;
        if staged.is_empty() {
            return Ok(self.head());
        }
        if let Err(source) = self.file.write_all(&staged).and_then(|()| self.file.sync_data()) {
            // A second sync may report success for pages that the first one lost: never retried.
            self.stopped = true;
            return Err(failure("append to", &self.path)(source));
        }
        Ok(self.head())
    }
}

fn failure(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogCopyError {
    let path = path.to_owned();
    move |source| LogCopyError::Io { step, path, source }
}

#[cfg(test)]
mod tests;
