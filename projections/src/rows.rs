//! What the lists hold, in the words of `domain`. Amounts are base units; `position` is where in
//! the log a thing began. Never computed twice: every row comes out of one query.

use crate::states::{DepositState, KeyState, KeyStep, ProposalState, SignerState, TransferState};
use serde::Serialize;
use strongroom_domain::{
    AccountId, Address, AddressPath, Amount, Asset, Bytes, ClientId, DepositId, Digest, Head,
    Intent, KeyId, Network, PersonId, ProposalId, Rule, SignerId, Timestamp, TransferId, WalletId,
    account::LedgerAccount,
    charter::CharterText,
    deposit::BlockRef,
    policy::{Policy, PolicyDecision, Quorum},
    proposal::Subject,
    statement::Answer,
    wallet::Tier,
};

/// The charter and the policy in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CharterRow {
    /// Entry 1.
    pub genesis: Head,
    /// When it was written.
    pub founded_at: Timestamp,
    /// As it was founded.
    pub charter: CharterText,
    /// As it stands.
    pub policy: Policy,
    /// The entry that put it in force.
    pub policy_position: u64,
}

/// A client's account with its balance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AccountRow {
    /// Which.
    pub account: AccountId,
    /// Where it began.
    pub position: u64,
    /// When.
    pub opened_at: Timestamp,
    /// Whose.
    pub client: ClientId,
    /// In what.
    pub asset: Asset,
    /// What we owe the client, holds included.
    pub total: Amount,
    /// What holds have set aside.
    pub pending: Amount,
    /// What can still be set aside.
    pub available: Amount,
    /// What the client owes us after a reorganisation.
    pub shortfall: Amount,
}

/// What is set aside for a transfer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HoldRow {
    /// Where it was placed.
    pub position: u64,
    /// Of which account.
    pub account: AccountId,
    /// For what.
    pub transfer: TransferId,
    /// Payment and fee cap.
    pub amount: Amount,
}

/// The two sides of an account. Either may be the larger one: a reorganisation can take back from
/// a wallet more than is left in it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Sides {
    /// All that it was debited.
    pub debits: Amount,
    /// All that it was credited.
    pub credits: Amount,
}

impl Sides {
    /// Debits less credits: what we hold or are owed. `None` where credits are more.
    pub fn debit_balance(self) -> Option<Amount> {
        self.debits.checked_sub(self.credits)
    }

    /// Credits less debits: what we owe. `None` where debits are more.
    pub fn credit_balance(self) -> Option<Amount> {
        self.credits.checked_sub(self.debits)
    }
}

/// An account of the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LedgerRow {
    /// Its place in this list.
    pub number: u64,
    /// Which account: what we owe, hold, or are owed.
    pub account: LedgerAccount,
    /// In what.
    pub asset: Asset,
    /// What it was debited and credited.
    pub sides: Sides,
}

/// The trial balance of one asset: both sides are equal, or something is very wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TrialRow {
    /// Of what.
    pub asset: Asset,
    /// Of all accounts.
    pub all: Sides,
    /// Of wallets: what we hold, by debits.
    pub custody: Sides,
    /// Of clients: what we owe, by credits.
    pub clients: Sides,
    /// Of clients' shortfalls: what they owe us, by debits.
    pub shortfall: Sides,
}

/// A wallet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WalletRow {
    /// Which.
    pub wallet: WalletId,
    /// Where it began.
    pub position: u64,
    /// When.
    pub created_at: Timestamp,
    /// Where it holds funds.
    pub network: Network,
    /// Who signs.
    pub key: KeyId,
    /// How its keys are kept.
    pub tier: Tier,
    /// What it holds for clients, by the ledger: by debits.
    pub custody: Sides,
    /// How many addresses it has.
    pub addresses: u64,
}

