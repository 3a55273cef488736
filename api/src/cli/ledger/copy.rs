//! `strongroom ledger copy`. Never leaves a target that differs from its source without saying so.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use strongroom_store::copy::{check, copy};

use super::{CliError, Progress, Say, wait_for};
use crate::cli::place;

/// What `strongroom ledger copy` needs.
#[derive(Args)]
pub struct Copy {
    /// The log to copy: a path, `sqlite:PATH`, `postgres://…` or `kurrentdb://…`. Stop the server
    /// that writes to it first.
    #[arg(long, value_name = "LOCATION")]
    from: String,
    /// An empty place, or the one that an interrupted copy left.
    #[arg(long, value_name = "LOCATION")]
    to: String,
    /// File with the password of the source's server; mode 0600.
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<PathBuf>,
    /// File with the password of the target's server; mode 0600.
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,
}

impl Copy {
    pub(super) fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let (from, to) = (place::location(&self.from)?, place::location(&self.to)?);
        let copied = wait_for(async {
            // Read whole first: a source that is damaged or not there must not make a target.
            let mut from = place::audit(&from, self.from_password_file.as_ref()).await?;
            check(from.as_mut()).await?;
            let to = place::open(&to, self.to_password_file.as_ref()).await?;
            let progress = Progress::new("copied");
            Ok(copy(from.as_mut(), to.as_ref(), |position| progress.at(position)).await?)
        })?;
        say.json(&json!({
            "copied": copied.entries,
            "answers": copied.outcomes,
            "head": copied.head,
            "tree": { "size": copied.tree.size, "root": copied.tree.root },
        }))
    }
}
