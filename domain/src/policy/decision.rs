//! What a policy said to a transfer: every rule that was asked, with what it was told. Stored in
//! the log for ever, so its shape is never edited.

use super::{Kind, Label, Quorums};
use crate::{Amount, Refusal, Rule, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one rule said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleVerdict {
    /// Which rule: its id in the policy, or the kind's name where it holds always.
    pub rule: Label,
    /// Of which kind.
    pub kind: Kind,
    /// Whether it lets the transfer pass.
    pub passed: bool,
    /// What it was told.
    pub inputs: BTreeMap<Label, String>,
    /// Its reason, for a person to read.
    pub because: String,
}

/// What a transfer was worth when it was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Priced {
    /// In which reference.
    pub reference: Label,
    /// Minor units of it for a whole unit of the asset.
    pub minor_units: Amount,
    /// When the source said so.
    pub at: Timestamp,
    /// Minor units for the amount that is paid, rounded up.
    pub value: Amount,
}

/// What the whole policy said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyDecision {
    /// The policy that was asked.
    pub policy_version: u32,
    /// The moment that it was asked about.
    pub at: Timestamp,
    /// Every rule that was asked, in the order of their ids.
    pub verdicts: Vec<RuleVerdict>,
    /// Who must agree. Empty exactly where a rule did not pass.
    pub quorums: Quorums,
    /// How long it waits after it was approved, in seconds.
    pub delay_s: u64,
    /// What it was worth, if the policy has a source of prices that knew.
    pub priced: Option<Priced>,
}

impl PolicyDecision {
    /// The quorums that may approve it, or the first rule that forbids it.
    pub fn allowed(&self) -> Result<&Quorums, Refusal> {
        match self.verdicts.iter().find(|verdict| !verdict.passed) {
            None => Ok(&self.quorums),
            Some(RuleVerdict { rule, kind, because, .. }) => {
                Err(Refusal::new(kind.refusal(), format!("{rule} ({kind}): {because}")))
            }
        }
    }

    /// The rules that were asked, by name.
    pub fn rules(&self) -> Vec<Label> {
        self.verdicts.iter().map(|verdict| verdict.rule.clone()).collect()
    }
}

impl Kind {
    /// The rule of the ledger that a refusal of this kind falls under.
    pub const fn refusal(self) -> Rule {
        match self {
            Self::Allowlist => Rule::DestinationAllowlist,
            Self::Tiers => Rule::AmountTier,
            Self::FeeCap => Rule::FeeCap,
            Self::MakerNotChecker => Rule::MakerChecker,
            Self::Permit
            | Self::Forbid
            | Self::Approvals
            | Self::Velocity
            | Self::Hours
            | Self::Delay
            | Self::WalletCeiling
            | Self::Screening
            | Self::ContractCall
            | Self::TokenApproval
            | Self::ContractAdmin
            | Self::Compromise => Rule::Policy,
        }
    }
}
