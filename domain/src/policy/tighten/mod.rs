//! Whether one policy lets nothing pass that another refuses: then one officer may put it in force
//! at once. It compares rule by rule and says no where that is not plain; it never says yes to a
//! policy that lets more pass.

use super::{
    Allowance, Demand, Measure, Most, OnCompromise, Policy, PolicyRule, Requirement, Step,
};
use crate::{Refusal, Rule};

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests: their numbers are small")]
mod tests;

fn looser<T>(because: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(Rule::PolicyInvalid, because))
}

impl Policy {
    /// Whether this lets nothing pass that `old` refuses, and asks no fewer people and no shorter
    /// wait. The refusal names the first part that may.
    pub fn tightens(&self, old: &Self) -> Result<(), Refusal> {
        self.frame_tightens(old)?;
        for was in &old.rules {
            match self.rules.iter().find(|rule| rule.id == was.id) {
                Some(rule) if rule == was => {}
                Some(rule) if rule.scope == was.scope => {
                    if !tightens(&rule.demand, &was.demand) {
                        return looser(format!("rule {} may let more pass than before", was.id));
                    }
                }
                Some(_) => return looser(format!("rule {} is about other transfers", was.id)),
                None if removable(was) => {}
                None => return looser(format!("rule {} is gone", was.id)),
            }
        }
        for rule in &self.rules {
            let known = old.rules.iter().any(|was| was.id == rule.id);
            if !known && !old.can_take(rule) {
                return looser(format!("the new rule {} may let more pass than before", rule.id));
            }
        }
        Ok(())
    }

    fn frame_tightens(&self, old: &Self) -> Result<(), Refusal> {
        if let Some(new) = self.destinations.iter().find(|known| !old.destinations.contains(known))
        {
            return looser(format!("{} is new on the allowlist", new.label));
        }
        let deeper = self.confirmations.len() == old.confirmations.len()
            && old.confirmations.iter().all(|(network, blocks)| {
                self.confirmations.get(network).is_some_and(|now| now >= blocks)
            });
        if !deeper {
            return looser("a network needs fewer confirmations, or others are served");
        }
        if self.proposal_lifetime_s > old.proposal_lifetime_s {
            return looser("proposals stay open longer");
        }
        match (&self.prices, &old.prices) {
            (None, None) => Ok(()),
            (Some(new), Some(old))
                if new.key == old.key
                    && new.reference == old.reference
                    && new.max_age_s <= old.max_age_s =>
            {
                Ok(())
            }
            (Some(_) | None, _) => looser("prices come from elsewhere, or are good for longer"),
        }
    }

    /// Whether a rule that is added can only refuse, or ask for more.
    fn can_take(&self, rule: &PolicyRule) -> bool {
        match &rule.demand {
            Demand::Forbid
            | Demand::Allowlist { .. }
            | Demand::Velocity { .. }
            | Demand::Hours { .. }
            | Demand::Delay { .. }
            | Demand::MakerNotChecker
            | Demand::WalletCeiling { .. }
            | Demand::Compromise { .. }
            | Demand::Screening { .. } => true,
            // They complete what nobody was asked about: only where somebody was.
            Demand::Tiers { .. } | Demand::Approvals { .. } => {
                self.rules.iter().any(|was| asks_wherever(was, rule))
            }
            Demand::FeeCap { asset, .. } => self.rules.iter().any(|was| {
                matches!(&was.demand, Demand::FeeCap { asset: of, .. } if of == asset)
                    && was.scope.covers(&rule.scope)
            }),
            Demand::Permit
            | Demand::ContractCall { .. }
            | Demand::TokenApproval { .. }
            | Demand::ContractAdmin { .. } => false,
        }
    }
}

/// Whether the rule never refuses, so that without it nothing more passes.
fn removable(rule: &PolicyRule) -> bool {
    // Where a value can't be told, a rule above a value refuses.
    let allows_only = matches!(
        rule.demand,
        Demand::Permit | Demand::ContractCall { .. } | Demand::MakerNotChecker
    );
    allows_only && rule.scope.over.is_none()
}

/// Whether `was` asks two people or more, or refuses, wherever `rule` asks anybody.
fn asks_wherever(was: &PolicyRule, rule: &PolicyRule) -> bool {
    let reaches = match (&was.demand, &rule.demand) {
        (Demand::Approvals { require }, _) => total(require) >= 2,
        (Demand::Tiers { by: Measure::ReferenceValue, steps }, _) => two_in_all(steps),
        (Demand::Tiers { by, steps }, Demand::Tiers { by: also, .. }) => {
            by == also && two_in_all(steps)
        }
        (_, _) => false,
    };
    reaches && was.scope.covers(&rule.scope)
}

