//! The texts that people and signers put their name to, and the check of their signatures.
//! A signature is always over the whole text as shown; nothing here ever signs.

mod approval;
mod backup;
mod change;
mod cosigners;
mod facts;
mod founding;
mod policy;
mod resumption;
mod rotation;
mod shares;
mod signer;
mod version_1;

pub use approval::approval;
pub use backup::{backup, drill};
pub use facts::{price, screening};
pub use founding::{founding, founding_v1, founding_v2};
pub use resumption::resumption;
pub use shares::epoch_confirmation;
pub use signer::{abstention, confirmation, spend_proof};

use crate::{
    Amount, Asset, Bytes, Head, LogId, PersonId, ProposalId, Refusal, Rule, State,
    approval_key::{ApprovalKey, Evidence},
    proposal::Answers,
};
use ed25519_dalek::{Signature, VerifyingKey};

/// Yes or no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The approver agrees.
    Approve,
    /// The approver does not.
    Decline,
}

/// An answer whose signature was verified over the statement of its proposal, under a key that
/// the charter enrols for that person. Only [`verify_answer`] makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    answer: Answer,
    approver: PersonId,
    key: ApprovalKey,
    evidence: Evidence,
}

impl Verified {
    /// Yes or no.
    pub const fn answer(&self) -> Answer {
        self.answer
    }

    /// Whose answer it is.
    pub const fn approver(&self) -> PersonId {
        self.approver
    }

    /// The key and what proves that it was used.
    pub fn evidence(self) -> (ApprovalKey, Evidence) {
        (self.key, self.evidence)
    }
}

/// Where in the log a proposal stands: what an approver's signature is bound to besides the
/// question itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The log.
    pub log: LogId,
    /// The proposal.
    pub proposal: ProposalId,
    /// The entry that opened it: its hash commits to all that came before.
    pub opened_at: Head,
}

/// Whether `key` is an Ed25519 public key that is not of small order (RFC 8032 §5.1.3).
pub fn is_public_key(key: &Bytes) -> bool {
    key.array()
        .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
        .is_some_and(|k| !k.is_weak())
}

/// Whether `signature` is `key`'s over exactly `text`. Strict: no malleable or small-order forms.
pub fn verify(key: &Bytes, text: &str, signature: &Bytes) -> bool {
    let Some(key) = key.array().and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok()) else {
        return false;
    };
    let Some(signature) = signature.array().map(|bytes| Signature::from_bytes(&bytes)) else {
        return false;
    };
    key.verify_strict(text.as_bytes(), &signature).is_ok()
}

/// Checks an answer's key and evidence against the charter and the statement.
pub fn verify_answer(
    state: &State,
    place: &Place,
    answers: &Answers,
    answer: Answer,
    (approver, key, evidence): (PersonId, &Bytes, &Evidence),
) -> Result<Verified, Refusal> {
    let person = state.charter.standing()?.demand(approver, crate::charter::Role::Approver)?;
    let Some(key) = person.approval_key(key) else {
        let because = format!("{key} is not an approval key of {approver}");
        return Err(Refusal::new(Rule::ApprovalKeyUnknown, because));
    };
    let text = approval(state, place, answers, answer, approver);
    if !key.verify(&text, evidence) {
        let because = "the signature is not this key's over this proposal's statement";
        return Err(Refusal::new(Rule::ApprovalSignature, because));
    }
    Ok(Verified { answer, approver, key: key.clone(), evidence: evidence.clone() })
}

/// `0.50000000 LTC (50000000 litoshi)`.
fn quantity(amount: Amount, asset: Asset) -> String {
    format!(
        "{} {} ({amount} {})",
        amount.with_decimals(asset.decimals()),
        asset.symbol(),
        asset.base_unit()
    )
}
