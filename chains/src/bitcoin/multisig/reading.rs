//! A PSBT that comes from outside: from a cosigner, a device, or another wallet of the same
//! descriptor. Never takes more from it than the transaction, what proves its coins, and signatures
//! that verify.

use super::{
    super::{Chain, DecodeError},
    Descriptor, DescriptorError, UnsignedTx,
    fields::within,
    unsigned::{MAX_BYTES, Spent, check_coins},
};
use bitcoin::{
    Amount as Sats, OutPoint, Psbt, Transaction, TxOut,
    psbt::{Input, PsbtSighashType},
    sighash::{EcdsaSighashType, TapSighashType},
};
use std::collections::BTreeMap;

/// A transaction with what cosigners have signed of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offered {
    /// It.
    pub unsigned: UnsignedTx,
    /// Verified signatures, 64 bytes each: by the cosigner's place, and by input.
    pub signatures: BTreeMap<usize, BTreeMap<usize, [u8; 64]>>,
}

/// Why a PSBT is none that we understand in full.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReadError {
    /// By the rules that all our transactions obey.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Ours name their descriptor.
    #[error("the PSBT does not name its descriptor as ours do")]
    NoDescriptor,
    /// It names one that is none.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// BIP 174's fee attack: the amounts may be lies.
    #[error(
        "input {input} lacks the whole transaction that it spends from: without it nobody can tell \
         the fee"
    )]
    NoPrevious {
        /// Which input.
        input: usize,
    },
    /// The transaction that it comes with is another, or lacks that output.
    #[error("input {input} does not spend what it says that it spends")]
    WrongPrevious {
        /// Which input.
        input: usize,
    },
    /// Money of somebody else, or it does not say where below the keys it lies.
    #[error("input {input} is not shown to be on an address of this descriptor")]
    Foreign {
        /// Which input.
        input: usize,
    },
    /// It waits, by time or by age.
    #[error("input {input} or the lock time makes it wait: expected a plain transaction")]
    Waits {
        /// Which input.
        input: usize,
    },
    /// A signature over less than everything.
    #[error("input {input} asks for another sighash type: expected one that signs everything")]
    Sighash {
        /// Which input.
        input: usize,
    },
    /// A signature of nobody, or over something else.
    #[error("input {input} has a signature that is no cosigner's over this transaction")]
    Signature {
        /// Which input.
        input: usize,
    },
    /// Fields that are not the descriptor's own.
    #[error(
        "{place} has a field that is not understood, or says something else than the descriptor"
    )]
    Field {
        /// Where.
        place: String,
    },
}

pub(super) fn deserialize(bytes: &[u8]) -> Result<Psbt, DecodeError> {
    if bytes.len() > MAX_BYTES {
        return Err(DecodeError::TooLong { found: bytes.len() });
    }
    let psbt = Psbt::deserialize(bytes)
        .map_err(|error| DecodeError::NotAPsbt { reason: error.to_string() })?;
    // What stands behind the end, or in another order, is nobody's.
    if psbt.serialize() == bytes { Ok(psbt) } else { Err(DecodeError::NotCanonical) }
}

impl Offered {
    /// Reads a PSBT that spends from this descriptor and nothing else, whoever made it. What it leaves
    /// out of that which [`UnsignedTx`] says is no loss; what it says differently is refused.
    pub fn read(
        chain: &'static Chain,
        descriptor: &Descriptor,
        bytes: &[u8],
    ) -> Result<Self, ReadError> {
        let mut psbt = deserialize(bytes)?;
        let transaction = psbt.unsigned_tx.clone();
        check_coins(&transaction)?;
        let height = transaction.lock_time.is_block_height();
        for (input, spend) in transaction.input.iter().enumerate() {
            // Wallets set the height of the last block, against miners that undo it.
            if !height || spend.sequence.to_consensus_u32() < 0xffff_fffd {
                return Err(ReadError::Waits { input });
            }
        }
        let each = transaction.input.iter().zip(&psbt.inputs).enumerate();
        let spent = each
            .map(|(input, (spend, fields))| coin(descriptor, input, spend.previous_output, fields))
            .collect::<Result<Vec<_>, _>>()?;
        let returns = transaction.output.iter().zip(&psbt.outputs).map(|(paid, fields)| {
            let tap = fields.tap_key_origins.values().map(|(_, source)| source);
            let path = descriptor.hinted(fields.bip32_derivation.values().chain(tap))?;
            let scripts = descriptor.scripts(path)?;
            (scripts.output == paid.script_pubkey).then_some((path, scripts))
        });
        let returns = returns.collect();
        let descriptor = descriptor.clone();
        let unsigned = UnsignedTx { chain, descriptor, transaction, spent, returns };
        unsigned.check_money()?;
        let signatures = unsigned.take_signatures(&mut psbt)?;
        within(&unsigned.psbt(), psbt).map_err(|place| ReadError::Field { place })?;
        Ok(Self { unsigned, signatures })
    }
}

