//! What a key in a token is: its kind, its id and its public half. Never holds a private value, and
//! never a handle: handles die with their connection.

use cryptoki::{
    mechanism::{
        Mechanism, MechanismType,
        eddsa::{EddsaParams, EddsaSignatureScheme},
        rsa::{PkcsMgfType, PkcsPssParams},
    },
    object::KeyType,
    types::Ulong,
};
use strongroom_chains::TokenPublic;
use strongroom_domain::key::Protocol;
use uuid::Uuid;

/// DER of the object identifier 1.3.132.0.10, secp256k1 (SEC 2, appendix A.2).
pub(super) const SECP256K1: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];
/// DER of the object identifier 1.2.840.10045.3.1.7, P-256 (RFC 5480, section 2.1.1.1).
pub(super) const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// DER of the object identifier 1.3.101.112, Ed25519 (RFC 8410, section 3).
pub(super) const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];

/// Bits of an RSA key.
pub(super) const RSA_BITS: u64 = 2048;

/// A kind of signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// ECDSA on secp256k1.
    Secp256k1,
    /// ECDSA on P-256.
    P256,
    /// Ed25519 (RFC 8032), pure.
    Ed25519,
    /// RSA of 2048 bits, PSS with SHA-256.
    Rsa2048,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Secp256k1, Self::P256, Self::Ed25519, Self::Rsa2048];

    /// The kind that a protocol's keys are, if a token holds them.
    pub const fn of(protocol: Protocol) -> Option<Self> {
        match protocol {
            Protocol::Pkcs11Secp256k1 => Some(Self::Secp256k1),
            Protocol::Pkcs11P256 => Some(Self::P256),
            Protocol::Pkcs11Ed25519 => Some(Self::Ed25519),
            Protocol::Pkcs11Rsa2048 => Some(Self::Rsa2048),
            Protocol::FrostSecp256k1Tr
            | Protocol::FrostEd25519
            | Protocol::Dkls23Secp256k1
            | Protocol::VaultEd25519
            | Protocol::MultisigP2wsh
            | Protocol::MultisigP2tr => None,
        }
    }

    /// The kind of a public key.
    pub const fn of_public(public: &TokenPublic) -> Self {
        match public {
            TokenPublic::Secp256k1(_) => Self::Secp256k1,
            TokenPublic::P256(_) => Self::P256,
            TokenPublic::Ed25519(_) => Self::Ed25519,
            TokenPublic::Rsa2048(_) => Self::Rsa2048,
        }
    }

    /// `CKA_KEY_TYPE`
    pub(super) const fn key_type(self) -> KeyType {
        match self {
            Self::Secp256k1 | Self::P256 => KeyType::EC,
            Self::Ed25519 => KeyType::EC_EDWARDS,
            Self::Rsa2048 => KeyType::RSA,
        }
    }

    /// `CKA_EC_PARAMS`, for a key on a curve.
    pub(super) const fn curve(self) -> Option<&'static [u8]> {
        match self {
            Self::Secp256k1 => Some(SECP256K1),
            Self::P256 => Some(P256),
            Self::Ed25519 => Some(ED25519),
            Self::Rsa2048 => None,
        }
    }

    /// Makes a pair of this kind.
    pub(super) const fn making(self) -> Mechanism<'static> {
        match self {
            Self::Secp256k1 | Self::P256 => Mechanism::EccKeyPairGen,
            Self::Ed25519 => Mechanism::EccEdwardsKeyPairGen,
            Self::Rsa2048 => Mechanism::RsaPkcsKeyPairGen,
        }
    }

    /// Signs 32 bytes: the digest of ECDSA, the message of Ed25519 and RSA.
    pub(super) fn signing(self) -> Mechanism<'static> {
        match self {
            Self::Secp256k1 | Self::P256 => Mechanism::Ecdsa,
            Self::Ed25519 => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)),
            Self::Rsa2048 => Mechanism::Sha256RsaPkcsPss(PkcsPssParams {
                hash_alg: MechanismType::SHA256,
                mgf: PkcsMgfType::MGF1_SHA256,
                s_len: Ulong::from(32_u64),
            }),
        }
    }
}

/// A signing key in the token: its `CKA_ID` and what its signatures must verify under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKey {
    /// `CKA_ID` is these 16 bytes.
    pub id: Uuid,
    /// Its public half.
    pub public: TokenPublic,
}

impl TokenKey {
    /// Its kind.
    pub const fn kind(&self) -> KeyKind {
        KeyKind::of_public(&self.public)
    }
}

/// An AES-256 key in the token, which encrypts key shares at rest and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappingKey {
    /// `CKA_ID` is these 16 bytes.
    pub id: Uuid,
}
