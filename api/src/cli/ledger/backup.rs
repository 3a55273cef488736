//! `strongroom ledger backup` and `restore`: a SQLite log as one file. Never writes over a file.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use strongroom_store::{AuditLog, SqliteLog};

use super::{CliError, Say};
use crate::data_directory::DataDirectory;

/// What `strongroom ledger backup` needs.
#[derive(Args)]
pub struct Backup {
    /// The server's data directory. The server may run.
    #[arg(long)]
    data: PathBuf,
    /// Where to put the backup: a new file.
    #[arg(long)]
    to: PathBuf,
}

/// What `strongroom ledger restore` needs.
#[derive(Args)]
pub struct Restore {
    /// The backup; it stays as it is.
    #[arg(long)]
    from: PathBuf,
    /// The server's data directory; there must be no log in it.
    #[arg(long)]
    data: PathBuf,
}

impl Backup {
    pub(super) fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let directory = DataDirectory::open(&self.data)?;
        let head = AuditLog::open_read_only(directory.log())?.backup(&self.to)?;
        say.json(&json!({ "backup": self.to, "head": head }))
    }
}

impl Restore {
    pub(super) fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let directory = DataDirectory::open(&self.data)?;
        let head = SqliteLog::restore(&self.from, &directory.log())?;
        say.json(&json!({
            "restored": directory.log(),
            "head": head,
            "next": "entries behind this head may be missing: `strongroom ledger recover` takes \
                     them from a signer's copy; signers and witnesses refuse the log until then",
        }))
    }
}