impl UnsignedTx {
    fn check_money(&self) -> Result<(), DecodeError> {
        let sum = |values: &mut dyn Iterator<Item = &TxOut>| {
            let sum = values.map(|output| output.value).try_fold(Sats::ZERO, Sats::checked_add)?;
            (sum.to_sat() <= self.chain.max_money).then_some(sum)
        };
        let incoming = sum(&mut self.spent.iter().map(|spent| &spent.output));
        let outgoing = sum(&mut self.transaction.output.iter());
        match (incoming, outgoing) {
            (Some(incoming), Some(outgoing)) if outgoing <= incoming => Ok(()),
            _ => Err(DecodeError::Money),
        }
    }

    /// Takes the signatures out of a PSBT, each after it verified.
    fn take_signatures(
        &self,
        psbt: &mut Psbt,
    ) -> Result<BTreeMap<usize, BTreeMap<usize, [u8; 64]>>, ReadError> {
        let mut found: BTreeMap<usize, BTreeMap<usize, [u8; 64]>> = BTreeMap::new();
        let digests = self.digests();
        for ((input, fields), spent) in psbt.inputs.iter_mut().enumerate().zip(&self.spent) {
            let refuse = || ReadError::Signature { input };
            let mut keep = |place: Option<usize>, signature: [u8; 64]| {
                let place = place.ok_or_else(refuse)?;
                if !self.verifies(place, input, &digests, &signature) {
                    return Err(refuse());
                }
                found.entry(place).or_default().insert(input, signature);
                Ok(())
            };
            for (key, signature) in std::mem::take(&mut fields.partial_sigs) {
                let place =
                    spent.scripts.keys.iter().position(|own| *own == key.inner && key.compressed);
                if signature.sighash_type != EcdsaSighashType::All {
                    return Err(ReadError::Sighash { input });
                }
                keep(place, signature.signature.serialize_compact())?;
            }
            for ((key, leaf), signature) in std::mem::take(&mut fields.tap_script_sigs) {
                let ours = spent.scripts.leaf.as_ref().is_some_and(|own| own.hash == leaf);
                let mut keys = spent.scripts.keys.iter();
                let place = keys.position(|own| ours && own.x_only_public_key().0 == key);
                if signature.sighash_type != TapSighashType::Default {
                    return Err(ReadError::Sighash { input });
                }
                keep(place, signature.signature.serialize())?;
            }
        }
        Ok(found)
    }
}

/// What an input spends, proven as its kind of signature needs it.
fn coin(
    descriptor: &Descriptor,
    input: usize,
    spends: OutPoint,
    fields: &Input,
) -> Result<Spent, ReadError> {
    let foreign = || ReadError::Foreign { input };
    let needed = UnsignedTx::needs_previous(descriptor.shape());
    let output = match (&fields.non_witness_utxo, &fields.witness_utxo) {
        (Some(previous), named) => {
            let output = made(previous, spends).ok_or(ReadError::WrongPrevious { input })?;
            if named.as_ref().is_some_and(|named| named != output) {
                return Err(ReadError::WrongPrevious { input });
            }
            output
        }
        // Taproot's signatures commit to every coin's amount and script (BIP 341).
        (None, Some(named)) if !needed => named,
        (None, _) => return Err(ReadError::NoPrevious { input }),
    };
    let everything = match fields.sighash_type {
        None => true,
        Some(kind) if needed => kind == PsbtSighashType::from(EcdsaSighashType::All),
        Some(kind) => kind == PsbtSighashType::from(TapSighashType::Default),
    };
    if !everything {
        return Err(ReadError::Sighash { input });
    }
    let tap = fields.tap_key_origins.values().map(|(_, source)| source);
    let path =
        descriptor.hinted(fields.bip32_derivation.values().chain(tap)).ok_or_else(foreign)?;
    let scripts = descriptor.scripts(path).ok_or_else(foreign)?;
    if scripts.output != output.script_pubkey {
        return Err(foreign());
    }
    let mut previous = fields.non_witness_utxo.clone().filter(|_| needed);
    // The id does not commit to witnesses: they prove nothing.
    for spend in previous.iter_mut().flat_map(|previous| &mut previous.input) {
        spend.witness.clear();
    }
    Ok(Spent { output: output.clone(), path, scripts, previous })
}

fn made(previous: &Transaction, spends: OutPoint) -> Option<&TxOut> {
    let number = usize::try_from(spends.vout).ok()?;
    previous.output.get(number).filter(|_| previous.compute_txid() == spends.txid)
}
