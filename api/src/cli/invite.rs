//! `strongroom invite`. Never prints the invitation: it goes into a file that only its owner may
//! read, and from there to the person who is invited.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use strongroom_secrets::{Existing, write_durably};

use super::{CliError, Say};
use crate::access::SecretId;

/// What `strongroom invite` needs. Neither a server nor a data directory: it only makes a secret.
#[derive(Args)]
pub struct Invite {
    /// Where to write the invitation; mode 0600, never over another file.
    #[arg(long)]
    pub out: PathBuf,
}

impl Invite {
    /// Makes the invitation and prints its hash, for the charter or a proposal.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let invitation = SecretId::generate();
        let line = zeroize::Zeroizing::new(format!("{}\n", invitation.expose()));
        write_durably(&self.out, line.as_bytes(), Existing::Keep)?;
        say.json(&json!({ "invitation_sha256": hex::encode(invitation.hash()) }))
    }
}
