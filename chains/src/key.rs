//! Public keys at the border: compressed secp256k1 points, which both families use. Never a
//! private one.

/// Bytes that are not a compressed public key.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a public key: expected 33 bytes, a compressed point of secp256k1 (SEC 1, 2.3.3)")]
pub struct KeyError;
