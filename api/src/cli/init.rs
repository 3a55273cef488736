//! `strongroom init`. Never touches a directory that holds an identity already.

use std::path::PathBuf;

use clap::Args;
use strongroom_secrets::read_secret;

use super::{CliError, Say};
use crate::data_directory::DataDirectory;

/// What `strongroom init` needs.
#[derive(Args)]
pub struct Init {
    /// Where the server keeps everything; made if missing, mode 0700.
    #[arg(long)]
    pub data: PathBuf,
    /// File with the passphrase that seals the server's keys; mode 0600.
    #[arg(long)]
    pub passphrase_file: PathBuf,
}

impl Init {
    /// Makes the directory and prints its public part.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let passphrase = read_secret(&self.passphrase_file)?;
        say.json(&DataDirectory::create(&self.data, &passphrase)?)
    }
}
