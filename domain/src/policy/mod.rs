//! The rules that a transfer must pass before people are asked. Evaluation never looks at
//! anything but what it is given, so everybody who has the log gets the same answer.

mod call;
mod case;
mod check;
mod compromise;
mod decision;
mod demand;
#[cfg(test)]
mod document;
mod evaluate;
mod in_force;
mod label;
mod lint;
mod quorum;
mod quorums;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests: their numbers are small")]
mod random;
mod requirement;
mod rule;
mod selector;
mod tighten;
mod version_1;
#[cfg(test)]
mod world;

pub use call::{Call, Meaning};
pub use case::{Case, Facts, Since};
pub use check::{
    LONGEST_PRICE_S, LONGEST_SCREENING_S, LONGEST_WAIT_S, LONGEST_WINDOW_S, MOST_PARTS, MOST_RULES,
};
pub use decision::{PolicyDecision, Priced, RuleVerdict};
pub use demand::{Allowance, Day, Demand, Kind, KindError, Measure, Most, OnCompromise, Per, Step};
pub use in_force::InForce;
pub use label::{Label, LabelError};
pub use lint::{Finding, FindingKind, lint};
pub use quorum::Quorum;
pub use quorums::{Groups, Quorums};
pub use requirement::Requirement;
pub use rule::{PolicyRule, Scope, Threshold};
pub use selector::{Selector, SelectorError};
pub use version_1::{PolicyDecisionV1, PolicyV1, RuleVerdictV1, TierV1};

use crate::{Address, Bytes, Network};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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

/// What stands, until a quorum changes it or an officer tightens it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// 1 in the charter; each change adds 1.
    pub version: u32,
    /// The allowlist: where transfers may go.
    pub destinations: Vec<Destination>,
    /// All that apply must pass; their order never matters.
    pub rules: Vec<PolicyRule>,
    /// Blocks that make a deposit or a transfer final, its own block counted, by network.
    pub confirmations: BTreeMap<Network, u32>,
    /// The longest that a proposal may stay open, in seconds.
    pub proposal_lifetime_s: u64,
    /// Who says what an asset is worth. `None` where no rule looks at a value.
    pub prices: Option<PriceSource>,
}

/// Who says what an asset is worth.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceSource {
    /// Ed25519 public key that signs prices.
    pub key: Bytes,
    /// In which reference, `usd` for example.
    pub reference: Label,
    /// How long a price is good for, in seconds. What is older refuses.
    pub max_age_s: u64,
}

impl Policy {
    /// The allowlist's name for a destination.
    pub fn label(&self, network: Network, address: &Address) -> Option<&Label> {
        in_force::label(&self.destinations, network, address)
    }

    /// The longest that a rule lets a new destination wait, in seconds.
    pub fn cooling_off_s(&self) -> u64 {
        let waits = self.rules.iter().filter_map(|rule| {
            let Demand::Allowlist { cooling_off_s } = &rule.demand else { return None };
            Some(*cooling_off_s)
        });
        waits.max().unwrap_or(0)
    }

    /// Every group that a rule asks.
    pub fn groups(&self) -> BTreeSet<&Label> {
        let asked = self.rules.iter().flat_map(|rule| rule.demand.requirements());
        asked.map(|required| &required.group).collect()
    }
}
