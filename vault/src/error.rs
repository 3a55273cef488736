//! What can go wrong with a Vault, by what a caller can do about it. Never holds a token or anything
//! that Vault decrypted.

use std::{error::Error as _, path::PathBuf};

use strongroom_secrets::SecretFileError;
use thiserror::Error;
use vaultrs::error::ClientError;

use crate::AddressError;

/// Characters of what Vault said.
const LONGEST: usize = 160;

/// Why Vault did not do it. Nothing of it is final: the same call may be made again.
#[derive(Debug, Error)]
pub enum VaultError {
    /// The address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The file with the certificate authority.
    #[error("cannot use {} as Vault's certificate authority: {what}", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// HTTPS without an authority to check it by, or one that nothing is checked by.
    #[error("{0}")]
    Settings(&'static str),
    /// The client cannot be made.
    #[error("cannot make a client for Vault: {0}")]
    Client(String),
    /// The token's file.
    #[error("Vault's token: {0}")]
    TokenFile(#[from] SecretFileError),
    /// What is in the token's file.
    #[error("the file {} holds no Vault token: one line of letters, digits, dots and dashes", .0.display())]
    TokenForm(PathBuf),
    /// It does not answer, is sealed, is a standby or has too much to do.
    #[error("Vault at {address} can't be used now: {what}")]
    Unavailable {
        /// Which.
        address: String,
        /// What happened.
        what: String,
    },
    /// The token may not do this, or is over.
    #[error(
        "Vault at {address} does not let this token use \"{key}\" ({what}): give it the policy of \
         docs/at-rest.md, or renew it"
    )]
    Denied {
        /// Which.
        address: String,
        /// The key.
        key: String,
        /// What it said.
        what: String,
    },
    /// There is no such key.
    #[error("Vault at {address} has no key \"{key}\": make it as docs/at-rest.md says")]
    Missing {
        /// Which.
        address: String,
        /// The key.
        key: String,
    },
    /// There is one, of another kind than we may use.
    #[error("the Vault key \"{key}\" can't be used: {what}")]
    Unfit {
        /// The key.
        key: String,
        /// What it is or has.
        what: &'static str,
    },
    /// It refused the text: another key encrypted it, or its bytes were changed.
    #[error("the Vault key \"{key}\" refuses it ({what})")]
    Refused {
        /// The key.
        key: String,
        /// What it said.
        what: String,
    },
    /// Its answer is none that Vault gives.
    #[error("what answers at {address} does not answer like Vault")]
    Strange {
        /// Which.
        address: String,
    },
    /// A signature of Vault's that does not verify.
    #[error("the signature of the Vault key \"{key}\" does not verify")]
    WrongSignature {
        /// The key.
        key: String,
    },
}

impl VaultError {
    /// What the client library said about a call with `key`.
    pub(crate) fn of(error: ClientError, address: &str, key: &str) -> Self {
        let (address, key) = (address.to_owned(), key.to_owned());
        let unavailable = |address, what| Self::Unavailable { address, what };
        #[expect(clippy::wildcard_enum_match_arm, reason = "the library's errors; ours are listed")]
        match error {
            ClientError::APIError { code, errors } => {
                let what = said(&errors);
                match code {
                    404 => Self::Missing { address, key },
                    400 if what.contains("key not found") => Self::Missing { address, key },
                    400 => Self::Refused { key, what },
                    403 => Self::Denied { address, key, what },
                    _ => unavailable(address, format!("status {code}, {what}")),
                }
            }
            ClientError::RestClientError { source } => match source {
                rustify::errors::ClientError::RequestError { source, .. } => {
                    let root = source.root_cause().to_string();
                    unavailable(address, short(&root))
                }
                rustify::errors::ClientError::ResponseError { source } => {
                    unavailable(address, short(&source.root_cause().to_string()))
                }
                rustify::errors::ClientError::ServerResponseError { code, .. } => {
                    unavailable(address, format!("status {code}"))
                }
                // Their contents may be secret: not even their texts are shown.
                _ => Self::Strange { address },
            },
            ClientError::RestClientBuildError { source } => {
                let what = source.source().map_or_else(|| source.to_string(), ToString::to_string);
                Self::Client(what)
            }
            _ => Self::Strange { address },
        }
    }
}

/// As much of a stranger's words as a line should hold, and nothing that moves a cursor.
fn said(errors: &[String]) -> String {
    let text = errors.iter().map(|error| error.trim()).collect::<Vec<_>>().join("; ");
    if text.is_empty() { "no reason given".to_owned() } else { short(&text) }
}

fn short(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").escape_debug().take(LONGEST).collect()
}
