//! `strongroom ledger recover`: what a restored log lacks, from a signer's copy. Never takes an
//! entry that does not follow the log byte for byte.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use strongroom_store::{ExportFile, copy::copy};

use super::{CliError, Progress, Say, wait_for};
use crate::{cli::place::Place, data_directory::DataDirectory};

/// What `strongroom ledger recover` needs.
#[derive(Args)]
pub struct Recover {
    /// The server's data directory. The server must not run.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    log: Place,
    /// A signer's `log.jsonl`, or an export.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
}

impl Recover {
    pub(super) fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let copied = wait_for(async {
            let directory = DataDirectory::open(&self.data)?;
            let to = self.log.open(&directory).await?;
            let mut from = ExportFile::open(&self.from)?;
            let progress = Progress::new("recovered");
            Ok(copy(&mut from, to.as_ref(), |position| progress.at(position)).await?)
        })?;
        say.json(&json!({
            "recovered": copied.entries,
            "head": copied.head,
            "tree": { "size": copied.tree.size, "root": copied.tree.root },
            "lost": "answers to idempotency keys of the recovered entries: a repeated request of \
                     those is decided anew",
        }))
    }
}
