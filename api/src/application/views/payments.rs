//! Payments, proposals and attempts, as callers see them. Amounts in base units.

use strongroom_projections::{
    AnswerRow, AttemptRow, EntryRow, ProposalRow, RefusalRow, SubjectKind, TransferRow,
    TransferStory,
};

use super::{Json, all, json, maybe, texts, views};
use crate::application::approvals::word;

views! {
    /// A payment out of custody.
    Transaction from TransferRow as row {
        /// Which.
        transaction: String = row.transfer.to_string(),
        /// Where it was asked for.
        position: u64 = row.position,
        /// When.
        requested_at: String = row.requested_at.to_string(),
        /// Whose claim becomes smaller.
        account: String = row.intent.account.to_string(),
        /// Which wallet pays.
        wallet: String = row.intent.wallet.to_string(),
        /// What is paid.
        asset: String = row.intent.asset.to_string(),
        /// How much reaches the destination.
        amount: String = row.intent.amount.to_string(),
        /// Who is paid.
        destination: String = row.intent.destination.to_string(),
        /// The most that the network may take.
        fee_cap: String = row.intent.fee_cap.to_string(),
        /// Who asked.
        maker: String = row.maker.to_string(),
        /// The question to the quorum, if the policy let it be asked.
        proposal: Option<String> = maybe(row.proposal),
        /// What each rule of the policy said.
        #[schema(value_type = Object)]
        decision: Json = json(&row.decision),
        /// How far it is.
        state: String = row.state.to_string(),
        /// When it came there.
        changed_at: String = row.changed_at.to_string(),
        /// The current attempt.
        attempt: Option<u32> = row.attempt,
        /// The signed transaction's id, as nodes name it.
        transaction_id: Option<String> = row.transaction,
        /// The policy's rule that refused it.
        rule: Option<String> = maybe(row.rule),
        /// Why it was refused or failed.
        because: Option<String> = row.because,
        /// The height of the block where it is final.
        block_height: Option<u64> = row.block.as_ref().map(|block| block.height),
        /// That block's hash.
        block_hash: Option<String> = row.block.map(|block| block.hash),
        /// What reached the destination.
        paid: Option<String> = maybe(row.paid),
        /// What the network took.
        fee: Option<String> = maybe(row.fee),
        /// What it waits for, where a person may want to know.
        waiting: Option<String> = None,
    }
    /// A page of payments.
    TransactionPage {
        /// The payments.
        items: Vec<Transaction>,
        /// `after` of the next page, where there may be one.
        next: Option<u64>,
    }
    /// An attempt to realise a payment.
    Attempt from AttemptRow as row {
        /// Counted from 1.
        attempt: u32 = row.attempt,
        /// When it was authorised.
        authorised_at: String = row.authorised_at.to_string(),
        /// `payment`; `cancellation` or `child` pay nobody.
        purpose: String = row.purpose,
        /// The unsigned transaction, hex.
        unsigned: String = row.unsigned.to_string(),
        /// The most that it costs.
        fee: String = row.fee.to_string(),
        /// Which key signs.
        key: String = row.key.to_string(),
        /// Which of its holders.
        signers: Vec<String> = texts(&row.signers),
        /// The signed transaction, hex.
        raw: Option<String> = maybe(row.raw),
        /// Its id, as nodes name it.
        transaction_id: Option<String> = row.transaction,
        /// When it was signed.
        signed_at: Option<String> = maybe(row.signed_at),
        /// When a node took it.
        broadcast_at: Option<String> = maybe(row.broadcast_at),
    }
    /// Signatures of cosigners are in the log.
    PsbtImported {
        /// Of which payment.
        transaction: String,
        /// Of which attempt.
        attempt: u32,
        /// Whose they are: places in the wallet's descriptor, counted from 1.
        places: Vec<u32>,
    }
    /// A signer's refusal.
    SignerRefusal from RefusalRow as row {
        /// Where.
        position: u64 = row.position,
        /// When.
        refused_at: String = row.refused_at.to_string(),
        /// Of which attempt.
        attempt: u32 = row.attempt,
        /// Who refused.
        signer: String = row.signer.to_string(),
        /// Under which rule.
        rule: String = row.rule.to_string(),
        /// What it said.
        because: String = row.because,
    }
    /// How far signing is.
    Signing {
        /// What it waits for, where a person may want to know.
        waiting: Option<String>,
        /// Which payment.
        transaction: String,
        /// How far it is.
        state: String,
        /// The current attempt, once there is one.
        attempt: Option<Attempt>,
        /// Signers that refused it.
        refusals: Vec<SignerRefusal>,
        /// Of a multisig wallet: who could sign what is being signed, and who has.
        cosigners: Vec<Cosigning>,
    }
    /// A cosigner of a multisig wallet.
    Cosigning {
        /// Where its key stands in the wallet's descriptor, counted from 1.
        place: u32,
        /// Its name, where no signer holds its key.
        name: Option<String>,
        /// The signer that holds its key.
        signer: Option<String>,
        /// Whether the log has its signatures of the current attempt.
        signed: bool,
    }
    /// A multisig wallet's payment that is being signed.
    UnfinishedPsbt {
        /// Which payment.
        transaction: String,
        /// Which attempt.
        attempt: u32,
        /// How many must sign.
        threshold: u32,
        /// The PSBT with the signatures so far (BIP 174), base64.
        psbt: String,
        /// Who could sign, and who has.
        cosigners: Vec<Cosigning>,
    }
    /// An entry of a payment's history.
    StoryEntry from EntryRow as row {
        /// Where.
        position: u64 = row.position,
        /// When.
        time: String = row.time.to_string(),
        /// Whose history.
        stream: String = row.stream,
        /// What happened.
        kind: String = row.kind,
        /// Who caused it.
        actor: String = row.actor,
        /// Its leaf hash.
        leaf: String = row.leaf.to_string(),
    }
    /// A payment and everything that was said about it.
    TransactionStory from TransferStory as row {
        /// What it waits for, where a person may want to know.
        waiting: Option<String> = None,
        /// The payment.
        transaction: Transaction = row.transfer.into(),
        /// The question and its answers.
        proposal: Option<Proposal> = row.proposal.map(Into::into),
        /// Every attempt.
        attempts: Vec<Attempt> = all(row.attempts),
        /// Every refusal of a signer.
        refusals: Vec<SignerRefusal> = all(row.refusals),
        /// Of a multisig wallet: who could sign what is being signed, and who has.
        cosigners: Vec<Cosigning> = Vec::new(),
        /// Every entry of the payment and its proposal.
        entries: Vec<StoryEntry> = all(row.entries),
    }
    /// A question to a quorum.
    Proposal from ProposalRow as row {
        /// Which.
        proposal: String = row.proposal.to_string(),
        /// The entry that opened it: statements are bound to it.
        position: u64 = row.opened.position,
        /// That entry's leaf hash.
        leaf: String = row.opened.leaf.to_string(),
        /// When.
        opened_at: String = row.opened_at.to_string(),
        /// `transfer`, `key-ceremony`, `policy-change`, `people`, `unfreeze`, `release-key`,
        /// `raise-fee-cap` or `abandon`.
        kind: String = SubjectKind::of(&row.subject).name().to_owned(),
        /// The question.
        #[schema(value_type = Object)]
        subject: Json = json(&row.subject),
        /// Who asks.
        maker: String = row.maker.to_string(),
        /// The policy under which it was opened.
        policy_version: u32 = row.policy_version,
        /// How many must agree.
        approvals_needed: u32 = u32::try_from(row.quorums.approvals()).unwrap_or(u32::MAX),
        /// Who may answer.
        group: Vec<String> = texts(row.quorums.people()),
        /// Each part of the quorum: all must be met, by distinct people.
        #[schema(value_type = Object)]
        quorums: Json = json(&row.quorums),
        /// How long it waits once it is approved, in seconds.
        delay_s: u64 = row.delay_s,
        /// From then on no answer counts.
        expires_at: String = row.expires_at.to_string(),
        /// How far it is.
        state: String = row.state.to_string(),
        /// Why it was burnt.
        because: Option<String> = row.because,
        /// Every answer so far.
        answers: Vec<ProposalAnswer> = all(row.answers),
    }
    /// A page of proposals.
    ProposalPage {
        /// The proposals.
        items: Vec<Proposal>,
        /// `after` of the next page, where there may be one.
        next: Option<u64>,
    }
    /// An answer to a proposal, with its evidence.
    ProposalAnswer from AnswerRow as row {
        /// Where.
        position: u64 = row.position,
        /// When.
        answered_at: String = row.answered_at.to_string(),
        /// `approve` or `decline`.
        answer: String = word(row.answer).to_owned(),
        /// Who.
        approver: String = row.approver.to_string(),
        /// With which of their keys.
        key: String = row.key.to_string(),
        /// Over the statement.
        signature: String = row.signature.to_string(),
    }
    /// A proposal, and the text that an approver would sign.
    Approval {
        /// The proposal.
        proposal: Proposal,
        /// Whose statement this is.
        approver: String,
        /// `approve` or `decline`.
        answer: String,
        /// The text to sign, byte by byte, while the proposal can be answered.
        statement: Option<String>,
    }
}
