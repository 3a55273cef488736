//! The public half of a key that signs notes, and its vkey text (C2SP signed-note). Never takes a
//! signature for true that an algorithm accepts only loosely: Ed25519 is checked strictly.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ml_dsa::{EncodedVerifyingKey, MlDsa44};
use sha2::{Digest, Sha256};

use crate::checkpoint::Checkpoint;
use crate::cosignature::{self, cosignature_v1, cosigned_message};
use crate::key_name::{KeyName, KeyNameError};
use crate::note::{KeyId, Note, NoteSignature};

/// What a key signs, and how: the type byte of C2SP signed-note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyAlgorithm {
    /// 0x01: Ed25519 over the text of a note.
    Ed25519,
    /// 0x04: Ed25519 cosignature of a checkpoint, with a time (C2SP tlog-cosignature).
    Ed25519Cosignature,
    /// 0x06: ML-DSA-44 cosignature of a checkpoint, with a time (C2SP tlog-cosignature).
    MlDsa44Cosignature,
}

/// A key that verifies signatures of notes.
#[derive(Clone)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    algorithm: KeyAlgorithm,
    bytes: Arc<[u8]>,
    public: Public,
}

#[derive(Clone)]
enum Public {
    Ed25519(ed25519_dalek::VerifyingKey),
    MlDsa44(Arc<ml_dsa::VerifyingKey<MlDsa44>>),
}

/// Why a text or bytes are not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name.
    #[error(transparent)]
    Name(#[from] KeyNameError),
    /// Not the text of a key.
    #[error("a key is written <name>+<8 hexadecimal digits>+<base64 of type and key>")]
    Shape,
    /// The id is that of another name or key.
    #[error("the key {name} has the id {expected}, not {found}")]
    Id {
        /// Its name.
        name: KeyName,
        /// The id that follows from name, type and key.
        expected: KeyId,
        /// The id that the text gives.
        found: String,
    },
    /// A type of key that we do not know.
    #[error("keys of type {found:#04x} are not known: only 0x01, 0x04 and 0x06 are")]
    Algorithm {
        /// The type.
        found: u8,
    },
    /// Another number of bytes than such a key has.
    #[error("a key of type {:#04x} has {} bytes, this has {found}", .algorithm.byte(), .algorithm.key_bytes())]
    Length {
        /// What key it was to be.
        algorithm: KeyAlgorithm,
        /// How many bytes it has.
        found: usize,
    },
    /// Bytes that are no point of the curve, or one under which anybody can sign.
    #[error("these 32 bytes are no Ed25519 key, or a weak one")]
    Weak,
}

/// A signature line that names a known key, and that the key did not make. The whole note is to be
/// refused (C2SP signed-note, "Signatures").
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signature of {name} ({id}) is not by that key: the note was altered or made up")]
pub struct WrongSignature {
    /// The name of the key.
    pub name: KeyName,
    /// Its id.
    pub id: KeyId,
}

impl KeyAlgorithm {
    /// The type byte.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Ed25519Cosignature => 0x04,
            Self::MlDsa44Cosignature => 0x06,
        }
    }

    /// How many bytes a public key has.
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Ed25519 | Self::Ed25519Cosignature => 32,
            Self::MlDsa44Cosignature => 1312,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Ed25519),
            0x04 => Some(Self::Ed25519Cosignature),
            0x06 => Some(Self::MlDsa44Cosignature),
            _ => None,
        }
    }
}

