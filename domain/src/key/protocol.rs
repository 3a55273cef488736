//! How keys are made and used, by names that carry a version. A name is never given a second meaning:
//! it is stored for ever.

use crate::Bytes;
use serde::{Deserialize, Serialize};

/// How a key is made and used. The name carries the version, so that keys can move.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Protocol {
    /// FROST on secp256k1 with Taproot tweaks (RFC 9591, BIP 340/341): any *t* of *n* shares
    /// sign, the key exists nowhere.
    #[serde(rename = "frost-secp256k1-tr/1")]
    FrostSecp256k1Tr,
    /// ECDSA on secp256k1, made inside one PKCS#11 token and not extractable.
    #[serde(rename = "pkcs11-secp256k1/1")]
    Pkcs11Secp256k1,
    /// FROST on edwards25519 (RFC 9591 §6.1): its signatures are plain Ed25519 ones (RFC 8032).
    #[serde(rename = "frost-ed25519/1")]
    FrostEd25519,
    /// ECDSA on secp256k1 by any *t* of *n* shares (Doerner, Kondi, Lee, shelat 2023).
    #[serde(rename = "dkls23-secp256k1/1")]
    Dkls23Secp256k1,
    /// ECDSA on P-256, made inside a PKCS#11 token and not extractable.
    #[serde(rename = "pkcs11-p256/1")]
    Pkcs11P256,
    /// Ed25519, made inside a PKCS#11 token and not extractable.
    #[serde(rename = "pkcs11-ed25519/1")]
    Pkcs11Ed25519,
    /// RSA-2048 (PSS with SHA-256, RFC 8017 §8.1), made inside a PKCS#11 token and not extractable.
    #[serde(rename = "pkcs11-rsa2048/1")]
    Pkcs11Rsa2048,
    /// Ed25519, made inside Vault's or OpenBao's transit engine and not exportable.
    #[serde(rename = "vault-ed25519/1")]
    VaultEd25519,
    /// *m* of *n* keys in a witness script (BIP 141, 67): each cosigner has a key of its own.
    #[serde(rename = "multisig-p2wsh/1")]
    MultisigP2wsh,
    /// *m* of *n* keys in a tapscript (BIP 342): each cosigner has a key of its own.
    #[serde(rename = "multisig-p2tr/1")]
    MultisigP2tr,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 10] = [
        Self::FrostSecp256k1Tr,
        Self::FrostEd25519,
        Self::Dkls23Secp256k1,
        Self::Pkcs11Secp256k1,
        Self::Pkcs11P256,
        Self::Pkcs11Ed25519,
        Self::Pkcs11Rsa2048,
        Self::VaultEd25519,
        Self::MultisigP2wsh,
        Self::MultisigP2tr,
    ];

    /// Its name in events and statements.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FrostSecp256k1Tr => "frost-secp256k1-tr/1",
            Self::FrostEd25519 => "frost-ed25519/1",
            Self::Dkls23Secp256k1 => "dkls23-secp256k1/1",
            Self::Pkcs11Secp256k1 => "pkcs11-secp256k1/1",
            Self::Pkcs11P256 => "pkcs11-p256/1",
            Self::Pkcs11Ed25519 => "pkcs11-ed25519/1",
            Self::Pkcs11Rsa2048 => "pkcs11-rsa2048/1",
            Self::VaultEd25519 => "vault-ed25519/1",
            Self::MultisigP2wsh => "multisig-p2wsh/1",
            Self::MultisigP2tr => "multisig-p2tr/1",
        }
    }

    /// How its secret is kept.
    pub const fn custody(self) -> Custody {
        match self {
            Self::FrostSecp256k1Tr | Self::FrostEd25519 | Self::Dkls23Secp256k1 => Custody::Shares,
            Self::Pkcs11Secp256k1
            | Self::Pkcs11P256
            | Self::Pkcs11Ed25519
            | Self::Pkcs11Rsa2048
            | Self::VaultEd25519 => Custody::Whole,
            Self::MultisigP2wsh | Self::MultisigP2tr => Custody::Cosigners,
        }
    }

    /// Whether these bytes have the form of its public keys.
    pub fn is_public_key(self, key: &Bytes) -> bool {
        let bytes = key.as_slice();
        match self {
            Self::FrostSecp256k1Tr
            | Self::Dkls23Secp256k1
            | Self::Pkcs11Secp256k1
            | Self::Pkcs11P256 => bytes.len() == 33 && matches!(bytes.first(), Some(2 | 3)),
            Self::FrostEd25519 | Self::Pkcs11Ed25519 | Self::VaultEd25519 => bytes.len() == 32,
            // SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) of a modulus of 2048 bits and F4.
            Self::Pkcs11Rsa2048 => bytes.len() == 294 && bytes.first() == Some(&0x30),
            Self::MultisigP2wsh | Self::MultisigP2tr => bytes.is_empty(),
        }
    }
}

/// How a key's secret is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Custody {
    /// Any *t* of *n* shares sign: the key exists nowhere.
    Shares,
    /// One device has it. Several may have the same: any of them signs.
    Whole,
    /// Each cosigner has a key of its own, and the chain counts signatures.
    Cosigners,
}
