//! A person's approval key: Ed25519, sealed under that person's own passphrase. Never leaves its
//! directory, and never signs anything that its holder was not shown.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use ed25519_dalek::{Signer as _, SigningKey};
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use strongroom_domain::Bytes;
use strongroom_secrets::{DurableFileError, Existing, SealError, Sealer, Secret, write_durably};

const KEY: &str = "approval-key.sealed";
const CONTEXT: &str = "strongroom/approval-key/v1";
const PUBLIC: &str = "public.json";

/// An opened approval key; wiped when it is dropped.
pub struct ApprovalKey(SigningKey);

/// What anybody may know of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKey {
    /// Ed25519 public key (RFC 8032), hex: goes into the charter.
    pub public_key: Bytes,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalKeyError {
    /// The file system.
    #[error("cannot use the key directory {}: {source}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The passphrase, or the sealed file.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The public file.
    #[error(transparent)]
    Write(#[from] DurableFileError),
    /// A file that is not what it should be.
    #[error("{} is no approval key: make one with `strongroom key new`", path.display())]
    Malformed {
        /// The directory.
        path: PathBuf,
    },
}

impl ApprovalKey {
    /// Makes a key in a new directory (mode 0700): the sealed key, its salt, and `public.json`.
    pub fn create(directory: &Path, passphrase: &Secret) -> Result<PublicKey, ApprovalKeyError> {
        let io = |source| ApprovalKeyError::Io { path: directory.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(io)?;
        let sealer = Sealer::create(directory, passphrase)?;
        let key = SigningKey::generate(&mut OsRng);
        let seed = Secret::new(key.to_bytes().to_vec());
        sealer.seal_file(&directory.join(KEY), CONTEXT, seed.expose(), Existing::Keep)?;
        let public = PublicKey { public_key: Bytes(key.verifying_key().to_bytes().to_vec()) };
        let json = serde_json::to_vec(&public)
            .map_err(|_| ApprovalKeyError::Malformed { path: directory.to_owned() })?;
        write_durably(&directory.join(PUBLIC), &json, Existing::Keep)?;
        Ok(public)
    }

    /// Opens the key. Slow on purpose: it derives the sealing key.
    pub fn open(directory: &Path, passphrase: &Secret) -> Result<Self, ApprovalKeyError> {
        let sealer = Sealer::open(directory, passphrase)?;
        let secret = sealer.open_file(&directory.join(KEY), CONTEXT)?;
        let seed = secret.expose().try_into();
        let seed: &[u8; 32] =
            seed.map_err(|_| ApprovalKeyError::Malformed { path: directory.to_owned() })?;
        Ok(Self(SigningKey::from_bytes(seed)))
    }

    /// The public part, without the passphrase.
    pub fn public(directory: &Path) -> Result<PublicKey, ApprovalKeyError> {
        let io = |source| ApprovalKeyError::Io { path: directory.to_owned(), source };
        let bytes = fs::read(directory.join(PUBLIC)).map_err(io)?;
        serde_json::from_slice(&bytes)
            .map_err(|_| ApprovalKeyError::Malformed { path: directory.to_owned() })
    }

    /// Its public key.
    pub fn public_key(&self) -> Bytes {
        Bytes(self.0.verifying_key().to_bytes().to_vec())
    }

    /// Signs a statement, whole, as it was shown.
    pub fn sign(&self, statement: &str) -> Bytes {
        Bytes(self.0.sign(statement.as_bytes()).to_bytes().to_vec())
    }
}
