//! From cosigners' signatures to the signed transaction. Never returns one with a signature that it
//! has not verified itself.

use super::{
    super::{DecodeError, SECP},
    Offered, ReadError, Shape, UnsignedTx,
    reading::deserialize,
};
use crate::{SignedTx, SigningPayload};
use bitcoin::{
    Psbt, PublicKey, Transaction, TxOut, Witness, XOnlyPublicKey,
    consensus::encode,
    ecdsa,
    hashes::Hash,
    secp256k1::{Message, ecdsa::Signature as Ecdsa, schnorr::Signature as Schnorr},
    sighash::{EcdsaSighashType, Prevouts, SighashCache, TapSighashType},
    taproot,
};
use std::collections::BTreeMap;
use strongroom_domain::{Address, AddressPath, Bytes};

/// What one cosigner signs for one input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payload {
    /// The 32 bytes: for ECDSA with low s on P2WSH (BIP 143, all), for BIP 340 on P2TR (BIP 342,
    /// default).
    pub digest: [u8; 32],
    /// The public key that must have signed, compressed.
    pub key: [u8; 33],
    /// Where below the cosigner's extended key it lies; a fixed key signs as it is.
    pub path: AddressPath,
}

/// One cosigner's part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partial {
    /// The cosigner's place among the descriptor's keys, counted from 0.
    pub place: usize,
    /// One for each input: `r ‖ s` with low s, or BIP 340.
    pub signatures: Vec<[u8; 64]>,
}

/// Why there is no signed transaction.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CombineError {
    /// Not this cosigner's, or over something else.
    #[error("cosigner {place}: not a valid signature of each of the {inputs} inputs")]
    Partial {
        /// Counted from 0.
        place: usize,
        /// How many there are.
        inputs: usize,
    },
    /// Too few.
    #[error("{found} cosigners signed: it takes {needed}")]
    TooFew {
        /// Who did.
        found: usize,
        /// *m*.
        needed: usize,
    },
    /// It is no PSBT of this transaction.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Of something else.
    #[error("the PSBT is of another transaction, or says other things of its coins")]
    AnotherTransaction,
    /// Nothing new in it.
    #[error("no cosigner signed all inputs in this PSBT")]
    NoSignatures,
    /// Bytes that are not this transaction, signed as we sign.
    #[error("not this transaction with the signatures of {needed} cosigners in each input")]
    NotThisTransaction {
        /// *m*.
        needed: usize,
    },
}

impl UnsignedTx {
    /// What the cosigner at `place` signs, in the order of the inputs. Empty for a place that nobody has.
    pub fn payloads(&self, place: usize) -> Vec<Payload> {
        let digests = self.digests();
        let each = self.spent.iter().zip(digests).filter_map(|(spent, digest)| {
            let key = spent.scripts.keys.get(place)?.serialize();
            Some(Payload { digest, key, path: spent.path })
        });
        each.collect()
    }

    /// What every cosigner signs, in the order of the inputs, with the path below each one's key.
    pub fn signing_payloads(
        &self,
        owns: &dyn Fn(&Address) -> Option<AddressPath>,
    ) -> Result<Vec<SigningPayload>, DecodeError> {
        self.check_paths(owns)?;
        let each = self.spent.iter().zip(self.digests());
        Ok(each.map(|(spent, digest)| SigningPayload { digest, path: Some(spent.path) }).collect())
    }

    /// Whether it is the cosigner's signature of that input. `digests` are [`Self::digests`], which
    /// whoever asks more than once works out once: each is a hash over all inputs.
    pub(super) fn verifies(
        &self,
        place: usize,
        input: usize,
        digests: &[[u8; 32]],
        signature: &[u8; 64],
    ) -> bool {
        let spent = self.spent.get(input).zip(digests.get(input));
        spent.is_some_and(|(spent, digest)| {
            spent.scripts.keys.get(place).is_some_and(|key| {
                let payload = Payload { digest: *digest, key: key.serialize(), path: spent.path };
                holds(self.descriptor.shape(), &payload, signature)
            })
        })
    }

    /// Checks a cosigner's part: one valid signature of each input.
    pub fn check_partial(&self, partial: &Partial) -> Result<(), CombineError> {
        let (place, inputs) = (partial.place, self.spent.len());
        let payloads = self.payloads(place);
        let shape = self.descriptor.shape();
        let counts = payloads.len() == inputs && partial.signatures.len() == inputs;
        let mut pairs = payloads.iter().zip(&partial.signatures);
        if counts && pairs.all(|(payload, signature)| holds(shape, payload, signature)) {
            Ok(())
        } else {
            Err(CombineError::Partial { place, inputs })
        }
    }

