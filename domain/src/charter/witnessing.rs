//! Who cosigns the log's checkpoints, and how many of them it takes. Says nothing about what a
//! witness checks before it does.

use super::check::invalid;
use crate::{Bytes, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Bytes of an ML-DSA-44 public key (FIPS 204, table 2).
pub const ML_DSA_44_KEY: usize = 1312;
/// Cosignatures that a signed note has room for beside the log's two.
const MOST_WITNESSES: usize = 62;
/// Bytes of an outside witness's name.
const LONGEST_NAME: usize = 255;

/// Whose cosignatures make a checkpoint count.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witnessing {
    /// How many of all witnesses, the signers and the outside ones: more than half, or two histories
    /// could each have enough.
    pub threshold: u8,
    /// Witnesses besides the signers.
    pub outside: Vec<OutsideWitness>,
}

/// A witness that is not one of the signers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsideWitness {
    /// The name of its key in a signed note (C2SP signed-note).
    pub name: String,
    /// What its key is.
    pub algorithm: WitnessAlgorithm,
    /// Its public key.
    pub key: Bytes,
}

/// How an outside witness cosigns (C2SP tlog-cosignature).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum WitnessAlgorithm {
    /// Ed25519, cosignature/v1: note signature type 0x04.
    #[serde(rename = "ed25519")]
    Ed25519,
    /// ML-DSA-44: note signature type 0x06.
    #[serde(rename = "ml-dsa-44")]
    MlDsa44,
}

impl WitnessAlgorithm {
    /// As it is written in events and statements.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::MlDsa44 => "ml-dsa-44",
        }
    }
}

impl Witnessing {
    /// Outside witnesses with an Ed25519 key: those keys are checked with all others.
    pub(super) fn ed25519(&self) -> impl Iterator<Item = &Bytes> {
        let of = |witness: &&OutsideWitness| witness.algorithm == WitnessAlgorithm::Ed25519;
        self.outside.iter().filter(of).map(|witness| &witness.key)
    }

    /// Whether no two sets of witnesses of this size have nobody in common, and everyone has a name
    /// that a note can bear. `reserved` is the beginning of the log's own names.
    pub(super) fn check(&self, signers: usize, reserved: &str) -> Result<(), Refusal> {
        let witnesses = signers.saturating_add(self.outside.len());
        let threshold = usize::from(self.threshold);
        if threshold > witnesses || threshold.saturating_mul(2) <= witnesses {
            return invalid(format!(
                "{threshold} of {witnesses} witnesses: more than half are needed, and no more than \
                 there are"
            ));
        }
        if witnesses > MOST_WITNESSES {
            return invalid(format!("{witnesses} witnesses: at most {MOST_WITNESSES}"));
        }
        let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for witness in &self.outside {
            let name = &witness.name;
            let odd = |c: char| c.is_whitespace() || c.is_control() || c == '+';
            if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(odd) {
                return invalid(format!(
                    "`{}` is no witness's name: 1 to {LONGEST_NAME} bytes without spaces, plus \
                     signs and control characters",
                    name.escape_debug()
                ));
            }
            if name.starts_with(reserved) {
                return invalid(format!("the witness {name} has a name of the log's own"));
            }
            if !names.insert(name) {
                return invalid(format!("the witness {name} is named twice"));
            }
            if !keys.insert(&witness.key) {
                return invalid(format!("the key of the witness {name} is enrolled twice"));
            }
            if witness.algorithm == WitnessAlgorithm::MlDsa44 {
                check_ml_dsa_44(&witness.key)?;
            }
        }
        Ok(())
    }
}

/// Whether it has the length of an ML-DSA-44 public key: every string of it is one.
pub(super) fn check_ml_dsa_44(key: &Bytes) -> Result<(), Refusal> {
    if key.array::<ML_DSA_44_KEY>().is_some() {
        return Ok(());
    }
    let length = key.as_slice().len();
    invalid(format!("an ML-DSA-44 public key has {ML_DSA_44_KEY} bytes, not {length}"))
}
