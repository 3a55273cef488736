//! Key-encryption keys that others hold: an AES-256 key in the signer's token, a key of Vault's transit
//! engine. Never keeps what they unwrap, and never makes one: under a new key old shares don't open.

use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use strongroom_secrets::{KeyEncryption, KeyPlace, Secret, WrapError};
use strongroom_vault::{Vault, VaultError};

use crate::pkcs11::{TimedToken, TokenError, WrappingKey};

/// A wrapping key in the token, found by its label when it is first used.
pub struct TokenKek {
    token: TimedToken,
    label: String,
    found: OnceLock<WrappingKey>,
}

impl TokenKek {
    /// Nothing is asked of the token yet: it may be away.
    pub fn new(token: TimedToken, label: String) -> Self {
        Self { token, label, found: OnceLock::new() }
    }

    fn key(&self) -> Result<WrappingKey, TokenError> {
        if let Some(key) = self.found.get() {
            return Ok(key.clone());
        }
        let label = self.label.clone();
        let key = self.token.run(move |token| token.wrapping_key(&label))?;
        Ok(self.found.get_or_init(|| key).clone())
    }
}

impl KeyEncryption for TokenKek {
    fn place(&self) -> KeyPlace {
        KeyPlace::Token
    }

    fn id(&self) -> [u8; 8] {
        name_id(&[b"strongroom/kek/token", self.label.as_bytes()])
    }

    fn describe(&self) -> String {
        format!("the AES key \"{}\" in the token \"{}\"", self.label, self.token.label())
    }

    fn wrap(&self, purpose: &[u8], key: &Secret) -> Result<Vec<u8>, WrapError> {
        let (kek, purpose) = (self.key().map_err(|error| of_token(&error))?, purpose.to_vec());
        let secret = Secret::new(key.expose().to_vec());
        self.token
            .run(move |token| token.seal(&kek, &purpose, &secret))
            .map_err(|error| of_token(&error))
    }

    fn unwrap_key(&self, purpose: &[u8], wrapped: &[u8]) -> Result<Secret, WrapError> {
        let (kek, purpose) = (self.key().map_err(|error| of_token(&error))?, purpose.to_vec());
        let wrapped = wrapped.to_vec();
        self.token
            .run(move |token| token.unseal(&kek, &purpose, &wrapped))
            .map_err(|error| of_token(&error))
    }
}

/// A key of Vault's transit engine.
pub struct VaultKek {
    vault: Arc<Vault>,
    name: String,
    checked: OnceLock<()>,
}

impl VaultKek {
    /// Nothing is asked of Vault yet: it may be away.
    pub fn new(vault: Arc<Vault>, name: String) -> Self {
        Self { vault, name, checked: OnceLock::new() }
    }

    /// Once: that Vault would hand the key to nobody.
    fn check(&self) -> Result<(), VaultError> {
        if self.checked.get().is_none() {
            self.vault.check_wrapping_key(&self.name)?;
            let _ = self.checked.set(());
        }
        Ok(())
    }
}

impl KeyEncryption for VaultKek {
    fn place(&self) -> KeyPlace {
        KeyPlace::Vault
    }

    fn id(&self) -> [u8; 8] {
        let mount = self.vault.mount().as_bytes();
        name_id(&[b"strongroom/kek/vault", mount, self.name.as_bytes()])
    }

    fn describe(&self) -> String {
        format!("the key \"{}\" of Vault at {}", self.name, self.vault.address())
    }

    fn wrap(&self, purpose: &[u8], key: &Secret) -> Result<Vec<u8>, WrapError> {
        self.check().map_err(|error| of_vault(&error))?;
        let wrapped =
            self.vault.encrypt(&self.name, purpose, key).map_err(|error| of_vault(&error))?;
        Ok(wrapped.into_bytes())
    }

    fn unwrap_key(&self, purpose: &[u8], wrapped: &[u8]) -> Result<Secret, WrapError> {
        let text = std::str::from_utf8(wrapped)
            .map_err(|_any| WrapError::Refused("it is not what Vault wraps".to_owned()))?;
        self.check().map_err(|error| of_vault(&error))?;
        self.vault.decrypt(&self.name, purpose, text).map_err(|error| of_vault(&error))
    }
}

/// Eight bytes that tell the keys of a place apart by their names.
fn name_id(parts: &[&[u8]]) -> [u8; 8] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.first_chunk::<8>().copied().unwrap_or_default()
}

fn of_token(error: &TokenError) -> WrapError {
    let because = error.to_string();
    match error {
        TokenError::Unopened { .. }
        | TokenError::SealedByOther { .. }
        | TokenError::KeyUnfit { .. } => WrapError::Refused(because),
        // The token's state, which an operator can mend while this runs.
        TokenError::PinFile(_)
        | TokenError::Module { .. }
        | TokenError::SecondToken
        | TokenError::NoToken { .. }
        | TokenError::SeveralTokens { .. }
        | TokenError::PinRefused
        | TokenError::TokenUnavailable { .. }
        | TokenError::KeyMissing { .. }
        | TokenError::SeveralKeys { .. }
        | TokenError::KeyExists { .. }
        | TokenError::NoWrappingKey { .. }
        | TokenError::SeveralWrappingKeys { .. }
        | TokenError::WrappingKeyExists { .. }
        | TokenError::WrongSignature { .. }
        | TokenError::Token { .. } => WrapError::Unavailable(because),
    }
}

fn of_vault(error: &VaultError) -> WrapError {
    let because = error.to_string();
    match error {
        VaultError::Refused { .. } | VaultError::Unfit { .. } => WrapError::Refused(because),
        VaultError::Address(_)
        | VaultError::Authority { .. }
        | VaultError::Settings(_)
        | VaultError::Client(_)
        | VaultError::TokenFile(_)
        | VaultError::TokenForm(_)
        | VaultError::Unavailable { .. }
        | VaultError::Denied { .. }
        | VaultError::Missing { .. }
        | VaultError::Strange { .. }
        | VaultError::WrongSignature { .. } => WrapError::Unavailable(because),
    }
}