    /// The parts in a PSBT that a cosigner sends back: of everybody who signed all inputs. Nothing in
    /// it may differ from this transaction.
    pub fn partials(&self, psbt: &[u8]) -> Result<Vec<Partial>, CombineError> {
        // Before any signature is looked at: that costs, and only ours is worth it.
        if deserialize(psbt).map_err(ReadError::from)?.unsigned_tx != self.transaction {
            return Err(CombineError::AnotherTransaction);
        }
        let offered = Offered::read(self.chain, &self.descriptor, psbt)?;
        let same = offered.unsigned.transaction == self.transaction
            && offered.unsigned.spent == self.spent;
        if !same {
            return Err(CombineError::AnotherTransaction);
        }
        let whole = offered.signatures.into_iter().filter(|(_, of)| of.len() == self.spent.len());
        let found: Vec<_> = whole
            .map(|(place, of)| Partial { place, signatures: of.into_values().collect() })
            .collect();
        if found.is_empty() { Err(CombineError::NoSignatures) } else { Ok(found) }
    }

    /// The PSBT with these parts in it, for the next cosigner.
    pub fn psbt_with(&self, partials: &[Partial]) -> Result<Bytes, CombineError> {
        let mut psbt = self.psbt();
        for partial in partials {
            self.check_partial(partial)?;
            self.insert(&mut psbt, partial);
        }
        Ok(psbt.serialize().into())
    }

    /// The signed transaction, with the parts of the first *m* of these cosigners.
    pub fn combine(&self, partials: &[Partial]) -> Result<SignedTx, CombineError> {
        let needed = self.descriptor.threshold();
        let mut parts: BTreeMap<usize, &Partial> = BTreeMap::new();
        for partial in partials {
            self.check_partial(partial)?;
            parts.insert(partial.place, partial);
        }
        if parts.len() < needed {
            return Err(CombineError::TooFew { found: parts.len(), needed });
        }
        let chosen: BTreeMap<_, _> = parts.into_iter().take(needed).collect();
        let mut signed = self.transaction.clone();
        let slots = signed.input.iter_mut().enumerate();
        for (slot, input) in slots {
            let of = chosen
                .iter()
                .filter_map(|(place, part)| Some((*place, *part.signatures.get(slot)?)));
            input.witness = self.witness(slot, &of.collect());
        }
        Ok(SignedTx { id: signed.compute_txid().into(), raw: encode::serialize(&signed).into() })
    }

    /// Checks that `raw` is this transaction, each input signed by as many cosigners as it takes, in the form
    /// that [`Self::combine`] gives it. Other software may have different cosigners sign different inputs.
    /// Every signature is verified again.
    pub fn check_signed(&self, raw: &Bytes) -> Result<SignedTx, CombineError> {
        let needed = self.descriptor.threshold();
        let refuse = || CombineError::NotThisTransaction { needed };
        let transaction: Transaction = encode::deserialize(raw.as_slice()).map_err(|_| refuse())?;
        let digests = self.digests();
        let mut signed = self.transaction.clone();
        if transaction.input.len() != signed.input.len() {
            return Err(refuse());
        }
        for (slot, (input, own)) in transaction.input.iter().zip(&mut signed.input).enumerate() {
            let signers = self.signers(slot, &digests, &input.witness).ok_or_else(refuse)?;
            let verifies = |(place, signature): &(usize, [u8; 64])| {
                self.verifies(*place, slot, &digests, signature)
            };
            let signatures: BTreeMap<_, _> = signers.iter().copied().filter(verifies).collect();
            if signatures.len() != needed || signers.len() != needed {
                return Err(refuse());
            }
            own.witness = self.witness(slot, &signatures);
        }
        let again: Bytes = encode::serialize(&signed).into();
        if again != *raw {
            return Err(refuse());
        }
        Ok(SignedTx { id: signed.compute_txid().into(), raw: again })
    }

    /// Who signed an input, as its witness shows it. Nothing is verified but to tell whose it is.
    fn signers(
        &self,
        slot: usize,
        digests: &[[u8; 32]],
        witness: &Witness,
    ) -> Option<Vec<(usize, [u8; 64])>> {
        let spent = self.spent.get(slot)?;
        let count = spent.scripts.keys.len();
        match self.descriptor.shape() {
            Shape::P2wsh => {
                let items = witness.len().checked_sub(2)?;
                let signatures = witness.iter().skip(1).take(items).map(|item| {
                    let parsed = ecdsa::Signature::from_slice(item).ok()?;
                    let signature = parsed.signature.serialize_compact();
                    let mut places = 0..count;
                    let place =
                        places.find(|place| self.verifies(*place, slot, digests, &signature))?;
                    Some((place, signature))
                });
                signatures.collect()
            }
            Shape::P2tr => {
                let items = witness.iter().take(count).enumerate();
                let signed = items.filter(|(_, item)| !item.is_empty());
                let signatures = signed.map(|(position, item)| {
                    let place = count.checked_sub(1)?.checked_sub(position)?;
                    Some((place, item.try_into().ok()?))
                });
                signatures.collect()
            }
        }
    }

