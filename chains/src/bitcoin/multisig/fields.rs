//! Whether a PSBT says nothing but what another one says. Never lets a field through that it does
//! not name.

use bitcoin::{
    Psbt, TapLeafHash, XOnlyPublicKey,
    bip32::KeySource,
    psbt::{Input, Output},
};
use std::collections::BTreeMap;

/// Checks that `theirs`, without its signatures, leaves out of `ours` what it likes and adds nothing.
/// Else says where.
pub(super) fn within(ours: &Psbt, mut theirs: Psbt) -> Result<(), String> {
    for (number, (own, mut input)) in ours.inputs.iter().zip(theirs.inputs.drain(..)).enumerate() {
        settle_input(own, &mut input);
        if input != Input::default() {
            return Err(format!("input {number}"));
        }
    }
    for (number, (own, mut out)) in ours.outputs.iter().zip(theirs.outputs.drain(..)).enumerate() {
        settle_output(own, &mut out);
        if out != Output::default() {
            return Err(format!("output {number}"));
        }
    }
    // Extended keys on their own name no coin and no address; other wallets list theirs.
    theirs.xpub.clear();
    settle_map(&ours.proprietary, &mut theirs.proprietary);
    let rest = theirs.proprietary.is_empty() && theirs.unknown.is_empty() && theirs.version == 0;
    if rest && theirs.unsigned_tx == ours.unsigned_tx { Ok(()) } else { Err("the head".to_owned()) }
}

fn settle_input(ours: &Input, theirs: &mut Input) {
    settle(ours.witness_utxo.as_ref(), &mut theirs.witness_utxo);
    // Proven by its hash where it was read; of taproot we keep none.
    theirs.non_witness_utxo = None;
    settle(ours.sighash_type.as_ref(), &mut theirs.sighash_type);
    settle(ours.witness_script.as_ref(), &mut theirs.witness_script);
    settle_map(&ours.bip32_derivation, &mut theirs.bip32_derivation);
    settle(ours.tap_internal_key.as_ref(), &mut theirs.tap_internal_key);
    settle(ours.tap_merkle_root.as_ref(), &mut theirs.tap_merkle_root);
    settle_map(&ours.tap_scripts, &mut theirs.tap_scripts);
    settle_origins(ours.tap_internal_key, &ours.tap_key_origins, &mut theirs.tap_key_origins);
}

fn settle_output(ours: &Output, theirs: &mut Output) {
    settle(ours.witness_script.as_ref(), &mut theirs.witness_script);
    settle_map(&ours.bip32_derivation, &mut theirs.bip32_derivation);
    settle(ours.tap_internal_key.as_ref(), &mut theirs.tap_internal_key);
    settle(ours.tap_tree.as_ref(), &mut theirs.tap_tree);
    settle_origins(ours.tap_internal_key, &ours.tap_key_origins, &mut theirs.tap_key_origins);
}

type Origins = BTreeMap<XOnlyPublicKey, (Vec<TapLeafHash>, KeySource)>;

/// Some software lists the internal key too. Nobody has its secret, so its source says nothing.
fn settle_origins(internal: Option<XOnlyPublicKey>, ours: &Origins, theirs: &mut Origins) {
    settle_map(ours, theirs);
    theirs.retain(|key, (leaves, _)| !(Some(*key) == internal && leaves.is_empty()));
}

fn settle<T: PartialEq>(ours: Option<&T>, theirs: &mut Option<T>) {
    if ours == theirs.as_ref() {
        *theirs = None;
    }
}

fn settle_map<K: Ord, V: PartialEq>(ours: &BTreeMap<K, V>, theirs: &mut BTreeMap<K, V>) {
    theirs.retain(|key, value| ours.get(key) != Some(value));
}
