//! Whether a policy can be applied without surprises. Never looks at who is in which group: that
//! changes without the policy.

use super::{
    Demand, Kind, Measure, Most, Policy, PolicyRule, PriceSource, Requirement, Step, Threshold,
};
use crate::{Refusal, Rule, statement};
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// The largest window of a velocity rule, in seconds: 31 days.
pub const LONGEST_WINDOW_S: u64 = 31 * 86_400;
/// The longest delay, cooling-off and lifetime of a proposal, in seconds: 30 days.
pub const LONGEST_WAIT_S: u64 = 30 * 86_400;
/// The longest that a screening is good for, in seconds: a year.
pub const LONGEST_SCREENING_S: u64 = 366 * 86_400;
/// The longest that a price is good for, in seconds: a week.
pub const LONGEST_PRICE_S: u64 = 7 * 86_400;
/// The most rules of a policy.
pub const MOST_RULES: usize = 1_000;
/// The most steps of a tier, and functions of a rule about calls.
pub const MOST_PARTS: usize = 64;

fn invalid<T>(because: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(Rule::PolicyInvalid, because))
}

impl Policy {
    /// A policy that can be applied without surprises.
    pub fn check(&self) -> Result<(), Refusal> {
        self.check_frame()?;
        if self.rules.len() > MOST_RULES {
            return invalid(format!("a policy has {MOST_RULES} rules at most"));
        }
        let mut ids = BTreeSet::new();
        for rule in &self.rules {
            if !ids.insert(&rule.id) {
                return invalid(format!("two rules are called {}", rule.id));
            }
            self.check_rule(rule).map_err(|Refusal { rule: kind, because }| {
                Refusal::new(kind, format!("rule {}: {because}", rule.id))
            })?;
        }
        Ok(())
    }

    fn check_frame(&self) -> Result<(), Refusal> {
        let (mut places, mut labels) = (BTreeSet::new(), BTreeSet::new());
        for known in &self.destinations {
            if !places.insert((known.network, &known.address)) {
                return invalid(format!("{} is on the allowlist twice", known.address));
            }
            if !labels.insert((known.network, &known.label)) {
                let (label, network) = (&known.label, known.network);
                return invalid(format!("two destinations on {network} are called {label}"));
            }
        }
        if self.confirmations.values().any(|blocks| *blocks == 0) {
            return invalid("a network's confirmations must be at least 1");
        }
        if !(60..=LONGEST_WAIT_S).contains(&self.proposal_lifetime_s) {
            return invalid("proposal_lifetime_s must be between 60 and 2592000 (30 days)");
        }
        if let Some(PriceSource { key, max_age_s, .. }) = &self.prices {
            if !statement::is_public_key(key) {
                return invalid(format!("the price source's key {key} is no Ed25519 public key"));
            }
            if !(1..=LONGEST_PRICE_S).contains(max_age_s) {
                return invalid("prices' max_age_s must be between 1 and 604800 (7 days)");
            }
        }
        Ok(())
    }

    fn check_rule(&self, rule: &PolicyRule) -> Result<(), Refusal> {
        if super::evaluate::ALWAYS.iter().any(|kind| String::from(rule.id.clone()) == kind.id()) {
            return invalid("the name is taken by what holds always: choose another");
        }
        match rule.scope.over {
            Some(_) if rule.demand.kind() == Kind::Permit => {
                return invalid("a permit has no `over`: what is small would not be permitted");
            }
            Some(Threshold::Value { .. }) => self.needs_prices()?,
            Some(Threshold::Amount { .. }) | None => {}
        }
        match &rule.demand {
            Demand::Allowlist { cooling_off_s } => at_most("cooling_off_s", *cooling_off_s),
            Demand::Tiers { by, steps } => self.check_tiers(*by, steps),
            Demand::Approvals { require } if require.is_empty() => invalid("it asks nobody"),
            Demand::Approvals { require } => check_require(require),
            Demand::Velocity { window_s, most, .. } => self.check_velocity(*window_s, *most),
            Demand::Hours { days, from_minute, to_minute } => {
                if days.is_empty() || *from_minute >= 1440 || *to_minute > 1440 {
                    return invalid("it names a day, from 0 to 1439 and to 0 to 1440 minutes");
                }
                if from_minute == to_minute {
                    return invalid("it begins and ends in the same minute");
                }
                Ok(())
            }
            Demand::Delay { seconds: 0 } => invalid("a delay of nothing"),
            Demand::Delay { seconds } => at_most("seconds", *seconds),
            Demand::WalletCeiling { most, .. } if most.is_zero() => {
                invalid("a wallet that may hold nothing: forbid it instead")
            }
            Demand::Screening { max_age_s } => {
                if !(60..=LONGEST_SCREENING_S).contains(max_age_s) {
                    return invalid("max_age_s must be between 60 and 31622400 (a year)");
                }
                Ok(())
            }
            Demand::ContractCall { selectors, .. } | Demand::ContractAdmin { selectors, .. } => {
                if selectors.is_empty() || selectors.len() > MOST_PARTS {
                    return invalid(format!("it names 1 to {MOST_PARTS} functions"));
                }
                Ok(())
            }
            Demand::Compromise { .. } => {
                let scope = &rule.scope;
                let of_payments = !scope.assets.is_empty()
                    || !scope.clients.is_empty()
                    || !scope.destinations.is_empty()
                    || !scope.initiators.is_empty()
                    || scope.over.is_some();
                if of_payments {
                    return invalid("a compromise is of wallets, their tiers and networks only");
                }
                Ok(())
            }
            Demand::Permit
            | Demand::Forbid
            | Demand::MakerNotChecker
            | Demand::FeeCap { .. }
            | Demand::WalletCeiling { .. }
            | Demand::TokenApproval { .. } => Ok(()),
        }
    }

