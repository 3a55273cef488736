//! An unsigned transaction of a multisig wallet, and its PSBT (BIP 174, 371) in the one form that we
//! make. Whoever holds an [`UnsignedTx`] knows that all it spends is its descriptor's.

use super::{
    super::{Chain, DecodeError, outpoint},
    Descriptor, Offered, ReadError, Shape,
    script::Scripts,
};
use bitcoin::{
    Psbt, PublicKey, Sequence, Transaction, TxOut,
    absolute::LockTime,
    bip32::KeySource,
    psbt::{Input, Output, PsbtSighashType, raw::ProprietaryKey},
    sighash::{EcdsaSighashType, TapSighashType},
    taproot::{LeafVersion, TapTree, TaprootBuilder},
    transaction::Version,
};
use std::collections::BTreeSet;
use strongroom_domain::{AddressPath, Bytes, wallet::OutPoint};

/// More than any transaction of ours with every cosigner's signatures in it.
pub(super) const MAX_BYTES: usize = 4_000_000;

/// The most that the log keeps of one: bytes are written there as hex, in an entry of at most 1 MiB.
pub(super) const MAX_KEPT: usize = 515_000;

/// Spends coins of one descriptor's addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnsignedTx {
    pub(super) chain: &'static Chain,
    pub(super) descriptor: Descriptor,
    pub(super) transaction: Transaction,
    /// In the order of the inputs.
    pub(super) spent: Vec<Spent>,
    /// In the order of the outputs: which of the descriptor's addresses it is, of those that say so.
    pub(super) returns: Vec<Option<(AddressPath, Scripts)>>,
}

/// A coin that is spent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Spent {
    pub(super) output: TxOut,
    pub(super) path: AddressPath,
    pub(super) scripts: Scripts,
    /// The whole transaction that made it, of P2WSH: its signatures commit to the amounts of their own
    /// inputs only, so a signer that is lied to about another's would burn it as fee.
    pub(super) previous: Option<Transaction>,
}

impl UnsignedTx {
    /// Reads what the log holds. Refuses all that [`super::build`] would not have written.
    pub fn parse(chain: &'static Chain, bytes: &[u8]) -> Result<Self, ReadError> {
        if bytes.len() > MAX_KEPT {
            return Err(DecodeError::TooLong { found: bytes.len() }.into());
        }
        let psbt = super::reading::deserialize(bytes)?;
        let named = psbt.proprietary.get(&descriptor_field()).ok_or(ReadError::NoDescriptor)?;
        let text = std::str::from_utf8(named).map_err(|_| ReadError::NoDescriptor)?;
        let descriptor: Descriptor = text.parse()?;
        let offered = Offered::read(chain, &descriptor, bytes)?;
        let found = offered.unsigned;
        if found.to_bytes().as_slice() != bytes {
            return Err(ReadError::Decode(DecodeError::NotCanonical));
        }
        check_form(&found.transaction)?;
        Ok(found)
    }

    /// Whether bytes from the log are of this kind at all, and not a single key's.
    pub fn is_one(bytes: &[u8]) -> bool {
        Psbt::deserialize(bytes)
            .is_ok_and(|psbt| psbt.proprietary.contains_key(&descriptor_field()))
    }

    /// The PSBT's bytes: the one encoding of this transaction, without signatures.
    pub fn to_bytes(&self) -> Bytes {
        self.psbt().serialize().into()
    }

