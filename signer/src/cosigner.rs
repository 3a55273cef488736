//! A cosigner's extended key: whose accounts multisig wallets name (BIP 32, 48), on a machine without a
//! network or in a signer. Never gives a private key away, and never signs at a place of a descriptor
//! where the whole extended key is not its own.

use std::path::Path;

use bitcoin::{
    NetworkKind,
    bip32::{ChainCode, ChildNumber, DerivationPath, Fingerprint, Xpub},
    hashes::{Hash, hash160},
    key::{Keypair, Secp256k1},
    secp256k1::{Message, PublicKey, SecretKey},
};
use rand::{RngCore, rngs::OsRng};
use strongroom_chains::{
    bitcoin::multisig::{Descriptor, KeyExpression, Payload, Shape},
    spend_proof,
};
use strongroom_domain::Branch;
use strongroom_secrets::{
    Existing, Sealer, Secret,
    hd::{Curve, Node, NodeError},
};
use thiserror::Error;

use crate::frost::{ShareError, ShareName};

/// BIP 32 asks for 16 to 64 bytes.
const SEED: usize = 64;

/// Why there is no key there, or no signature of it.
#[derive(Debug, Error)]
pub enum CosignerError {
    /// Below the seed.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A path without steps, or none at all.
    #[error("`{path}` is no path of an account: expected for example `48h/2h/0h/2h` (BIP 48)")]
    Path {
        /// As given.
        path: String,
    },
    /// Another key, or another wallet.
    #[error("this key ({fingerprint}) is no cosigner of the descriptor")]
    NoCosigner {
        /// Of this key's master.
        fingerprint: Fingerprint,
    },
    /// A bug: what was derived is not what the descriptor says.
    #[error("the key at {path} is another than the descriptor's: nothing was signed")]
    AnotherKey {
        /// Where.
        path: String,
    },
}

/// A cosigner's master key, opened.
pub struct Cosigner {
    master: Node,
    fingerprint: Fingerprint,
}

impl Cosigner {
    /// The master key of a seed (BIP 32).
    pub fn of(seed: &Secret) -> Result<Self, CosignerError> {
        let master = Node::master(Curve::Secp256k1, seed)?;
        let fingerprint = fingerprint(&master)?;
        Ok(Self { master, fingerprint })
    }

    /// The one of a signer for a key: drawn and sealed once, the same for whoever asks again. Durable
    /// before it is given; a crash leaves a seed that nobody was told of, and the next try finds it.
    pub fn held(sealer: &Sealer, directory: &Path, name: ShareName) -> Result<Self, ShareError> {
        let path = name.path(directory);
        if !path.exists() {
            let mut seed = Secret::zeroed(SEED);
            OsRng.fill_bytes(seed.expose_mut());
            sealer.seal_file(&path, &context(name), seed.expose(), Existing::Keep)?;
        }
        Self::load(sealer, directory, name)
    }

    /// Opens what [`Self::held`] sealed.
    pub fn load(sealer: &Sealer, directory: &Path, name: ShareName) -> Result<Self, ShareError> {
        let path = name.path(directory);
        let seed = sealer.open_file(&path, &context(name))?;
        Self::of(&seed).map_err(|_| ShareError::Malformed { path })
    }

    /// The master key's fingerprint (BIP 32): not secret, and how descriptors name it.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// What a wallet's plan names this cosigner by: the public key of an account, with its origin.
    pub fn expression(&self, path: &str) -> Result<KeyExpression, CosignerError> {
        let refuse = || CosignerError::Path { path: path.to_owned() };
        let origin: DerivationPath = path.parse().map_err(|_| refuse())?;
        let steps: &[ChildNumber] = origin.as_ref();
        let Some((last, above)) = steps.split_last() else { return Err(refuse()) };
        let parent = self.master.at(above.iter().copied().map(u32::from))?;
        let node = parent.child(u32::from(*last))?;
        let depth = u8::try_from(steps.len()).map_err(|_| refuse())?;
        let chain_code = <[u8; 32]>::try_from(node.chain_code().expose()).map_err(|_| refuse())?;
        let xpub = Xpub {
            network: NetworkKind::Main,
            depth,
            parent_fingerprint: fingerprint(&parent)?,
            child_number: *last,
            public_key: public(&node)?,
            chain_code: ChainCode::from(chain_code),
        };
        Ok(KeyExpression::Extended { fingerprint: self.fingerprint, origin, xpub })
    }

