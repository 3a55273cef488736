//! What is asked of the transit engine. Never uses a key that Vault would hand out, and never
//! returns a signature that it did not verify.

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use strongroom_secrets::Secret;
use vaultrs::{
    api::transit::{
        KeyType,
        requests::{CreateKeyRequest, DecryptDataRequest, EncryptDataRequest, SignDataRequest},
        responses::{ReadKeyData, ReadKeyResponse},
    },
    transit::{data, key},
};
use zeroize::Zeroizing;

use crate::{Vault, VaultError};

/// A key that signs transactions has one version for ever: another has another public key.
const VERSION: u64 = 1;

impl Vault {
    /// Whether `name` is a key that may wrap: AES-256-GCM, and not to be exported, backed up in
    /// clear or deleted.
    pub fn check_wrapping_key(&self, name: &str) -> Result<(), VaultError> {
        let found = self.key(name)?;
        let unfit = |what| Err(VaultError::Unfit { key: name.to_owned(), what });
        if !matches!(found.key_type, KeyType::Aes256Gcm96) {
            return unfit("it is not of type aes256-gcm96");
        }
        if found.derived {
            return unfit("it is derived: make it without derived=true");
        }
        confined(name, &found)
    }

    /// Encrypts under `name`, bound to `purpose`.
    pub fn encrypt(
        &self,
        name: &str,
        purpose: &[u8],
        secret: &Secret,
    ) -> Result<String, VaultError> {
        let text = STANDARD.encode(secret.expose());
        let mut options = EncryptDataRequest::builder();
        options.associated_data(STANDARD.encode(purpose));
        let mount = self.mount();
        let answer = self.ask(name, async |vault| {
            data::encrypt(vault, mount, name, &text, Some(&mut options)).await
        });
        drop(Zeroizing::new(text));
        Ok(answer?.ciphertext)
    }

    /// Decrypts what [`Vault::encrypt`] gave for the same purpose.
    pub fn decrypt(
        &self,
        name: &str,
        purpose: &[u8],
        ciphertext: &str,
    ) -> Result<Secret, VaultError> {
        let mut options = DecryptDataRequest::builder();
        options.associated_data(STANDARD.encode(purpose));
        let mount = self.mount();
        let answer = self.ask(name, async |vault| {
            data::decrypt(vault, mount, name, ciphertext, Some(&mut options)).await
        })?;
        let text = Zeroizing::new(answer.plaintext);
        let bytes = STANDARD.decode(text.as_bytes());
        bytes.map(Secret::new).map_err(|_any| VaultError::Strange { address: self.address() })
    }

    /// Makes an Ed25519 key that Vault never hands out, or finds the one of this name. Safe to
    /// repeat after a lost answer.
    pub fn make_ed25519(&self, name: &str) -> Result<[u8; 32], VaultError> {
        let mount = self.mount();
        let mut options = CreateKeyRequest::builder();
        options
            .key_type(KeyType::Ed25519)
            .derived(false)
            .exportable(false)
            .allow_plaintext_backup(false);
        // Vault leaves a key that there is as it is.
        self.ask(name, async |vault| key::create(vault, mount, name, Some(&mut options)).await)?;
        self.ed25519(name)
    }

    /// The public key of `name`, if it is one that may sign: Ed25519, not derived, not to be
    /// exported, backed up in clear or deleted.
    pub fn ed25519(&self, name: &str) -> Result<[u8; 32], VaultError> {
        let found = self.key(name)?;
        let unfit = |what| VaultError::Unfit { key: name.to_owned(), what };
        if !matches!(found.key_type, KeyType::Ed25519) {
            return Err(unfit("it is not of type ed25519"));
        }
        if found.derived {
            return Err(unfit("it is derived"));
        }
        confined(name, &found)?;
        let ReadKeyData::Asymmetric(versions) = &found.keys else {
            return Err(unfit("Vault shows no public key of it"));
        };
        let first = versions.get(&VERSION.to_string());
        let first = first.ok_or_else(|| unfit("its first version is gone"))?;
        let public = STANDARD.decode(&first.public_key).ok();
        public
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .filter(|bytes| VerifyingKey::from_bytes(bytes).is_ok_and(|key| !key.is_weak()))
            .ok_or_else(|| unfit("its public key is no Ed25519 key"))
    }

    /// Signs a message (RFC 8032, pure Ed25519) with the first version of `name`, and verifies the
    /// signature under `public`.
    pub fn sign_ed25519(
        &self,
        name: &str,
        public: &[u8; 32],
        message: &[u8],
    ) -> Result<[u8; 64], VaultError> {
        let mount = self.mount();
        let text = STANDARD.encode(message);
        let mut options = SignDataRequest::builder();
        options.key_version(VERSION);
        let answer = self.ask(name, async |vault| {
            data::sign(vault, mount, name, &text, Some(&mut options)).await
        })?;
        let wrong = || VaultError::WrongSignature { key: name.to_owned() };
        let raw = answer.signature.strip_prefix("vault:v1:").ok_or_else(wrong)?;
        let raw = STANDARD.decode(raw).ok().and_then(|raw| <[u8; 64]>::try_from(raw).ok());
        let raw = raw.ok_or_else(wrong)?;
        let verifier = VerifyingKey::from_bytes(public).map_err(|_any| wrong())?;
        verifier.verify_strict(message, &Signature::from_bytes(&raw)).map_err(|_any| wrong())?;
        Ok(raw)
    }

    fn key(&self, name: &str) -> Result<ReadKeyResponse, VaultError> {
        let mount = self.mount();
        self.ask(name, async |vault| key::read(vault, mount, name).await)
    }
}

/// What Vault says of the key, not what it was asked for.
fn confined(name: &str, found: &ReadKeyResponse) -> Result<(), VaultError> {
    let unfit = |what| Err(VaultError::Unfit { key: name.to_owned(), what });
    if found.exportable {
        return unfit("it is exportable: whoever has the right reads it in clear");
    }
    if found.allow_plaintext_backup {
        return unfit("allow_plaintext_backup is set: whoever has the right reads it in clear");
    }
    if found.imported == Some(true) {
        return unfit("it was imported: it existed outside of Vault");
    }
    if found.deletion_allowed {
        return unfit("deletion_allowed is set: one request would destroy it");
    }
    Ok(())
}
