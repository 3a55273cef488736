//! Private halves of the keys that sign notes. Never printed, serialised or handed out: they go in
//! as a seed, and are wiped when dropped.

use ed25519_dalek::Signer as _;
use ml_dsa::{Keypair as _, MlDsa44, Seed, Signer as _};

use crate::checkpoint::Checkpoint;
use crate::cosignature::{cosignature_v1, cosigned_message, join};
use crate::key_name::KeyName;
use crate::note::NoteSignature;
use crate::timestamp::Timestamp;
use crate::verifier_key::{KeyAlgorithm, KeyError, VerifierKey};

/// How many bytes each seed has.
pub const SEED_BYTES: usize = 32;

/// Why a checkpoint is not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The origin has no room in the message.
    #[error("the origin of the checkpoint has to have 1 to 255 bytes")]
    Origin,
    /// Lines after the root, which the ML-DSA-44 signature does not cover.
    #[error("a checkpoint with extension lines is not signed: not every signature covers them")]
    Extensions,
    /// A time of 0 says that there is none.
    #[error("a checkpoint is signed at a time after the first second of 1970")]
    Time,
    /// The signature that was made does not verify: the computer is not to be trusted.
    #[error("the signature that was just made does not verify: memory or processor are faulty")]
    Fault,
}

/// A key that signs in one way.
///
/// ML-DSA-44 signs deterministically (FIPS 204 section 3.4): this crate has no randomness, and the
/// same checkpoint at the same time has one signature. What the hedged variant guards against, a
/// fault while signing, is met by verifying every signature before it leaves.
pub(crate) struct SigningKey {
    secret: Secret,
    verifier: VerifierKey,
}

/// Both wipe themselves when dropped (feature `zeroize` of their crates).
enum Secret {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    MlDsa44(Box<ml_dsa::SigningKey<MlDsa44>>),
}

impl SigningKey {
    pub(crate) fn new(
        name: KeyName,
        algorithm: KeyAlgorithm,
        seed: &[u8; SEED_BYTES],
    ) -> Result<Self, KeyError> {
        let (secret, verifier) = match algorithm {
            KeyAlgorithm::Ed25519 | KeyAlgorithm::Ed25519Cosignature => {
                let key = Box::new(ed25519_dalek::SigningKey::from_bytes(seed));
                let verifier = VerifierKey::new(name, algorithm, key.verifying_key().as_bytes())?;
                (Secret::Ed25519(key), verifier)
            }
            KeyAlgorithm::MlDsa44Cosignature => {
                let seed: &Seed = seed.into();
                let key = Box::new(ml_dsa::SigningKey::<MlDsa44>::from_seed(seed));
                let verifier = VerifierKey::new(name, algorithm, &key.verifying_key().encode())?;
                (Secret::MlDsa44(key), verifier)
            }
        };
        Ok(Self { secret, verifier })
    }

    pub(crate) const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a checkpoint at a time, to the second.
    pub(crate) fn sign(
        &self,
        checkpoint: &Checkpoint,
        at: Timestamp,
    ) -> Result<NoteSignature, SignError> {
        if !checkpoint.extensions().is_empty() {
            return Err(SignError::Extensions);
        }
        let time = at.micros() / 1_000_000;
        if time == 0 {
            return Err(SignError::Time);
        }
        let (text, name) = (checkpoint.to_string(), self.verifier.name());
        let bytes = match self.verifier.algorithm() {
            KeyAlgorithm::Ed25519 => self.secret.sign(text.as_bytes())?,
            KeyAlgorithm::Ed25519Cosignature => {
                join(time, &self.secret.sign(&cosignature_v1(time, &text))?)
            }
            KeyAlgorithm::MlDsa44Cosignature => {
                let message = cosigned_message(name, time, checkpoint.origin(), checkpoint.head())
                    .ok_or(SignError::Origin)?;
                join(time, &self.secret.sign(&message)?)
            }
        };
        let signature = NoteSignature::new(name, self.verifier.id(), bytes);
        self.verifier.verify(&text, &signature).map_err(|_| SignError::Fault)?;
        Ok(signature)
    }
}

impl Secret {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Ed25519(key) => Ok(key.sign(message).to_bytes().to_vec()),
            // Without a context (FIPS 204 section 5.2), as C2SP tlog-cosignature has it.
            Self::MlDsa44(key) => {
                let signature = key.try_sign(message).map_err(|_| SignError::Fault)?;
                Ok(signature.encode().to_vec())
            }
        }
    }
}

#[cfg(test)]
mod tests;
