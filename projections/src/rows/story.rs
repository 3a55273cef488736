//! Transfers and the questions about them. Never an answer without who gave it, and where.

use super::EntryRow;
use crate::states::{ProposalState, TransferState};
use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Amount, Bytes, ClientId, Head, Intent, KeyId, PersonId, ProposalId, Rule, SignerId, Timestamp,
    TransferId, WalletId,
    deposit::BlockRef,
    policy::{PolicyDecision, PolicyDecisionV1, Quorums},
    proposal::Subject,
    statement::Answer,
};

/// A transfer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TransferRow {
    /// Which.
    pub transfer: TransferId,
    /// Where it was asked for.
    pub position: u64,
    /// When.
    pub requested_at: Timestamp,
    /// What should happen.
    pub intent: Intent,
    /// Who asked.
    pub maker: PersonId,
    /// The question to the quorum, if the policy let it be asked.
    pub proposal: Option<ProposalId>,
    /// What each rule of the policy said.
    pub decision: Decided,
    /// For which client; unknown under a policy of the first form.
    pub client: Option<ClientId>,
    /// How long it waits after it was approved, in seconds.
    pub delay_s: u64,
    /// When it was approved.
    pub approved_at: Option<Timestamp>,
    /// How far it is.
    pub state: TransferState,
    /// The entry that brought it there.
    pub changed_position: u64,
    /// When.
    pub changed_at: Timestamp,
    /// The current attempt.
    pub attempt: Option<u32>,
    /// The signed transaction's id, as nodes name it.
    pub transaction: Option<String>,
    /// The policy's rule that refused it.
    pub rule: Option<Rule>,
    /// Why it was refused or failed.
    pub because: Option<String>,
    /// Where it is final.
    pub block: Option<BlockRef>,
    /// What reached the destination.
    pub paid: Option<Amount>,
    /// What the network took.
    pub fee: Option<Amount>,
}

/// What the policy said, in the form that it had.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Decided {
    /// A policy of rules.
    V2(PolicyDecision),
    /// Allowlist, tiers and fee caps.
    V1(PolicyDecisionV1),
    /// No policy was asked: the quorum of a rotation agreed.
    Sweep {
        /// Where it goes.
        successor: WalletId,
        /// The quorum's proposal.
        rotation: ProposalId,
    },
}

/// A transfer and everything that was said about it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TransferStory {
    /// The transfer.
    pub transfer: TransferRow,
    /// The question and its answers.
    pub proposal: Option<ProposalRow>,
    /// Every attempt, in order.
    pub attempts: Vec<AttemptRow>,
    /// Every refusal of a signer, in order.
    pub refusals: Vec<RefusalRow>,
    /// Every part of a cosigner of a multisig wallet, in order.
    pub partials: Vec<PartialRow>,
    /// Every entry of the transfer and its proposal, in order.
    pub entries: Vec<EntryRow>,
}

/// An attempt to realise a transfer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AttemptRow {
    /// Counted from 1.
    pub attempt: u32,
    /// Where it was authorised.
    pub position: u64,
    /// When.
    pub authorised_at: Timestamp,
    /// `payment`, `cancellation` or `child`.
    pub purpose: String,
    /// The unsigned transaction.
    pub unsigned: Bytes,
    /// The most that it costs.
    pub fee: Amount,
    /// Which key signs.
    pub key: KeyId,
    /// Which of its holders.
    pub signers: Vec<SignerId>,
    /// The signed transaction.
    pub raw: Option<Bytes>,
    /// Its id, as nodes name it.
    pub transaction: Option<String>,
    /// Where it was signed.
    pub signed_position: Option<u64>,
    /// When.
    pub signed_at: Option<Timestamp>,
    /// Where a node took it.
    pub broadcast_position: Option<u64>,
    /// When.
    pub broadcast_at: Option<Timestamp>,
}

