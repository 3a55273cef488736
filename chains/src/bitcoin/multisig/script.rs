//! The scripts of one address: what its output says, and what spending it shows. Never knows where
//! the keys come from.

use super::{super::SECP, Shape};
use bitcoin::{
    ScriptBuf, TapLeafHash, XOnlyPublicKey,
    opcodes::all as op,
    script::Builder,
    secp256k1::PublicKey,
    taproot::{ControlBlock, LeafVersion, TaprootBuilder},
};

/// BIP 341's point H, of which nobody knows the discrete logarithm: SHA-256 of the generator's
/// uncompressed encoding. There is no spending by key.
pub(super) const NUMS: &str = "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0";

/// An address, from inside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Scripts {
    /// What the output says.
    pub(super) output: ScriptBuf,
    /// What counts the signatures: the witness script, or the tapscript.
    pub(super) script: ScriptBuf,
    /// Of taproot.
    pub(super) leaf: Option<Leaf>,
    /// By the cosigner's place in the descriptor.
    pub(super) keys: Vec<PublicKey>,
}

/// The one leaf of a taproot output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Leaf {
    pub(super) internal: XOnlyPublicKey,
    pub(super) hash: TapLeafHash,
    pub(super) control: ControlBlock,
}

/// The scripts of *m* of these keys, which are in the descriptor's order. `None` only for numbers
/// that no [`super::Descriptor`] has.
pub(super) fn scripts(shape: Shape, threshold: u8, keys: Vec<PublicKey>) -> Option<Scripts> {
    match shape {
        Shape::P2wsh => {
            let mut sorted: Vec<[u8; 33]> = keys.iter().map(PublicKey::serialize).collect();
            sorted.sort_unstable();
            let mut script = Builder::new().push_int(threshold.into());
            for key in sorted {
                script = script.push_slice(key);
            }
            let count = i64::try_from(keys.len()).ok()?;
            let script = script.push_int(count).push_opcode(op::OP_CHECKMULTISIG).into_script();
            Some(Scripts { output: script.to_p2wsh(), script, leaf: None, keys })
        }
        Shape::P2tr => {
            let mut script = Builder::new();
            for (place, key) in keys.iter().enumerate() {
                let check = if place == 0 { op::OP_CHECKSIG } else { op::OP_CHECKSIGADD };
                script = script.push_x_only_key(&key.x_only_public_key().0).push_opcode(check);
            }
            let script =
                script.push_int(threshold.into()).push_opcode(op::OP_NUMEQUAL).into_script();
            let internal: XOnlyPublicKey = NUMS.parse().ok()?;
            let tree = TaprootBuilder::new().add_leaf(0, script.clone()).ok()?;
            let info = tree.finalize(&*SECP, internal).ok()?;
            let control = info.control_block(&(script.clone(), LeafVersion::TapScript))?;
            let hash = TapLeafHash::from_script(&script, LeafVersion::TapScript);
            let output = ScriptBuf::new_p2tr_tweaked(info.output_key());
            Some(Scripts { output, script, leaf: Some(Leaf { internal, hash, control }), keys })
        }
    }
}
