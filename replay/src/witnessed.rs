//! Checkpoints, policies and receipts as files that strangers bring. Nothing here asks a server,
//! and nothing counts before every signature that it rests on was verified.

use crate::finding::{Fault, Finding};
use serde::Serialize;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use strongroom_domain::charter::{Standing, WitnessAlgorithm};
use strongroom_ledger::{
    CheckedReceipt, CountingCheckpoint, KeyAlgorithm, KeyName, LogVerifier, NOTE_LIMIT, Note,
    NoteError, PolicyTextError, RECEIPT_LIMIT, Receipt, ReceiptError, TreeHead, VerifierKey,
    WitnessPolicy,
};

/// No policy is longer.
const POLICY_BYTES: usize = 256 * 1024;

/// Reads a file that may not be longer than `limit`.
fn text(path: &Path, limit: usize) -> Result<String, Finding> {
    let failed = |error: &dyn ToString| {
        Finding::of(Fault::Unreadable, format!("{}: {}", path.display(), error.to_string()))
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    file.take(bound).read_to_string(&mut text).map_err(|error| failed(&error))?;
    if text.len() > limit {
        return Err(failed(&format!("it has more than {limit} bytes")));
    }
    Ok(text)
}

fn bad(fault: Fault, path: &Path, error: &dyn ToString) -> Finding {
    Finding::of(fault, format!("{}: {}", path.display(), error.to_string()))
}

/// Reads a policy file (C2SP tlog-policy).
pub fn read_policy(path: &Path) -> Result<WitnessPolicy, Finding> {
    let text = text(path, POLICY_BYTES)?;
    let policy = text.parse();
    policy.map_err(|error: PolicyTextError| bad(Fault::BadCheckpoint, path, &error))
}

/// Reads a checkpoint file, and whether it counts under a policy.
pub fn read_checkpoint(path: &Path, policy: &WitnessPolicy) -> Result<CountingCheckpoint, Finding> {
    let text = text(path, NOTE_LIMIT)?;
    let note: Note =
        text.parse().map_err(|error: NoteError| bad(Fault::BadCheckpoint, path, &error))?;
    policy.counts(&note).map_err(|error| bad(Fault::BadCheckpoint, path, &error))
}

/// What a receipt proves, for people and machines.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Proven {
    /// The log's name.
    pub origin: String,
    /// The entry's place.
    pub position: u64,
    /// When it was written, by the server's clock.
    pub time: String,
    /// Whose history it belongs to.
    pub stream: String,
    /// Its place there.
    pub sequence: u64,
    /// The event's stored type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its version.
    pub version: u16,
    /// Who caused it.
    pub actor: String,
    /// What happened.
    pub event: serde_json::Value,
    /// The tree that the entry is in.
    pub tree: TreeHead,
    /// Who saw that tree.
    pub cosigners: Vec<Seen>,
}

/// A witness's word.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Seen {
    /// Its name.
    pub witness: String,
    /// When it cosigned, by its own clock, in POSIX seconds.
    pub at: u64,
}

/// Reads a receipt file, and checks all of it.
pub fn read_receipt(path: &Path, policy: &WitnessPolicy) -> Result<Proven, Finding> {
    let text = text(path, RECEIPT_LIMIT)?;
    let receipt: Receipt =
        text.parse().map_err(|error: ReceiptError| bad(Fault::BadReceipt, path, &error))?;
    let checked = receipt.verify(policy).map_err(|error| bad(Fault::BadReceipt, path, &error))?;
    Ok(proven(&checked))
}

fn proven(checked: &CheckedReceipt) -> Proven {
    let (entry, checkpoint) = (checked.entry(), checked.checkpoint());
    let payload = checked.payload();
    let event = serde_json::from_slice(payload);
    let cosigners = checkpoint.cosigners().iter();
    Proven {
        origin: checkpoint.origin().to_owned(),
        position: entry.position.get(),
        time: entry.time.to_string(),
        stream: entry.stream.clone(),
        sequence: entry.sequence,
        kind: entry.r#type.clone(),
        version: entry.version,
        actor: entry.actor.clone(),
        // Whatever the bytes are, they are what is proven.
        event: event.unwrap_or_else(|_| String::from_utf8_lossy(payload).into()),
        tree: checkpoint.head(),
        cosigners: cosigners.map(|by| Seen { witness: by.name.to_string(), at: by.at }).collect(),
    }
}

/// The policy that a charter makes: all enrolled signers and the outside witnesses. Read here again,
/// by other code than the server's.
pub fn policy_of(standing: &Standing) -> Result<WitnessPolicy, Finding> {
    let refuse = |reason: String| Finding::of(Fault::BadCheckpoint, reason);
    let (Some(witnessing), Some(ml_dsa)) = (&standing.witnessing, &standing.log_key_ml_dsa_44)
    else {
        return Err(refuse("the charter is of version 1: it enrols no witnesses".to_owned()));
    };
    let key = |name: &str, algorithm, bytes: &[u8]| {
        let wrong = |error: &dyn ToString| refuse(format!("{name}: {}", error.to_string()));
        let name = KeyName::new(name).map_err(|error| wrong(&error))?;
        VerifierKey::new(name, algorithm, bytes).map_err(|error| wrong(&error))
    };
    let mut witnesses = Vec::new();
    for (id, signer) in &standing.signers {
        let name = standing.witness_name(*id);
        let bytes =
            signer.witness_key.as_ref().ok_or_else(|| refuse(format!("{name} has no key")))?;
        witnesses.push(key(&name, KeyAlgorithm::Ed25519Cosignature, bytes.as_slice())?);
    }
    for outside in &witnessing.outside {
        let algorithm = match outside.algorithm {
            WitnessAlgorithm::Ed25519 => KeyAlgorithm::Ed25519Cosignature,
            WitnessAlgorithm::MlDsa44 => KeyAlgorithm::MlDsa44Cosignature,
        };
        witnesses.push(key(&outside.name, algorithm, outside.key.as_slice())?);
    }
    let origin = standing.origin();
    let name = KeyName::new(&origin).map_err(|error| refuse(format!("{origin}: {error}")))?;
    let log = LogVerifier::new(&name, standing.log_key.as_slice(), ml_dsa.as_slice());
    let log = log.map_err(|error| refuse(format!("{origin}: {error}")))?;
    WitnessPolicy::majority(log, witnesses, usize::from(witnessing.threshold))
        .map_err(|error| refuse(error.to_string()))
}
