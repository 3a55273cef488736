//! `strongroom ledger import-postgres-es`. Never writes to the database that it reads.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use strongroom_store::import_postgres_es;

use super::{CliError, Progress, Say, wait_for};
use crate::cli::place;

/// What `strongroom ledger import-postgres-es` needs.
#[derive(Args)]
pub struct ImportPostgresEs {
    /// The database with the table `events`: `postgres://user@host:port/database`.
    url: String,
    /// An empty place for the new log, or the one that an interrupted import left.
    #[arg(long, value_name = "LOCATION")]
    to: String,
    /// File with the database's password; mode 0600.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// File with the password of the new log's server; mode 0600.
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,
}

impl ImportPostgresEs {
    pub(super) fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let (sealed, (head, tree)) = wait_for(async {
            let to =
                place::open(&place::location(&self.to)?, self.to_password_file.as_ref()).await?;
            let progress = Progress::new("sealed");
            let options = place::options(self.password_file.as_ref());
            let told = |position| progress.at(position);
            let sealed = import_postgres_es(&self.url, &options, to.as_ref(), told).await?;
            Ok((sealed, strongroom_store::copy::verify(to.as_ref()).await?))
        })?;
        say.json(&json!({
            "sealed": sealed,
            "head": head,
            "tree": { "size": tree.size, "root": tree.root },
        }))
    }
}
