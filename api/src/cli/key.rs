//! `strongroom key`. Never prints a private key.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use strongroom_secrets::read_secret;

use super::{CliError, KeyAdd, KeyPlace, KeyProofCommand, KeyRefresh, KeyReplace, Say};
use crate::approval_key::ApprovalKey;

/// What can be done with approval keys, and asked about custody keys.
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
    /// Ask a quorum to make all shares of a custody key anew: the older ones become useless.
    Refresh(KeyRefresh),
    /// Ask a quorum to hand a custody key's share from one signer to another.
    Replace(KeyReplace),
    /// Ask a quorum to give a custody key one more holder.
    Add(KeyAdd),
    /// Of a multisig key: what its cosigners sign to show that they can.
    #[command(subcommand)]
    Proof(KeyProofCommand),
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
            Self::Refresh(of) => of.run(say),
            Self::Replace(of) => of.run(say),
            Self::Add(of) => of.run(say),
            Self::Proof(of) => of.run(say),
        }
    }
}
