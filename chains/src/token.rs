//! The public half of a key that one device holds whole (a token, or Vault): its bytes in the log, and
//! whether a signature is its own. Never takes a second form of a signature: ECDSA's s is in the lower
//! half, Ed25519 is checked strictly, RSA is PSS with SHA-256 and a salt of 32 bytes.

use std::sync::LazyLock;

use bitcoin::secp256k1::{Message, PublicKey, Secp256k1, VerifyOnly, ecdsa};
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use ring::signature::{RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents};
use strongroom_domain::{Bytes, key::Protocol};

static SECP: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);

/// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) of an RSA key, up to its modulus of 2048 bits, whose first
/// bit is set.
const RSA_BEFORE: [u8; 33] = [
    0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01,
    0x00,
];
/// What follows the modulus: the exponent F4, 65537.
const RSA_AFTER: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];
const F4: [u8; 3] = [0x01, 0x00, 0x01];

/// The public key of a device's whole key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenPublic {
    /// ECDSA on secp256k1; SEC 1 compressed.
    Secp256k1([u8; 33]),
    /// ECDSA on P-256; SEC 1 compressed.
    P256([u8; 33]),
    /// Ed25519 (RFC 8032).
    Ed25519([u8; 32]),
    /// RSA of 2048 bits with the exponent F4: the modulus, big-endian.
    Rsa2048(Box<[u8; 256]>),
}

/// Why bytes are no public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("these bytes are no public key of a {} key", protocol.name())]
pub struct TokenPublicError {
    /// Of what kind it was to be.
    pub protocol: Protocol,
}

impl TokenPublic {
    /// Reads the log's bytes, the form of [`Protocol::is_public_key`]. A point must be on its curve.
    pub fn parse(protocol: Protocol, bytes: &Bytes) -> Result<Self, TokenPublicError> {
        let slice = bytes.as_slice();
        let read = match protocol {
            Protocol::Pkcs11Secp256k1 => bytes
                .array()
                .filter(|sec1: &[u8; 33]| PublicKey::from_slice(sec1).is_ok())
                .map(Self::Secp256k1),
            Protocol::Pkcs11P256 => bytes
                .array()
                .filter(|sec1: &[u8; 33]| p256::PublicKey::from_sec1_bytes(sec1).is_ok())
                .map(Self::P256),
            Protocol::Pkcs11Ed25519 | Protocol::VaultEd25519 => bytes
                .array()
                .filter(|point| ed25519_dalek::VerifyingKey::from_bytes(point).is_ok())
                .map(Self::Ed25519),
            Protocol::Pkcs11Rsa2048 => slice
                .strip_prefix(&RSA_BEFORE)
                .and_then(|rest| rest.strip_suffix(&RSA_AFTER))
                .and_then(|modulus| modulus.try_into().ok())
                .and_then(Self::rsa),
            Protocol::FrostSecp256k1Tr
            | Protocol::FrostEd25519
            | Protocol::Dkls23Secp256k1
            | Protocol::MultisigP2wsh
            | Protocol::MultisigP2tr => None,
        };
        read.ok_or(TokenPublicError { protocol })
    }

    /// A modulus that has all of its 2048 bits and is odd.
    pub fn rsa(modulus: [u8; 256]) -> Option<Self> {
        let [first, .., last] = modulus;
        (first & 0x80 != 0 && last & 1 == 1).then(|| Self::Rsa2048(Box::new(modulus)))
    }

    /// The bytes of the log.
    pub fn to_bytes(&self) -> Bytes {
        Bytes(match self {
            Self::Secp256k1(sec1) | Self::P256(sec1) => sec1.to_vec(),
            Self::Ed25519(point) => point.to_vec(),
            Self::Rsa2048(modulus) => [&RSA_BEFORE[..], &modulus[..], &RSA_AFTER].concat(),
        })
    }

    /// Whether a signature is this key's. The 32 bytes are what ECDSA calls the digest, and what
    /// Ed25519 and RSA-PSS call the message.
    pub fn verifies(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        match self {
            Self::Secp256k1(sec1) => secp256k1(sec1, digest, signature).is_some(),
            Self::P256(sec1) => p256(sec1, digest, signature).is_some(),
            Self::Ed25519(point) => ed25519(point, digest, signature).is_some(),
            Self::Rsa2048(modulus) => RsaPublicKeyComponents { n: &modulus[..], e: &F4[..] }
                .verify(&RSA_PSS_2048_8192_SHA256, digest, signature)
                .is_ok(),
        }
    }
}

fn secp256k1(sec1: &[u8; 33], digest: &[u8; 32], signature: &[u8]) -> Option<()> {
    let key = PublicKey::from_slice(sec1).ok()?;
    let signature = ecdsa::Signature::from_compact(signature).ok()?;
    // libsecp256k1 itself takes an s of the lower half only.
    SECP.verify_ecdsa(&Message::from_digest(*digest), &signature, &key).ok()
}

fn p256(sec1: &[u8; 33], digest: &[u8; 32], signature: &[u8]) -> Option<()> {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(sec1).ok()?;
    let signature = p256::ecdsa::Signature::from_slice(signature).ok()?;
    if signature.normalize_s().is_some() {
        return None;
    }
    key.verify_prehash(digest, &signature).ok()
}

fn ed25519(point: &[u8; 32], message: &[u8], signature: &[u8]) -> Option<()> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(point).ok()?;
    let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
    key.verify_strict(message, &signature).ok()
}

#[cfg(test)]
mod tests;
