//! Signing with a share: commit, then sign once. A signing nonce lives in memory only, is moved into
//! the one signature that it makes, and is never copied, written or used again.

use frost_secp256k1_tr::{
    self as frost,
    keys::{KeyPackage, SigningShare, Tweak as _},
    round1, round2,
};
use k256::{Scalar, elliptic_curve::PrimeField};
use rand::rngs::OsRng;
use strongroom_chains::frost::{ByHolder, FrostError, KeyPath, signing_package};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use super::KeyShare;

/// The secret behind one commitment. No `Clone`, no bytes: [`KeyShare::sign`] takes it by value.
pub struct SigningNonces(round1::SigningNonces);

/// Why a share did not sign. The nonce is gone in every case.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignError {
    /// The commitments do not hold this share's own: they are of another round.
    #[error("the commitments are not those of this nonce's round: {0}")]
    OtherRound(String),
    /// Commitments, path or message cannot be signed.
    #[error(transparent)]
    Public(#[from] FrostError),
    /// The library refused.
    #[error("cannot sign: {0}")]
    Failed(String),
    /// The share's bytes are not a scalar; the key package is damaged.
    #[error("the key share is damaged")]
    Damaged,
    /// This holder's own result does not verify, so it stays here: memory or key are damaged.
    #[error("this holder's own signature share does not verify: {0}")]
    OwnShare(FrostError),
}

impl KeyShare {
    /// Draws a fresh nonce for each of `count` messages (one for each input of a transaction).
    ///
    /// The bytes are public commitments: they go to the log, which fixes them for all.
    pub fn commit(&self, count: u16) -> Result<Vec<(SigningNonces, Vec<u8>)>, SignError> {
        let draw = |_| {
            let (nonces, commitments) = round1::commit(self.package().signing_share(), &mut OsRng);
            let bytes = commitments.serialize().map_err(|error| failed(&error))?;
            Ok((SigningNonces(nonces), bytes))
        };
        (0..count).map(draw).collect()
    }

    /// Signs `message` for the address at `path`, spending the nonce; checks its own result.
    ///
    /// Only this crate calls it, after all of the signer's checks: no caller names a digest.
    pub(crate) fn sign(
        &self,
        nonces: SigningNonces,
        commitments: &ByHolder,
        message: &[u8; 32],
        path: KeyPath,
    ) -> Result<Vec<u8>, SignError> {
        if let Some(stranger) =
            commitments.keys().find(|number| !self.public().holders().any(|own| own == **number))
        {
            return Err(FrostError::Stranger(*stranger).into());
        }
        if commitments.len() < usize::from(self.public().threshold()) {
            let needed = self.public().threshold();
            return Err(FrostError::TooFew { found: commitments.len(), needed }.into());
        }
        let SigningNonces(nonces) = nonces;
        let signing = signing_package(commitments, message)?;
        let child = self.child_package(path)?.tweak(None::<&[u8]>);
        let share = round2::sign(&signing, &nonces, &child).map_err(|error| explain(&error))?;
        // Against this holder's public share as everybody has it: a share that is damaged in memory
        // doesn't fit it.
        frost_core::verify_signature_share(
            *child.identifier(),
            child.verifying_share(),
            &share,
            &signing,
            child.verifying_key(),
        )
        .map_err(|_unfit| SignError::OwnShare(FrostError::Culprits([self.holder()].into())))?;
        Ok(share.serialize())
    }

    /// The key package of the child at `path`: the share moved by the child's distance, beside the
    /// public share of the public package, which was not made from it.
    fn child_package(&self, path: KeyPath) -> Result<KeyPackage, SignError> {
        let package = self.package();
        let child = self.public().key().child(path)?;
        let mut distance = scalar(&child.distance())?;
        let own = Zeroizing::new(package.signing_share().serialize());
        let own: &[u8; 32] = own.as_slice().try_into().map_err(|_length| SignError::Damaged)?;
        let mut sum = scalar(own)? + distance;
        let bytes = Zeroizing::new(<[u8; 32]>::from(sum.to_bytes()));
        distance.zeroize();
        sum.zeroize();
        let share = SigningShare::deserialize(bytes.as_slice()).map_err(|error| failed(&error))?;
        let key =
            frost::VerifyingKey::deserialize(&child.to_bytes()).map_err(|error| failed(&error))?;
        let public = self.public().child_share(path, self.holder())?;
        Ok(KeyPackage::new(*package.identifier(), share, public, key, *package.min_signers()))
    }
}

fn scalar(bytes: &[u8; 32]) -> Result<Scalar, SignError> {
    Option::from(Scalar::from_repr((*bytes).into())).ok_or(SignError::Damaged)
}

fn failed(error: &frost::Error) -> SignError {
    SignError::Failed(error.to_string())
}

fn explain(error: &frost::Error) -> SignError {
    if matches!(error, frost::Error::MissingCommitment | frost::Error::IncorrectCommitment) {
        SignError::OtherRound(error.to_string())
    } else {
        failed(error)
    }
}
