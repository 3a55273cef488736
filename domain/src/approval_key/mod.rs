//! What a person approves with, and how their word is checked. Never sees a private key.

mod web_authn;

#[cfg(test)]
mod tests;

use crate::{Bytes, Refusal, Rule, statement};
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
use serde::{Deserialize, Serialize};

/// A public key that the charter enrols for a person. Where its private half lives, in a file, a
/// PKCS#11 token or an authenticator, the log does not care.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ApprovalKey {
    /// Signs the statement itself (RFC 8032).
    Ed25519 {
        /// 32 bytes.
        key: Bytes,
    },
    /// ECDSA on NIST P-256 with SHA-256 over the statement itself (FIPS 186-5).
    P256 {
        /// The compressed point: 33 bytes (SEC 1 §2.3.3).
        key: Bytes,
    },
    /// A passkey: signs an assertion that holds the statement's hash (WebAuthn Level 2).
    #[serde(rename = "webauthn")]
    WebAuthn {
        /// The compressed P-256 point: 33 bytes (SEC 1 §2.3.3).
        key: Bytes,
        /// By which the authenticator knows it.
        credential: Bytes,
        /// The relying party that it was made for.
        rp_id: String,
        /// The only origin whose pages may ask for its word, as browsers write it.
        origin: String,
    },
}

/// What proves a person's word.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Evidence {
    /// Over the statement's bytes: 64 bytes. Of a P-256 key, r and s of 32 bytes each.
    Signature {
        /// Ed25519, or ECDSA with either s: nothing rests on a signature having one form only.
        signature: Bytes,
    },
    /// An authenticator's (WebAuthn Level 2 §6.3.3).
    Assertion {
        /// What the authenticator says of itself.
        authenticator_data: Bytes,
        /// `clientDataJSON`, as the browser made it.
        client_data: Bytes,
        /// ECDSA with SHA-256, DER, over both.
        signature: Bytes,
    },
}

impl ApprovalKey {
    /// The public key: no two of a charter are alike, of whatever kind.
    pub const fn public(&self) -> &Bytes {
        match self {
            Self::Ed25519 { key } | Self::P256 { key } | Self::WebAuthn { key, .. } => key,
        }
    }

    /// As it is written in statements: enough to tell which key it is.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Ed25519 { .. } => "ed25519",
            Self::P256 { .. } => "p256",
            Self::WebAuthn { .. } => "passkey",
        }
    }

    /// Whether it is a key at all, and a passkey's names fit one another.
    pub fn check(&self) -> Result<(), Refusal> {
        let refuse = |because: String| Err(Refusal::new(Rule::ApprovalKeyInvalid, because));
        match self {
            Self::Ed25519 { key } if !statement::is_public_key(key) => {
                refuse(format!("{key} is not an Ed25519 public key"))
            }
            Self::P256 { key } | Self::WebAuthn { key, .. } if p256_key(key).is_none() => {
                refuse(format!("{key} is not a compressed P-256 public key of 33 bytes"))
            }
            Self::WebAuthn { credential, rp_id, origin, .. } => {
                web_authn::check_names(credential, rp_id, origin)
            }
            Self::Ed25519 { .. } | Self::P256 { .. } => Ok(()),
        }
    }

    /// Whether `evidence` is this key's word for exactly `text`.
    pub fn verify(&self, text: &str, evidence: &Evidence) -> bool {
        match (self, evidence) {
            (Self::Ed25519 { key }, Evidence::Signature { signature }) => {
                statement::verify(key, text, signature)
            }
            (Self::P256 { key }, Evidence::Signature { signature }) => {
                let signature = signature.array::<64>();
                let signature = signature.and_then(|bytes| Signature::from_slice(&bytes).ok());
                match (p256_key(key), signature) {
                    (Some(key), Some(signature)) => key.verify(text.as_bytes(), &signature).is_ok(),
                    _ => false,
                }
            }
            (
                Self::WebAuthn { key, rp_id, origin, .. },
                Evidence::Assertion { authenticator_data, client_data, signature },
            ) => {
                let party = (rp_id.as_str(), origin.as_str());
                p256_key(key).is_some_and(|key| {
                    web_authn::verify(
                        &key,
                        party,
                        text,
                        (authenticator_data, client_data, signature),
                    )
                })
            }
            (Self::Ed25519 { .. } | Self::P256 { .. }, Evidence::Assertion { .. })
            | (Self::WebAuthn { .. }, Evidence::Signature { .. }) => false,
        }
    }
}

/// One spelling per key: the compressed one.
fn p256_key(key: &Bytes) -> Option<VerifyingKey> {
    let bytes = key.array::<33>()?;
    VerifyingKey::from_sec1_bytes(&bytes).ok()
}

impl Evidence {
    /// The signature in it: two answers with the same one are the same answer.
    pub const fn signature(&self) -> &Bytes {
        match self {
            Self::Signature { signature } | Self::Assertion { signature, .. } => signature,
        }
    }
}
