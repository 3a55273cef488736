//! Where a person's approval key is, for every command that signs something: a sealed file, or a
//! PKCS#11 token. A PIN or passphrase is read from a file, never from an argument.

use std::path::PathBuf;

use clap::Args;
use strongroom_domain::{Bytes, approval_key::ApprovalKey as EnrolledKey};
use strongroom_secrets::{read_secret, read_secret_text};

use super::CliError;
use crate::{
    approval_key::ApprovalKey,
    token_key::{TokenKey, TokenPlace},
};

/// A key directory with its passphrase, or a token with its PIN.
#[derive(Args, Debug, Default)]
pub struct KeyPlace {
    /// The key's directory, as `strongroom key new` made it.
    #[arg(long, requires = "passphrase_file", conflicts_with = "pkcs11_module")]
    pub key: Option<PathBuf>,
    /// File with the key's passphrase; mode 0600.
    #[arg(long, requires = "key")]
    pub passphrase_file: Option<PathBuf>,
    /// The PKCS#11 library of the token that holds the key.
    #[arg(long, requires_all = ["token_label", "key_label", "pin_file"])]
    pub pkcs11_module: Option<PathBuf>,
    /// The token's label.
    #[arg(long, requires = "pkcs11_module")]
    pub token_label: Option<String>,
    /// The label of the key pair in the token: Ed25519 or P-256.
    #[arg(long, requires = "pkcs11_module")]
    pub key_label: Option<String>,
    /// File with the token's PIN; mode 0600.
    #[arg(long, requires = "pkcs11_module")]
    pub pin_file: Option<PathBuf>,
}

/// A key that can sign.
pub enum HeldKey {
    /// Out of a sealed file.
    File(Box<ApprovalKey>),
    /// In a token.
    Token(Box<TokenKey>),
}

impl KeyPlace {
    /// Opens the key. Slow on purpose where a passphrase seals it.
    pub fn open(&self) -> Result<HeldKey, CliError> {
        if let (Some(key), Some(passphrase)) = (&self.key, &self.passphrase_file) {
            return Ok(HeldKey::File(Box::new(ApprovalKey::open(key, &read_secret(passphrase)?)?)));
        }
        match (&self.pkcs11_module, &self.token_label, &self.key_label, &self.pin_file) {
            (Some(module), Some(token), Some(key), Some(pin_file)) => {
                let (module, token, key) = (module.clone(), token.clone(), key.clone());
                let place = TokenPlace { module, token, key };
                let opened = TokenKey::open(&place, &read_secret_text(pin_file)?)?;
                Ok(HeldKey::Token(Box::new(opened)))
            }
            _ => Err(CliError::NoKey),
        }
    }
}

impl HeldKey {
    /// As the charter enrols it.
    pub fn public(&self) -> EnrolledKey {
        match self {
            Self::File(key) => EnrolledKey::Ed25519 { key: key.public_key() },
            Self::Token(key) => key.public().clone(),
        }
    }

    /// Signs a statement, whole, as it was shown.
    pub fn sign(&self, statement: &str) -> Result<Bytes, CliError> {
        match self {
            Self::File(key) => Ok(key.sign(statement)),
            Self::Token(key) => Ok(key.sign(statement)?),
        }
    }
}
