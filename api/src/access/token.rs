//! What a token looks like: `sr1_<id>_<secret>`. The secret part can't be printed by accident.

use std::fmt;

use rand::{RngCore as _, rngs::OsRng};
use sha2::{Digest as _, Sha256};
use strongroom_secrets::SecretText;
use subtle::ConstantTimeEq as _;

/// So that scanners for leaked secrets can find them.
const PREFIX: &str = "sr1";

/// Which token. Not a secret: it is in the log of commands as the caller.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TokenId(String);

/// A whole token, to be given out once.
pub struct TokenText(SecretText);

/// A token as it was presented: its id, and the hash of its secret.
pub struct TokenParts {
    /// Which token it says it is.
    pub id: TokenId,
    hash: [u8; 32],
}

impl TokenId {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads 16 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (text.len() == 16 && text.bytes().all(digit)).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TokenText {
    /// A new token; the second part is what is kept of it.
    pub fn generate() -> (Self, TokenParts) {
        let mut id = [0; 8];
        OsRng.fill_bytes(&mut id);
        let mut secret = zeroize::Zeroizing::new([0; 32]);
        OsRng.fill_bytes(secret.as_mut());
        let digits = zeroize::Zeroizing::new(hex::encode(secret.as_slice()));
        let id = TokenId(hex::encode(id));
        let text = SecretText::new(format!("{PREFIX}_{id}_{}", digits.as_str()));
        let hash = Sha256::digest(digits.as_bytes()).into();
        (Self(text), TokenParts { id, hash })
    }

    /// The text, for its file.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl TokenParts {
    /// Reads a presented token; `None` where it can't be one.
    pub fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?.strip_prefix('_')?;
        let (id, secret) = rest.split_once('_')?;
        if secret.len() != 64 {
            return None;
        }
        Some(Self { id: TokenId::parse(id)?, hash: Sha256::digest(secret.as_bytes()).into() })
    }

    pub(super) fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// In constant time.
    pub(super) fn fits(&self, stored: &[u8; 32]) -> bool {
        self.hash.ct_eq(stored).into()
    }
}
