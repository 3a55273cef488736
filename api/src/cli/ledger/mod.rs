//! `strongroom ledger`: moving, saving and going on with a log, while no server has it. Never
//! changes an entry, and never writes over a log.

mod backup;
mod copy;
mod import;
mod recover;
mod resumption;

use std::{future::Future, io::IsTerminal as _};

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use strongroom_store::Position;

use super::{CliError, Say};
use backup::{Backup, Restore};
use copy::Copy;
use import::ImportPostgresEs;
use recover::Recover;
use resumption::ResumptionCommand;

/// What can be done with a whole log.
#[derive(Subcommand)]
pub enum LedgerCommand {
    /// Copy a log to another backend, entries byte for byte, and verify the copy. Goes on where an
    /// earlier copy was interrupted.
    Copy(Copy),
    /// Seal the events of a postgres-es database into a new log.
    #[command(name = "import-postgres-es")]
    ImportPostgresEs(ImportPostgresEs),
    /// Save a SQLite log to a file, also while a server writes to it.
    Backup(Backup),
    /// Make a SQLite log out of a backup.
    Restore(Restore),
    /// Give a restored log its missing entries back, from the copy that a signer keeps.
    Recover(Recover),
    /// Go on from an earlier entry when the entries behind it are lost everywhere.
    #[command(subcommand)]
    Resumption(ResumptionCommand),
}

impl LedgerCommand {
    /// Does it.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        match self {
            Self::Copy(copy) => copy.run(say),
            Self::ImportPostgresEs(import) => import.run(say),
            Self::Backup(backup) => backup.run(say),
            Self::Restore(restore) => restore.run(say),
            Self::Recover(recover) => recover.run(say),
            Self::Resumption(resumption) => resumption.run(say),
        }
    }
}

fn wait_for<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(CliError::Runtime)?.block_on(work)
}

/// How far the work is, for a person who watches it.
struct Progress(ProgressBar);

impl Progress {
    /// On standard error, if that is a terminal.
    fn new(what: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(what);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {pos} ({per_sec})") {
            bar.set_style(style);
        }
        if !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self(bar)
    }

    fn at(&self, position: Position) {
        self.0.set_position(position.get());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
