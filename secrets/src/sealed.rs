//! Sealed files: secrets at rest, encrypted under a passphrase and bound to what they are for.
//! Never opens a file whose bytes, passphrase or context differ from those of its sealing.
//!
//! A file is `strongroom-seal1` (16 bytes: name and version) ‖ salt (16) ‖ nonce (24) ‖ ciphertext
//! with tag. Version 1 fixes everything else: the key is Argon2id (RFC 9106 section 4, second
//! recommended option: m = 64 MiB, t = 3, p = 4, 128-bit salt, 256-bit tag) of the passphrase; the
//! cipher is XChaCha20-Poly1305 with a random nonce; the associated data is the name, the salt, the
//! context's length as u64 big-endian, and the context. No parameter is read from the file, so no
//! file can ask for a weaker one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use rand::{RngCore, rngs::OsRng};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{DurableFileError, Existing, Secret, write_durably};

const NAME: &[u8; 16] = b"strongroom-seal1";
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// The file that fixes a directory's salt and tells a wrong passphrase at once.
const MARK: &str = "seal";
const MARK_CONTEXT: &str = "strongroom/seal-mark";

/// What stands in an error where there is no file.
const RECORD: &str = "a sealed record";

type Salt = [u8; 16];

/// Why something could not be sealed or opened. Never holds secret bytes.
#[derive(Debug, Error)]
pub enum SealError {
    /// Not what [`Sealer`] writes, or a version that this program does not know.
    #[error("{} is not a sealed file of version 1", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// Wrong passphrase, changed bytes, or sealed for another purpose: the cipher cannot tell which.
    #[error(
        "{} does not open: the passphrase is wrong, its bytes were changed, \
         or it was sealed for something else than \"{context}\"",
        path.display()
    )]
    Refused {
        /// The file.
        path: PathBuf,
        /// What it was to be opened as.
        context: String,
    },
    /// It carries another salt than its directory's mark.
    #[error("{} was sealed in another data directory; restore the whole directory", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] DurableFileError),
    /// The key derivation failed (it needs 64 MiB of memory).
    #[error("cannot derive the sealing key: {0}")]
    Derivation(argon2::Error),
    /// The cipher refused to encrypt; only possible for impossible sizes.
    #[error("cannot encrypt {0} bytes")]
    Encryption(usize),
}

/// Seals and opens the files of one data directory. Holds the derived key, not the passphrase: the
/// slow derivation runs once per process.
pub struct Sealer {
    key: Zeroizing<[u8; 32]>,
    salt: Salt,
}

impl Sealer {
    /// Starts a directory: draws its salt and writes its mark. Refused when there is a mark already.
    pub fn create(directory: &Path, passphrase: &Secret) -> Result<Self, SealError> {
        let mut salt = Salt::default();
        OsRng.fill_bytes(&mut salt);
        let sealer = Self { key: derive(passphrase, &salt)?, salt };
        sealer.seal_file(&directory.join(MARK), MARK_CONTEXT, b"", Existing::Keep)?;
        Ok(sealer)
    }

    /// Opens a directory that [`Sealer::create`] started; refuses a wrong passphrase here.
    pub fn open(directory: &Path, passphrase: &Secret) -> Result<Self, SealError> {
        let path = directory.join(MARK);
        let bytes = read(&path)?;
        let salt = parse(&path, &bytes)?.0;
        let sealer = Self { key: derive(passphrase, &salt)?, salt };
        sealer.open_bytes(&path, &bytes, MARK_CONTEXT)?;
        Ok(sealer)
    }

    /// Seals `secret` for `context` and writes it durably.
    ///
    /// The context says what the file is for, e.g. `signer:<id>/key:<id>/epoch:1`: a file that was
    /// swapped with another of the same directory does not open.
    pub fn seal_file(
        &self,
        path: &Path,
        context: &str,
        secret: &[u8],
        existing: Existing,
    ) -> Result<(), SealError> {
        Ok(write_durably(path, &self.seal(context, secret)?, existing)?)
    }

    /// Seals `secret` for `context` as bytes of the same form, for a record of a database.
    pub fn seal(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; 24];
        OsRng.fill_bytes(&mut nonce);
        let aad = associated_data(&self.salt, context);
        let ciphertext = XChaCha20Poly1305::new(self.key.as_ref().into())
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: secret, aad: &aad })
            .map_err(|_opaque| SealError::Encryption(secret.len()))?;
        Ok([NAME.as_slice(), &self.salt, &nonce, &ciphertext].concat())
    }

    /// Opens what [`Sealer::seal`] made for the same context.
    pub fn open_sealed(&self, context: &str, sealed: &[u8]) -> Result<Secret, SealError> {
        self.open_bytes(Path::new(RECORD), sealed, context)
    }

    /// Opens what [`Sealer::seal_file`] wrote for the same context.
    pub fn open_file(&self, path: &Path, context: &str) -> Result<Secret, SealError> {
        self.open_bytes(path, &read(path)?, context)
    }

    fn open_bytes(&self, path: &Path, bytes: &[u8], context: &str) -> Result<Secret, SealError> {
        let (salt, nonce, ciphertext) = parse(path, bytes)?;
        if salt != self.salt {
            return Err(SealError::Foreign { path: path.to_owned() });
        }
        let aad = associated_data(&salt, context);
        XChaCha20Poly1305::new(self.key.as_ref().into())
            .decrypt(XNonce::from_slice(&nonce), Payload { msg: ciphertext, aad: &aad })
            .map(Secret::new)
            .map_err(|_opaque| SealError::Refused {
                path: path.to_owned(),
                context: context.to_owned(),
            })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, SealError> {
    fs::read(path).map_err(|source| SealError::Io { path: path.to_owned(), source })
}

fn derive(passphrase: &Secret, salt: &Salt) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(32)).map_err(SealError::Derivation)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose(), salt, key.as_mut())
        .map_err(SealError::Derivation)?;
    Ok(key)
}

fn parse<'a>(path: &Path, bytes: &'a [u8]) -> Result<(Salt, [u8; 24], &'a [u8]), SealError> {
    let parts = || {
        let rest = bytes.strip_prefix(NAME)?;
        let (salt, rest) = rest.split_first_chunk::<16>()?;
        let (nonce, ciphertext) = rest.split_first_chunk::<24>()?;
        (ciphertext.len() >= 16).then_some((*salt, *nonce, ciphertext))
    };
    parts().ok_or_else(|| SealError::Malformed { path: path.to_owned() })
}

fn associated_data(salt: &Salt, context: &str) -> Vec<u8> {
    let length = u64::try_from(context.len()).unwrap_or(u64::MAX).to_be_bytes();
    [NAME.as_slice(), salt, &length, context.as_bytes()].concat()
}
