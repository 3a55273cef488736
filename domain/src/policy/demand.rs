//! What a rule can demand. Each kind has a row in `docs/policy-rules.md` and a test of its name.
//! Nothing here evaluates anything.

use super::{Requirement, Selector};
use crate::{Address, Amount, Asset, WalletId};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// What a rule demands. Its name in JSON is the rule kind.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Demand {
    /// Lets the transfer be asked for. At least one rule of this kind must apply.
    Permit,
    /// Refuses it, whatever permits it.
    Forbid,
    /// The destination is on the allowlist, and has been for a while.
    Allowlist {
        /// How long a destination that was added waits, in seconds. The founding's wait for nothing.
        cooling_off_s: u64,
    },
    /// Who must agree to how much.
    Tiers {
        /// How it is measured.
        by: Measure,
        /// From the lowest to the highest; what is above the last is refused.
        steps: Vec<Step>,
    },
    /// Who must agree.
    Approvals {
        /// All of them.
        require: Vec<Requirement>,
    },
    /// The most within a rolling window.
    Velocity {
        /// The window's length in seconds, 31 days at most.
        window_s: u64,
        /// Whose transfers are counted together.
        per: Per,
        /// The most, this transfer counted.
        most: Most,
    },
    /// When it may be asked for, UTC.
    Hours {
        /// On which days.
        days: BTreeSet<Day>,
        /// From this minute of the day on.
        from_minute: u16,
        /// Until before this one. Where it is not later, the window ends on the next day.
        to_minute: u16,
    },
    /// How long it waits after it was approved.
    Delay {
        /// In seconds.
        seconds: u64,
    },
    /// The most that it may offer the network.
    FeeCap {
        /// The network's native asset.
        asset: Asset,
        /// Its base units.
        most: Amount,
    },
    /// Who asks does not approve. Holds always, written or not.
    MakerNotChecker,
    /// The most that a wallet may hold, and therefore pay at once.
    WalletCeiling {
        /// In this asset.
        asset: Asset,
        /// Its base units.
        most: Amount,
        /// Where the rest belongs. Payments to it are not limited.
        sweep_to: WalletId,
    },
    /// The destination was looked at lately, and nothing was found.
    Screening {
        /// How long a finding is good for, in seconds.
        max_age_s: u64,
    },
    /// Lets these functions of a contract be called.
    ContractCall {
        /// Which contract.
        contract: Address,
        /// Which of its functions.
        selectors: BTreeSet<Selector>,
    },
    /// Lets a spender be given an allowance of a token.
    TokenApproval {
        /// Which token's contract.
        token: Address,
        /// Who may spend.
        spender: Address,
        /// How much.
        most: Allowance,
    },
    /// Lets functions that change who controls a contract be called.
    ContractAdmin {
        /// Which contract.
        contract: Address,
        /// Which of its functions.
        selectors: BTreeSet<Selector>,
        /// Whether it may run foreign code as itself.
        delegatecall: bool,
    },
    /// What follows when a holder of a wallet's key can't be trusted any more. About keys, never
    /// about a payment.
    Compromise {
        /// Which way.
        answer: OnCompromise,
    },
}

/// What follows when a holder of a wallet's key can't be trusted any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnCompromise {
    /// The others' shares may be made anew without it: the address stays.
    Refresh,
    /// Everything goes to another key: a share that somebody took is taken for the key itself.
    Rotate,
}

/// How a tier measures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Base units of this asset; transfers of others are not the rule's affair.
    AssetAmount(Asset),
    /// Minor units of the reference (cents).
    ReferenceValue,
}

/// One tier.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The largest amount or value of this tier.
    pub up_to: Amount,
    /// Who must agree.
    pub require: Vec<Requirement>,
    /// How long it waits after it was approved, in seconds.
    pub delay_s: u64,
}

/// Whose transfers a velocity rule counts together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Out of the same wallet.
    Wallet,
    /// For the same client.
    Client,
    /// To the same destination.
    Destination,
    /// Asked for by the same person.
    Initiator,
    /// Every one.
    All,
}

