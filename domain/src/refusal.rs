//! Why a command was refused. A refusal is the caller's affair, never a fault of the system.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A rule that forbade a command, and what about the command it was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[serde(deny_unknown_fields)]
#[error("{rule}: {because}")]
pub struct Refusal {
    /// The rule's stable name.
    pub rule: Rule,
    /// What was wrong and what would be right, for a person to read. Never names a secret.
    pub because: String,
}

impl Refusal {
    /// A refusal under `rule`.
    pub fn new(rule: Rule, because: impl Into<String>) -> Self {
        Self { rule, because: because.into() }
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $id:literal,)*) => {
        /// Every rule that can refuse a command or an order, by its stable name.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Rule { $($(#[$doc])* $variant,)* }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name in events, problem documents and signers' answers.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }
        }
    };
}

rules! {
    /// The charter does not hold together.
    CharterInvalid = "charter-invalid",
    /// There is a charter already, or none yet.
    CharterState = "charter-state",
    /// A founding approver's signature is missing or wrong.
    CharterSignature = "charter-signature",
    /// The resumption certificate does not let the log go on from here.
    LogResumption = "log-resumption",
    /// What it would record does not fit into one entry of the log.
    EntrySize = "entry-size",
    /// The person is unknown or lacks the role.
    RoleMissing = "role-missing",
    /// A policy or one of its parts is malformed, or not the next version.
    PolicyInvalid = "policy-invalid",
    /// A rule of the policy in force refuses: the reason begins with its id.
    Policy = "policy",
    /// The destination is not on the allowlist.
    DestinationAllowlist = "destination-allowlist",
    /// The amount is above every tier of its asset.
    AmountTier = "amount-tier",
    /// The fee cap of the transfer is above the policy's.
    FeeCap = "fee-cap",
    /// Nothing, or more than exists, was asked for.
    AmountInvalid = "amount-invalid",
    /// Roles that don't go together.
    RoleSeparation = "role-separation",
    /// The last administrator can't leave.
    LastAdministrator = "last-administrator",
    /// A quorum that could not be met can't be made.
    QuorumUnmeetable = "quorum-unmeetable",
    /// Changing the rules must take no fewer approvals than what they ask.
    GovernanceTooWeak = "governance-too-weak",
    /// There is nothing to change, or nobody to change it about.
    PeopleChange = "people-change",
    /// A policy that was approved still waits, or was vetoed.
    PolicyDelay = "policy-delay",
    /// What should only tighten the policy would loosen it.
    PolicyTightens = "policy-tightens",
    /// The person was described, or erased, already; or never described.
    PersonState = "person-state",
    /// The maker of a proposal can't be one of its checkers.
    MakerChecker = "maker-checker",
    /// The person is not in the group that decides this.
    ApproverNotInGroup = "approver-not-in-group",
    /// The approver has spoken already.
    ApproverSpoke = "approver-spoke",
    /// The key is not one of the approver's.
    ApprovalKeyUnknown = "approval-key-unknown",
    /// What should be enrolled for approvals is no key, or is enrolled already.
    ApprovalKeyInvalid = "approval-key-invalid",
    /// The signature does not fit the statement.
    ApprovalSignature = "approval-signature",
    /// The proposal is not open, or does not exist.
    ProposalNotOpen = "proposal-not-open",
    /// The proposal's time is over, or too far away.
    ProposalExpiry = "proposal-expiry",
    /// Only the maker may do this.
    NotTheMaker = "not-the-maker",
    /// The account does not exist, exists already, or is of another asset.
    AccountState = "account-state",
    /// The account's available balance does not cover it.
    AccountOverdraw = "account-overdraw",
    /// A reorganisation took back what the account had spent; it must be covered first.
    AccountShortfall = "account-shortfall",
    /// There is no such hold, or it is settled.
    HoldState = "hold-state",
    /// The wallet does not exist, exists already, or is of another kind.
    WalletState = "wallet-state",
    /// The wallet's key has one address only.
    WalletSingleAddress = "wallet-single-address",
    /// A coin or account nonce is not free.
    WalletReserved = "wallet-reserved",
    /// The wallet's own funds do not cover it.
    WalletFunds = "wallet-funds",
    /// The address is known already, or not the next one.
    AddressState = "address-state",
    /// The transfer is not at the point where this can happen.
    TransferState = "transfer-state",
    /// The attempt is not the next one, or not the current one.
    AttemptState = "attempt-state",
    /// Too few holders of the key have sworn off the transfer: a signature may exist.
    TransferAbstentions = "transfer-abstentions",
    /// Later transactions wait for the transfer's account nonce, or none does.
    NonceGap = "nonce-gap",
    /// The amount is so small that nodes would not relay it.
    AmountDust = "amount-dust",
    /// The deposit is not at the point where this can happen.
    DepositState = "deposit-state",
    /// The key is not at the point where this can happen.
    KeyState = "key-state",
    /// A key holds something only once it has shown that it can sign.
    KeyUnproven = "key-unproven",
    /// The backup of a share, or a drill with it, is not what it should be.
    KeyBackup = "key-backup",
    /// The wallet was given up: its successor is to be used.
    WalletRotated = "wallet-rotated",
    /// A sweep moves what a rotated wallet holds to its successor, and does nothing else.
    Sweep = "sweep",
    /// The successor of a rotation is none that could hold what the wallet holds.
    RotationInvalid = "rotation-invalid",
    /// The ceremony's plan does not hold together.
    CeremonyPlan = "ceremony-plan",
    /// Signers disagree about the key that they made.
    CeremonyDisagreement = "ceremony-disagreement",
    /// A signer's confirmation is not signed by its identity key.
    CeremonySignature = "ceremony-signature",
    /// The signer is unknown, or not part of this.
    SignerState = "signer-state",
    /// An officer trusts the signer no more: nobody works with it.
    SignerQuarantined = "signer-quarantined",
    /// A freeze covers it: a quorum must lift it first.
    Frozen = "frozen",
    /// No such freeze stands.
    FreezeState = "freeze-state",
    /// Its time lock is not over.
    TimeLock = "time-lock",
    /// No reason was given, or one that is too long.
    ReasonMissing = "reason-missing",
    /// The price is not the policy's source's, not newer than the newest, or nothing.
    PriceInvalid = "price-invalid",
    /// The screening is not compliance's, or not newer than the newest.
    ScreeningInvalid = "screening-invalid",
    /// No such difference is open, or somebody else must resolve it.
    DifferenceState = "difference-state",
    /// An id that is taken already.
    IdTaken = "id-taken",
    /// The entry is not what the rules decide at its place in the log.
    LogUnlawful = "log-unlawful",
    /// The signer does not hold the log up to the order's position.
    SignerLogBehind = "signer-log-behind",
    /// The pushed entries do not extend the log that the signer verified.
    SignerLogFork = "signer-log-fork",
    /// The log's first entry is not the one that the signer pins.
    SignerGenesis = "signer-genesis",
    /// The entry's time strays from the signer's clock.
    SignerClock = "signer-clock",
    /// The signer's own fold does not show a standing quorum.
    SignerQuorum = "signer-quorum",
    /// The signer's own evaluation of the policy refuses.
    SignerPolicy = "signer-policy",
    /// The transaction does not do exactly what the intent says.
    SignerIntentMismatch = "signer-intent-mismatch",
    /// The destination of a sweep is not the successor's by the signer's own derivation.
    SignerSweep = "signer-sweep",
    /// The approval's time is over by the signer's clock.
    SignerExpired = "signer-expired",
    /// An earlier attempt was consumed that this one does not exclude.
    SignerAttemptConsumed = "signer-attempt-consumed",
    /// The signer has no part in this key or attempt.
    SignerNotInSet = "signer-not-in-set",
    /// A protocol message is malformed, for another session, or out of order.
    SignerProtocol = "signer-protocol",
    /// The key is not active, or quarantined.
    SignerKey = "signer-key",
    /// No checkpoint with enough cosignatures covers what the order rests on.
    SignerNotCovered = "signer-not-covered",
    /// The checkpoint is not one of the signer's log, or lacks a signature.
    SignerCheckpoint = "signer-checkpoint",
    /// The charter is of version 1: it enrols no witnesses, so nothing can be covered.
    SignerCharter = "signer-charter",
}

/// A name that no rule has.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no rule is called `{0}`")]
pub struct RuleError(String);

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let found = Self::ALL.iter().copied().find(|rule| rule.id() == text);
        found.ok_or_else(|| RuleError(text.to_owned()))
    }
}

impl TryFrom<String> for Rule {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.id().to_owned()
    }
}
