//! From what the keys sign to the signed transaction. Never returns one whose signatures it has
//! not verified itself.

use super::{DecodeError, SECP, UnsignedTx};
use crate::{SignedTx, SigningPayload};
use bitcoin::{
    Transaction, TxOut, Witness,
    consensus::encode,
    hashes::Hash,
    secp256k1::{Message, schnorr::Signature},
    sighash::{Prevouts, SighashCache, TapSighashType},
};
use strongroom_domain::{Address, AddressPath, Bytes};

/// Why there is no signed transaction.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AssembleError {
    /// One each.
    #[error("{found} signatures for {expected} inputs")]
    Count {
        /// How many came.
        found: usize,
        /// How many inputs there are.
        expected: usize,
    },
    /// Not by this key, or over something else.
    #[error("the signature of input {input} does not verify under its output key (BIP 340, 341)")]
    BadSignature {
        /// Which input.
        input: usize,
    },
    /// Bytes that are not this transaction, signed as we sign.
    #[error("not this transaction with one 64-byte signature for each input")]
    NotThisTransaction,
    /// Signing it makes no sense.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl UnsignedTx {
    /// What the key of each input signs, in their order: BIP 341, "Common signature message",
    /// default sighash, which covers all inputs with their amounts and scripts, and all outputs.
    pub fn signing_payloads(
        &self,
        owns: &dyn Fn(&Address) -> Option<AddressPath>,
    ) -> Result<Vec<SigningPayload>, DecodeError> {
        let paths = self.paths(owns)?.into_iter().map(Some);
        let digests = self.digests()?;
        Ok(digests
            .into_iter()
            .zip(paths)
            .map(|(d, path)| SigningPayload { digest: d, path })
            .collect())
    }

    pub(super) fn digests(&self) -> Result<Vec<[u8; 32]>, DecodeError> {
        let coins: Vec<&TxOut> = self.spent.iter().map(|(coin, _)| coin).collect();
        let prevouts = Prevouts::All(&coins);
        let mut cache = SighashCache::new(&self.psbt.unsigned_tx);
        (0..coins.len())
            .map(|input| {
                cache
                    .taproot_key_spend_signature_hash(input, &prevouts, TapSighashType::Default)
                    .map(Hash::to_byte_array)
                    .map_err(|_| DecodeError::Incomplete { input })
            })
            .collect()
    }

    /// Puts one BIP 340 signature into each input, after it verified under that input's key.
    pub fn assemble(&self, signatures: &[[u8; 64]]) -> Result<SignedTx, AssembleError> {
        let digests = self.digests()?;
        if signatures.len() != digests.len() {
            let (found, expected) = (signatures.len(), digests.len());
            return Err(AssembleError::Count { found, expected });
        }
        let mut signed = self.psbt.unsigned_tx.clone();
        let each = self.spent.iter().zip(digests).zip(signatures).zip(&mut signed.input);
        for (input, ((((_, destination), digest), signature), slot)) in each.enumerate() {
            let refuse = || AssembleError::BadSignature { input };
            let key = destination.output_key().ok_or_else(refuse)?;
            let parsed = Signature::from_slice(signature).map_err(|_| refuse())?;
            SECP.verify_schnorr(&parsed, &Message::from_digest(digest), &key)
                .map_err(|_| refuse())?;
            slot.witness = Witness::from_slice(&[signature]);
        }
        Ok(SignedTx { id: signed.compute_txid().into(), raw: encode::serialize(&signed).into() })
    }

    /// Checks that `raw` is this transaction, validly signed: every signature verified again.
    pub fn check_signed(&self, raw: &Bytes) -> Result<SignedTx, AssembleError> {
        let refuse = || AssembleError::NotThisTransaction;
        let transaction: Transaction = encode::deserialize(raw.as_slice()).map_err(|_| refuse())?;
        let signatures = transaction.input.iter().map(|input| {
            let only = input.witness.nth(0).filter(|_| input.witness.len() == 1)?;
            <[u8; 64]>::try_from(only).ok()
        });
        let signatures = signatures.collect::<Option<Vec<_>>>().ok_or_else(refuse)?;
        let signed = self.assemble(&signatures)?;
        if signed.raw == *raw { Ok(signed) } else { Err(refuse()) }
    }
}
