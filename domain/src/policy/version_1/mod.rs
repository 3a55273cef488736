//! The first form of the policy: allowlist, tiers and fee caps. Never written any more, except under
//! a policy of this form that still stands; read for ever.

use super::{Destination, Label, Quorum};
use crate::{Address, Amount, Asset, Intent, Network, PersonId, Refusal, Rule};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// Who must agree to amounts up to a limit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierV1 {
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
pub struct PolicyV1 {
    /// 1 in the charter; each change adds 1.
    pub version: u32,
    /// Where transfers may go.
    pub destinations: Vec<Destination>,
    /// Amount tiers; an amount above all of its asset's tiers is refused.
    pub tiers: Vec<TierV1>,
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
pub struct RuleVerdictV1 {
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
pub struct PolicyDecisionV1 {
    /// The policy that was asked.
    pub policy_version: u32,
    /// Every rule's verdict.
    pub verdicts: Vec<RuleVerdictV1>,
    /// Who must agree. `None` exactly where a rule did not pass.
    pub quorum: Option<Quorum>,
}

impl PolicyDecisionV1 {
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

impl PolicyV1 {
    /// Asks every rule. All must pass; their order never matters.
    pub fn evaluate(&self, intent: &Intent) -> PolicyDecisionV1 {
        let tier = self.tier(intent);
        let verdicts =
            vec![self.allowlist(intent), Self::tier_verdict(intent, tier), self.fee(intent)];
        let passed = verdicts.iter().all(|verdict| verdict.passed);
        let quorum = tier.filter(|_| passed).map(|tier| tier.quorum.clone());
        PolicyDecisionV1 { policy_version: self.version, verdicts, quorum }
    }

    /// The allowlist's name for a destination.
    pub fn label(&self, network: Network, address: &Address) -> Option<&Label> {
        self.destinations
            .iter()
            .find(|known| known.network == network && known.address == *address)
            .map(|known| &known.label)
    }

    fn allowlist(&self, intent: &Intent) -> RuleVerdictV1 {
        let (network, address) = (intent.network(), &intent.destination);
        let label = self.label(network, address);
        let because = match label {
            Some(label) => format!("{address} on {network} is on the allowlist as {label}"),
            None => format!(
                "{address} on {network} is not on the allowlist: a quorum must add it first"
            ),
        };
        RuleVerdictV1 { rule: Rule::DestinationAllowlist, passed: label.is_some(), because }
    }

    /// The lowest tier that the amount fits in.
    fn tier(&self, intent: &Intent) -> Option<&TierV1> {
        self.tiers
            .iter()
            .filter(|tier| tier.asset == intent.asset && intent.amount <= tier.up_to)
            .min_by_key(|tier| tier.up_to)
    }

    fn tier_verdict(intent: &Intent, tier: Option<&TierV1>) -> RuleVerdictV1 {
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
        RuleVerdictV1 { rule: Rule::AmountTier, passed: tier.is_some(), because }
    }

    fn fee(&self, intent: &Intent) -> RuleVerdictV1 {
        let native = intent.network().native_asset();
        let cap = self.fee_caps.get(&native).copied();
        let passed = cap.is_some_and(|cap| intent.fee_cap <= cap);
        let because = match cap {
            Some(cap) => format!("fee cap {} of {native}, the policy allows {cap}", intent.fee_cap),
            None => format!("the policy names no fee cap for {native}"),
        };
        RuleVerdictV1 { rule: Rule::FeeCap, passed, because }
    }

    /// A policy that can be applied without surprises.
    pub fn check(&self) -> Result<(), Refusal> {
        for tier in &self.tiers {
            tier.quorum.check()?;
        }
        for (position, tier) in self.tiers.iter().enumerate() {
            let twin = |other: &TierV1| other.asset == tier.asset && other.up_to == tier.up_to;
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
