//! `strongroom key`. Never prints a private key.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use strongroom_secrets::read_secret;

use super::{CliError, KeyPlace, Say};
use crate::approval_key::ApprovalKey;

/// What can be done with approval keys.
#[derive(Subcommand)]
pub enum KeyCommand {
    /// Make an approver's Ed25519 key, sealed under a passphrase. Prints its public key.
    New(KeyNew),
    /// Print the public key of a key in a PKCS#11 token, as the charter enrols it.
    Token(KeyPlace),
    /// Print a key's public key; needs no passphrase.
    Show {
        /// The key's directory.
        key: PathBuf,
    },
}

/// What `strongroom key new` needs.
#[derive(Args)]
pub struct KeyNew {
    /// Where to put the key: a directory of its own, made if missing, mode 0700.
    #[arg(long)]
    pub out: PathBuf,
    /// File with the passphrase that seals it; mode 0600.
    #[arg(long)]
    pub passphrase_file: PathBuf,
}

impl KeyCommand {
    /// Does it.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        match self {
            Self::New(new) => {
                let passphrase = read_secret(&new.passphrase_file)?;
                say.json(&ApprovalKey::create(&new.out, &passphrase)?)
            }
            Self::Token(place) => say.json(&place.open()?.public()),
            Self::Show { key } => say.json(&ApprovalKey::public(key)?),
        }
    }
}