    fn witness(&self, slot: usize, signatures: &BTreeMap<usize, [u8; 64]>) -> Witness {
        let mut witness = Witness::new();
        let Some(scripts) = self.spent.get(slot).map(|spent| &spent.scripts) else {
            return witness;
        };
        let Some(leaf) = &scripts.leaf else {
            // CHECKMULTISIG takes one element too many off the stack, which must be empty (BIP 147).
            witness.push([]);
            let mut sorted: Vec<_> = scripts
                .keys
                .iter()
                .enumerate()
                .filter_map(|(place, key)| Some((key.serialize(), signatures.get(&place)?)))
                .collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            for (_, signature) in sorted {
                if let Some(der) = der(signature) {
                    witness.push(der.serialize());
                }
            }
            witness.push(&scripts.script);
            return witness;
        };
        // The first key's is checked first, so it lies on top.
        for place in (0..scripts.keys.len()).rev() {
            witness.push(signatures.get(&place).map_or([].as_slice(), <[u8; 64]>::as_slice));
        }
        witness.push(&scripts.script);
        witness.push(leaf.control.serialize());
        witness
    }

    fn insert(&self, psbt: &mut Psbt, partial: &Partial) {
        let each = psbt.inputs.iter_mut().zip(&self.spent).zip(&partial.signatures);
        for ((fields, spent), signature) in each {
            let Some(key) = spent.scripts.keys.get(partial.place) else { continue };
            match &spent.scripts.leaf {
                None => {
                    if let Some(signature) = der(signature) {
                        fields.partial_sigs.insert(PublicKey::new(*key), signature);
                    }
                }
                Some(leaf) => {
                    let place = (key.x_only_public_key().0, leaf.hash);
                    if let Ok(signature) = Schnorr::from_slice(signature) {
                        let sighash_type = TapSighashType::Default;
                        let whole = taproot::Signature { signature, sighash_type };
                        fields.tap_script_sigs.insert(place, whole);
                    }
                }
            }
        }
    }

    pub(super) fn digests(&self) -> Vec<[u8; 32]> {
        let coins: Vec<&TxOut> = self.spent.iter().map(|spent| &spent.output).collect();
        let prevouts = Prevouts::All(&coins);
        let mut cache = SighashCache::new(&self.transaction);
        let each = self.spent.iter().enumerate().filter_map(|(input, spent)| {
            Some(match &spent.scripts.leaf {
                None => cache
                    .p2wsh_signature_hash(
                        input,
                        &spent.scripts.script,
                        spent.output.value,
                        EcdsaSighashType::All,
                    )
                    .ok()?
                    .to_byte_array(),
                Some(leaf) => cache
                    .taproot_script_spend_signature_hash(
                        input,
                        &prevouts,
                        leaf.hash,
                        TapSighashType::Default,
                    )
                    .ok()?
                    .to_byte_array(),
            })
        });
        each.collect()
    }
}

fn der(signature: &[u8; 64]) -> Option<ecdsa::Signature> {
    let signature = Ecdsa::from_compact(signature).ok()?;
    Some(ecdsa::Signature { signature, sighash_type: EcdsaSighashType::All })
}

fn holds(shape: Shape, payload: &Payload, signature: &[u8; 64]) -> bool {
    let message = Message::from_digest(payload.digest);
    match shape {
        Shape::P2wsh => {
            // The library verifies low s only, as nodes relay only that (BIP 146).
            let key = bitcoin::secp256k1::PublicKey::from_slice(&payload.key);
            let parsed = Ecdsa::from_compact(signature);
            key.ok().zip(parsed.ok()).is_some_and(|(key, signature)| {
                SECP.verify_ecdsa(&message, &signature, &key).is_ok()
            })
        }
        Shape::P2tr => {
            let key = payload.key.get(1..).and_then(|x| XOnlyPublicKey::from_slice(x).ok());
            let parsed = Schnorr::from_slice(signature).ok();
            key.zip(parsed).is_some_and(|(key, signature)| {
                SECP.verify_schnorr(&signature, &message, &key).is_ok()
            })
        }
    }
}
