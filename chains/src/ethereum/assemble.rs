//! From a signature to the signed transaction. Never returns one from which another sender than
//! the wallet would be recovered.

use super::{Chain, DecodeError, UnsignedTx, address};
use crate::{KeyError, SignedTx, TransactionId};
use alloy_consensus::{
    TxEip1559,
    transaction::{RlpEcdsaDecodableTx, RlpEcdsaEncodableTx},
};
use alloy_primitives::{Signature as Rsv, U256, keccak256};
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use strongroom_domain::{Address, Bytes};

/// Why there is no signed transaction.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AssembleError {
    /// An account signs once.
    #[error("{found} signatures: expected one")]
    Count {
        /// How many came.
        found: usize,
    },
    /// The wallet's key is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// EIP-2, and a second form of every signature.
    #[error("the signature's s is in the upper half of the group order: expected n - s (EIP-2)")]
    HighS,
    /// Not by this key, or over something else.
    #[error("the signature does not verify under the wallet's key")]
    BadSignature,
    /// Not what we wrote.
    #[error("not this transaction with a signature of the wallet's key")]
    NotThisTransaction,
}

/// What a signed payment says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedView {
    /// Its id.
    pub id: TransactionId,
    /// Whose signature it carries.
    pub sender: Address,
    /// What was signed.
    pub unsigned: UnsignedTx,
}

impl UnsignedTx {
    /// Adds the signature `r ‖ s` of `key`, the wallet's compressed key, after it verified: finds
    /// the parity with which the network recovers this sender.
    pub fn assemble(
        &self,
        key: &[u8; 33],
        signature: &[u8; 64],
    ) -> Result<SignedTx, AssembleError> {
        let key = VerifyingKey::from_sec1_bytes(key).map_err(|_| KeyError)?;
        let parsed = Signature::from_slice(signature).map_err(|_| AssembleError::BadSignature)?;
        if parsed.normalize_s().is_some() {
            return Err(AssembleError::HighS);
        }
        let digest = self.signing_payload().digest;
        let recovery = RecoveryId::trial_recovery_from_prehash(&key, &digest, &parsed)
            .ok()
            // The encoding has no room for the other two: EIP-1559's y parity is one bit.
            .filter(|recovery| !recovery.is_x_reduced())
            .ok_or(AssembleError::BadSignature)?;
        let (r, s) = parsed.split_bytes();
        let signature =
            Rsv::new(U256::from_be_slice(&r), U256::from_be_slice(&s), recovery.is_y_odd());
        let mut raw = Vec::new();
        self.payment.eip2718_encode(&signature, &mut raw);
        Ok(SignedTx { id: TransactionId(keccak256(&raw).0), raw: raw.into() })
    }

    /// Checks that `raw` is this transaction, signed by `key`.
    pub fn check_signed(&self, key: &[u8; 33], raw: &Bytes) -> Result<SignedTx, AssembleError> {
        let refuse = || AssembleError::NotThisTransaction;
        let view = decode_signed(self.chain, raw.as_slice()).map_err(|_| refuse())?;
        let sender = address::address_of(key)?;
        if view.unsigned == *self && view.sender == sender {
            Ok(SignedTx { raw: raw.clone(), id: view.id })
        } else {
            Err(refuse())
        }
    }
}

/// Reads a signed payment of the form that we make, and recovers its sender.
pub fn decode_signed(chain: &'static Chain, raw: &[u8]) -> Result<SignedView, DecodeError> {
    let refuse = |reason: &dyn ToString| DecodeError::NotEip1559 { reason: reason.to_string() };
    let Some((2, mut body)) = raw.split_first() else {
        return Err(refuse(&"it does not begin with type byte 2"));
    };
    let (payment, signature) =
        TxEip1559::rlp_decode_with_signature(&mut body).map_err(|error| refuse(&error))?;
    let mut again = Vec::new();
    payment.eip2718_encode(&signature, &mut again);
    if again != raw {
        return Err(DecodeError::NotCanonical);
    }
    let unsigned = UnsignedTx::of(chain, payment)?;
    let sender = sender(&unsigned.signing_payload().digest, &signature)
        .ok_or_else(|| refuse(&"no account could have made its signature"))?;
    Ok(SignedView { id: TransactionId(keccak256(raw).0), sender, unsigned })
}

fn sender(digest: &[u8; 32], signature: &Rsv) -> Option<Address> {
    let (r, s) = (signature.r().to_be_bytes::<32>(), signature.s().to_be_bytes::<32>());
    let parsed = Signature::from_scalars(r, s).ok()?;
    if parsed.normalize_s().is_some() {
        return None;
    }
    let recovery = RecoveryId::new(signature.v(), false);
    let key = VerifyingKey::recover_from_prehash(digest, &parsed, recovery).ok()?;
    let compressed: [u8; 33] = key.to_encoded_point(true).as_bytes().try_into().ok()?;
    address::address_of(&compressed).ok()
}
