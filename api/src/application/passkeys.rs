//! The approval keys of whoever asks, as the charter in force has them. Never a private key.

use serde::Serialize;
use strongroom_domain::{Bytes, approval_key::ApprovalKey};

use super::{Application, Caller};

/// A passkey that a page may ask for a person's word.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PasskeyToUse {
    /// The public key: names it in the answer.
    pub key: Bytes,
    /// By which the authenticator knows it.
    pub credential: Bytes,
    /// The relying party that it was made for.
    pub rp_id: String,
    /// The only origin whose pages may ask.
    pub origin: String,
}

impl Application {
    /// The caller's approval keys, of whatever kind.
    pub fn approval_keys(&self, caller: &Caller) -> Vec<ApprovalKey> {
        self.bus().read(|state| {
            let standing = state.charter.standing().ok();
            let person = standing.and_then(|standing| standing.people.get(&caller.person));
            person.map(|person| person.approval_keys.clone()).unwrap_or_default()
        })
    }

    /// Those that are passkeys.
    pub fn passkeys_to_use(&self, caller: &Caller) -> Vec<PasskeyToUse> {
        let keys = self.approval_keys(caller).into_iter();
        keys.filter_map(|key| match key {
            ApprovalKey::WebAuthn { key, credential, rp_id, origin } => {
                Some(PasskeyToUse { key, credential, rp_id, origin })
            }
            ApprovalKey::Ed25519 { .. } | ApprovalKey::P256 { .. } => None,
        })
        .collect()
    }
}
