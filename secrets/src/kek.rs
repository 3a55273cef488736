//! Key-encryption keys: what a sealed file's data key is wrapped under. Never sees what is sealed,
//! and never falls back to another key when the right one is away.

use std::{path::Path, sync::Arc};

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use rand::{RngCore, rngs::OsRng};
use thiserror::Error;

use crate::{SealError, Secret, sealed::Salt};

/// RFC 9106 section 4, second recommended option: 64 MiB.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// Bytes of a data key.
pub const DATA_KEY: usize = 32;

/// Where a key-encryption key lives. Its number is stored: none is ever given another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPlace {
    /// Derived from a passphrase.
    Passphrase,
    /// An AES-256 key in a PKCS#11 token.
    Token,
    /// A key of Vault's (or OpenBao's) transit engine.
    Vault,
}

impl KeyPlace {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Passphrase => 1,
            Self::Token => 2,
            Self::Vault => 3,
        }
    }

    pub(crate) const fn of(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Passphrase),
            2 => Some(Self::Token),
            3 => Some(Self::Vault),
            _ => None,
        }
    }

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passphrase => "a passphrase",
            Self::Token => "a PKCS#11 token's key",
            Self::Vault => "a Vault key",
        }
    }
}

/// Why a data key was not wrapped or unwrapped.
#[derive(Debug, Error)]
pub enum WrapError {
    /// The key's place does not answer, or not now. The same call may succeed later.
    #[error("{0}")]
    Unavailable(String),
    /// Another key wrapped it, or its bytes were changed.
    #[error("{0}")]
    Refused(String),
}

/// Wraps and unwraps data keys. One call may take as long as a network answer.
pub trait KeyEncryption: Send + Sync {
    /// Where the key is.
    fn place(&self) -> KeyPlace;
    /// Which of the keys of that place: stored in clear beside what it wrapped.
    fn id(&self) -> [u8; 8];
    /// For people: which key, and where. No secret.
    fn describe(&self) -> String;
    /// Wraps a data key of [`DATA_KEY`] bytes, bound to `purpose` where the place can do that.
    fn wrap(&self, purpose: &[u8], key: &Secret) -> Result<Vec<u8>, WrapError>;
    /// Unwraps what [`KeyEncryption::wrap`] gave for the same purpose.
    fn unwrap_key(&self, purpose: &[u8], wrapped: &[u8]) -> Result<Secret, WrapError>;
}

/// What seals a data directory: exactly one of these.
#[derive(Clone)]
pub enum KeySource {
    /// A passphrase; the key is derived with the directory's salt.
    Passphrase(Arc<Secret>),
    /// A key that somebody else holds.
    Held(Arc<dyn KeyEncryption>),
}

impl KeySource {
    /// A passphrase that the caller keeps, too.
    pub fn passphrase(passphrase: &Secret) -> Self {
        Self::Passphrase(Arc::new(Secret::new(passphrase.expose().to_vec())))
    }

    /// The key itself. Slow for a passphrase (Argon2id, 64 MiB).
    pub(crate) fn key(&self, salt: &Salt) -> Result<Kek, SealError> {
        match self {
            Self::Passphrase(passphrase) => {
                Ok(Kek::Passphrase(Arc::new(PassphraseKey::derive(passphrase, salt)?)))
            }
            Self::Held(key) => Ok(Kek::Held(Arc::clone(key))),
        }
    }

    /// For people.
    pub fn describe(&self) -> String {
        match self {
            Self::Passphrase(_) => KeyPlace::Passphrase.name().to_owned(),
            Self::Held(key) => key.describe(),
        }
    }
}

/// A key-encryption key, ready.
#[derive(Clone)]
pub(crate) enum Kek {
    Passphrase(Arc<PassphraseKey>),
    Held(Arc<dyn KeyEncryption>),
}

impl Kek {
    pub(crate) fn key(&self) -> &dyn KeyEncryption {
        match self {
            Self::Passphrase(key) => key.as_ref(),
            Self::Held(key) => key.as_ref(),
        }
    }

    /// What files of version 1 were sealed with.
    pub(crate) fn direct(&self) -> Option<&Secret> {
        match self {
            Self::Passphrase(key) => Some(&key.0),
            Self::Held(_) => None,
        }
    }
}

/// The key derived from a passphrase.
pub(crate) struct PassphraseKey(Secret);

impl PassphraseKey {
    fn derive(passphrase: &Secret, salt: &Salt) -> Result<Self, SealError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(DATA_KEY))
            .map_err(SealError::Derivation)?;
        let mut key = Secret::zeroed(DATA_KEY);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose(), salt, key.expose_mut())
            .map_err(SealError::Derivation)?;
        Ok(Self(key))
    }
}

impl KeyEncryption for PassphraseKey {
    fn place(&self) -> KeyPlace {
        KeyPlace::Passphrase
    }

    fn id(&self) -> [u8; 8] {
        // One passphrase has no name; a fingerprint of the key would only help a guesser.
        [0; 8]
    }

    fn describe(&self) -> String {
        KeyPlace::Passphrase.name().to_owned()
    }

    /// Nonce (24) ‖ ciphertext with tag.
    fn wrap(&self, purpose: &[u8], key: &Secret) -> Result<Vec<u8>, WrapError> {
        let mut nonce = [0; 24];
        OsRng.fill_bytes(&mut nonce);
        let wrapped = cipher(&self.0)
            .and_then(|cipher| {
                let payload = Payload { msg: key.expose(), aad: purpose };
                cipher.encrypt(XNonce::from_slice(&nonce), payload).ok()
            })
            .ok_or_else(|| WrapError::Refused("the cipher refused a data key".to_owned()))?;
        Ok([nonce.as_slice(), &wrapped].concat())
    }

    fn unwrap_key(&self, purpose: &[u8], wrapped: &[u8]) -> Result<Secret, WrapError> {
        let opened = wrapped.split_first_chunk::<24>().and_then(|(nonce, sealed)| {
            let payload = Payload { msg: sealed, aad: purpose };
            cipher(&self.0)?.decrypt(XNonce::from_slice(nonce), payload).ok()
        });
        opened
            .map(Secret::new)
            .ok_or_else(|| WrapError::Refused("the passphrase is wrong".to_owned()))
    }
}

/// The cipher of bodies, and of a passphrase's wraps; `None` for a key of another length.
pub(crate) fn cipher(key: &Secret) -> Option<XChaCha20Poly1305> {
    XChaCha20Poly1305::new_from_slice(key.expose()).ok()
}

/// What a key said, about a file.
pub(crate) fn about(path: &Path, context: &str, error: WrapError) -> SealError {
    let path = path.to_owned();
    match error {
        WrapError::Unavailable(because) => SealError::Unavailable { path, because },
        WrapError::Refused(because) => {
            SealError::Refused { path, context: context.to_owned(), because }
        }
    }
}
