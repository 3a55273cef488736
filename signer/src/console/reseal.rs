//! `strongroom-signer reseal`: its files under another key. Never leaves one that neither opens.

use std::{
    io::{Write, stdout},
    path::PathBuf,
};

use clap::Args;
use strongroom_signer::{config::Config, resealing};

use crate::Failure;

/// From which key to which.
#[derive(Args)]
pub(crate) struct Arguments {
    /// `signer.toml` as it is: its `[sealing]` names the key that opens the files.
    #[arg(long)]
    config: PathBuf,
    /// `signer.toml` as it shall be: its `[sealing]` names the key that is to open them.
    #[arg(long)]
    to: PathBuf,
}

pub(crate) fn reseal(arguments: &Arguments) -> Result<(), Failure> {
    let (from, to) = (Config::read(&arguments.config)?, Config::read(&arguments.to)?);
    let files = resealing::reseal(&from, &to)?;
    let to = arguments.to.display();
    writeln!(stdout(), "{files} files resealed; start the signer with {to} from now on")?;
    Ok(())
}
