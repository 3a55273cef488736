//! The rules that a transfer must pass before people are asked. Evaluation never looks at
//! anything but the policy and the intent, so everybody who has both gets the same answer.

use crate::{Address, Amount, Asset, Intent, Network, PersonId, Refusal, Rule};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// How many of which people must agree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quorum {
    /// *m*: distinct approvals needed. At least 2.
    pub approvals: u8,
    /// *n*: who may give them. At most 10.
    pub group: BTreeSet<PersonId>,
}

impl Quorum {
    /// A quorum that can be met, and takes more than one person.
    pub fn check(&self) -> Result<(), Refusal> {
        let needed = usize::from(self.approvals);
        if needed < 2 || self.group.len() > 10 || needed > self.group.len() {
            return Err(Refusal::new(
                Rule::PolicyInvalid,
                format!(
                    "a quorum is 2 to 10 people, at least 2 of whom must approve; this one asks {needed} of {}",
                    self.group.len()
                ),
            ));
        }
        Ok(())
    }
}

/// One permitted destination.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// Where the address is valid.
    pub network: Network,
    /// The address, in its canonical spelling.
    pub address: Address,
    /// The institution's short name for it, shown to approvers. Never a person's name: the log
    /// is for ever.
    pub label: Label,
}

/// A short name: 1 to 40 of `a-z`, `0-9`, `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

/// Text that can't be a label.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a label: expected 1 to 40 of a-z, 0-9 and -")]
pub struct LabelError(String);

impl TryFrom<String> for Label {
    type Error = LabelError;

    fn try_from(text: String) -> Result<Self, LabelError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=40).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text))
        } else {
            Err(LabelError(text))
        }
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who must agree to amounts up to a limit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// The asset whose amounts it limits.
    pub asset: Asset,
    /// The largest amount of this tier.
    pub up_to: Amount,
    /// Who must agree.
    pub quorum: Quorum,
}

/// What stands, until a quorum changes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// 1 in the charter; each change adds 1.
    pub version: u32,
    /// Where transfers may go.
    pub destinations: Vec<Destination>,
    /// Amount tiers; an amount above all of its asset's tiers is refused.
    pub tiers: Vec<Tier>,
    /// The most that a transfer may offer the network, by asset.
    pub fee_caps: BTreeMap<Asset, Amount>,
    /// Blocks that make a deposit or a transfer final, its own block counted, by network.
    pub confirmations: BTreeMap<Network, u32>,
    /// The longest that a proposal may stay open, in seconds.
    pub proposal_lifetime_s: u64,
}

/// What one rule said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleVerdict {
    /// Which rule.
    pub rule: Rule,
    /// Whether it lets the transfer pass.
    pub passed: bool,
    /// Its inputs and its reason, for a person to read.
    pub because: String,
}

/// What the whole policy said: every rule that was asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyDecision {
    /// The policy that was asked.
    pub policy_version: u32,
    /// Every rule's verdict.
    pub verdicts: Vec<RuleVerdict>,
    /// Who must agree. `None` exactly where a rule did not pass.
    pub quorum: Option<Quorum>,
}

impl PolicyDecision {
    /// The quorum that may approve it, or the first rule that forbids it.
    pub fn allowed(&self) -> Result<&Quorum, Refusal> {
        if let Some(denied) = self.verdicts.iter().find(|verdict| !verdict.passed) {
            return Err(Refusal::new(denied.rule, denied.because.clone()));
        }
        self.quorum.as_ref().ok_or_else(|| {
            Refusal::new(Rule::AmountTier, "no tier of the policy names a quorum for this asset")
        })
    }
}

impl Policy {
    /// Asks every rule. All must pass; their order never matters.
    pub fn evaluate(&self, intent: &Intent) -> PolicyDecision {
        let tier = self.tier(intent);
        let verdicts =
            vec![self.allowlist(intent), Self::tier_verdict(intent, tier), self.fee(intent)];
        let passed = verdicts.iter().all(|verdict| verdict.passed);
        let quorum = tier.filter(|_| passed).map(|tier| tier.quorum.clone());
        PolicyDecision { policy_version: self.version, verdicts, quorum }
    }

    /// The allowlist's name for a destination.
    pub fn label(&self, network: Network, address: &Address) -> Option<&Label> {
        self.destinations
            .iter()
            .find(|known| known.network == network && known.address == *address)
            .map(|known| &known.label)
    }

    fn allowlist(&self, intent: &Intent) -> RuleVerdict {
        let (network, address) = (intent.network(), &intent.destination);
        let label = self.label(network, address);
        let because = match label {
            Some(label) => format!("{address} on {network} is on the allowlist as {label}"),
            None => format!(
                "{address} on {network} is not on the allowlist: a quorum must add it first"
            ),
        };
        RuleVerdict { rule: Rule::DestinationAllowlist, passed: label.is_some(), because }
    }

    /// The lowest tier that the amount fits in.
    fn tier(&self, intent: &Intent) -> Option<&Tier> {
        self.tiers
            .iter()
            .filter(|tier| tier.asset == intent.asset && intent.amount <= tier.up_to)
            .min_by_key(|tier| tier.up_to)
    }

    fn tier_verdict(intent: &Intent, tier: Option<&Tier>) -> RuleVerdict {
        let (amount, asset) = (intent.amount, intent.asset);
        let because = match tier {
            Some(tier) => format!(
                "{amount} of {asset} is within the tier up to {}: {} of {} must approve",
                tier.up_to,
                tier.quorum.approvals,
                tier.quorum.group.len()
            ),
            None => format!("{amount} of {asset} is above every tier of the policy"),
        };
        RuleVerdict { rule: Rule::AmountTier, passed: tier.is_some(), because }
    }

    fn fee(&self, intent: &Intent) -> RuleVerdict {
        let native = intent.network().native_asset();
        let cap = self.fee_caps.get(&native).copied();
        let passed = cap.is_some_and(|cap| intent.fee_cap <= cap);
        let because = match cap {
            Some(cap) => format!("fee cap {} of {native}, the policy allows {cap}", intent.fee_cap),
            None => format!("the policy names no fee cap for {native}"),
        };
        RuleVerdict { rule: Rule::FeeCap, passed, because }
    }

    /// A policy that can be applied without surprises.
    pub fn check(&self) -> Result<(), Refusal> {
        for tier in &self.tiers {
            tier.quorum.check()?;
        }
        for (position, tier) in self.tiers.iter().enumerate() {
            let twin = |other: &Tier| other.asset == tier.asset && other.up_to == tier.up_to;
            if self.tiers.iter().skip(position.saturating_add(1)).any(twin) {
                let because = format!("two tiers of {} end at {}", tier.asset, tier.up_to);
                return Err(Refusal::new(Rule::PolicyInvalid, because));
            }
        }
        if self.confirmations.values().any(|blocks| *blocks == 0) {
            let because = "a network's confirmations must be at least 1";
            return Err(Refusal::new(Rule::PolicyInvalid, because));
        }
        if !(60..=30 * 86_400).contains(&self.proposal_lifetime_s) {
            let because = "proposal_lifetime_s must be between 60 and 2592000 (30 days)";
            return Err(Refusal::new(Rule::PolicyInvalid, because));
        }
        Ok(())
    }

    /// Everyone whom a tier asks.
    pub fn people(&self) -> BTreeSet<PersonId> {
        self.tiers.iter().flat_map(|tier| tier.quorum.group.iter().copied()).collect()
    }
}
