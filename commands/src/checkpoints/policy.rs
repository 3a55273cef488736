//! Whose signatures make a checkpoint of this log count, as the charter says. Never counts one whose
//! log did not sign it with both keys.

use super::Counting;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::SystemTime,
};
use strongroom_domain::charter::{Standing, WitnessAlgorithm};
use strongroom_ledger::{
    Checkpoint, KeyAlgorithm, KeyName, LogVerifier, Note, NoteSignature, VerifierKey, WitnessPolicy,
};

/// Whose signatures make a checkpoint count.
pub struct Policy {
    origin: String,
    /// The log's name before it was resumed for the first time.
    first_origin: String,
    resumptions: u32,
    threshold: usize,
    log: LogVerifier,
    witnesses: Arc<WitnessPolicy>,
}

impl Policy {
    /// As the charter stands: all enrolled signers and the outside witnesses, so many of them.
    pub fn of(standing: &Standing) -> Result<Self, String> {
        let (Some(witnessing), Some(ml_dsa_44)) =
            (&standing.witnessing, &standing.log_key_ml_dsa_44)
        else {
            return Err("the charter is of version 1: it enrols no witnesses".to_owned());
        };
        let name = |text: &str| KeyName::new(text).map_err(|error| format!("{text}: {error}"));
        let origin = standing.origin();
        let keys = (standing.log_key.as_slice(), ml_dsa_44.as_slice());
        let log = LogVerifier::new(&name(&origin)?, keys.0, keys.1);
        let log = log.map_err(|error| format!("the log's keys: {error}"))?;
        let mut witnesses = Vec::new();
        let mut add = |text: &str, algorithm, key: &[u8]| {
            let key = VerifierKey::new(name(text)?, algorithm, key);
            witnesses.push(key.map_err(|error| format!("{text}: {error}"))?);
            Ok::<_, String>(())
        };
        for signer in standing.signers.values() {
            let key = signer.witness_key.as_ref();
            let key = key.ok_or_else(|| format!("signer {} has no witness key", signer.id))?;
            let text = standing.witness_name(signer.id);
            add(&text, KeyAlgorithm::Ed25519Cosignature, key.as_slice())?;
        }
        for outside in &witnessing.outside {
            let algorithm = match outside.algorithm {
                WitnessAlgorithm::Ed25519 => KeyAlgorithm::Ed25519Cosignature,
                WitnessAlgorithm::MlDsa44 => KeyAlgorithm::MlDsa44Cosignature,
            };
            add(&outside.name, algorithm, outside.key.as_slice())?;
        }
        let threshold = usize::from(witnessing.threshold);
        let witnesses = WitnessPolicy::majority(log.clone(), witnesses, threshold);
        let witnesses = Arc::new(witnesses.map_err(|error| error.to_string())?);
        let first_origin = format!("strongroom/{}", standing.log);
        let resumptions = standing.resumptions;
        Ok(Self { origin, first_origin, resumptions, threshold, log, witnesses })
    }

    /// The log's name in its checkpoints.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// As a file for strangers (C2SP tlog-policy).
    pub fn text(&self) -> String {
        self.witnesses.to_string()
    }

    /// Verifies a whole checkpoint.
    pub fn count(&self, text: &str) -> Result<Counting, String> {
        let note: Note =
            text.parse().map_err(|error: strongroom_ledger::NoteError| error.to_string())?;
        self.counting(&note)
    }

    fn counting(&self, note: &Note) -> Result<Counting, String> {
        let counts = self.witnesses.counts(note).map_err(|error| error.to_string())?;
        Ok(Counting {
            origin: counts.origin().to_owned(),
            head: counts.head(),
            text: note.to_string(),
            cosigned_by: counts.cosigners().iter().map(|by| by.name.to_string()).collect(),
            since: SystemTime::now(),
        })
    }

    /// How often the log has been resumed.
    pub(super) const fn resumptions(&self) -> u32 {
        self.resumptions
    }

    /// How often this log had been resumed by a checkpoint, which its origin tells; `None` for what
    /// is no checkpoint of this log.
    pub(super) fn resumptions_by(&self, text: &str) -> Option<u32> {
        let note: Note = text.parse().ok()?;
        let checkpoint: Checkpoint = note.text().parse().ok()?;
        match checkpoint.origin().strip_prefix(&self.first_origin)? {
            "" => Some(0),
            number => number.strip_prefix('/')?.parse().ok(),
        }
    }

    /// Begins to collect cosignatures under what the log signed.
    pub(super) fn begin(self: Arc<Self>, note: &str) -> Result<Cosigned, String> {
        let note: Note =
            note.parse().map_err(|error: strongroom_ledger::NoteError| error.to_string())?;
        self.log.verify(&note).map_err(|error| error.to_string())?;
        Ok(Cosigned { policy: self, note, by: BTreeSet::new() })
    }

    /// Why a round did not count.
    pub(super) fn short(&self, count: usize, missing: &BTreeMap<String, String>) -> String {
        let missing: Vec<_> =
            missing.iter().map(|(name, because)| format!("{name}: {because}")).collect();
        format!("{count} of {} cosignatures that it takes; {}", self.threshold, missing.join("; "))
    }
}

/// A checkpoint and the cosignatures that were verified so far.
pub(super) struct Cosigned {
    policy: Arc<Policy>,
    note: Note,
    by: BTreeSet<String>,
}

impl Cosigned {
    /// Takes a witness's signature lines in: those of its own key, each verified. Lines of keys that
    /// it is not known by are passed over.
    pub(super) fn add(&mut self, name: &str, lines: &str) -> Result<(), String> {
        let lines = NoteSignature::parse_lines(lines).map_err(|error| error.to_string())?;
        let known = self.policy.witnesses.witnesses().iter().map(strongroom_ledger::Witness::key);
        let key = known.into_iter().find(|key| key.name().as_str() == name);
        let key = key.ok_or("the charter names no such witness")?;
        let mut newest = None;
        for line in lines.into_iter().filter(|line| key.is_named_by(line)) {
            let time = key.verify(self.note.text(), &line).map_err(|error| error.to_string())?;
            if time == 0 {
                return Err("its cosignature has no time".to_owned());
            }
            if newest.as_ref().is_none_or(|(then, _)| *then < time) {
                newest = Some((time, line));
            }
        }
        let none = "its answer has no signature of the key that the charter names";
        let (_, line) = newest.ok_or(none)?;
        // One line of each: a note has room for all witnesses, not for all that one of them sends.
        if self.by.contains(name) {
            return Ok(());
        }
        self.note.add(line).map_err(|error| error.to_string())?;
        self.by.insert(name.to_owned());
        Ok(())
    }

    /// The checkpoint, once it counts.
    pub(super) fn counting(&self) -> Option<Counting> {
        if self.by.len() < self.policy.threshold {
            return None;
        }
        match self.policy.counting(&self.note) {
            Ok(counting) => Some(counting),
            Err(because) => {
                tracing::error!(because, "a bug: what was verified in parts does not count");
                None
            }
        }
    }

    pub(super) fn count(&self) -> usize {
        self.by.len()
    }
}
