//! `strongroom-signer wrapping-key`: the key in the token that a signer's files are to be sealed under.
//! Never makes a second one of a name: under a new key old files don't open.

use std::{
    io::{Write, stdout},
    path::PathBuf,
};

use clap::Args;
use strongroom_signer::{
    config::{Config, Sealing},
    unlocking::Holders,
};

use crate::Failure;

/// For which settings.
#[derive(Args)]
pub(crate) struct Arguments {
    /// `signer.toml`, whose `[sealing] token_key` names it.
    #[arg(long)]
    config: PathBuf,
}

pub(crate) fn make(arguments: &Arguments) -> Result<(), Failure> {
    let config = Config::read(&arguments.config)?;
    let Sealing::Token(label) = &config.sealing else {
        return Err("these settings name no [sealing] token_key".into());
    };
    let holders = Holders::open(&config)?;
    let Some(token) = holders.token else { return Err("these settings name no [token]".into()) };
    let name = label.clone();
    let made = token.run(move |token| token.make_wrapping_key(&name))?;
    writeln!(stdout(), "made the AES-256 key \"{label}\", with the id {}", made.id)?;
    Ok(())
}
