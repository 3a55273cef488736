//! The log's own two keys, Ed25519 and ML-DSA-44. Never content with one of them: a checkpoint of
//! ours carries both signatures, and is verified under both.

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::key_name::KeyName;
use crate::note::Note;
use crate::signing::{SEED_BYTES, SignError, SigningKey};
use crate::timestamp::Timestamp;
use crate::tree::TreeHead;
use crate::verifier_key::{KeyAlgorithm, KeyError, VerifierKey, WrongSignature};

/// The private halves. No `Debug`, no serialisation; wiped when dropped.
pub struct LogKeys {
    ed25519: SigningKey,
    ml_dsa_44: SigningKey,
}

/// The public halves, and the origin that they sign for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogVerifier {
    ed25519: VerifierKey,
    ml_dsa_44: VerifierKey,
}

/// A checkpoint that both keys of its log signed. Only [`LogVerifier::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
    signed_at: u64,
}

/// Why a note is no checkpoint of a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogSignatureError {
    /// The text is not that of a checkpoint.
    #[error("the note is no checkpoint: {0}")]
    Malformed(#[from] CheckpointError),
    /// It is of another log.
    #[error("the checkpoint is of {found}, not of {expected}")]
    Origin {
        /// The log that was meant.
        expected: KeyName,
        /// The log that it names.
        found: String,
    },
    /// It has lines that the ML-DSA-44 signature does not cover.
    #[error(
        "the checkpoint has extension lines, which the log's ML-DSA-44 signature does not cover"
    )]
    Extensions,
    /// A signature is not by the key that it names.
    #[error(transparent)]
    Wrong(#[from] WrongSignature),
    /// One of the two signatures is not there.
    #[error("the checkpoint lacks the signature of the log's key {name} ({id}): both are needed")]
    Missing {
        /// The name of the key.
        name: KeyName,
        /// Its id.
        id: crate::KeyId,
    },
}

impl LogKeys {
    /// The keys of the log `origin`, from their seeds.
    pub fn from_seeds(
        origin: &KeyName,
        ed25519: &[u8; SEED_BYTES],
        ml_dsa_44: &[u8; SEED_BYTES],
    ) -> Result<Self, KeyError> {
        let key = |algorithm, seed| SigningKey::new(origin.clone(), algorithm, seed);
        Ok(Self {
            ed25519: key(KeyAlgorithm::Ed25519, ed25519)?,
            ml_dsa_44: key(KeyAlgorithm::MlDsa44Cosignature, ml_dsa_44)?,
        })
    }

    /// The log that they sign for.
    pub const fn origin(&self) -> &KeyName {
        self.ed25519.verifier().name()
    }

    /// The public halves.
    pub fn verifier(&self) -> LogVerifier {
        LogVerifier {
            ed25519: self.ed25519.verifier().clone(),
            ml_dsa_44: self.ml_dsa_44.verifier().clone(),
        }
    }

    /// Signs the head of the tree with both keys. A log must never sign two heads of which neither
    /// begins with the other: that is the caller's to keep.
    pub fn sign(&self, head: TreeHead, at: Timestamp) -> Result<SignedCheckpoint, SignError> {
        let checkpoint = Checkpoint::new(self.origin(), head);
        let signatures =
            vec![self.ed25519.sign(&checkpoint, at)?, self.ml_dsa_44.sign(&checkpoint, at)?];
        let note = Note::new(checkpoint.to_string(), signatures);
        Ok(SignedCheckpoint { checkpoint, note, signed_at: at.micros() / 1_000_000 })
    }
}

impl LogVerifier {
    /// The keys of the log `origin`: 32 bytes of Ed25519, 1312 of ML-DSA-44.
    pub fn new(origin: &KeyName, ed25519: &[u8], ml_dsa_44: &[u8]) -> Result<Self, KeyError> {
        let key = |algorithm, bytes| VerifierKey::new(origin.clone(), algorithm, bytes);
        Ok(Self {
            ed25519: key(KeyAlgorithm::Ed25519, ed25519)?,
            ml_dsa_44: key(KeyAlgorithm::MlDsa44Cosignature, ml_dsa_44)?,
        })
    }

    /// Two keys of one name and the two types; `None` for any others.
    pub(crate) fn from_keys(one: VerifierKey, other: VerifierKey) -> Option<Self> {
        let (ed25519, ml_dsa_44) =
            if one.algorithm() == KeyAlgorithm::Ed25519 { (one, other) } else { (other, one) };
        let fit = ed25519.algorithm() == KeyAlgorithm::Ed25519
            && ml_dsa_44.algorithm() == KeyAlgorithm::MlDsa44Cosignature
            && ed25519.name() == ml_dsa_44.name();
        fit.then_some(Self { ed25519, ml_dsa_44 })
    }

    /// The log.
    pub const fn origin(&self) -> &KeyName {
        self.ed25519.name()
    }

    /// Its two keys, Ed25519 first.
    pub const fn keys(&self) -> [&VerifierKey; 2] {
        [&self.ed25519, &self.ml_dsa_44]
    }

    /// Checks that a note is a checkpoint of this log, signed by both keys. Other signatures are
    /// neither looked at nor vouched for.
    pub fn verify(&self, note: &Note) -> Result<SignedCheckpoint, LogSignatureError> {
        let checkpoint: Checkpoint = note.text().parse()?;
        if checkpoint.origin() != self.origin().as_str() {
            return Err(LogSignatureError::Origin {
                expected: self.origin().clone(),
                found: checkpoint.origin().to_owned(),
            });
        }
        if !checkpoint.extensions().is_empty() {
            return Err(LogSignatureError::Extensions);
        }
        let missing = |key: &VerifierKey| LogSignatureError::Missing {
            name: key.name().clone(),
            id: key.id(),
        };
        self.ed25519.signed(note)?.ok_or_else(|| missing(&self.ed25519))?;
        // A time of 0 would say that the tree need not be the newest: no statement of ours.
        let time = self.ml_dsa_44.signed(note)?.filter(|time| *time > 0);
        let signed_at = time.ok_or_else(|| missing(&self.ml_dsa_44))?;
        Ok(SignedCheckpoint { checkpoint, note: note.clone(), signed_at })
    }
}

impl SignedCheckpoint {
    /// The log.
    pub fn origin(&self) -> &str {
        self.checkpoint.origin()
    }

    /// The head of its tree.
    pub const fn head(&self) -> TreeHead {
        self.checkpoint.head()
    }

    /// When the log says that it signed, in POSIX seconds.
    pub const fn signed_at(&self) -> u64 {
        self.signed_at
    }

    /// Text and root as they were signed.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note, with every signature line that it came with.
    pub const fn note(&self) -> &Note {
        &self.note
    }
}
