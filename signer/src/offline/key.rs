//! The file, and what is derived from it. Never gives a private key away but as the words that make it
//! again.

use std::{fs, io, path::Path};

use bitcoin::bip32::Fingerprint;
use rand::{RngCore, rngs::OsRng};
use strongroom_chains::bitcoin::multisig::{Descriptor, KeyExpression, Partial, UnsignedTx};
use strongroom_secrets::{
    Existing, SealError, Sealer, Secret, SecretText,
    hd::{Words, WordsError},
};
use thiserror::Error;
use uuid::Uuid;

use crate::{
    cosigner::{Cosigner, CosignerError},
    pkcs11::TokenError,
};

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
    /// The key, or its place in a wallet.
    #[error(transparent)]
    Cosigner(#[from] CosignerError),
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
}

/// A cosigner's seed, opened.
pub struct OfflineKey(Cosigner);

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
        Ok(Self(Cosigner::of(&words.seed(&SecretText::new(String::new())))?))
    }

    /// The master key's fingerprint (BIP 32): not secret, and how descriptors name it.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint()
    }

    /// What a wallet's plan names this cosigner by: the public key of an account, with its origin.
    pub fn expression(&self, path: &str) -> Result<KeyExpression, OfflineError> {
        Ok(self.0.expression(path)?)
    }

    /// Its place among the cosigners of a descriptor.
    pub fn place(&self, descriptor: &Descriptor) -> Result<usize, OfflineError> {
        Ok(self.0.place(descriptor)?.0)
    }

    /// One signature of each input. Call it after a person agreed to [`super::Review`].
    pub fn sign(&self, unsigned: &UnsignedTx) -> Result<Partial, OfflineError> {
        let place = self.place(unsigned.descriptor())?;
        let signatures = self.0.sign(unsigned.descriptor(), &unsigned.payloads(place))?;
        Ok(Partial { place, signatures })
    }

    /// Its part of a spend proof. Call it after a person read the statement.
    pub fn prove(
        &self,
        descriptor: &Descriptor,
        epoch: u32,
        digest: [u8; 32],
    ) -> Result<[u8; 64], OfflineError> {
        Ok(self.0.prove(descriptor, epoch, digest)?)
    }
}
