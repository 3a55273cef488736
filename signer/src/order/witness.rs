//! The signer as a witness of its log. It cosigns only trees that it verified itself, each grown out
//! of the one that it cosigned before; it remembers a tree on disk before its signature leaves.

use std::sync::RwLockWriteGuard;

use strongroom_domain::{
    Bytes, Digest, Refusal, Rule,
    charter::{Standing, WitnessAlgorithm},
    protocol::Reply,
};
use strongroom_ledger::{
    AddCheckpoint, CountingCheckpoint, Hash, KeyAlgorithm, KeyError, KeyName, LogVerifier, Note,
    SignError, Timestamp, TreeHead, VerifierKey, WitnessPolicy, WitnessRefusal, witness::consider,
};

use super::{Signer, Trouble, demand_witnesses, now, refuse};
use crate::{consumption::Cosigned, follower::Follower, sights::Mark};

impl Signer {
    pub(super) fn cosign(
        &self,
        old: u64,
        proof: &[Digest],
        checkpoint: &str,
    ) -> Result<Reply, Trouble> {
        let proof = proof.iter().map(|hash| Hash::new(hash.0)).collect();
        let request = AddCheckpoint { old, proof, checkpoint: note(checkpoint)? };
        // Held until the answer is made: no second order judges by the same last tree.
        let mut last = self.consumptions.cosigned();
        let mut follower = self.follower_mut();
        let head = follower.commit()?;
        let follower = RwLockWriteGuard::downgrade(follower);
        let standing = witnesses(&follower)?;
        let origin = standing.origin();
        let before = last.as_ref().filter(|known| known.origin == origin);
        let before =
            before.map(|known| TreeHead { size: known.size, root: Hash::new(known.root.0) });
        let accepted = match consider(before, &log_keys(standing)?, &request) {
            Ok(accepted) => accepted,
            Err(WitnessRefusal::Conflict { size }) => return Ok(Reply::WitnessConflict { size }),
            // Both keys of the log signed it: a history that this signer's is not a part of.
            Err(error @ WitnessRefusal::Inconsistent(_)) if forked(&follower, &request) => {
                return refuse(Rule::SignerLogFork, error.to_string());
            }
            Err(error) => return refuse(Rule::SignerCheckpoint, error.to_string()),
        };
        demand_own(&follower, accepted.head())?;
        let name = standing.witness_name(self.id);
        drop(follower);
        let key = self.identity.witness(key_name(&name)?).map_err(unusable)?;
        let TreeHead { size, root } = accepted.head();
        let cosigned = Cosigned { origin, size, root: Digest(*root.as_bytes()) };
        self.consumptions.cosign(&mut last, cosigned, head)?;
        let signature = key.cosign(&accepted, clock()?).map_err(|error: SignError| {
            Trouble::Corrupt(format!("the checkpoint can't be cosigned: {error}"), None)
        })?;
        Ok(Reply::Cosigned { signature: signature.to_string() })
    }

    pub(super) fn cover(&self, checkpoint: &str) -> Result<Reply, Trouble> {
        let note = note(checkpoint)?;
        let mut follower = self.follower_mut();
        let policy = policy(witnesses(&follower)?)?;
        let counting = policy
            .counts(&note)
            .map_err(|error| Refusal::new(Rule::SignerCheckpoint, error.to_string()))?;
        let tree = counting.head();
        let by = cosigned_by(&follower, &counting)?;
        match follower.roots().at(tree.size) {
            Some(root) if root == tree.root => {}
            // More than half of the witnesses saw another history: nothing here can be relied upon.
            Some(root) => {
                let because = format!(
                    "witnesses cosigned {} entries with root {}, this signer's has {root}: a fork",
                    tree.size, tree.root
                );
                follower.stop(&because);
                return Err(Trouble::Corrupt(because, None));
            }
            None => demand_own(&follower, tree)?,
        }
        let size = follower.cover(tree.size);
        let mark = Mark { position: tree.size, by };
        let news = follower.prove(mark);
        self.destroy_old_shares(&follower);
        drop(follower);
        if news {
            self.consumptions.keep_mark(mark)?;
        }
        Ok(Reply::Covered { size })
    }
}

/// By when as many witnesses had cosigned as it takes: all of them would have to lie for it to be too
/// early.
fn cosigned_by(
    follower: &Follower,
    counting: &CountingCheckpoint,
) -> Result<strongroom_domain::Timestamp, Trouble> {
    let threshold = witnesses(follower)?.witnessing.as_ref().map_or(0, |of| of.threshold);
    let mut times: Vec<_> = counting.cosigners().iter().map(|of| of.at).collect();
    times.sort_unstable();
    let enough = usize::from(threshold).saturating_sub(1);
    let seconds = times.get(enough).copied().unwrap_or(u64::MAX);
    Ok(strongroom_domain::Timestamp::from_micros(seconds.saturating_mul(1_000_000)))
}

