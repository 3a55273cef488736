//! What happened to a transfer. Stored for ever: a shape is never edited, only succeeded.

use crate::{
    Amount, Bytes, ClientId, Intent, KeyId, PersonId, ProposalId, Rule, SignerId, Timestamp,
    WalletId,
    deposit::BlockRef,
    event::events,
    policy::{PolicyDecision, PolicyDecisionV1},
    wallet::OutPoint,
};
use serde::{Deserialize, Serialize};

events! {
    /// A transfer's events.
    TransferEvent {
        /// Somebody asked, and the policy was asked.
        RequestedV1 = "transfer.requested", 1;
        /// Somebody asked, and a policy of the second form was asked.
        Requested = "transfer.requested", 2;
        /// What a wallet holds goes to its successor: the quorum of its rotation agreed before.
        SweepRequested = "transfer.sweep-requested", 1;
        /// The policy forbids it.
        Refused = "transfer.refused", 1;
        /// Its quorum was reached.
        Approved = "transfer.approved", 1;
        /// A transaction was built; from here on signers may hear of it.
        AttemptAuthorised = "transfer.attempt-authorised", 1;
        /// A signer refused it.
        AttemptRefused = "transfer.attempt-refused", 1;
        /// One cosigner of a multisig wallet signed it.
        PartiallySigned = "transfer.partially-signed", 1;
        /// The signed transaction exists.
        AttemptSigned = "transfer.attempt-signed", 1;
        /// The network has an earlier attempt that the log had not complete: others completed it.
        AttemptFound = "transfer.attempt-found", 1;
        /// A node took it.
        AttemptBroadcast = "transfer.attempt-broadcast", 1;
        /// A transaction was built that pays nobody: it cancels the payment, or pulls it along.
        ReturnAuthorised = "transfer.return-authorised", 1;
        /// It may cost more from now on.
        FeeCapRaised = "transfer.fee-cap-raised", 1;
        /// A quorum wants it cancelled on its chain.
        AbandonmentApproved = "transfer.abandonment-approved", 1;
        /// Its only transaction is final on its chain.
        ConfirmedV1 = "transfer.confirmed", 1;
        /// One of its transactions is final on its chain.
        Confirmed = "transfer.confirmed", 2;
        /// A transaction is final on its chain that makes the payment impossible.
        Abandoned = "transfer.abandoned", 1;
        /// It came to nothing after it was approved.
        Failed = "transfer.failed", 1;
        /// Its quorum said no.
        Rejected = "transfer.rejected", 1;
        /// Its maker took it back.
        Cancelled = "transfer.cancelled", 1;
        /// Its time ran out.
        Expired = "transfer.expired", 1;
        /// An officer stopped it before any signer heard of it.
        Stopped = "transfer.stopped", 1;
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

/// Somebody asked, under a policy of the second form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requested {
    /// What should happen.
    pub intent: Intent,
    /// Who asked.
    pub maker: PersonId,
    /// The question to the quorum, if the policy lets it be asked.
    pub proposal: Option<ProposalId>,
    /// When, by the server's clock: what the policy decided with.
    pub at: Timestamp,
    /// For which client.
    pub client: ClientId,
    /// What each rule said.
    pub decision: PolicyDecision,
}

/// What a wallet holds goes to its successor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepRequested {
    /// From where to where. Its amount is all that is spent: what arrives is less by the fee. Its
    /// account, the institution's own, bears the fee.
    pub intent: Intent,
    /// What is spent, where the chain has coins.
    pub coins: Vec<OutPoint>,
    /// Whose address the destination is.
    pub successor: WalletId,
    /// The quorum that agreed to the rotation.
    pub rotation: ProposalId,
    /// Who asked for the rotation.
    pub maker: PersonId,
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

/// One cosigner's part of an attempt of a multisig wallet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartiallySigned {
    /// Which attempt.
    pub attempt: u32,
    /// Where the cosigner's key stands in the wallet's descriptor, counted from 1.
    pub place: u16,
    /// One for each input, in their order: `r ‖ s` of ECDSA with low s, or BIP 340.
    pub signatures: Vec<Bytes>,
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

/// An earlier attempt, signed, that a node has though the log was given its signatures never: cosigners
/// completed it besides the server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptFound {
    /// Which attempt.
    pub attempt: u32,
    /// As nodes have it.
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

/// What a transaction that pays nobody is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Returns {
    /// To make the payment impossible: same coins or same account nonce.
    Cancellation,
    /// To pull the payment into a block: it spends the change of one of the signed attempts.
    Child {
        /// Of which attempt.
        parent: u32,
    },
}

/// A transaction that brings everything it spends back to the wallet, and who should sign it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnAuthorised {
    /// What it is for.
    pub returns: Returns,
    /// It. Numbered with the transfer's other attempts.
    pub attempt: AttemptAuthorised,
}

/// Its quorum lets it cost more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeCapRaised {
    /// The question that was answered.
    pub proposal: ProposalId,
    /// The most that the network may take from now on, in base units of the native asset.
    pub fee_cap: Amount,
}

/// Its quorum wants it cancelled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbandonmentApproved {
    /// The question that was answered.
    pub proposal: ProposalId,
}

/// One of several transactions is final.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    /// Which attempt.
    pub attempt: u32,
    /// The child that pulled it along, if it has one: final too.
    pub child: Option<u32>,
    /// The attempt's id on its chain.
    pub transaction: String,
    /// Where it is.
    pub block: BlockRef,
    /// What reached the destination.
    pub paid: Amount,
    /// What the network took, for the child too.
    pub fee: Amount,
}

/// A cancellation is final: the payment can never be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abandoned {
    /// Which attempt.
    pub attempt: u32,
    /// Its id on its chain.
    pub transaction: String,
    /// Where it is.
    pub block: BlockRef,
    /// What the network took.
    pub fee: Amount,
}

/// It is final. Of a transfer with one signed attempt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmedV1 {
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

/// An officer stopped it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stopped {
    /// Which officer.
    pub by: PersonId,
    /// Why. Never personal data: the log is for ever.
    pub because: String,
}
