//! `strongroom key refresh|replace|add` and `strongroom signer …`: who holds a key's shares, and who
//! may. All but a quarantine are questions to a quorum, and never answered here.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use strongroom_domain::{KeyId, SignerId};

use super::{Asking, CliError, Say, asking::ask};

/// What `strongroom key refresh` needs.
#[derive(Args)]
pub struct KeyRefresh {
    /// The key.
    pub key: KeyId,
    /// A holder that is left out from now on. May be given several times.
    #[arg(long = "without", value_name = "SIGNER")]
    pub without: Vec<SignerId>,
    #[command(flatten)]
    at: Asking,
}

/// What `strongroom key replace` needs.
#[derive(Args)]
pub struct KeyReplace {
    /// The key.
    pub key: KeyId,
    /// Who holds it no more.
    #[arg(long)]
    pub old: SignerId,
    /// Who holds it instead: a signer that is enrolled. With `--restore` it may be the same one.
    #[arg(long)]
    pub new: SignerId,
    /// The share comes from officers' pieces of its backup, and not from the other holders.
    #[arg(long)]
    pub restore: bool,
    #[command(flatten)]
    at: Asking,
}

/// What `strongroom key add` needs.
#[derive(Args)]
pub struct KeyAdd {
    /// The key.
    pub key: KeyId,
    /// Who holds it too: a signer that is enrolled.
    #[arg(long)]
    pub signer: SignerId,
    #[command(flatten)]
    at: Asking,
}

/// What can be done about signers.
#[derive(Subcommand)]
pub enum SignerCommand {
    /// Trust a signer no more, at once: no other works with it. For officers.
    Quarantine {
        /// Which.
        signer: SignerId,
        /// Why. Never personal data: the log is for ever.
        #[arg(long)]
        because: String,
        /// The server, and as whom.
        #[command(flatten)]
        at: Asking,
    },
    /// Ask a quorum to trust a quarantined signer again.
    Release {
        /// Which.
        signer: SignerId,
        /// The server, and as whom.
        #[command(flatten)]
        at: Asking,
    },
    /// Ask a quorum to enrol a signer.
    Enrol {
        /// Its `enrolment.json`, as `strongroom-signer init` made it.
        enrolment: PathBuf,
        /// The server, and as whom.
        #[command(flatten)]
        at: Asking,
    },
    /// Ask a quorum to retire a signer that holds no key any more.
    Retire {
        /// Which.
        signer: SignerId,
        /// The server, and as whom.
        #[command(flatten)]
        at: Asking,
    },
}

impl KeyRefresh {
    /// Asks.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        post(&self.at, &changes(self.key), &json!({"dropped": self.without}), say)
    }
}

impl KeyReplace {
    /// Asks.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let body = json!({"dropped": [self.old], "joining": self.new, "restore": self.restore});
        post(&self.at, &changes(self.key), &body, say)
    }
}

impl KeyAdd {
    /// Asks.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        post(&self.at, &changes(self.key), &json!({"joining": self.signer}), say)
    }
}

fn changes(key: KeyId) -> String {
    format!("/keys/{key}/changes")
}

impl SignerCommand {
    /// Asks.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        match self {
            Self::Quarantine { signer, because, at } => {
                let body = json!({"because": because});
                post(at, &format!("/signers/{signer}/quarantine"), &body, say)
            }
            Self::Release { signer, at } => {
                post(at, &format!("/signers/{signer}/release"), &json!({}), say)
            }
            Self::Retire { signer, at } => {
                post(at, "/signers/changes", &json!({"change": {"retire": signer}}), say)
            }
            Self::Enrol { enrolment, at } => {
                let wrong = |reason: String| CliError::Read { path: enrolment.clone(), reason };
                let text = std::fs::read(enrolment).map_err(|error| wrong(error.to_string()))?;
                let of: Value =
                    serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
                let field = |name: &str| {
                    let missing = || wrong(format!("`{name}` is missing"));
                    of.get(name).cloned().ok_or_else(missing)
                };
                let enrol = json!({
                    "id": field("signer")?,
                    "identity_key": field("identity_key")?,
                    "sealing_key": field("sealing_key")?,
                    "tls_certificate_sha256": field("tls_certificate_sha256")?,
                    "witness_key": field("witness_key")?,
                });
                post(at, "/signers/changes", &json!({"change": {"enrol": enrol}}), say)
            }
        }
    }
}

fn post(at: &Asking, path: &str, body: &Value, say: &mut Say<'_>) -> Result<(), CliError> {
    let asker = at.open()?;
    say.json(&ask(asker.post(path, body))?)
}