    /// Its place among the cosigners of a descriptor, and the origin that it has there. The whole
    /// extended key must be its own: a fingerprint is four bytes that anybody can copy.
    pub fn place(&self, descriptor: &Descriptor) -> Result<(usize, DerivationPath), CosignerError> {
        for (place, key) in descriptor.keys().iter().enumerate() {
            let KeyExpression::Extended { fingerprint, origin, .. } = key else { continue };
            if *fingerprint != self.fingerprint || origin.is_empty() {
                continue;
            }
            if self.expression(&origin.to_string())? == *key {
                return Ok((place, origin.clone()));
            }
        }
        Err(CosignerError::NoCosigner { fingerprint: self.fingerprint })
    }

    /// One signature of each payload, which are those of its place.
    pub fn sign(
        &self,
        descriptor: &Descriptor,
        payloads: &[Payload],
    ) -> Result<Vec<[u8; 64]>, CosignerError> {
        let shape = descriptor.shape();
        let account = self.account(descriptor)?;
        let each = payloads.iter().map(|payload| {
            let branch = match payload.path.branch {
                Branch::Deposit => 0,
                Branch::Change => 1,
            };
            let node = account.at([branch, payload.path.index])?;
            if public(&node)?.serialize() != payload.key {
                return Err(CosignerError::AnotherKey { path: payload.path.to_string() });
            }
            sign_one(&node, shape, payload.digest)
        });
        each.collect()
    }

    /// Its part of a spend proof: by a key that no address has.
    pub fn prove(
        &self,
        descriptor: &Descriptor,
        epoch: u32,
        digest: [u8; 32],
    ) -> Result<[u8; 64], CosignerError> {
        let path = spend_proof::path(epoch);
        let node = self.account(descriptor)?.at([path.change, path.index])?;
        sign_one(&node, descriptor.shape(), digest)
    }

    fn account(&self, descriptor: &Descriptor) -> Result<Node, CosignerError> {
        let (_, origin) = self.place(descriptor)?;
        Ok(self.master.at(origin.into_iter().copied().map(u32::from))?)
    }
}

fn sign_one(node: &Node, shape: Shape, digest: [u8; 32]) -> Result<[u8; 64], CosignerError> {
    let secret = SecretKey::from_slice(node.secret().expose());
    let mut secret = secret.map_err(|_| CosignerError::Node(NodeError::Key))?;
    let curve = Secp256k1::signing_only();
    let message = Message::from_digest(digest);
    let signature = match shape {
        // Deterministic nonces (RFC 6979); the library makes s low.
        Shape::P2wsh => curve.sign_ecdsa(&message, &secret).serialize_compact(),
        Shape::P2tr => {
            let mut pair = Keypair::from_secret_key(&curve, &secret);
            let signature = curve.sign_schnorr(&message, &pair).serialize();
            pair.non_secure_erase();
            signature
        }
    };
    secret.non_secure_erase();
    Ok(signature)
}

fn public(node: &Node) -> Result<PublicKey, NodeError> {
    PublicKey::from_slice(&node.public()?).map_err(|_| NodeError::Key)
}

fn fingerprint(node: &Node) -> Result<Fingerprint, NodeError> {
    let [a, b, c, d, ..] = hash160::Hash::hash(&node.public()?).to_byte_array();
    Ok(Fingerprint::from([a, b, c, d]))
}

fn context(name: ShareName) -> String {
    let ShareName { key, signer, epoch } = name;
    format!("strongroom/cosigner-seed/v1 key:{key} signer:{signer} epoch:{epoch}")
}
