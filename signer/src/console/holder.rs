//! Which key of a cosigner is meant on the command line, and that key: in a file or in a token. Never
//! opens another than the one that was named.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use clap::Args;
use strongroom_chains::bitcoin::multisig::{Descriptor, Partial, UnsignedTx};
use strongroom_secrets::read_secret;
use strongroom_signer::{
    offline::{OfflineError, OfflineKey, Proving, TokenCosigner},
    pkcs11::{Token, TokenSettings},
};
use uuid::Uuid;

use crate::Failure;

/// Whose signature.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Holder {
    /// Directory of a file key.
    #[arg(long, requires = "passphrase_file", conflicts_with = "module")]
    data: Option<PathBuf>,
    /// File with the passphrase that seals it; mode 0600.
    #[arg(long, requires = "data")]
    passphrase_file: Option<PathBuf>,
    /// Instead of a file: the PKCS#11 library of a token.
    #[arg(long, requires_all = ["token", "pin_file", "key"])]
    module: Option<PathBuf>,
    /// The token's label.
    #[arg(long, requires = "module")]
    token: Option<String>,
    /// File with the token's user PIN; mode 0600.
    #[arg(long, requires = "module")]
    pin_file: Option<PathBuf>,
    /// The id of the key in the token.
    #[arg(long, requires = "module")]
    key: Option<Uuid>,
}

/// A key that signs.
pub(super) enum Held {
    File(Box<OfflineKey>),
    Token(Box<TokenCosigner>),
}

impl Held {
    pub(super) fn open(holder: &Holder) -> Result<Self, Failure> {
        let Holder { data, passphrase_file, module, token, pin_file, key } = holder;
        match (data, passphrase_file, module, token, pin_file, key) {
            (Some(data), Some(passphrase), ..) => {
                let key = OfflineKey::open(data, &read_secret(passphrase)?)?;
                Ok(Self::File(Box::new(key)))
            }
            (_, _, Some(module), Some(label), Some(pin_file), Some(key)) => {
                let token = attach(module, label, pin_file)?;
                Ok(Self::Token(Box::new(TokenCosigner::open(token, *key)?)))
            }
            _ => Err("name a file key (--data, --passphrase-file) or one in a token (--module, \
                      --token, --pin-file, --key)"
                .into()),
        }
    }

    pub(super) fn place(&self, descriptor: &Descriptor) -> Result<usize, OfflineError> {
        match self {
            Self::File(key) => key.place(descriptor),
            Self::Token(key) => key.place(descriptor),
        }
    }

    pub(super) fn sign(&self, unsigned: &UnsignedTx) -> Result<Partial, OfflineError> {
        match self {
            Self::File(key) => key.sign(unsigned),
            Self::Token(key) => key.sign(unsigned),
        }
    }

    pub(super) fn prove(
        &self,
        proving: &Proving,
        digest: [u8; 32],
    ) -> Result<[u8; 64], OfflineError> {
        match self {
            Self::File(key) => key.prove(&proving.descriptor, proving.epoch, digest),
            Self::Token(key) => key.prove(&proving.descriptor, digest),
        }
    }
}

pub(super) fn attach(module: &Path, label: &str, pin_file: &Path) -> Result<Token, Failure> {
    Ok(Token::open(TokenSettings {
        module: module.to_owned(),
        label: label.to_owned(),
        serial: None,
        pin_file: pin_file.to_owned(),
        sessions: NonZeroUsize::MIN,
    })?)
}