/// A signer's refusal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RefusalRow {
    /// Where.
    pub position: u64,
    /// When.
    pub refused_at: Timestamp,
    /// Of which transfer.
    pub transfer: TransferId,
    /// Of which attempt.
    pub attempt: u32,
    /// Who refused.
    pub signer: SignerId,
    /// Under which rule.
    pub rule: Rule,
    /// What it said.
    pub because: String,
}

/// That a cosigner of a multisig wallet signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PartialRow {
    /// Where.
    pub position: u64,
    /// When.
    pub signed_at: Timestamp,
    /// Of which transfer.
    pub transfer: TransferId,
    /// Of which attempt.
    pub attempt: u32,
    /// Where its key stands in the wallet's descriptor, counted from 1.
    pub place: u16,
}

/// What a proposal is about, in a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// A payment.
    Transfer,
    /// A key.
    KeyCeremony,
    /// The policy.
    PolicyChange,
    /// People, machines or governance.
    People,
    /// A freeze.
    Unfreeze,
    /// A quarantined key.
    ReleaseKey,
    /// The fee of a payment under way.
    RaiseFeeCap,
    /// The end of a payment under way.
    Abandon,
    /// The shares of a key.
    ChangeKey,
    /// A wallet that is given up.
    Rotate,
    /// A signer that comes or goes.
    Signers,
    /// A quarantined signer.
    ReleaseSigner,
}

impl SubjectKind {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::KeyCeremony => "key-ceremony",
            Self::PolicyChange => "policy-change",
            Self::People => "people",
            Self::Unfreeze => "unfreeze",
            Self::ReleaseKey => "release-key",
            Self::RaiseFeeCap => "raise-fee-cap",
            Self::Abandon => "abandon",
            Self::ChangeKey => "change-key",
            Self::Rotate => "rotate",
            Self::Signers => "signers",
            Self::ReleaseSigner => "release-signer",
        }
    }

    /// What a subject is about.
    pub const fn of(subject: &Subject) -> Self {
        match subject {
            Subject::Transfer { .. } | Subject::Payment { .. } => Self::Transfer,
            Subject::KeyCeremony(_) | Subject::MultisigKey { .. } => Self::KeyCeremony,
            Subject::PolicyChange(_) | Subject::PolicyForm2(_) => Self::PolicyChange,
            Subject::People(_) => Self::People,
            Subject::Unfreeze { .. } => Self::Unfreeze,
            Subject::ReleaseKey { .. } => Self::ReleaseKey,
            Subject::RaiseFeeCap { .. } => Self::RaiseFeeCap,
            Subject::Abandon { .. } => Self::Abandon,
            Subject::ChangeKey(_) => Self::ChangeKey,
            Subject::Rotate(_) => Self::Rotate,
            Subject::Signers(_) => Self::Signers,
            Subject::ReleaseSigner { .. } => Self::ReleaseSigner,
        }
    }
}

/// A question to a quorum.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProposalRow {
    /// Which.
    pub proposal: ProposalId,
    /// Where it was opened: its statement is bound to this entry.
    pub opened: Head,
    /// When.
    pub opened_at: Timestamp,
    /// The question.
    pub subject: Subject,
    /// Who asks.
    pub maker: PersonId,
    /// The policy under which it was opened.
    pub policy_version: u32,
    /// Who must agree: all of these, by distinct people.
    pub quorums: Quorums,
    /// How long it waits once it is approved, in seconds.
    pub delay_s: u64,
    /// From then on no answer counts.
    pub expires_at: Timestamp,
    /// How far it is.
    pub state: ProposalState,
    /// Why it was burnt.
    pub because: Option<String>,
    /// The entry that brought it there.
    pub changed_position: u64,
    /// When.
    pub changed_at: Timestamp,
    /// Every answer so far, in order.
    pub answers: Vec<AnswerRow>,
}

/// An answer to a proposal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AnswerRow {
    /// Where.
    pub position: u64,
    /// When.
    pub answered_at: Timestamp,
    /// Yes or no.
    pub answer: Answer,
    /// Who.
    pub approver: PersonId,
    /// With which of their keys.
    pub key: Bytes,
    /// Over the statement.
    pub signature: Bytes,
}
