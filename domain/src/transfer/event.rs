//! What happened to a transfer. Stored for ever: a shape is never edited, only succeeded.

use crate::{
    Amount, Bytes, Intent, KeyId, PersonId, ProposalId, Rule, SignerId, deposit::BlockRef,
    event::events, policy::PolicyDecisionV1,
};
use serde::{Deserialize, Serialize};

events! {
    /// A transfer's events.
    TransferEvent {
        /// Somebody asked, and the policy was asked.
        RequestedV1 = "transfer.requested", 1;
        /// The policy forbids it.
        Refused = "transfer.refused", 1;
        /// Its quorum was reached.
        Approved = "transfer.approved", 1;
        /// A transaction was built; from here on signers may hear of it.
        AttemptAuthorised = "transfer.attempt-authorised", 1;
        /// A signer refused it.
        AttemptRefused = "transfer.attempt-refused", 1;
        /// The signed transaction exists.
        AttemptSigned = "transfer.attempt-signed", 1;
        /// A node took it.
        AttemptBroadcast = "transfer.attempt-broadcast", 1;
        /// It is final on its chain.
        Confirmed = "transfer.confirmed", 1;
        /// It came to nothing after it was approved.
        Failed = "transfer.failed", 1;
        /// Its quorum said no.
        Rejected = "transfer.rejected", 1;
        /// Its maker took it back.
        Cancelled = "transfer.cancelled", 1;
        /// Its time ran out.
        Expired = "transfer.expired", 1;
    }
}

/// Somebody asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestedV1 {
    /// What should happen.
    pub intent: Intent,
    /// Who asked.
    pub maker: PersonId,
    /// The question to the quorum, if the policy lets it be asked.
    pub proposal: Option<ProposalId>,
    /// What each rule said.
    pub decision: PolicyDecisionV1,
}

/// The policy forbids it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The first rule that does.
    pub rule: Rule,
    /// What it said.
    pub because: String,
}

/// Its quorum was reached.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {}

/// A transaction that would realise the intent, and who should sign it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptAuthorised {
    /// Counted from 1. Each further one excludes all before it: same coins or same account nonce.
    pub attempt: u32,
    /// The unsigned transaction: a PSBT (BIP 174), or the signing form of EIP-2718.
    pub unsigned: Bytes,
    /// The most that it costs, in base units of the native asset.
    pub fee: Amount,
    /// Which key signs.
    pub key: KeyId,
    /// Which of its holders.
    pub signers: Vec<SignerId>,
}

/// A signer refused it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptRefused {
    /// Which attempt.
    pub attempt: u32,
    /// Who refused.
    pub signer: SignerId,
    /// Under which rule.
    pub rule: Rule,
    /// What it said.
    pub because: String,
}

/// The signed transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptSigned {
    /// Which attempt.
    pub attempt: u32,
    /// As nodes take it.
    pub raw: Bytes,
    /// Its id, as nodes name it.
    pub transaction: String,
}

/// A node took it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptBroadcast {
    /// Which attempt.
    pub attempt: u32,
}

/// It is final.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    /// Which attempt.
    pub attempt: u32,
    /// Where it is.
    pub block: BlockRef,
    /// What reached the destination.
    pub paid: Amount,
    /// What the network took.
    pub fee: Amount,
}

/// It came to nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    /// Why.
    pub because: String,
    /// Where signers had heard of it: the word of so many holders of the key that no signature
    /// exists or ever will. Empty where nobody had heard of it, or where it failed on its chain.
    pub abstentions: Vec<Abstention>,
}

/// A holder's word that it has no part in a signature of this transfer, and never will.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abstention {
    /// Whose word.
    pub signer: SignerId,
    /// Ed25519 of the signer's identity key over [`crate::statement::abstention`].
    pub signature: Bytes,
}

/// Its quorum said no.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejected {}

/// Its maker took it back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancelled {}

/// Its time ran out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expired {}