    /// The network that it is for.
    pub const fn chain(&self) -> &'static Chain {
        self.chain
    }

    /// Whose coins it spends.
    pub const fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// What the network will call it: signatures don't change it (BIP 141).
    pub fn id(&self) -> crate::TransactionId {
        self.transaction.compute_txid().into()
    }

    /// The coins that it spends, in the order of the inputs.
    pub fn spends(&self) -> impl Iterator<Item = OutPoint> + '_ {
        self.transaction.input.iter().map(|input| outpoint::written(input.previous_output))
    }

    /// Whether at most one of the two can ever confirm.
    pub fn excludes(&self, other: &Self) -> bool {
        let mine: BTreeSet<OutPoint> = self.spends().collect();
        self.chain == other.chain && other.spends().any(|coin| mine.contains(&coin))
    }

    /// Before which block it can't confirm; 0 of all that we build.
    pub fn lock_time(&self) -> u32 {
        self.transaction.lock_time.to_consensus_u32()
    }

    /// As devices read it: all that they need to find their keys and to tell change.
    pub(super) fn psbt(&self) -> Psbt {
        let blank = |_: &_| Input::default();
        let mut psbt = Psbt {
            unsigned_tx: self.transaction.clone(),
            version: 0,
            xpub: self
                .descriptor
                .keys()
                .iter()
                .filter_map(|key| key.global(self.chain.key_kind()))
                .collect(),
            proprietary: [(descriptor_field(), self.descriptor.to_string().into_bytes())].into(),
            unknown: [].into(),
            inputs: self.transaction.input.iter().map(blank).collect(),
            outputs: self.transaction.output.iter().map(|_| Output::default()).collect(),
        };
        for (fields, spent) in psbt.inputs.iter_mut().zip(&self.spent) {
            self.fill(fields, spent);
        }
        for (fields, own) in psbt.outputs.iter_mut().zip(&self.returns) {
            let Some((path, scripts)) = own else { continue };
            let sources = self.sources(*path, scripts);
            let Some(leaf) = &scripts.leaf else {
                fields.witness_script = Some(scripts.script.clone());
                fields.bip32_derivation =
                    sources.map(|(key, source)| (key.inner, source)).collect();
                continue;
            };
            fields.tap_internal_key = Some(leaf.internal);
            let tree = TaprootBuilder::new().add_leaf(0, scripts.script.clone()).ok();
            fields.tap_tree = tree.and_then(|tree| TapTree::try_from(tree).ok());
            fields.tap_key_origins = sources
                .map(|(key, source)| (key.inner.x_only_public_key().0, (vec![leaf.hash], source)))
                .collect();
        }
        psbt
    }

    fn fill(&self, fields: &mut Input, spent: &Spent) {
        fields.witness_utxo = Some(spent.output.clone());
        fields.non_witness_utxo.clone_from(&spent.previous);
        let sources = self.sources(spent.path, &spent.scripts);
        let Some(leaf) = &spent.scripts.leaf else {
            fields.sighash_type = Some(EcdsaSighashType::All.into());
            fields.witness_script = Some(spent.scripts.script.clone());
            fields.bip32_derivation = sources.map(|(key, source)| (key.inner, source)).collect();
            return;
        };
        fields.sighash_type = Some(PsbtSighashType::from(TapSighashType::Default));
        fields.tap_internal_key = Some(leaf.internal);
        fields.tap_merkle_root = Some(leaf.hash.into());
        let script = (spent.scripts.script.clone(), LeafVersion::TapScript);
        fields.tap_scripts = [(leaf.control.clone(), script)].into();
        fields.tap_key_origins = sources
            .map(|(key, source)| (key.inner.x_only_public_key().0, (vec![leaf.hash], source)))
            .collect();
    }

    fn sources<'a>(
        &'a self,
        path: AddressPath,
        scripts: &'a Scripts,
    ) -> impl Iterator<Item = (PublicKey, KeySource)> + 'a {
        let sources = self.descriptor.keys().iter().filter_map(move |key| Some(key.at(path)?.1));
        scripts.keys.iter().map(|key| PublicKey::new(*key)).zip(sources)
    }

    /// Whether the wallet counts signatures of version 0, which commit to their own coin's amount only.
    pub(super) fn needs_previous(shape: Shape) -> bool {
        match shape {
            Shape::P2wsh => true,
            Shape::P2tr => false,
        }
    }
}

/// Where our PSBTs name their descriptor: devices leave alone what they don't know (BIP 174,
/// "Proprietary use type").
pub(super) fn descriptor_field() -> ProprietaryKey {
    ProprietaryKey { prefix: b"strongroom".to_vec(), subtype: 0, key: Vec::new() }
}

/// What we ask of our own transactions besides what each must be.
fn check_form(transaction: &Transaction) -> Result<(), DecodeError> {
    if transaction.version != Version::TWO {
        return Err(DecodeError::Version { found: transaction.version.0 });
    }
    if transaction.lock_time != LockTime::ZERO {
        let found = transaction.lock_time.to_consensus_u32();
        return Err(DecodeError::LockTime { found });
    }
    for (input, spend) in transaction.input.iter().enumerate() {
        if spend.sequence != Sequence::ENABLE_RBF_NO_LOCKTIME {
            let found = spend.sequence.to_consensus_u32();
            return Err(DecodeError::Sequence { input, found });
        }
    }
    Ok(())
}

/// No coin twice, and some coin at all.
pub(super) fn check_coins(transaction: &Transaction) -> Result<(), DecodeError> {
    if transaction.input.is_empty() {
        return Err(DecodeError::NoInputs);
    }
    let mut seen = BTreeSet::new();
    for spend in &transaction.input {
        if !seen.insert(spend.previous_output) {
            let coin = outpoint::written(spend.previous_output);
            return Err(DecodeError::SameCoinTwice { coin });
        }
    }
    Ok(())
}
