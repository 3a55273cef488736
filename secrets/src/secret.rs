//! Secret bytes and secret text: wiped on drop, compared in constant time. They never implement
//! `Debug`, `Display` or `Serialize`, so that no log line and no event can carry one by accident.

use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::memory;

/// Secret bytes. Reading them takes the word `expose`, which a reviewer can search for.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; the caller's copy is gone.
    pub fn new(bytes: Vec<u8>) -> Self {
        memory::keep(&bytes);
        Self(Zeroizing::new(bytes))
    }

    /// So many zero bytes, to be filled in place: nothing is left behind on a stack.
    pub fn zeroed(length: usize) -> Self {
        Self::new(vec![0; length])
    }

    /// The bytes themselves. Keep the borrow short and copy nothing out of it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes themselves, to be filled in.
    pub fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same bytes as text, or [`NotText`] when they are not UTF-8 (the bytes are wiped then).
    pub fn into_text(mut self) -> Result<SecretText, NotText> {
        match String::from_utf8(std::mem::take(&mut *self.0)) {
            Ok(text) => Ok(SecretText::new(text)),
            Err(error) => {
                error.into_bytes().zeroize();
                Err(NotText)
            }
        }
    }
}

impl PartialEq for Secret {
    /// Constant time in the contents; the lengths are not hidden.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

/// Secret text: a passphrase, a PIN or a token.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text over; the caller's copy is gone.
    pub fn new(text: String) -> Self {
        memory::keep(text.as_bytes());
        Self(Zeroizing::new(text))
    }

    /// The text itself. Keep the borrow short and copy nothing out of it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for SecretText {
    /// Constant time in the contents; the lengths are not hidden.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for SecretText {}

/// The secret is not UTF-8. Says nothing about which byte, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the secret is not UTF-8 text")]
pub struct NotText;