fn two_in_all(steps: &[Step]) -> bool {
    steps.iter().all(|step| total(&step.require) >= 2)
}

fn total(require: &[Requirement]) -> u32 {
    require.iter().map(|one| u32::from(one.approvals)).sum()
}

/// Whether a rule of the same scope lets nothing more pass.
fn tightens(new: &Demand, old: &Demand) -> bool {
    match (new, old) {
        (Demand::Allowlist { cooling_off_s: new }, Demand::Allowlist { cooling_off_s: old }) => {
            new >= old
        }
        (Demand::Tiers { by, steps }, Demand::Tiers { by: was, steps: old }) => {
            by == was && steps_tighten(steps, old)
        }
        (Demand::Approvals { require: new }, Demand::Approvals { require: old }) => {
            asks_more(new, old)
        }
        (
            Demand::Velocity { window_s, per, most },
            Demand::Velocity { window_s: old_s, per: was, most: old },
        ) => window_s >= old_s && per == was && less(*most, *old),
        (Demand::Hours { .. }, Demand::Hours { .. }) => match (new.week(), old.week()) {
            (Some(new), Some(old)) => new.iter().zip(old).all(|(new, old)| !*new || old),
            (_, _) => false,
        },
        (Demand::Delay { seconds: new }, Demand::Delay { seconds: old }) => new >= old,
        (Demand::FeeCap { asset, most }, Demand::FeeCap { asset: was, most: old }) => {
            asset == was && most <= old
        }
        (
            Demand::WalletCeiling { asset, most, sweep_to },
            Demand::WalletCeiling { asset: was, most: old, sweep_to: to },
        ) => asset == was && sweep_to == to && most <= old,
        (Demand::Screening { max_age_s: new }, Demand::Screening { max_age_s: old }) => new <= old,
        (Demand::Compromise { answer: new }, Demand::Compromise { answer: old }) => {
            new == old || *new == OnCompromise::Rotate
        }
        (
            Demand::ContractCall { contract, selectors },
            Demand::ContractCall { contract: was, selectors: old },
        ) => contract == was && selectors.is_subset(old),
        (
            Demand::TokenApproval { token, spender, most },
            Demand::TokenApproval { token: was, spender: to, most: old },
        ) => token == was && spender == to && smaller(*most, *old),
        (_, _) => new == old,
    }
}

fn less(new: Most, old: Most) -> bool {
    match (new, old) {
        (Most::Amount { asset, units }, Most::Amount { asset: was, units: old }) => {
            asset == was && units <= old
        }
        (Most::Value { minor_units: new }, Most::Value { minor_units: old }) => new <= old,
        (Most::Count { transfers: new }, Most::Count { transfers: old }) => new <= old,
        (Most::Amount { .. } | Most::Value { .. } | Most::Count { .. }, _) => false,
    }
}

fn smaller(new: Allowance, old: Allowance) -> bool {
    match (new, old) {
        (_, Allowance::Unlimited) => true,
        (Allowance::UpTo(new), Allowance::UpTo(old)) => new <= old,
        (Allowance::Unlimited, Allowance::UpTo(_)) => false,
    }
}

/// Whether it asks each group for as many at least. Where the old asked too few to pass at all,
/// only the same is no more.
fn asks_more(new: &[Requirement], old: &[Requirement]) -> bool {
    let kept = |old: &Requirement| {
        new.iter().any(|now| now.group == old.group && now.approvals >= old.approvals)
    };
    new == old || (total(old) >= 2 && old.iter().all(kept))
}

/// Steps hold up to their limit, its amount included, so both are constant between all limits.
fn steps_tighten(new: &[Step], old: &[Step]) -> bool {
    let at = |steps: &[Step], amount| {
        let fitting = steps.iter().filter(|step| amount <= step.up_to);
        fitting.min_by_key(|step| step.up_to).cloned()
    };
    new.iter().chain(old).map(|step| step.up_to).all(|amount| {
        match (at(new, amount), at(old, amount)) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(new), Some(old)) => {
                new.delay_s >= old.delay_s && asks_more(&new.require, &old.require)
            }
        }
    })
}
