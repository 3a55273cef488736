//! Private keys below a seed: SLIP-10, which on secp256k1 is BIP 32. Derivation only: the curves are
//! k256's, p256's and ed25519-dalek's, the hash is sha2's. Never makes a public child of its own.

use hmac::{Hmac, Mac};
use k256::elliptic_curve::{CurveArithmetic, FieldBytes, PrimeField, sec1::ToEncodedPoint};
use sha2::Sha512;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::Secret;

/// What a child's number has on top where it is hardened (BIP 32): 2^31.
pub const HARDENED: u32 = 1 << 31;

/// A curve that SLIP-10 derives keys on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// SEC 2's secp256k1, as BIP 32 derives.
    Secp256k1,
    /// NIST P-256.
    P256,
    /// Ed25519: every child is hardened.
    Ed25519,
}

/// Why there is no such key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NodeError {
    /// BIP 32 takes seeds of 128 to 512 bits.
    #[error("a seed has 16 to 64 bytes, not {0}")]
    Seed(usize),
    /// Ed25519 has no others.
    #[error("child {0} of an Ed25519 key must be hardened: write {0}'")]
    NotHardened(u32),
    /// A key that no derivation gives: a bug.
    #[error("not a private key of the curve")]
    Key,
}

/// A private key with its chain code. Wiped when dropped.
pub struct Node {
    curve: Curve,
    key: Zeroizing<[u8; 32]>,
    chain_code: Zeroizing<[u8; 32]>,
}

type Half = Zeroizing<[u8; 32]>;

impl Curve {
    const fn salt(self) -> &'static [u8] {
        match self {
            Self::Secp256k1 => b"Bitcoin seed",
            Self::P256 => b"Nist256p1 seed",
            Self::Ed25519 => b"ed25519 seed",
        }
    }

    /// Left half plus parent, where that is a key: `None` makes SLIP-10 hash once more.
    fn sum(self, left: &Half, parent: Option<&Half>) -> Option<Half> {
        match self {
            Self::Secp256k1 => sum::<k256::Secp256k1>(left, parent),
            Self::P256 => sum::<p256::NistP256>(left, parent),
            Self::Ed25519 => Some(left.clone()),
        }
    }
}

impl Node {
    /// The key that a seed stands for (`m`).
    pub fn master(curve: Curve, seed: &Secret) -> Result<Self, NodeError> {
        if !(16..=64).contains(&seed.len()) {
            return Err(NodeError::Seed(seed.len()));
        }
        let (mut left, mut right) = hashed(curve.salt(), &[seed.expose()]);
        loop {
            if let Some(key) = curve.sum(&left, None) {
                return Ok(Self { curve, key, chain_code: right });
            }
            // Once in 2^32 on P-256.
            (left, right) = hashed(curve.salt(), &[left.as_slice(), right.as_slice()]);
        }
    }

    /// A child (SLIP-10, CKDpriv). Numbers from [`HARDENED`] on are hardened.
    pub fn child(&self, number: u32) -> Result<Self, NodeError> {
        let chain = self.chain_code.as_slice();
        let name = number.to_be_bytes();
        let (mut left, mut right) = if number >= HARDENED {
            hashed(chain, &[&[0], self.key.as_slice(), &name])
        } else if self.curve == Curve::Ed25519 {
            return Err(NodeError::NotHardened(number));
        } else {
            hashed(chain, &[&self.public()?, &name])
        };
        loop {
            if let Some(key) = self.curve.sum(&left, Some(&self.key)) {
                return Ok(Self { curve: self.curve, key, chain_code: right });
            }
            (left, right) = hashed(chain, &[&[1], right.as_slice(), &name]);
        }
    }

    /// The key at a path below this one.
    pub fn at(&self, path: impl IntoIterator<Item = u32>) -> Result<Self, NodeError> {
        let own =
            Self { curve: self.curve, key: self.key.clone(), chain_code: self.chain_code.clone() };
        path.into_iter().try_fold(own, |node, number| node.child(number))
    }

    /// The public key: SEC 1 compressed (33 bytes), or 32 bytes of Ed25519.
    pub fn public(&self) -> Result<Vec<u8>, NodeError> {
        match self.curve {
            Curve::Secp256k1 => {
                let key = k256::SecretKey::from_slice(self.key.as_slice());
                let point = key.map_err(|_zero| NodeError::Key)?.public_key();
                Ok(point.to_encoded_point(true).as_bytes().to_vec())
            }
            Curve::P256 => {
                let key = p256::SecretKey::from_slice(self.key.as_slice());
                let point = key.map_err(|_zero| NodeError::Key)?.public_key();
                Ok(point.to_encoded_point(true).as_bytes().to_vec())
            }
            Curve::Ed25519 => {
                let key = ed25519_dalek::SigningKey::from_bytes(&self.key);
                Ok(key.verifying_key().to_bytes().to_vec())
            }
        }
    }

    /// The private key: a scalar, big-endian, or Ed25519's 32 secret bytes (RFC 8032).
    pub fn secret(&self) -> Secret {
        Secret::new(self.key.to_vec())
    }

    /// The chain code. With the public key it shows all non-hardened children, and with one of
    /// their private keys this one: treat it as confidential.
    pub fn chain_code(&self) -> Secret {
        Secret::new(self.chain_code.to_vec())
    }
}

fn sum<C: CurveArithmetic>(left: &Half, parent: Option<&Half>) -> Option<Half>
where
    FieldBytes<C>: From<[u8; 32]> + Into<[u8; 32]>,
{
    let scalar = |bytes: &Half| -> Option<C::Scalar> {
        Option::from(C::Scalar::from_repr(FieldBytes::<C>::from(**bytes)))
    };
    let mut sum = Zeroizing::new(scalar(left)?);
    if let Some(parent) = parent {
        *sum += scalar(parent)?;
    }
    let zero: bool = k256::elliptic_curve::Field::is_zero(&*sum).into();
    (!zero).then(|| Zeroizing::new(sum.to_repr().into()))
}

fn hashed(key: &[u8], parts: &[&[u8]]) -> (Half, Half) {
    let mut bytes = Zeroizing::new([0; 64]);
    // HMAC takes keys of any length.
    if let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(key) {
        for part in parts {
            mac.update(part);
        }
        bytes.copy_from_slice(&mac.finalize().into_bytes());
    }
    let (mut left, mut right) = (Half::default(), Half::default());
    let (from_left, from_right) = bytes.split_at(32);
    left.copy_from_slice(from_left);
    right.copy_from_slice(from_right);
    (left, right)
}
