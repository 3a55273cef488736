//! The house's witnesses, and what they sign. Keys are those of its charter.

use crate::world::{
    LOG,
    founding::{log_keys, witness_key},
    signer,
};
use std::path::{Path, PathBuf};
use strongroom_ledger::{
    AddCheckpoint, Frontier, Hash, KeyAlgorithm, KeyName, LogKeys, Note, Timestamp, TreeHead,
    VerifierKey, WitnessKey, WitnessPolicy, export::Pair, leaf_hash, node_hash, witness::consider,
};

pub(crate) fn now() -> Timestamp {
    "2026-11-22T13:00:00.000000Z".parse().unwrap()
}

fn name(n: u8) -> KeyName {
    KeyName::new(&format!("strongroom/{LOG}/signer/{}", signer(n))).unwrap()
}

pub(crate) fn key(n: u8) -> WitnessKey {
    WitnessKey::ed25519(name(n), &witness_key(n).to_bytes()).unwrap()
}

/// Three of the four signers.
pub(crate) fn policy() -> WitnessPolicy {
    policy_for(&log_keys())
}

/// The same, of a log that signs with these keys.
pub(crate) fn policy_for(log: &LogKeys) -> WitnessPolicy {
    let witness = |n| {
        let public = witness_key(n).verifying_key().to_bytes();
        VerifierKey::new(name(n), KeyAlgorithm::Ed25519Cosignature, &public).unwrap()
    };
    WitnessPolicy::majority(log.verifier(), (1..=4).map(witness).collect(), 3).unwrap()
}

pub(crate) fn tree(pairs: &[Pair]) -> TreeHead {
    let mut frontier = Frontier::new();
    for pair in pairs {
        frontier.push(leaf_hash(&pair.entry), |_, _, _| {});
    }
    frontier.head()
}

/// What the log signs.
pub(crate) fn signed(head: TreeHead) -> Note {
    log_keys().sign(head, now()).unwrap().note().clone()
}

/// A first request to a witness.
pub(crate) fn request(head: TreeHead) -> AddCheckpoint {
    AddCheckpoint { old: 0, proof: Vec::new(), checkpoint: signed(head) }
}

/// A checkpoint that these witnesses cosigned.
pub(crate) fn cosigned(head: TreeHead, witnesses: impl IntoIterator<Item = u8>) -> Note {
    cosigned_for(&log_keys(), head, witnesses)
}

/// The same, of a log that signs with these keys.
pub(crate) fn cosigned_for(
    log: &LogKeys,
    head: TreeHead,
    witnesses: impl IntoIterator<Item = u8>,
) -> Note {
    let checkpoint = log.sign(head, now()).unwrap().note().clone();
    let request = AddCheckpoint { old: 0, proof: Vec::new(), checkpoint };
    let accepted = consider(None, &log.verifier(), &request).unwrap();
    let mut note = accepted.note().clone();
    for n in witnesses {
        note.add(key(n).cosign(&accepted, now()).unwrap()).unwrap();
    }
    note
}

/// The audit path of RFC 6962 section 2.1.1, word by word.
pub(crate) fn path(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, other) = if index < left.len() {
        (path(left, index), right)
    } else {
        (self::path(right, index - left.len()), left)
    };
    path.push(root(other));
    path
}

/// MTH of the same section.
pub(crate) fn root(leaves: &[Hash]) -> Hash {
    if let [leaf] = leaves {
        return *leaf;
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    node_hash(root(left), root(right))
}

/// A folder with the policy and a checkpoint.
pub(crate) fn files(folder: &Path, note: &Note) -> (PathBuf, PathBuf) {
    let (checkpoint, by) = (folder.join("checkpoint"), folder.join("policy"));
    std::fs::write(&checkpoint, note.to_string()).unwrap();
    std::fs::write(&by, policy().to_string()).unwrap();
    (checkpoint, by)
}
