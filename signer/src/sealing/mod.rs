//! Sealing between signers: a message that the server carries but can neither read, change, readdress
//! nor move to another session. Never opens what was not sealed for exactly this receiver and use.
//!
//! NaCl's box with HChaCha20 and ChaCha20-Poly1305 over X25519, static on both sides, so that opening
//! proves the sender. The box takes no associated data; the SHA-256 of the letterhead is therefore the
//! first 32 bytes of what is boxed, and compared on opening. Bytes: nonce (24, random) ‖ box.
//!
//! The same letter opens as often as it is delivered. That a session is never run twice, and that one
//! letter of each round and sender counts, is the session's affair: its id comes from the log.

use crypto_box::{
    ChaChaBox, Nonce, PublicKey, SecretKey,
    aead::{Aead, OsRng, rand_core::RngCore},
};
use curve25519_dalek::{MontgomeryPoint, traits::IsIdentity};
use sha2::{Digest, Sha256};
use strongroom_secrets::Secret;
use subtle::ConstantTimeEq;
use thiserror::Error;
use uuid::Uuid;

const DOMAIN: &[u8] = b"strongroom/sealed-letter/v1";
const NONCE: usize = 24;
const DIGEST: usize = 32;

/// Everything a letter is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letterhead<'a> {
    /// What kind of session, e.g. `dkg`: two protocols never share a meaning.
    pub protocol: &'a str,
    /// The ceremony's or session's id.
    pub session: Uuid,
    /// The round within it.
    pub round: u16,
    /// The signer that seals.
    pub sender: Uuid,
    /// The signer that opens.
    pub receiver: Uuid,
}

/// Why nothing was sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LetterError {
    /// Not 32 bytes, or a point outside the group of prime order: no X25519 key that we generate.
    #[error("not an X25519 public key of prime order")]
    PublicKey,
    /// Not 32 bytes.
    #[error("an X25519 secret key has 32 bytes")]
    SecretKey,
    /// From somebody else, for somebody else, of another session or round, or changed on the way.
    #[error(
        "the letter does not open: it is not from this sender, for this receiver and session, or was changed"
    )]
    Refused,
    /// The cipher refused to encrypt.
    #[error("the letter cannot be sealed")]
    Sealing,
}

/// A signer's secret sealing key.
pub struct SealingKey(SecretKey);

/// A signer's public sealing key, as enrolled by the charter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealingPublic(PublicKey);

impl SealingPublic {
    /// Reads 32 bytes. Refuses points of small order, for which everybody knows the shared secret,
    /// and points off the prime-order group.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LetterError> {
        let bytes: [u8; 32] = bytes.try_into().map_err(|_length| LetterError::PublicKey)?;
        let point = MontgomeryPoint(bytes).to_edwards(0).ok_or(LetterError::PublicKey)?;
        if point.is_identity() || !point.is_torsion_free() {
            return Err(LetterError::PublicKey);
        }
        Ok(Self(PublicKey::from_bytes(bytes)))
    }

    /// The 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }
}

impl SealingKey {
    /// A fresh key from the system's randomness.
    pub fn generate() -> Self {
        Self(SecretKey::generate(&mut OsRng))
    }

    /// Reads 32 secret bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LetterError> {
        SecretKey::from_slice(bytes).map(Self).map_err(|_length| LetterError::SecretKey)
    }

    /// The 32 secret bytes, to be sealed at rest.
    pub fn to_secret(&self) -> Secret {
        Secret::new(self.0.to_bytes().to_vec())
    }

    /// The public key to enrol.
    pub fn public(&self) -> SealingPublic {
        SealingPublic(self.0.public_key())
    }

    /// Seals `message` from this key's owner to `receiver`.
    pub fn seal(
        &self,
        receiver: &SealingPublic,
        head: &Letterhead<'_>,
        message: &Secret,
    ) -> Result<Vec<u8>, LetterError> {
        let mut nonce = [0; NONCE];
        OsRng.fill_bytes(&mut nonce);
        let inner = Secret::new([digest(head).as_slice(), message.expose()].concat());
        let boxed = ChaChaBox::new(&receiver.0, &self.0)
            .encrypt(Nonce::from_slice(&nonce), inner.expose())
            .map_err(|_opaque| LetterError::Sealing)?;
        Ok([nonce.as_slice(), &boxed].concat())
    }

    /// Opens what `sender` sealed for this key's owner under the same letterhead.
    pub fn open(
        &self,
        sender: &SealingPublic,
        head: &Letterhead<'_>,
        sealed: &[u8],
    ) -> Result<Secret, LetterError> {
        let (nonce, boxed) = sealed.split_first_chunk::<NONCE>().ok_or(LetterError::Refused)?;
        let inner = ChaChaBox::new(&sender.0, &self.0)
            .decrypt(Nonce::from_slice(nonce), boxed)
            .map(Secret::new)
            .map_err(|_opaque| LetterError::Refused)?;
        let (found, message) =
            inner.expose().split_first_chunk::<DIGEST>().ok_or(LetterError::Refused)?;
        if bool::from(found.ct_eq(&digest(head))) {
            Ok(Secret::new(message.to_vec()))
        } else {
            Err(LetterError::Refused)
        }
    }
}

/// SHA-256 over the domain and each field behind its length (u64, big-endian): no two letterheads
/// have the same encoding.
fn digest(head: &Letterhead<'_>) -> [u8; DIGEST] {
    let round = head.round.to_be_bytes();
    let fields: [&[u8]; 6] = [
        DOMAIN,
        head.protocol.as_bytes(),
        head.session.as_bytes(),
        &round,
        head.sender.as_bytes(),
        head.receiver.as_bytes(),
    ];
    let mut hash = Sha256::new();
    for field in fields {
        hash.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
