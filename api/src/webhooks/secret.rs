//! The secrets of a webhook: `whsec_` and base64, newest first. Never printed, and never kept longer
//! than it takes to sign.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use strongroom_secrets::read_secret_text;
use zeroize::Zeroizing;

/// How the text of a secret begins.
const PREFIX: &str = "whsec_";
/// While a secret is replaced, there are two.
const MOST: usize = 2;

/// A webhook's secrets, read from its file for one delivery.
pub struct Secrets(Vec<Zeroizing<Vec<u8>>>);

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file can't be read, or others can.
    #[error(transparent)]
    File(#[from] strongroom_secrets::SecretFileError),
    /// Not what it should be. The text is not repeated.
    #[error(
        "{0}: write one line `whsec_` and 24 to 64 bytes in base64; while a secret is replaced, the \
         new one first and the old one below"
    )]
    Form(String),
}

impl Secrets {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, SecretError> {
        let text = read_secret_text(path)?;
        Self::parse(text.expose()).ok_or_else(|| SecretError::Form(path.display().to_string()))
    }

    /// One or two lines.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let secrets: Option<Vec<_>> = lines
            .map(|line| {
                let bytes = Zeroizing::new(STANDARD.decode(line.strip_prefix(PREFIX)?).ok()?);
                (24..=64).contains(&bytes.len()).then_some(bytes)
            })
            .collect();
        secrets.filter(|all| (1..=MOST).contains(&all.len())).map(Self)
    }

    /// The header `webhook-signature`: `v1,` and HMAC-SHA256 over `id.timestamp.body`, for each secret
    /// (Standard Webhooks, "Signature scheme").
    pub fn sign(&self, id: &str, timestamp: u64, body: &str) -> String {
        let content = format!("{id}.{timestamp}.{body}");
        let signatures = self.0.iter().filter_map(|secret| {
            // HMAC takes a key of any length.
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
            mac.update(content.as_bytes());
            Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}
