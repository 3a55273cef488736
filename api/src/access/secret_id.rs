//! 256 random bits that stand for a session or an invitation. Only their hash is kept anywhere; the
//! text itself cannot be printed by accident.

use rand::{RngCore as _, rngs::OsRng};
use sha2::{Digest as _, Sha256};
use strongroom_secrets::SecretText;
use zeroize::Zeroizing;

/// 64 lower-case hex digits that nobody can guess.
pub struct SecretId(SecretText);

impl SecretId {
    /// A new one.
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(bytes.as_mut());
        Self(SecretText::new(hex::encode(bytes.as_slice())))
    }

    /// Reads a presented one; `None` where it can't be one.
    pub fn read(text: &str) -> Option<Self> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (text.len() == 64 && text.bytes().all(digit))
            .then(|| Self(SecretText::new(text.to_owned())))
    }

    /// What is kept of it: SHA-256 of the 64 digits.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.expose().as_bytes()).into()
    }

    /// Something else that only its holder can know; nobody comes back from it to the secret.
    pub fn derived(&self, purpose: &str) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(purpose.as_bytes());
        hasher.update([0]);
        hasher.update(self.0.expose().as_bytes());
        hasher.finalize().into()
    }

    /// The text, for its cookie or file.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}