fn note(checkpoint: &str) -> Result<Note, Trouble> {
    let note: Result<Note, _> = checkpoint.parse();
    Ok(note.map_err(|error| Refusal::new(Rule::SignerCheckpoint, error.to_string()))?)
}

/// The charter, if it enrols witnesses and the log's name is settled.
fn witnesses(follower: &Follower) -> Result<&Standing, Trouble> {
    let standing = demand_witnesses(follower.audited()?.state())?;
    if follower.awaits_resumption() {
        let because = "the log goes on under another name: its resumption must be read first";
        return refuse(Rule::SignerLogBehind, because);
    }
    Ok(standing)
}

/// Whether this signer verified the log at least that far, and found the same tree.
fn demand_own(follower: &Follower, tree: TreeHead) -> Result<(), Trouble> {
    let TreeHead { size, root } = tree;
    let known = follower.roots().head().size;
    match follower.roots().at(size) {
        Some(own) if own == root => Ok(()),
        Some(own) => {
            let because = format!("at {size} entries the log has root {own}, not {root}");
            refuse(Rule::SignerLogFork, because)
        }
        None if size > known => {
            let because = format!("the checkpoint has {size} entries, this signer read {known}");
            refuse(Rule::SignerLogBehind, because)
        }
        None => {
            let because = format!("{size} entries lie too far behind the {known} that were read");
            refuse(Rule::SignerCheckpoint, because)
        }
    }
}

/// Whether the checkpoint itself, whatever its proof, is of another history.
fn forked(follower: &Follower, request: &AddCheckpoint) -> bool {
    let checkpoint: Result<strongroom_ledger::Checkpoint, _> = request.checkpoint.text().parse();
    checkpoint.is_ok_and(|checkpoint| {
        let TreeHead { size, root } = checkpoint.head();
        follower.roots().at(size).is_some_and(|own| own != root)
    })
}

fn log_keys(standing: &Standing) -> Result<LogVerifier, Trouble> {
    let ml_dsa_44 = standing.log_key_ml_dsa_44.as_ref().map(Bytes::as_slice).unwrap_or_default();
    let origin = key_name(&standing.origin())?;
    LogVerifier::new(&origin, standing.log_key.as_slice(), ml_dsa_44).map_err(unusable)
}

/// Whose signatures make a checkpoint count, as the charter stands.
fn policy(standing: &Standing) -> Result<WitnessPolicy, Trouble> {
    let mut keys = Vec::new();
    for signer in standing.signers.values() {
        let name = key_name(&standing.witness_name(signer.id))?;
        let key = signer.witness_key.as_ref().map(Bytes::as_slice).unwrap_or_default();
        let key = VerifierKey::new(name, KeyAlgorithm::Ed25519Cosignature, key);
        keys.push(key.map_err(unusable)?);
    }
    let witnessing = standing.witnessing.as_ref();
    for outside in witnessing.into_iter().flat_map(|of| &of.outside) {
        let algorithm = match outside.algorithm {
            WitnessAlgorithm::Ed25519 => KeyAlgorithm::Ed25519Cosignature,
            WitnessAlgorithm::MlDsa44 => KeyAlgorithm::MlDsa44Cosignature,
        };
        let key = VerifierKey::new(key_name(&outside.name)?, algorithm, outside.key.as_slice());
        keys.push(key.map_err(unusable)?);
    }
    let threshold = witnessing.map_or(0, |of| of.threshold).into();
    WitnessPolicy::majority(log_keys(standing)?, keys, threshold)
        .map_err(|error| Trouble::Corrupt(format!("the charter's witnesses: {error}"), None))
}

fn key_name(name: &str) -> Result<KeyName, Trouble> {
    KeyName::new(name).map_err(|error| unusable(error.into()))
}

/// The charter's rules let no such key in.
#[expect(clippy::needless_pass_by_value, reason = "an error to be mapped comes by value")]
fn unusable(error: KeyError) -> Trouble {
    Trouble::Corrupt(format!("a key of the charter can't be used: {error}"), None)
}

fn clock() -> Result<Timestamp, Trouble> {
    Timestamp::from_micros(now().micros())
        .ok_or_else(|| Trouble::Unavailable("this machine's clock is beyond all dates".to_owned()))
}
