//! A log read from its first entry for a command of the command line: verified, and folded with
//! every rule applied again. Never writes, and works while a server writes.

use std::path::Path;

use strongroom_domain::{EntryParts, Recorded, State, audit::Audited};
use strongroom_ledger::{Chain, EntryRef};
use strongroom_store::{PAGE_LIMIT, RawRow};

use super::{CliError, Place};
use crate::data_directory::DataDirectory;

/// The state at the end of a log.
pub(super) fn state(data: &Path, log: &Place) -> Result<State, CliError> {
    walk(data, log, |_, _| ()).map(|audited| audited.state().clone())
}

/// Shows each entry with the state before it.
pub(super) fn walk(
    data: &Path,
    log: &Place,
    mut each: impl FnMut(&State, &Recorded),
) -> Result<Audited, CliError> {
    let directory = DataDirectory::open(data)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(CliError::Runtime)?.block_on(async {
        let mut log = log.audit(&directory).await?;
        let mut verified = Verified { chain: Chain::start(), audited: Audited::default() };
        let mut filed = 0;
        loop {
            let page = log.raw_after(filed, PAGE_LIMIT).await?;
            let Some(last) = page.last() else { return Ok(verified.audited) };
            filed = last.filed;
            for row in &page {
                verified.take(row, &mut each)?;
            }
        }
    })
}

struct Verified {
    chain: Chain,
    audited: Audited,
}

impl Verified {
    fn take(
        &mut self,
        row: &RawRow,
        each: &mut impl FnMut(&State, &Recorded),
    ) -> Result<(), CliError> {
        let wrong = |reason: String| CliError::History { position: row.filed, reason };
        let entry = self
            .chain
            .extend(&row.entry, &row.payload)
            .map_err(|error| wrong(error.to_string()))?;
        let recorded = recorded(&entry, *self.chain.head().leaf.as_bytes(), &row.payload);
        let recorded = recorded.map_err(|error| wrong(error.to_string()))?;
        each(self.audited.state(), &recorded);
        self.audited.extend(&recorded).map_err(|error| wrong(error.to_string()))
    }
}

fn recorded(
    entry: &EntryRef<'_>,
    leaf: [u8; 32],
    payload: &[u8],
) -> Result<Recorded, strongroom_domain::UnreadableEntry> {
    Recorded::read(EntryParts {
        position: entry.position.get(),
        leaf,
        time: &entry.time.to_string(),
        stream: entry.stream,
        sequence: entry.sequence,
        kind: entry.r#type,
        version: entry.version,
        payload,
    })
}
