//! Spend proofs: what a key signs to show that it can, and whether the signatures are its own. What
//! is signed is never the digest of a transaction, and the key of a group that signs it is never the
//! key of an address.

use sha2::{Digest, Sha256};
use strongroom_domain::{
    Bytes,
    key::{Active, Protocol},
};

use crate::{
    TokenPublic,
    bitcoin::multisig::Places,
    frost::{GroupKey, KeyPath, verify},
};

mod cosigner;

pub use cosigner::verify_cosigner;

/// Separates this digest from every other use of SHA-256, with the zero byte behind it.
const DOMAIN: &[u8] = b"strongroom/spend-proof/v1\0";

/// The branch below a group key that proofs are signed on: addresses have branches 0 and 1 (BIP 44).
const BRANCH: u32 = 2;

/// Why a proof is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SpendProofError {
    /// One is wanted, or one of each cosigner.
    #[error("{found} signatures, the key's proof has {wanted}")]
    Count {
        /// How many it takes.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
    /// The key of the log is no key of its protocol.
    #[error("the public key is none of a {} key", protocol.name())]
    Key {
        /// Which protocol.
        protocol: Protocol,
    },
    /// By another key, over another statement, or in a second form.
    #[error("signature {place} is not this key's over its spend proof")]
    Signature {
        /// Counted from 1.
        place: usize,
    },
    /// Nothing here can tell.
    #[error("no spend proof of a {} key can be verified", protocol.name())]
    Unknown {
        /// Which protocol.
        protocol: Protocol,
    },
}

/// SHA-256 of the domain, a zero byte and the statement ([`strongroom_domain::statement::spend_proof`]).
///
/// Bitcoin's digests are tagged hashes (BIP 340) or begin with other bytes, Ethereum's are Keccak-256:
/// no transaction has this one.
pub fn digest(statement: &str) -> [u8; 32] {
    Sha256::new().chain_update(DOMAIN).chain_update(statement.as_bytes()).finalize().into()
}

/// Where below a group key the proof of an epoch's shares is signed: no address is ever there.
pub const fn path(epoch: u32) -> KeyPath {
    KeyPath { change: BRANCH, index: epoch }
}

/// Whether these signatures show that `active` can sign with the shares of `epoch`.
pub fn verify_proof(
    active: &Active,
    epoch: u32,
    statement: &str,
    signatures: &[Bytes],
) -> Result<(), SpendProofError> {
    let protocol = active.plan.protocol;
    match protocol {
        Protocol::MultisigP2wsh | Protocol::MultisigP2tr => {
            let places = Places::of_key(active).map_err(|_| SpendProofError::Key { protocol })?;
            let (wanted, found) = (places.descriptor.keys().len(), signatures.len());
            if wanted != found {
                return Err(SpendProofError::Count { wanted, found });
            }
            let mut each = signatures.iter().enumerate();
            each.try_for_each(|(at, signature)| {
                verify_cosigner(&places.descriptor, at, epoch, statement, signature)
            })
        }
        Protocol::FrostSecp256k1Tr
        | Protocol::FrostEd25519
        | Protocol::Dkls23Secp256k1
        | Protocol::Pkcs11Secp256k1
        | Protocol::Pkcs11P256
        | Protocol::Pkcs11Ed25519
        | Protocol::Pkcs11Rsa2048
        | Protocol::VaultEd25519 => {
            let [signature] = signatures else {
                return Err(SpendProofError::Count { wanted: 1, found: signatures.len() });
            };
            let digest = digest(statement);
            if one(protocol, &active.public_key, epoch, &digest, signature)? {
                Ok(())
            } else {
                Err(SpendProofError::Signature { place: 1 })
            }
        }
    }
}

fn one(
    protocol: Protocol,
    public_key: &Bytes,
    epoch: u32,
    digest: &[u8; 32],
    signature: &Bytes,
) -> Result<bool, SpendProofError> {
    let no_key = SpendProofError::Key { protocol };
    let as_token = match protocol {
        Protocol::FrostSecp256k1Tr => {
            let group = GroupKey::from_bytes(public_key.as_slice());
            let child = group.and_then(|group| group.child(path(epoch))).map_err(|_| no_key)?;
            let whole = signature.array::<64>();
            return Ok(whole.is_some_and(|sig| verify(&child.output_key(), digest, &sig).is_ok()));
        }
        // The child that the holders sign with (BIP 32, CKDpub), as plain ECDSA.
        Protocol::Dkls23Secp256k1 => {
            let group = GroupKey::from_bytes(public_key.as_slice());
            let child = group.and_then(|group| group.child(path(epoch))).map_err(|_| no_key)?;
            return Ok(
                TokenPublic::Secp256k1(child.to_bytes()).verifies(digest, signature.as_slice())
            );
        }
        // Plain Ed25519 keys have no children: the group key itself signs, as a device's would.
        Protocol::FrostEd25519 => Protocol::VaultEd25519,
        Protocol::Pkcs11Secp256k1
        | Protocol::Pkcs11P256
        | Protocol::Pkcs11Ed25519
        | Protocol::Pkcs11Rsa2048
        | Protocol::VaultEd25519 => protocol,
        Protocol::MultisigP2wsh | Protocol::MultisigP2tr => {
            return Err(SpendProofError::Unknown { protocol });
        }
    };
    let public = TokenPublic::parse(as_token, public_key).map_err(|_| no_key)?;
    Ok(public.verifies(digest, signature.as_slice()))
}

#[cfg(test)]
mod tests;