/// An address of a wallet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AddressRow {
    /// Where it was derived.
    pub position: u64,
    /// When.
    pub derived_at: Timestamp,
    /// Whose.
    pub wallet: WalletId,
    /// The address.
    pub address: Address,
    /// How it is derived.
    pub path: AddressPath,
    /// Whose deposits arrive there.
    pub account: Option<AccountId>,
}

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
    pub decision: PolicyDecision,
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
}

impl SubjectKind {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::KeyCeremony => "key-ceremony",
            Self::PolicyChange => "policy-change",
        }
    }

    /// What a subject is about.
    pub const fn of(subject: &Subject) -> Self {
        match subject {
            Subject::Transfer { .. } => Self::Transfer,
            Subject::KeyCeremony(_) => Self::KeyCeremony,
            Subject::PolicyChange(_) => Self::PolicyChange,
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
    /// Who must agree.
    pub quorum: Quorum,
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

/// A deposit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DepositRow {
    /// Which.
    pub deposit: DepositId,
    /// Where it was first seen.
    pub position: u64,
    /// When.
    pub seen_at: Timestamp,
    /// Whose address.
    pub wallet: WalletId,
    /// Whose money.
    pub account: AccountId,
    /// Which address.
    pub address: Address,
    /// In what.
    pub asset: Asset,
    /// How much.
    pub amount: Amount,
    /// The outpoint, or the transaction's hash.
    pub place: String,
    /// The block it is in, or was.
    pub block: BlockRef,
    /// How many it had when it was credited.
    pub confirmations: Option<u32>,
    /// How far it is.
    pub state: DepositState,
    /// The entry that brought it there.
    pub changed_position: u64,
    /// When.
    pub changed_at: Timestamp,
}

/// A key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct KeyRow {
    /// Which.
    pub key: KeyId,
    /// Where it was asked for.
    pub position: u64,
    /// When.
    pub requested_at: Timestamp,
    /// How it is made and used.
    pub protocol: String,
    /// Shares needed to sign.
    pub threshold: u16,
    /// Who holds them.
    pub participants: Vec<SignerId>,
    /// The question to the quorum.
    pub proposal: ProposalId,
    /// Who asked.
    pub maker: PersonId,
    /// How far it is.
    pub state: KeyState,
    /// SEC 1 compressed, once it exists.
    pub public_key: Option<Bytes>,
    /// The wallet that it signs for.
    pub wallet: Option<WalletId>,
    /// Why it failed or was quarantined.
    pub because: Option<String>,
    /// Who is proven to have cheated.
    pub culprit: Option<SignerId>,
    /// The entry that brought it there.
    pub changed_position: u64,
    /// When.
    pub changed_at: Timestamp,
    /// What each holder has done in the ceremony, in order.
    pub steps: Vec<KeyStepRow>,
}

/// What a holder has done in a ceremony.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct KeyStepRow {
    /// Where.
    pub position: u64,
    /// When.
    pub taken_at: Timestamp,
    /// Who.
    pub signer: SignerId,
    /// What.
    pub step: KeyStep,
}

/// A signer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SignerRow {
    /// Which.
    pub signer: SignerId,
    /// Where it was enrolled.
    pub position: u64,
    /// Ed25519.
    pub identity_key: Bytes,
    /// SHA-256 of its TLS certificate's DER.
    pub tls_certificate_sha256: Digest,
    /// How the server last found it.
    pub state: SignerState,
    /// What the server saw when it lost it.
    pub because: Option<String>,
    /// The entry that says so.
    pub changed_position: u64,
    /// When.
    pub changed_at: Timestamp,
}

/// An entry of the log, without its payload.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EntryRow {
    /// Where.
    pub position: u64,
    /// When.
    pub time: Timestamp,
    /// Whose history.
    pub stream: String,
    /// Its place there.
    pub sequence: u64,
    /// The event's stored type.
    pub kind: String,
    /// Its version.
    pub version: u16,
    /// Who caused it.
    pub actor: String,
    /// The entry's leaf hash.
    pub leaf: Digest,
}
