//! The file, and what is derived from it. Never gives a private key away but as the words that make it
//! again.

use std::{fs, io, path::Path};

use bitcoin::{
    NetworkKind,
    bip32::{ChainCode, ChildNumber, DerivationPath, Fingerprint, Xpub},
    hashes::{Hash, hash160},
    key::{Keypair, Secp256k1},
    secp256k1::{Message, PublicKey, SecretKey},
};
use rand::{RngCore, rngs::OsRng};
use strongroom_chains::bitcoin::multisig::{
    Descriptor, KeyExpression, Partial, Payload, Shape, UnsignedTx,
};
use strongroom_domain::Branch;
use strongroom_secrets::{
    Existing, SealError, Sealer, Secret, SecretText,
    hd::{Curve, Node, NodeError, Words, WordsError},
};
use thiserror::Error;
use uuid::Uuid;

use crate::pkcs11::TokenError;

/// In its directory.
const FILE: &str = "offline-key.sealed";
const CONTEXT: &str = "offline:entropy";

/// 24 words.
const ENTROPY: usize = 32;

/// Why there is no key, or no signature of it.
#[derive(Debug, Error)]
pub enum OfflineError {
    /// The file.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The directory.
    #[error("{directory}: {error}")]
    Directory {
        /// Which.
        directory: String,
        /// Why.
        error: io::Error,
    },
    /// What was typed is no key's words.
    #[error(transparent)]
    Words(#[from] WordsError),
    /// Below the seed.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A path without steps, or none at all.
    #[error("`{path}` is no path of an account: expected for example `48h/2h/0h/2h` (BIP 48)")]
    Path {
        /// As given.
        path: String,
    },
    /// Another file, or another wallet.
    #[error("this key ({fingerprint}) is no cosigner of the descriptor")]
    NoCosigner {
        /// Of this key's master.
        fingerprint: Fingerprint,
    },
    /// The token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Another key, or another wallet.
    #[error("the token's key {id} is no cosigner of the descriptor")]
    NotInWallet {
        /// Its id.
        id: Uuid,
    },
    /// PKCS#11 has no BIP 340.
    #[error("tokens sign ECDSA: this is a wallet of BIP 340 signatures (p2tr)")]
    Schnorr,
    /// A bug: what was derived is not what the descriptor says.
    #[error("the key at {path} is another than the descriptor's: nothing was signed")]
    AnotherKey {
        /// Where.
        path: String,
    },
}

/// A cosigner's seed, opened.
pub struct OfflineKey {
    master: Node,
    fingerprint: Fingerprint,
}

impl OfflineKey {
    /// Draws a key, seals it in `directory` (made if missing) and gives its words: whoever has them has
    /// the key. A crash before the end leaves a directory that the next try refuses, and no key that
    /// anybody was told of.
    pub fn create(
        directory: &Path,
        passphrase: &Secret,
    ) -> Result<(Self, SecretText), OfflineError> {
        let mut entropy = Secret::zeroed(ENTROPY);
        OsRng.fill_bytes(entropy.expose_mut());
        let words = Words::of(&entropy)?;
        Ok((Self::keep(directory, passphrase, &words)?, words.to_text()))
    }

    /// The key that these words make again, sealed in `directory`.
    pub fn restore(
        directory: &Path,
        passphrase: &Secret,
        words: &SecretText,
    ) -> Result<Self, OfflineError> {
        Self::keep(directory, passphrase, &Words::parse(words)?)
    }

    /// Opens what [`Self::create`] or [`Self::restore`] sealed.
    pub fn open(directory: &Path, passphrase: &Secret) -> Result<Self, OfflineError> {
        let sealer = Sealer::open(directory, passphrase)?;
        Self::of(&Words::of(&sealer.open_file(&directory.join(FILE), CONTEXT)?)?)
    }

    fn keep(directory: &Path, passphrase: &Secret, words: &Words) -> Result<Self, OfflineError> {
        fs::create_dir_all(directory).map_err(|error| OfflineError::Directory {
            directory: directory.display().to_string(),
            error,
        })?;
        let sealer = Sealer::create(directory, passphrase)?;
        let entropy = words.entropy();
        sealer.seal_file(&directory.join(FILE), CONTEXT, entropy.expose(), Existing::Keep)?;
        Self::of(words)
    }

    fn of(words: &Words) -> Result<Self, OfflineError> {
        // BIP 39's own passphrase stays empty: the words alone are the key.
        let seed = words.seed(&SecretText::new(String::new()));
        let master = Node::master(Curve::Secp256k1, &seed)?;
        let fingerprint = fingerprint(&master)?;
        Ok(Self { master, fingerprint })
    }

    /// The master key's fingerprint (BIP 32): not secret, and how descriptors name it.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// What a wallet's plan names this cosigner by: the public key of an account, with its origin.
    pub fn expression(&self, path: &str) -> Result<KeyExpression, OfflineError> {
        let refuse = || OfflineError::Path { path: path.to_owned() };
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
    pub fn place(&self, descriptor: &Descriptor) -> Result<(usize, DerivationPath), OfflineError> {
        for (place, key) in descriptor.keys().iter().enumerate() {
            let KeyExpression::Extended { fingerprint, origin, .. } = key else { continue };
            if *fingerprint != self.fingerprint || origin.is_empty() {
                continue;
            }
            if self.expression(&origin.to_string())? == *key {
                return Ok((place, origin.clone()));
            }
        }
        Err(OfflineError::NoCosigner { fingerprint: self.fingerprint })
    }

    /// One signature of each input. Call it after a person agreed to [`super::Review`].
    pub fn sign(&self, unsigned: &UnsignedTx) -> Result<Partial, OfflineError> {
        let shape = unsigned.descriptor().shape();
        let (place, origin) = self.place(unsigned.descriptor())?;
        let account = self.master.at(origin.into_iter().copied().map(u32::from))?;
        let payloads = unsigned.payloads(place);
        let signatures = payloads.iter().map(|payload| sign_one(&account, shape, payload));
        Ok(Partial { place, signatures: signatures.collect::<Result<_, _>>()? })
    }
}

fn sign_one(account: &Node, shape: Shape, payload: &Payload) -> Result<[u8; 64], OfflineError> {
    let refuse = || OfflineError::AnotherKey { path: payload.path.to_string() };
    let branch = match payload.path.branch {
        Branch::Deposit => 0,
        Branch::Change => 1,
    };
    let node = account.at([branch, payload.path.index])?;
    if public(&node)?.serialize() != payload.key {
        return Err(refuse());
    }
    let mut secret = SecretKey::from_slice(node.secret().expose()).map_err(|_| refuse())?;
    let curve = Secp256k1::signing_only();
    let message = Message::from_digest(payload.digest);
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
