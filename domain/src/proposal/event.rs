//! What happened to a proposal. Stored for ever: a shape is never edited, only succeeded.

use crate::{
    Amount, Bytes, FreezeId, Intent, KeyId, PersonId, SignerId, Timestamp, TransferId,
    approval_key::Evidence,
    charter::{PeopleChange, SignerChange},
    event::events,
    key::{CeremonyPlan, Cosigner, KeyChange},
    policy::{Label, Policy, PolicyV1, Quorum, Quorums},
    wallet::Rotation,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

events! {
    /// A proposal's events.
    ProposalEvent {
        /// A question was put to one quorum.
        OpenedV1 = "proposal.opened", 1;
        /// A question was put.
        Opened = "proposal.opened", 2;
        /// Somebody said yes, and signed it.
        ApprovedV1 = "proposal.approved", 1;
        /// Somebody said no, and signed it.
        DeclinedV1 = "proposal.declined", 1;
        /// Somebody said yes, with another key than an Ed25519 one.
        Approved = "proposal.approved", 2;
        /// Somebody said no, with another key than an Ed25519 one.
        Declined = "proposal.declined", 2;
        /// Enough said yes.
        QuorumReached = "proposal.quorum-reached", 1;
        /// An officer stopped what enough had said yes to.
        Vetoed = "proposal.vetoed", 1;
        /// So many said no that the quorum can't be reached any more.
        Rejected = "proposal.rejected", 1;
        /// Its time ran out.
        Expired = "proposal.expired", 1;
        /// Its maker took it back.
        Cancelled = "proposal.cancelled", 1;
        /// What was approved has happened: these approvals are used up.
        Fulfilled = "proposal.fulfilled", 1;
        /// What was approved failed: these approvals can never be used again.
        Burnt = "proposal.burnt", 1;
    }
}

/// What a quorum is asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Subject {
    /// May this be paid?
    Transfer {
        /// What exactly.
        intent: Intent,
        /// The allowlist's name for the destination.
        known_as: Label,
    },
    /// May this key be made?
    KeyCeremony(CeremonyPlan),
    /// May this key be made, of which each cosigner has one of its own?
    MultisigKey {
        /// How, and which signers have a part.
        plan: CeremonyPlan,
        /// Who else, with which keys.
        cosigners: Vec<Cosigner>,
    },
    /// May this be the policy?
    PolicyChange(PolicyV1),
    /// May this be paid? Under a policy of the second form.
    Payment {
        /// What exactly.
        intent: Intent,
        /// The allowlist's name for the destination.
        known_as: Label,
        /// How long it waits once it is approved, in seconds.
        delay_s: u64,
        /// The rules of the policy that were asked.
        rules: Vec<Label>,
        /// What is not as it was before.
        unusual: Vec<Unusual>,
    },
    /// May this be the policy? Of the second form.
    #[serde(rename = "policy-change-2")]
    PolicyForm2(Policy),
    /// May this be changed about people, machines or governance?
    People(PeopleChange),
    /// May what an officer froze go on?
    Unfreeze {
        /// Which freeze.
        freeze: FreezeId,
    },
    /// May a quarantined key sign again?
    ReleaseKey {
        /// Which.
        key: KeyId,
    },
    /// May the network take more for this transfer?
    RaiseFeeCap {
        /// Which.
        transfer: TransferId,
        /// The most that it may take, all attempts together. Base units of the native asset.
        fee_cap: Amount,
    },
    /// May this transfer be made impossible, and everything go back to its wallet?
    Abandon {
        /// Which.
        transfer: TransferId,
    },
    /// May the shares of this key change hands?
    ChangeKey(KeyChange),
    /// May this signer hold keys and cosign the log, or no longer?
    Signers(SignerChange),
    /// May everything that a wallet holds go to its successor, and its key be retired?
    Rotate(Rotation),
    /// May a quarantined signer be trusted again?
    ReleaseSigner {
        /// Which.
        signer: SignerId,
    },
}

/// What is not as it was before, as the log knew it when the payment was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Unusual {
    /// Nothing was ever paid there.
    FirstPayment,
    /// It is more than was ever paid there.
    LargestAmount {
        /// The most until now, in base units of the same asset.
        so_far: Amount,
    },
    /// The destination came onto the allowlist lately.
    NewDestination {
        /// When.
        since: Timestamp,
    },
}

/// A question was put to people who must agree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// The question.
    pub subject: Subject,
    /// Who asks. Can't be one of those who answer.
    pub maker: PersonId,
    /// The policy under which it was opened.
    pub policy_version: u32,
    /// Who must agree: all of these, by distinct people.
    pub quorums: Quorums,
    /// How long it waits once it is approved, in seconds.
    pub delay_s: u64,
    /// From then on no answer counts.
    pub expires_at: Timestamp,
}

impl From<&OpenedV1> for Opened {
    fn from(opened: &OpenedV1) -> Self {
        Self {
            subject: opened.subject.clone(),
            maker: opened.maker,
            policy_version: opened.policy_version,
            quorums: Quorums(vec![opened.quorum.clone()]),
            delay_s: 0,
            expires_at: opened.expires_at,
        }
    }
}

impl Opened {
    /// Until when what was approved can happen: what must wait has that much longer.
    pub fn ends_at(&self) -> Timestamp {
        self.expires_at.plus_seconds(self.delay_s)
    }
}

/// A question was put to a quorum.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedV1 {
    /// The question.
    pub subject: Subject,
    /// Who asks. Can't be one of those who answer.
    pub maker: PersonId,
    /// The policy under which it was opened.
    pub policy_version: u32,
    /// Who must agree.
    pub quorum: Quorum,
    /// From then on no answer counts.
    pub expires_at: Timestamp,
}

/// A signed yes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovedV1 {
    /// Who.
    pub approver: PersonId,
    /// With which of their keys.
    pub key: Bytes,
    /// Ed25519 (RFC 8032) over the approval statement.
    pub signature: Bytes,
}

/// A signed no.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclinedV1 {
    /// Who.
    pub approver: PersonId,
    /// With which of their keys.
    pub key: Bytes,
    /// Ed25519 (RFC 8032) over the statement.
    pub signature: Bytes,
}

/// A proven yes. Of a plain Ed25519 signature, [`ApprovedV1`] is recorded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// Who.
    pub approver: PersonId,
    /// With which of their keys.
    pub key: Bytes,
    /// What proves it.
    pub evidence: Evidence,
}

/// A proven no. Of a plain Ed25519 signature, [`DeclinedV1`] is recorded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declined {
    /// Who.
    pub approver: PersonId,
    /// With which of their keys.
    pub key: Bytes,
    /// What proves it.
    pub evidence: Evidence,
}

impl From<&ApprovedV1> for Approved {
    fn from(ApprovedV1 { approver, key, signature }: &ApprovedV1) -> Self {
        let evidence = Evidence::Signature { signature: signature.clone() };
        Self { approver: *approver, key: key.clone(), evidence }
    }
}

/// Enough said yes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuorumReached {
    /// Who they are.
    pub approvers: BTreeSet<PersonId>,
}

/// What was approved does not come into force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vetoed {
    /// Which officer.
    pub by: PersonId,
}

/// Too many said no.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejected {}

/// Its time ran out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expired {}

/// Its maker took it back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancelled {}

/// What was approved has happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fulfilled {}

/// Its approvals are void.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burnt {
    /// Why.
    pub because: String,
}
