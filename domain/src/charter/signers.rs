//! Signers that come and go after the founding, by quorum. Never decides whether a signer holds a
//! key: who asks looks.

use super::{Enrolled, Enrolment, Standing};
use crate::{Refusal, Rule, SignerId};
use serde::{Deserialize, Serialize};

/// What a quorum can change about signers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SignerChange {
    /// A new one: it may hold keys, and cosigns the log.
    Enrol(Enrolment),
    /// One leaves: it holds no key, and cosigns no more.
    Retire {
        /// Which.
        signer: SignerId,
    },
}

impl SignerChange {
    /// What it is, in a word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Enrol(_) => "enrol-signer",
            Self::Retire { .. } => "retire-signer",
        }
    }

    /// Which signer it is about.
    pub const fn signer(&self) -> SignerId {
        match self {
            Self::Enrol(enrolment) => enrolment.id,
            Self::Retire { signer } => *signer,
        }
    }
}

impl From<&Enrolment> for Enrolled {
    fn from(of: &Enrolment) -> Self {
        Self {
            id: of.id,
            identity_key: of.identity_key.clone(),
            sealing_key: of.sealing_key.clone(),
            tls_certificate_sha256: of.tls_certificate_sha256,
            witness_key: Some(of.witness_key.clone()),
        }
    }
}

impl Standing {
    /// What would stand after `change`, if it may be made.
    pub fn after_signers(&self, change: &SignerChange) -> Result<Self, Refusal> {
        let mut next = self.clone();
        next.change_signers(change)?;
        if let SignerChange::Enrol(of) = change {
            let keys = [&of.identity_key, &of.witness_key];
            if keys.iter().any(|key| !crate::statement::is_public_key(key))
                || of.sealing_key.array::<32>().is_none()
                || of.identity_key == of.witness_key
            {
                let because = "a signer has two Ed25519 keys and a sealing key of 32 bytes";
                return Err(Refusal::new(Rule::CharterInvalid, because));
            }
            let twice = |known: &Enrolled| {
                let theirs = [Some(&known.identity_key), known.witness_key.as_ref()];
                theirs.into_iter().flatten().any(|key| keys.contains(&key))
                    || known.tls_certificate_sha256 == of.tls_certificate_sha256
                    || known.sealing_key == of.sealing_key
            };
            if self.signers.values().any(twice) {
                let because = "another signer has a key of it already";
                return Err(Refusal::new(Rule::CharterInvalid, because));
            }
        }
        if let Some(witnessing) = &next.witnessing {
            witnessing.check(next.signers.len(), &super::origin(next.log, 0))?;
        }
        next.check()?;
        Ok(next)
    }

    /// Makes a change; the error is that there is nothing to change. As many witnesses more than a
    /// majority stay needed as were, so that no two sets of them have nobody in common, those of
    /// before and of after among them.
    pub(super) fn change_signers(&mut self, change: &SignerChange) -> Result<(), Refusal> {
        let refuse = |because: String| Err(Refusal::new(Rule::SignerState, because));
        let before = self.signers.len();
        match change {
            SignerChange::Enrol(enrolment) => {
                if self.signers.contains_key(&enrolment.id) {
                    return refuse(format!("signer {} is enrolled already", enrolment.id));
                }
                self.signers.insert(enrolment.id, enrolment.into());
            }
            SignerChange::Retire { signer } => {
                if self.signers.remove(signer).is_none() {
                    return refuse(format!("no signer is enrolled as {signer}"));
                }
            }
        }
        let after = self.signers.len();
        let Some(witnessing) = &mut self.witnessing else {
            return refuse(
                "a log without witnesses has the signers that it was founded with".into(),
            );
        };
        let majority = |signers: usize| {
            let witnesses = signers.saturating_add(witnessing.outside.len());
            (witnesses / 2).saturating_add(1)
        };
        let margin = usize::from(witnessing.threshold).saturating_sub(majority(before));
        let threshold = majority(after).saturating_add(margin);
        if threshold > after.saturating_add(witnessing.outside.len()) {
            return refuse(format!(
                "too few witnesses would be left: {threshold} cosignatures make a checkpoint count"
            ));
        }
        witnessing.threshold = u8::try_from(threshold).unwrap_or(u8::MAX);
        Ok(())
    }
}
