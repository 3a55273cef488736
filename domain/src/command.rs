//! Everything that can be asked of the ledger. A command carries all facts that its decision
//! needs besides the log: times, ids, what a node or a signer said.

use crate::{
    AccountId, Amount, Asset, Bytes, ClientId, DepositId, Intent, KeyId, Network, PersonId,
    ProposalId, SignerId, Timestamp, TransferId, WalletId,
    approval_key::Evidence,
    charter::{Founded, FoundedV2, LogResumed},
    deposit::{BlockRef, Seen},
    freeze,
    key::{
        BackedUp, CeremonyPlan, Confirmed, Cosigner, CosignerProven, EpochConfirmed, KeyChange,
        Proven, Quarantined, QuarantinedBy, RecoveryDrilled, RoundOnePublished, RoundPublished,
    },
    person::{Described, Erased},
    policy::{Policy, PolicyV1},
    price,
    proposal::Subject,
    reconciliation::{DifferenceFound, DifferenceResolved},
    screening, signer,
    statement::Answer,
    transfer::{self, AttemptAuthorised, AttemptRefused, AttemptSigned},
    wallet::{AddressDerived, Coin, OutPoint, Tier},
};

/// A request to change the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Begin a log without groups.
    FoundCharter(FoundedV2),
    /// Begin the log.
    Found(Founded),
    /// Go on from the log's last entry, which signers have read further.
    ResumeLog(LogResumed),
    /// Ask the governing quorum for another policy.
    ProposePolicy {
        /// Chosen by the caller.
        proposal: ProposalId,
        /// The next policy.
        policy: PolicyV1,
        /// Who asks.
        maker: PersonId,
        /// From then on no answer counts.
        expires_at: Timestamp,
    },
    /// Ask a quorum about a policy, people, or what was stopped or is stuck.
    Propose {
        /// Chosen by the caller.
        proposal: ProposalId,
        /// What exactly.
        subject: Subject,
        /// Who asks.
        maker: PersonId,
        /// From then on no answer counts.
        expires_at: Timestamp,
    },
    /// Put an approved policy in force once its delay is over.
    EnactPolicy {
        /// The proposal that asked for it.
        proposal: ProposalId,
    },
    /// An officer stops a policy that was approved.
    VetoProposal {
        /// Which.
        proposal: ProposalId,
        /// Which officer.
        by: PersonId,
    },
    /// An officer puts a tighter policy in force, at once.
    TightenPolicy {
        /// All of it.
        policy: Policy,
        /// Which officer.
        by: PersonId,
    },
    /// Keep something about a person, sealed.
    DescribePerson {
        /// Who.
        person: PersonId,
        /// It.
        described: Described,
        /// Who asks.
        by: PersonId,
    },
    /// The key of a person's data is destroyed.
    ErasePerson {
        /// Who.
        person: PersonId,
        /// Why.
        erased: Erased,
        /// Who asks.
        by: PersonId,
    },
    /// Ask the governing quorum for a key.
    RequestCeremony {
        /// Chosen by the caller.
        proposal: ProposalId,
        /// What to make.
        plan: CeremonyPlan,
        /// Who asks.
        maker: PersonId,
        /// From then on no answer counts.
        expires_at: Timestamp,
    },
    /// Ask the governing quorum for a key that holds nothing before it has shown that it can sign.
    RequestKey {
        /// Chosen by the caller.
        proposal: ProposalId,
        /// What to make.
        plan: CeremonyPlan,
        /// Of a multisig key: the cosigners besides the plan's participants.
        cosigners: Vec<Cosigner>,
        /// Who asks.
        maker: PersonId,
        /// From then on no answer counts.
        expires_at: Timestamp,
    },
    /// Record a participant's message of a round.
    PublishRound {
        /// Of which key.
        key: KeyId,
        /// The message.
        published: RoundPublished,
    },
    /// Record that one cosigner of a multisig key can sign. Whoever asks verified the signature.
    ProveCosigner {
        /// Of which key.
        key: KeyId,
        /// How it was seen.
        proven: CosignerProven,
    },
    /// Record that a key can sign. Whoever asks verified the signatures.
    ProveKey {
        /// Which.
        key: KeyId,
        /// How it was seen.
        proven: Proven,
    },
    /// Record that a signer split its share among officers. Whoever asks compared the commitment
    /// with the key's public package.
    BackUpKey {
        /// Of which key.
        key: KeyId,
        /// The signer's word.
        backed_up: BackedUp,
    },
    /// Record that officers showed that a backup can be used.
    DrillKey {
        /// Of which key.
        key: KeyId,
        /// The signer's word.
        drilled: RecoveryDrilled,
    },
    /// Begin a client's claim in an asset.
    OpenAccount {
        /// Chosen by the caller.
        account: AccountId,
        /// Whose.
        client: ClientId,
        /// In what.
        asset: Asset,
        /// Who asks.
        by: PersonId,
    },
    /// Let a key hold funds on a network.
    CreateWallet {
        /// Chosen by the caller.
        wallet: WalletId,
        /// Where.
        network: Network,
        /// Who signs: a key that signs for nothing else.
        key: KeyId,
        /// How its keys are kept.
        tier: Tier,
        /// Who asks.
        by: PersonId,
    },
    /// Give a wallet its next address. `chains` derived it.
    DeriveAddress {
        /// Whose.
        wallet: WalletId,
        /// The address.
        derived: AddressDerived,
    },
    /// Ask for a payment.
    RequestTransfer {
        /// All of it.
        intent: Intent,
        /// The id that the question to the quorum will have.
        proposal: ProposalId,
        /// Who asks.
        maker: PersonId,
        /// From then on no answer counts, and no signer signs.
        expires_at: Timestamp,
    },
    /// Answer a proposal.
    AnswerProposal {
        /// Which.
        proposal: ProposalId,
        /// Yes or no.
        answer: Answer,
        /// Who.
        approver: PersonId,
        /// With which of their keys.
        key: Bytes,
        /// Over the statement.
        evidence: Evidence,
    },
    /// Take a proposal back, and what hangs on it.
    CancelProposal {
        /// Which.
        proposal: ProposalId,
        /// Who.
        by: PersonId,
    },
    /// Close a proposal whose time has run out, and what hangs on it.
    ExpireProposal {
        /// Which.
        proposal: ProposalId,
    },
    /// Record a participant's first message.
    PublishRoundOne {
        /// Of which key.
        key: KeyId,
        /// The message.
        published: RoundOnePublished,
    },
    /// Record a participant's result.
    ConfirmKey {
        /// Of which key.
        key: KeyId,
        /// The result, signed.
        confirmed: Confirmed,
    },
    /// Give a ceremony up.
    FailCeremony {
        /// Of which key.
        key: KeyId,
        /// Why.
        because: String,
    },
    /// Stop using a key.
    QuarantineKey {
        /// Which.
        key: KeyId,
        /// Why, and through whom.
        quarantined: Quarantined,
    },
    /// Ask the governing quorum whether a key's shares may change hands.
    RequestKeyChange {
        /// Chosen by the caller.
        proposal: ProposalId,
        /// What should change.
        change: KeyChange,
        /// Who asks.
        maker: PersonId,
        /// From then on no answer counts.
        expires_at: Timestamp,
    },
    /// Record a holder's new share.
    ConfirmEpoch {
        /// Of which key.
        key: KeyId,
        /// Its word, signed.
        confirmed: EpochConfirmed,
    },
    /// Try a change that its quorum agreed to again.
    RetryKeyChange {
        /// Of which key.
        key: KeyId,
        /// Who helps this time.
        helpers: Vec<SignerId>,
        /// What became of the try before.
        because: String,
    },
    /// Give a change of shares up.
    FailKeyChange {
        /// Of which key.
        key: KeyId,
        /// Why.
        because: String,
    },
    /// An officer trusts a signer no more, at once.
    QuarantineSigner {
        /// Which.
        signer: SignerId,
        /// Who, and why.
        quarantined: signer::Quarantined,
    },
    /// An officer takes a key out of use, at once.
    HaltKey {
        /// Which.
        key: KeyId,
        /// Who, and why.
        halted: QuarantinedBy,
    },
    /// One officer stops payments, at once.
    Freeze(freeze::Set),
    /// One officer stops a transfer that no signer has heard of.
    StopTransfer {
        /// Which.
        transfer: TransferId,
        /// Who, and why.
        stopped: transfer::Stopped,
    },
    /// The policy's source says what an asset is worth.
    QuotePrice(price::Quoted),
    /// Compliance looked at a destination.
    RecordScreening(screening::Recorded),
    /// Two records of the same thing do not agree.
    FindDifference(DifferenceFound),
    /// A person looked into it.
    ResolveDifference(DifferenceResolved),
    /// The server reached a signer.
    ReachSigner {
        /// Which.
        signer: SignerId,
    },
    /// The server did not reach a signer.
    LoseSigner {
        /// Which.
        signer: SignerId,
        /// What it saw.
        because: String,
    },
    /// A deposit is in a block.
    SeeDeposit {
        /// [`DepositId::of`] its place.
        deposit: DepositId,
        /// What was seen.
        seen: Seen,
    },
    /// A deposit has this many confirmations.
    CreditDeposit {
        /// Which.
        deposit: DepositId,
        /// Blocks from its own to the tip, both counted.
        confirmations: u32,
    },
    /// A deposit's block is not on the chain any more.
    ReorganiseDeposit {
        /// Which.
        deposit: DepositId,
    },
    /// Set funds aside and record the transaction that signers may now hear of.
    AuthoriseAttempt {
        /// Of which transfer.
        transfer: TransferId,
        /// The attempt.
        attempt: AttemptAuthorised,
        /// What it spends.
        spends: Spends,
    },
    /// Record a transaction that pays nobody, and that signers may now hear of.
    AuthoriseReturn {
        /// Of which transfer.
        transfer: TransferId,
        /// It, and what it is for.
        returned: transfer::ReturnAuthorised,
    },
    /// Move what a rotated wallet holds to its successor.
    RequestSweep(transfer::SweepRequested),
    /// A rotated wallet is empty: its key signs nothing any more but sweeps of what comes late.
    RetireKey {
        /// Which wallet.
        wallet: WalletId,
    },
    /// A cancellation is final.
    AbandonTransfer {
        /// Which.
        transfer: TransferId,
        /// Where, and what it cost.
        abandoned: transfer::Abandoned,
        /// What came back to the wallet.
        change: Vec<Coin>,
    },
    /// Later transactions wait for the account nonce of a transfer that can't go on.
    FindNonceGap {
        /// Which.
        transfer: TransferId,
    },
    /// A signer refused.
    RecordRefusal {
        /// Of which transfer.
        transfer: TransferId,
        /// What it said.
        refused: AttemptRefused,
    },
    /// A cosigner of a multisig wallet signed.
    RecordPartial {
        /// Of which transfer.
        transfer: TransferId,
        /// Its part, verified.
        partial: transfer::PartiallySigned,
    },
    /// The signed transaction exists.
    RecordSigned {
        /// Of which transfer.
        transfer: TransferId,
        /// It.
        signed: AttemptSigned,
    },
    /// The network has an earlier attempt that the log had not complete.
    RecordFound {
        /// Of which transfer.
        transfer: TransferId,
        /// It, verified.
        found: transfer::AttemptFound,
    },
    /// A node took it.
    RecordBroadcast {
        /// Of which transfer.
        transfer: TransferId,
        /// Which attempt.
        attempt: u32,
    },
    /// It is final.
    ConfirmTransfer {
        /// Which.
        transfer: TransferId,
        /// Where, and what it cost.
        confirmed: transfer::Confirmed,
        /// What came back to the wallet.
        change: Vec<Coin>,
    },
    /// It comes to nothing, while no complete signature can exist.
    FailTransfer {
        /// Which.
        transfer: TransferId,
        /// Why.
        because: String,
        /// Where signers have heard of it: more holders' words than a signature can do without.
        abstentions: Vec<transfer::Abstention>,
    },
    /// It failed on its chain, finally, and cost a fee.
    FailTransferOnChain {
        /// Which.
        transfer: TransferId,
        /// Which attempt.
        attempt: u32,
        /// Where.
        block: BlockRef,
        /// What the network took.
        fee: Amount,
        /// Why.
        because: String,
    },
}

/// What an attempt spends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Spends {
    /// Outputs (Bitcoin family).
    Coins(Vec<OutPoint>),
    /// An account nonce (Ethereum family).
    AccountNonce(u64),
}
