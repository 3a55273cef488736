//! Sealed files: secrets at rest, encrypted under a data key that a key-encryption key wraps, and
//! bound to what they are for. Never opens a file whose bytes, key or context differ from those of its
//! sealing.
//!
//! New files are of version 2 (`envelope.rs`). Version 1 is still opened: `strongroom-seal1`
//! (16 bytes: name and version) ‖ salt (16) ‖ nonce (24) ‖ ciphertext with tag. Its key is Argon2id
//! (RFC 9106 section 4, second recommended option: m = 64 MiB, t = 3, p = 4, 128-bit salt, 256-bit
//! tag) of the passphrase; the cipher is XChaCha20-Poly1305 with a random nonce; the associated data is
//! the name, the salt, the context's length as u64 big-endian, and the context. No parameter of a
//! derivation is read from a file, so no file can ask for a weaker one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use chacha20poly1305::{
    XNonce,
    aead::{Aead, Payload},
};
use rand::{RngCore, rngs::OsRng};
use thiserror::Error;

use crate::{
    DurableFileError, Existing, KeySource, Secret,
    envelope::Envelope,
    kek::{DATA_KEY, Kek, KeyPlace, about, cipher},
    write_durably,
};

const NAME_1: &[u8; 16] = b"strongroom-seal1";

/// The file that fixes a directory's salt and tells a wrong passphrase at once.
pub(crate) const MARK: &str = "seal";
pub(crate) const MARK_CONTEXT: &str = "strongroom/seal-mark";

/// What stands in an error where there is no file.
const RECORD: &str = "a sealed record";

pub(crate) type Salt = [u8; 16];