/// The most that a velocity rule lets through.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Most {
    /// Base units of one asset; transfers of others are not the rule's affair.
    Amount {
        /// Which asset.
        asset: Asset,
        /// Its base units.
        units: Amount,
    },
    /// Minor units of the reference (cents), over all assets of the rule's scope.
    Value {
        /// The value.
        minor_units: Amount,
    },
    /// Transfers, of all assets of the rule's scope.
    Count {
        /// How many.
        transfers: u32,
    },
}

/// A day of the week, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "their names say it")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// How much a spender may be given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allowance {
    /// So many base units of the token.
    UpTo(Amount),
    /// Everything, for ever. To be written out, never meant by leaving something away.
    Unlimited,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $id:literal,)*) => {
        /// The kinds of rules.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind { $($(#[$doc])* $variant,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name in policies, decisions and `docs/policy-rules.md`.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }
        }
    };
}

kinds! {
    /// [`Demand::Permit`]
    Permit = "permit",
    /// [`Demand::Forbid`]
    Forbid = "forbid",
    /// [`Demand::Allowlist`]
    Allowlist = "allowlist",
    /// [`Demand::Tiers`]
    Tiers = "tiers",
    /// [`Demand::Approvals`]
    Approvals = "approvals",
    /// [`Demand::Velocity`]
    Velocity = "velocity",
    /// [`Demand::Hours`]
    Hours = "hours",
    /// [`Demand::Delay`]
    Delay = "delay",
    /// [`Demand::FeeCap`]
    FeeCap = "fee-cap",
    /// [`Demand::MakerNotChecker`]
    MakerNotChecker = "maker-not-checker",
    /// [`Demand::WalletCeiling`]
    WalletCeiling = "wallet-ceiling",
    /// [`Demand::Screening`]
    Screening = "screening",
    /// [`Demand::ContractCall`]
    ContractCall = "contract-call",
    /// [`Demand::TokenApproval`]
    TokenApproval = "token-approval",
    /// [`Demand::ContractAdmin`]
    ContractAdmin = "contract-admin",
    /// [`Demand::Compromise`]
    Compromise = "compromise",
}

/// A name that no kind of rule has.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no kind of rule is called `{0}`")]
pub struct KindError(String);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        let found = Self::ALL.iter().copied().find(|kind| kind.id() == text);
        found.ok_or_else(|| KindError(text.to_owned()))
    }
}

impl Demand {
    /// Which kind of rule this makes.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Permit => Kind::Permit,
            Self::Forbid => Kind::Forbid,
            Self::Allowlist { .. } => Kind::Allowlist,
            Self::Tiers { .. } => Kind::Tiers,
            Self::Approvals { .. } => Kind::Approvals,
            Self::Velocity { .. } => Kind::Velocity,
            Self::Hours { .. } => Kind::Hours,
            Self::Delay { .. } => Kind::Delay,
            Self::FeeCap { .. } => Kind::FeeCap,
            Self::MakerNotChecker => Kind::MakerNotChecker,
            Self::WalletCeiling { .. } => Kind::WalletCeiling,
            Self::Screening { .. } => Kind::Screening,
            Self::ContractCall { .. } => Kind::ContractCall,
            Self::TokenApproval { .. } => Kind::TokenApproval,
            Self::ContractAdmin { .. } => Kind::ContractAdmin,
            Self::Compromise { .. } => Kind::Compromise,
        }
    }

    /// What it asks of people, over all its steps.
    pub fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        let (steps, require) = match self {
            Self::Tiers { steps, .. } => (steps.as_slice(), [].as_slice()),
            Self::Approvals { require } => ([].as_slice(), require.as_slice()),
            Self::Permit
            | Self::Forbid
            | Self::Allowlist { .. }
            | Self::Velocity { .. }
            | Self::Hours { .. }
            | Self::Delay { .. }
            | Self::FeeCap { .. }
            | Self::MakerNotChecker
            | Self::WalletCeiling { .. }
            | Self::Screening { .. }
            | Self::ContractCall { .. }
            | Self::TokenApproval { .. }
            | Self::ContractAdmin { .. }
            | Self::Compromise { .. } => ([].as_slice(), [].as_slice()),
        };
        steps.iter().flat_map(|step| &step.require).chain(require)
    }
}
