//! `strongroom psbt`: a multisig wallet's payment, out to a cosigner without a network and back. Never
//! looks into the PSBT: the cosigner's own machine shows what it does, and the server verifies what comes
//! back.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::PathBuf,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use strongroom_domain::TransferId;

use super::{Asking, CliError, Say, asking::ask};

/// More than any PSBT that the server takes.
const LONGEST: u64 = 8 * 1024 * 1024;

/// What can be done with a PSBT.
#[derive(Subcommand)]
pub enum PsbtCommand {
    /// Write the payment that is being signed, with the signatures so far.
    Export(PsbtExport),
    /// Bring the signatures of a cosigner.
    Import(PsbtImport),
}

/// What `strongroom psbt export` needs.
#[derive(Args)]
pub struct PsbtExport {
    /// The payment.
    pub transfer: TransferId,
    /// Where the PSBT goes; a file that is there is not replaced. Without: said in the answer, base64.
    pub file: Option<PathBuf>,
    #[command(flatten)]
    at: Asking,
}

/// What `strongroom psbt import` needs.
#[derive(Args)]
pub struct PsbtImport {
    /// The payment.
    pub transfer: TransferId,
    /// The signed PSBT, binary or base64.
    pub file: PathBuf,
    #[command(flatten)]
    at: Asking,
}

impl PsbtCommand {
    /// Does it.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        match self {
            Self::Export(of) => ask(of.ask(say)),
            Self::Import(of) => ask(of.ask(say)),
        }
    }
}

impl PsbtExport {
    async fn ask(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let mut told =
            self.at.open()?.get(&format!("/transactions/{}/psbt", self.transfer)).await?;
        let Some(path) = &self.file else { return say.json(&told) };
        let wrong = |reason: String| CliError::Read { path: path.clone(), reason };
        let text = told.get("psbt").and_then(Value::as_str).unwrap_or_default();
        let bytes = STANDARD.decode(text).map_err(|error| wrong(error.to_string()))?;
        let file = fs::OpenOptions::new().write(true).create_new(true).open(path);
        file.and_then(|mut file| file.write_all(&bytes))
            .map_err(|error| wrong(error.to_string()))?;
        if let Some(fields) = told.as_object_mut() {
            fields.insert("psbt".to_owned(), json!(path));
        }
        say.json(&told)
    }
}

impl PsbtImport {
    async fn ask(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let wrong = |reason: String| CliError::Read { path: self.file.clone(), reason };
        let mut bytes = Vec::new();
        let file = fs::File::open(&self.file).map_err(|error| wrong(error.to_string()))?;
        let read = file.take(LONGEST).read_to_end(&mut bytes);
        read.map_err(|error| wrong(error.to_string()))?;
        let psbt = if bytes.starts_with(b"psbt\xff") {
            STANDARD.encode(&bytes)
        } else {
            let text = String::from_utf8(bytes);
            let text = text.map_err(|_| wrong("neither a PSBT nor base64".to_owned()))?;
            text.trim().to_owned()
        };
        let path = format!("/transactions/{}/psbt", self.transfer);
        say.json(&self.at.open()?.post(&path, &json!({ "psbt": psbt })).await?)
    }
}
