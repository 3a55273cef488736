//! The program `strongroom-signer`. Never takes a secret as an argument or from the environment: a
//! process list would show it.

use std::{
    io::{Write, stdout},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use strongroom_secrets::read_secret;
use strongroom_signer::{identity::Identity, journal::Journal};

/// A signer of Strongroom: follows the log and signs what the log shows approved.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make this signer's identity and print its public enrolment for the charter.
    Init(Init),
}

#[derive(Args)]
struct Init {
    /// Where the signer keeps everything; made if missing.
    #[arg(long)]
    data: PathBuf,
    /// What people call it.
    #[arg(long)]
    name: String,
    /// File with the passphrase that seals the signer's secrets; mode 0600.
    #[arg(long)]
    passphrase_file: PathBuf,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let Command::Init(arguments) = Arguments::parse().command;
    match init(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn init(arguments: &Init) -> Result<(), Box<dyn std::error::Error>> {
    let passphrase = read_secret(&arguments.passphrase_file)?;
    let enrolment = Identity::create(&arguments.data, &arguments.name, &passphrase)?;
    Journal::create(&arguments.data.join("journal"))?;
    writeln!(stdout(), "{}", serde_json::to_string_pretty(&enrolment)?)?;
    Ok(())
}