/// Why something could not be sealed or opened. Never holds secret bytes.
#[derive(Debug, Error)]
pub enum SealError {
    /// Not what [`Sealer`] writes, or a version that this program does not know.
    #[error("{} is not a sealed file of version 1 or 2", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// Wrong key, changed bytes, or sealed for another purpose.
    #[error("{} does not open as \"{context}\": {because}, or its bytes were changed", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What it was to be opened as.
        context: String,
        /// What is most likely wrong.
        because: String,
    },
    /// None of its keys is the one that this program was given.
    #[error(
        "{} is sealed under {found}, not under {wanted}: \
         correct [sealing] in signer.toml, or move the files by `strongroom-signer reseal`",
        path.display()
    )]
    OtherKey {
        /// The file.
        path: PathBuf,
        /// Where the keys are that it was sealed under.
        found: String,
        /// What was to open it.
        wanted: String,
    },
    /// The key-encryption key can't be used now; the file is as good as ever.
    #[error("{} can't be opened now: {because}", path.display())]
    Unavailable {
        /// The file.
        path: PathBuf,
        /// What its place said.
        because: String,
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

impl SealError {
    /// Whether the same call may succeed later, without anybody doing anything here.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// Seals and opens the files of one data directory. Holds a derived key, never a passphrase: the
/// slow derivation runs once per process. A key that somebody else holds is asked for each file.
pub struct Sealer {
    salt: Salt,
    /// The first opens; all of them seal (a second one only while files move to it).
    keys: Vec<Kek>,
}

impl Sealer {
    /// Starts a directory under a passphrase: draws its salt and writes its mark. Refused when there
    /// is a mark already.
    pub fn create(directory: &Path, passphrase: &Secret) -> Result<Self, SealError> {
        Self::create_under(directory, &KeySource::passphrase(passphrase))
    }

    /// Opens a directory that [`Sealer::create`] started; refuses a wrong passphrase here.
    pub fn open(directory: &Path, passphrase: &Secret) -> Result<Self, SealError> {
        Self::open_under(directory, &KeySource::passphrase(passphrase))
    }

    /// As [`Sealer::create`], under any key.
    pub fn create_under(directory: &Path, source: &KeySource) -> Result<Self, SealError> {
        let mut salt = Salt::default();
        OsRng.fill_bytes(&mut salt);
        let sealer = Self { salt, keys: vec![source.key(&salt)?] };
        sealer.seal_file(&directory.join(MARK), MARK_CONTEXT, b"", Existing::Keep)?;
        Ok(sealer)
    }

    /// As [`Sealer::open`], under any key. [`SealError::Unavailable`] says: try again later.
    pub fn open_under(directory: &Path, source: &KeySource) -> Result<Self, SealError> {
        let path = directory.join(MARK);
        let bytes = read(&path)?;
        let salt = salt_of(&path, &bytes)?;
        let sealer = Self { salt, keys: vec![source.key(&salt)?] };
        sealer.open_bytes(&path, &bytes, MARK_CONTEXT)?;
        Ok(sealer)
    }

    pub(crate) fn with(salt: Salt, keys: Vec<Kek>) -> Self {
        Self { salt, keys }
    }

    /// Seals `secret` for `context` and writes it durably.
    ///
    /// The context says what the file is for, e.g. `signer:<id>/key:<id>/epoch:1`: a file that was
    /// swapped with another of the same directory does not open. It stands in the file in clear.
    pub fn seal_file(
        &self,
        path: &Path,
        context: &str,
        secret: &[u8],
        existing: Existing,
    ) -> Result<(), SealError> {
        Ok(write_durably(path, &self.sealed(path, context, secret)?, existing)?)
    }

    /// Seals `secret` for `context` as bytes of the same form, for a record of a database.
    pub fn seal(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        self.sealed(Path::new(RECORD), context, secret)
    }

    /// Opens what [`Sealer::seal`] made for the same context.
    pub fn open_sealed(&self, context: &str, sealed: &[u8]) -> Result<Secret, SealError> {
        self.open_bytes(Path::new(RECORD), sealed, context)
    }

    /// Opens what [`Sealer::seal_file`] wrote for the same context.
    pub fn open_file(&self, path: &Path, context: &str) -> Result<Secret, SealError> {
        self.open_bytes(path, &read(path)?, context)
    }

    fn sealed(&self, path: &Path, context: &str, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let impossible = || SealError::Encryption(secret.len());
        let purpose = Envelope::purpose(&self.salt, context).ok_or_else(impossible)?;
        let mut data_key = Secret::zeroed(DATA_KEY);
        OsRng.fill_bytes(data_key.expose_mut());
        let mut slots = Vec::with_capacity(self.keys.len());
        for kek in &self.keys {
            let key = kek.key();
            let wrapped =
                key.wrap(&purpose, &data_key).map_err(|error| about(path, context, error))?;
            slots.push((key.place(), key.id(), wrapped));
        }
        let head = Envelope::head(purpose, &slots).ok_or_else(impossible)?;
        let mut nonce = [0; 24];
        OsRng.fill_bytes(&mut nonce);
        let ciphertext = cipher(&data_key)
            .and_then(|cipher| {
                let payload = Payload { msg: secret, aad: &head };
                cipher.encrypt(XNonce::from_slice(&nonce), payload).ok()
            })
            .ok_or_else(impossible)?;
        Ok([head.as_slice(), &nonce, &ciphertext].concat())
    }

    pub(crate) fn open_bytes(
        &self,
        path: &Path,
        bytes: &[u8],
        context: &str,
    ) -> Result<Secret, SealError> {
        if bytes.starts_with(NAME_1) {
            return self.open_1(path, bytes, context);
        }
        let sealed =
            Envelope::parse(bytes).ok_or_else(|| SealError::Malformed { path: path.to_owned() })?;
        if sealed.salt != self.salt {
            return Err(SealError::Foreign { path: path.to_owned() });
        }
        if sealed.context != context {
            // Shown as it is in the file: not secret, and not yet known to be true.
            let found: String = sealed.context.escape_debug().collect();
            return Err(refused(path, context, &format!("it was sealed as \"{found}\"")));
        }
        let data_key = self.data_key(path, &sealed)?;
        let payload = Payload { msg: sealed.ciphertext, aad: sealed.head };
        cipher(&data_key)
            .and_then(|cipher| cipher.decrypt(XNonce::from_slice(&sealed.nonce), payload).ok())
            .map(Secret::new)
            .ok_or_else(|| refused(path, context, "its data key is of another file"))
    }

    fn data_key(&self, path: &Path, sealed: &Envelope<'_>) -> Result<Secret, SealError> {
        let mut told = None;
        for kek in &self.keys {
            let key = kek.key();
            let mine = |place, id| (place, id) == (key.place(), key.id());
            for slot in sealed.slots.iter().filter(|slot| mine(slot.place, slot.id)) {
                match key.unwrap_key(sealed.purpose, slot.wrapped) {
                    Ok(data_key) => return Ok(data_key),
                    Err(error) => told = Some(about(path, sealed.context, error)),
                }
            }
        }
        let places = || {
            let names: Vec<_> = sealed.slots.iter().map(|slot| slot.place.name()).collect();
            names.join(" and ")
        };
        Err(told.unwrap_or_else(|| self.other_key(path, places())))
    }

    fn open_1(&self, path: &Path, bytes: &[u8], context: &str) -> Result<Secret, SealError> {
        let (salt, nonce, ciphertext) = parse_1(path, bytes)?;
        if salt != self.salt {
            return Err(SealError::Foreign { path: path.to_owned() });
        }
        let mut keys = self.keys.iter().filter_map(Kek::direct).peekable();
        if keys.peek().is_none() {
            return Err(self.other_key(path, KeyPlace::Passphrase.name().to_owned()));
        }
        let length = u64::try_from(context.len()).unwrap_or(u64::MAX).to_be_bytes();
        let aad = [NAME_1.as_slice(), &salt, &length, context.as_bytes()].concat();
        keys.filter_map(cipher)
            .find_map(|cipher| {
                let payload = Payload { msg: ciphertext, aad: &aad };
                cipher.decrypt(XNonce::from_slice(&nonce), payload).ok()
            })
            .map(Secret::new)
            .ok_or_else(|| {
                refused(path, context, "the passphrase is wrong, or it is of something else")
            })
    }

    fn other_key(&self, path: &Path, found: String) -> SealError {
        let wanted: Vec<_> = self.keys.iter().map(|kek| kek.key().describe()).collect();
        SealError::OtherKey { path: path.to_owned(), found, wanted: wanted.join(" or ") }
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, SealError> {
    fs::read(path).map_err(|source| SealError::Io { path: path.to_owned(), source })
}

/// The salt of a sealed file, of either version.
pub(crate) fn salt_of(path: &Path, bytes: &[u8]) -> Result<Salt, SealError> {
    match Envelope::parse(bytes) {
        Some(sealed) => Ok(sealed.salt),
        None => Ok(parse_1(path, bytes)?.0),
    }
}

pub(crate) fn is_version_1(bytes: &[u8]) -> bool {
    bytes.starts_with(NAME_1)
}

fn refused(path: &Path, context: &str, because: &str) -> SealError {
    SealError::Refused {
        path: path.to_owned(),
        context: context.to_owned(),
        because: because.to_owned(),
    }
}

fn parse_1<'a>(path: &Path, bytes: &'a [u8]) -> Result<(Salt, [u8; 24], &'a [u8]), SealError> {
    let parts = || {
        let rest = bytes.strip_prefix(NAME_1)?;
        let (salt, rest) = rest.split_first_chunk::<16>()?;
        let (nonce, ciphertext) = rest.split_first_chunk::<24>()?;
        (ciphertext.len() >= 16).then_some((*salt, *nonce, ciphertext))
    };
    parts().ok_or_else(|| SealError::Malformed { path: path.to_owned() })
}
