//! What lies at an address's path: the public key that its money is locked to, and how the path is
//! written for people, the same in the API, on the pages, at the command line and by the signer
//! itself. Never leaves out whose key it is.

use strongroom_domain::{AddressPath, Branch, KeyId, key::Protocol};

use crate::frost::{FrostError, GroupKey, KeyPath};

/// What a wallet's addresses are derived from.
enum Root {
    /// The key is the root of a tree of its own: `frost::GroupKey`.
    Tree,
    /// The key has one address, its own.
    Alone,
    /// Every cosigner takes the same two steps below its own origin, which the descriptor names.
    Cosigners,
    /// No address on our networks.
    None,
}

/// Why no key lies there.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoKey {
    /// Of this protocol no single key is at a path.
    #[error("a {} key has no key of its own at {path}", protocol.name())]
    Protocol {
        /// Which.
        protocol: Protocol,
        /// Where.
        path: AddressPath,
    },
    /// The public key, or the path below it.
    #[error(transparent)]
    Derivation(#[from] FrostError),
}

const fn root(protocol: Protocol) -> Root {
    match protocol {
        Protocol::FrostSecp256k1Tr => Root::Tree,
        Protocol::Dkls23Secp256k1 | Protocol::Pkcs11Secp256k1 => Root::Alone,
        Protocol::MultisigP2wsh | Protocol::MultisigP2tr => Root::Cosigners,
        Protocol::FrostEd25519
        | Protocol::Pkcs11P256
        | Protocol::Pkcs11Ed25519
        | Protocol::Pkcs11Rsa2048
        | Protocol::VaultEd25519 => Root::None,
    }
}

/// The compressed point that the address at `path` belongs to, by the key's own public key.
pub fn point_at(protocol: Protocol, key: &[u8], path: AddressPath) -> Result<[u8; 33], NoKey> {
    let none = NoKey::Protocol { protocol, path };
    let only = AddressPath { branch: Branch::Deposit, index: 0 };
    match root(protocol) {
        Root::Tree => Ok(GroupKey::from_bytes(key)?.child(KeyPath::from(path))?.to_bytes()),
        Root::Alone if path == only => Ok(GroupKey::from_bytes(key)?.to_bytes()),
        Root::Alone | Root::Cosigners | Root::None => Err(none),
    }
}

/// An address's path with the key that it lies below: `m/0/7 of key <id>`.
pub fn shown(key: KeyId, protocol: Protocol, path: AddressPath) -> String {
    match root(protocol) {
        Root::Tree => format!("m/{path} of key {key}"),
        Root::Cosigners => format!("{path} below every cosigner of key {key}"),
        Root::Alone | Root::None => format!("m of key {key}"),
    }
}
