//! `strongroom key proof` and `strongroom wallet descriptor`: what is carried to cosigners without a
//! network and back, and what any wallet software takes. Never signs anything.

use std::{fs, io::Write as _, path::PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use strongroom_domain::{KeyId, WalletId};

use super::{Asking, CliError, Say, asking::ask};

/// What can be done with a multisig key's proof.
#[derive(Subcommand)]
pub enum KeyProofCommand {
    /// Write the statement that its cosigners sign, and say who has.
    Export(ProofExport),
    /// Bring a cosigner's part.
    Import(ProofImport),
}

/// What `strongroom key proof export` needs.
#[derive(Args)]
pub struct ProofExport {
    /// The key.
    pub key: KeyId,
    /// Where the statement goes; a file that is there is not replaced. Without: said in the answer.
    pub file: Option<PathBuf>,
    #[command(flatten)]
    at: Asking,
}

/// What `strongroom key proof import` needs.
#[derive(Args)]
pub struct ProofImport {
    /// The key.
    pub key: KeyId,
    /// What `strongroom-signer offline prove` printed: `{"place", "signature"}`.
    pub part: PathBuf,
    #[command(flatten)]
    at: Asking,
}

/// What `strongroom wallet descriptor` needs.
#[derive(Args)]
pub struct WalletDescriptor {
    /// The wallet.
    pub wallet: WalletId,
    #[command(flatten)]
    at: Asking,
}

impl KeyProofCommand {
    /// Does it.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        match self {
            Self::Export(of) => ask(of.ask(say)),
            Self::Import(of) => ask(of.ask(say)),
        }
    }
}

impl ProofExport {
    async fn ask(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let mut told = self.at.open()?.get(&format!("/keys/{}/proof", self.key)).await?;
        let Some(path) = &self.file else { return say.json(&told) };
        let wrong = |reason: String| CliError::Read { path: path.clone(), reason };
        let text = told.get("statement").and_then(Value::as_str).unwrap_or_default();
        let file = fs::OpenOptions::new().write(true).create_new(true).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| wrong(error.to_string()))?;
        if let Some(fields) = told.as_object_mut() {
            fields.insert("statement".to_owned(), json!(path));
        }
        say.json(&told)
    }
}

impl ProofImport {
    async fn ask(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let wrong = |reason: String| CliError::Read { path: self.part.clone(), reason };
        let text = fs::read(&self.part).map_err(|error| wrong(error.to_string()))?;
        let part: Value =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        let path = format!("/keys/{}/proof", self.key);
        say.json(&self.at.open()?.post(&path, &part).await?)
    }
}

impl WalletDescriptor {
    /// Asks.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        ask(async {
            let told = self.at.open()?.get(&format!("/wallets/{}/descriptor", self.wallet)).await?;
            say.json(&told)
        })
    }
}