    fn needs_prices(&self) -> Result<(), Refusal> {
        match self.prices {
            Some(_) => Ok(()),
            None => invalid("it looks at values, and the policy names no source of prices"),
        }
    }

    fn check_tiers(&self, by: Measure, steps: &[Step]) -> Result<(), Refusal> {
        if matches!(by, Measure::ReferenceValue) {
            self.needs_prices()?;
        }
        if steps.is_empty() || steps.len() > MOST_PARTS {
            return invalid(format!("it has 1 to {MOST_PARTS} steps"));
        }
        if !steps.is_sorted_by(|lower, higher| lower.up_to < higher.up_to) {
            return invalid("its steps go from the lowest to the highest, each once");
        }
        for step in steps {
            at_most("delay_s", step.delay_s)?;
            check_require(&step.require)?;
        }
        Ok(())
    }

    fn check_velocity(&self, window_s: u64, most: Most) -> Result<(), Refusal> {
        if !(1..=LONGEST_WINDOW_S).contains(&window_s) {
            return invalid("window_s must be between 1 and 2678400 (31 days)");
        }
        let limit = match most {
            Most::Amount { units, .. } => units.units(),
            Most::Value { minor_units } => {
                self.needs_prices()?;
                minor_units.units()
            }
            Most::Count { transfers } => u128::from(transfers),
        };
        if limit == u128::MAX {
            return invalid("a limit that nothing can pass");
        }
        Ok(())
    }

    /// What each rule asks of people, step by step.
    pub fn required(&self) -> impl Iterator<Item = (&PolicyRule, &[Requirement])> {
        self.rules.iter().flat_map(|rule| {
            let (steps, require) = match &rule.demand {
                Demand::Tiers { steps, .. } => (steps.as_slice(), None),
                Demand::Approvals { require } => ([].as_slice(), Some(require.as_slice())),
                Demand::Permit
                | Demand::Forbid
                | Demand::Allowlist { .. }
                | Demand::Velocity { .. }
                | Demand::Hours { .. }
                | Demand::Delay { .. }
                | Demand::FeeCap { .. }
                | Demand::MakerNotChecker
                | Demand::WalletCeiling { .. }
                | Demand::Screening { .. }
                | Demand::ContractCall { .. }
                | Demand::TokenApproval { .. }
                | Demand::ContractAdmin { .. }
                | Demand::Compromise { .. } => ([].as_slice(), None),
            };
            let steps = steps.iter().map(|step| step.require.as_slice());
            steps.chain(require).map(move |require| (rule, require))
        })
    }
}

fn at_most(name: &str, seconds: u64) -> Result<(), Refusal> {
    if seconds <= LONGEST_WAIT_S {
        return Ok(());
    }
    invalid(format!("{name} must be 2592000 (30 days) at most"))
}

/// Distinct groups, each asked for 1 to 10 approvals.
fn check_require(require: &[Requirement]) -> Result<(), Refusal> {
    let groups: BTreeSet<_> = require.iter().map(|one| &one.group).collect();
    if groups.len() != require.len() {
        return invalid("it asks a group twice");
    }
    if require.iter().any(|one| !(1..=10).contains(&one.approvals)) {
        return invalid("it asks 1 to 10 approvals of a group");
    }
    Ok(())
}
