//! The key of a witness: a signer's, or that of a program of strangers. Never signs a checkpoint that
//! [`crate::witness::consider`] has not accepted.

use crate::key_name::KeyName;
use crate::note::NoteSignature;
use crate::signing::{SEED_BYTES, SignError, SigningKey};
use crate::timestamp::Timestamp;
use crate::verifier_key::{KeyAlgorithm, KeyError, VerifierKey};
use crate::witness::Accepted;

/// The private half. No `Debug`, no serialisation; wiped when dropped.
pub struct WitnessKey(SigningKey);

impl WitnessKey {
    /// An Ed25519 key (cosignature/v1, type 0x04) from its seed. The message does not name the
    /// witness, so a key is for one witness only.
    pub fn ed25519(name: KeyName, seed: &[u8; SEED_BYTES]) -> Result<Self, KeyError> {
        SigningKey::new(name, KeyAlgorithm::Ed25519Cosignature, seed).map(Self)
    }

    /// An ML-DSA-44 key (type 0x06) from its seed.
    pub fn ml_dsa_44(name: KeyName, seed: &[u8; SEED_BYTES]) -> Result<Self, KeyError> {
        SigningKey::new(name, KeyAlgorithm::MlDsa44Cosignature, seed).map(Self)
    }

    /// The public half.
    pub const fn verifier(&self) -> &VerifierKey {
        self.0.verifier()
    }

    /// Cosigns. [`Accepted::head`] has to be on disk before this is called: a witness that forgets
    /// what it signed can be led to sign another history.
    pub fn cosign(&self, accepted: &Accepted, at: Timestamp) -> Result<NoteSignature, SignError> {
        self.0.sign(accepted.checkpoint(), at)
    }
}
