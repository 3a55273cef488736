//! A cosigner's part of a multisig key's spend proof. A device that signs no digests signs the statement
//! as a message instead (BIP 137), which no transaction is either. Never takes the key of an address.

use super::{BRANCH, SpendProofError, digest};
use crate::bitcoin::{
    SECP,
    multisig::{Descriptor, KeyExpression, Shape},
};
use bitcoin::{
    bip32::ChildNumber,
    secp256k1::{Message, PublicKey, XOnlyPublicKey, ecdsa, schnorr},
    sign_message::{MessageSignature, signed_msg_hash},
};
use strongroom_domain::Bytes;

/// Whether the cosigner at `place` (from 0) signed the statement with its key for proofs: the child at
/// `2/epoch` of an extended key, a fixed key itself. In 64 bytes over [`digest`], as the wallet's
/// signatures are made (ECDSA with low s, or BIP 340); or in 65 as BIP 137 says, over the text.
pub fn verify_cosigner(
    descriptor: &Descriptor,
    place: usize,
    epoch: u32,
    statement: &str,
    signature: &Bytes,
) -> Result<(), SpendProofError> {
    let refuse = || SpendProofError::Signature { place: place.saturating_add(1) };
    let key = descriptor.keys().get(place).ok_or_else(refuse)?;
    let public = proving_key(key, epoch).ok_or_else(refuse)?;
    let holds = match (signature.array::<64>(), signature.array::<65>()) {
        (Some(signature), _) => {
            let message = Message::from_digest(digest(statement));
            by_shape(descriptor.shape(), &message, &signature, &public)
        }
        // A fixed key is that of every address, and a message could be anybody's words.
        (None, Some(signature)) if key.derives() => by_message(statement, &signature, &public),
        (None, _) => false,
    };
    if holds { Ok(()) } else { Err(refuse()) }
}

fn proving_key(key: &KeyExpression, epoch: u32) -> Option<PublicKey> {
    match key {
        KeyExpression::Fixed(key) => Some(*key),
        KeyExpression::Extended { xpub, .. } => {
            let steps = [BRANCH, epoch].map(ChildNumber::from_normal_idx);
            let [Ok(branch), Ok(epoch)] = steps else { return None };
            Some(xpub.derive_pub(&*SECP, &[branch, epoch]).ok()?.public_key)
        }
    }
}

fn by_shape(shape: Shape, message: &Message, signature: &[u8; 64], public: &PublicKey) -> bool {
    match shape {
        // The library takes low s only.
        Shape::P2wsh => ecdsa::Signature::from_compact(signature)
            .is_ok_and(|signature| SECP.verify_ecdsa(message, &signature, public).is_ok()),
        Shape::P2tr => {
            let public: XOnlyPublicKey = public.x_only_public_key().0;
            schnorr::Signature::from_slice(signature)
                .is_ok_and(|signature| SECP.verify_schnorr(&signature, message, &public).is_ok())
        }
    }
}

fn by_message(statement: &str, signature: &[u8; 65], public: &PublicKey) -> bool {
    let recovered = MessageSignature::from_slice(signature)
        .and_then(|signature| signature.recover_pubkey(&SECP, signed_msg_hash(statement)));
    recovered.is_ok_and(|recovered| recovered.inner == *public)
}