impl VerifierKey {
    /// The key `name` with the public key `bytes` (32 for Ed25519, 1312 for ML-DSA-44).
    pub fn new(name: KeyName, algorithm: KeyAlgorithm, bytes: &[u8]) -> Result<Self, KeyError> {
        let length = KeyError::Length { algorithm, found: bytes.len() };
        let public = match algorithm {
            KeyAlgorithm::Ed25519 | KeyAlgorithm::Ed25519Cosignature => {
                let bytes = bytes.try_into().map_err(|_| length)?;
                let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).ok();
                Public::Ed25519(key.filter(|key| !key.is_weak()).ok_or(KeyError::Weak)?)
            }
            KeyAlgorithm::MlDsa44Cosignature => {
                let bytes = EncodedVerifyingKey::<MlDsa44>::try_from(bytes).map_err(|_| length)?;
                Public::MlDsa44(Arc::new(ml_dsa::VerifyingKey::decode(&bytes)))
            }
        };
        let digest: [u8; 32] = Sha256::new_with_prefix(name.as_str())
            .chain_update([b'\n', algorithm.byte()])
            .chain_update(bytes)
            .finalize()
            .into();
        let [a, b, c, d, ..] = digest;
        Ok(Self { name, id: KeyId([a, b, c, d]), algorithm, bytes: bytes.into(), public })
    }

    /// The name that its signature lines have.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id that its signature lines have.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// What it signs, and how.
    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The public key itself.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether a signature line says that it is by this key.
    pub fn is_named_by(&self, signature: &NoteSignature) -> bool {
        signature.id() == self.id && signature.name() == self.name.as_str()
    }

    /// Checks one signature of a text; gives the time that it states (POSIX seconds), 0 for a type
    /// that states none. Cosignatures are of checkpoints: of another text there is none.
    pub fn verify(&self, text: &str, signature: &NoteSignature) -> Result<u64, WrongSignature> {
        let wrong = || WrongSignature { name: self.name.clone(), id: self.id };
        if !self.is_named_by(signature) {
            return Err(wrong());
        }
        self.check(text, signature.bytes()).ok_or_else(wrong)
    }

    /// Checks the signatures of a note that name this key: the newest time that they state, or
    /// `None` when there is no such signature.
    pub fn signed(&self, note: &Note) -> Result<Option<u64>, WrongSignature> {
        let mut newest = None;
        for signature in note.signatures().iter().filter(|line| self.is_named_by(line)) {
            newest = newest.max(Some(self.verify(note.text(), signature)?));
        }
        Ok(newest)
    }

    fn check(&self, text: &str, signature: &[u8]) -> Option<u64> {
        match (self.algorithm, &self.public) {
            (KeyAlgorithm::Ed25519, Public::Ed25519(key)) => {
                strictly(key, text.as_bytes(), signature)?;
                Some(0)
            }
            (KeyAlgorithm::Ed25519Cosignature, Public::Ed25519(key)) => {
                let _: Checkpoint = text.parse().ok()?;
                let (time, signature) = cosignature::split(signature)?;
                strictly(key, &cosignature_v1(time, text), signature)?;
                Some(time)
            }
            (KeyAlgorithm::MlDsa44Cosignature, Public::MlDsa44(key)) => {
                let checkpoint: Checkpoint = text.parse().ok()?;
                let (time, signature) = cosignature::split(signature)?;
                let message =
                    cosigned_message(&self.name, time, checkpoint.origin(), checkpoint.head())?;
                without_context(key, &message, signature)?;
                Some(time)
            }
            (_, Public::Ed25519(_) | Public::MlDsa44(_)) => None,
        }
    }
}

fn strictly(key: &ed25519_dalek::VerifyingKey, message: &[u8], signature: &[u8]) -> Option<()> {
    let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
    key.verify_strict(message, &signature).ok()
}

/// ML-DSA-44 with an empty context (FIPS 204 section 5.3), as C2SP tlog-cosignature has it.
fn without_context(
    key: &ml_dsa::VerifyingKey<MlDsa44>,
    message: &[u8],
    signature: &[u8],
) -> Option<()> {
    let signature = ml_dsa::Signature::try_from(signature).ok()?;
    key.verify_with_context(message, &[], &signature).then_some(())
}

impl PartialEq for VerifierKey {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.algorithm, &self.bytes) == (&other.name, other.algorithm, &other.bytes)
    }
}

impl Eq for VerifierKey {}

/// The vkey: `<name>+<id>+<base64 of type and key>`.
impl fmt::Display for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.algorithm.byte()], &*self.bytes].concat();
        write!(out, "{}+{}+{}", self.name, self.id, STANDARD.encode(key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "VerifierKey({}+{})", self.name, self.id)
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    /// Reads exactly what is printed.
    fn from_str(vkey: &str) -> Result<Self, KeyError> {
        let mut parts = vkey.splitn(3, '+');
        let mut next = || parts.next().ok_or(KeyError::Shape);
        let (name, id, key) = (next()?, next()?, next()?);
        let key = STANDARD.decode(key).map_err(|_| KeyError::Shape)?;
        let (&byte, bytes) = key.split_first().ok_or(KeyError::Shape)?;
        let algorithm = KeyAlgorithm::from_byte(byte).ok_or(KeyError::Algorithm { found: byte })?;
        let key = Self::new(KeyName::new(name)?, algorithm, bytes)?;
        if key.id.to_string() != id {
            return Err(KeyError::Id { name: key.name, expected: key.id, found: id.to_owned() });
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests;
