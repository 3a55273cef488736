//! Keys that Vault holds: making them, using them, finding whether they can be used. Never signs but
//! what this signer made itself from its log, and never with a key that Vault would hand out.

use std::sync::Arc;

use rand::{RngCore, rngs::OsRng};
use strongroom_domain::{
    Bytes, KeyId, Rule,
    key::{Active, Ceremony},
    protocol::Reply,
};
use strongroom_vault::{Vault, VaultError};

use super::{Signer, Trouble, refuse};
use crate::pkcs11::possession_digest;

impl Signer {
    fn vault(&self) -> Result<&Arc<Vault>, Trouble> {
        self.vault.as_ref().ok_or_else(|| {
            Trouble::Unavailable("this signer was started without a Vault".to_owned())
        })
    }

    /// The first participant has Vault make the key; the others find the same one there. Each tries it
    /// before it confirms it.
    pub(super) fn hold_in_vault(&self, key: KeyId, ceremony: &Ceremony) -> Result<Reply, Trouble> {
        let Some(maker) = ceremony.plan.participants.first() else {
            return refuse(Rule::SignerProtocol, "a ceremony of nobody");
        };
        let (vault, name) = (self.vault()?, key_name(key));
        let public = if *maker == self.id {
            vault.make_ed25519(&name)?
        } else {
            let Some(made) = ceremony.confirmed.get(maker) else {
                let because = format!("signer {maker} makes the key, and has not confirmed it yet");
                return refuse(Rule::SignerLogBehind, because);
            };
            let found = vault.ed25519(&name)?;
            if made.public_key.array() != Some(found) {
                let because = format!("Vault's key {name} is not the one that {maker} had it make");
                return Err(Trouble::Unavailable(because));
            }
            found
        };
        vault.sign_ed25519(&name, &public, &possession_digest(key.0, &[0; 32]))?;
        self.confirm(key, Bytes(public.to_vec()), Bytes::default())
    }

    /// Signs a digest of this signer's own making: Ed25519 takes it as its message.
    pub(super) fn sign_in_vault(
        &self,
        key: KeyId,
        active: &Active,
        digest: &[u8; 32],
    ) -> Result<Bytes, Trouble> {
        let (vault, name) = (self.vault()?, key_name(key));
        let logged = of_log(active)?;
        // Each time: what Vault allows may have been changed since.
        if vault.ed25519(&name)? != logged {
            let because = format!("Vault's key {name} is another than the log's");
            return Err(Trouble::Corrupt(because, None));
        }
        Ok(Bytes(vault.sign_ed25519(&name, &logged, digest)?.to_vec()))
    }

    /// Signs a challenge of this signer's own, which goes nowhere: whether Vault would have signed.
    pub(super) fn probe_vault(&self, key: KeyId, active: &Active) -> Result<Reply, Trouble> {
        let mut challenge = [0; 32];
        OsRng.fill_bytes(&mut challenge);
        self.sign_in_vault(key, active, &possession_digest(key.0, &challenge))?;
        Ok(Reply::Usable)
    }
}

/// What a key of the log is called in Vault.
fn key_name(key: KeyId) -> String {
    format!("strongroom-{key}")
}

fn of_log(active: &Active) -> Result<[u8; 32], Trouble> {
    match active.public_key.array() {
        Some(public) => Ok(public),
        None => refuse(Rule::SignerKey, "the log's public key has not 32 bytes"),
    }
}

impl From<VaultError> for Trouble {
    fn from(error: VaultError) -> Self {
        let because = error.to_string();
        match error {
            VaultError::Unfit { .. }
            | VaultError::WrongSignature { .. }
            | VaultError::Refused { .. } => Self::Corrupt(because, None),
            // A key of the log that is not there may have been made in another Vault than the one
            // that answers today.
            VaultError::Missing { .. }
            | VaultError::Address(_)
            | VaultError::Authority { .. }
            | VaultError::Settings(_)
            | VaultError::Client(_)
            | VaultError::TokenFile(_)
            | VaultError::TokenForm(_)
            | VaultError::Unavailable { .. }
            | VaultError::Denied { .. }
            | VaultError::Strange { .. } => Self::Unavailable(because),
        }
    }
}
