//! Asking every rule. All that apply must pass, forbidding beats permitting, and their order never
//! matters. Nothing is looked at but the case, and nothing here costs more with a longer history.

mod always;
mod contract;
mod money;
mod people;
mod place;
mod velocity;

pub(super) use always::ALWAYS;

use super::{
    Case, Demand, Kind, Label, Policy, PolicyDecision, PolicyRule, Priced, Quorums, Requirement,
    RuleVerdict, Scope, Threshold,
};
use std::collections::BTreeMap;

#[cfg(test)]
mod order;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wording;

/// What one rule answers.
struct Answer {
    passed: bool,
    because: String,
    inputs: BTreeMap<Label, String>,
    /// What it asks of people, if it passes.
    require: Vec<Requirement>,
    /// How long it lets the transfer wait, if it passes.
    delay_s: u64,
}

impl Answer {
    fn new(passed: bool, because: impl Into<String>) -> Self {
        let because = because.into();
        Self { passed, because, inputs: BTreeMap::new(), require: Vec::new(), delay_s: 0 }
    }

    fn pass(because: impl Into<String>) -> Self {
        Self::new(true, because)
    }

    fn refuse(because: impl Into<String>) -> Self {
        Self::new(false, because)
    }

    /// Something that the rule was told. Names that are no label are a bug, and left away.
    fn told(mut self, name: &str, value: &impl ToString) -> Self {
        if let Ok(name) = Label::try_from(name.to_owned()) {
            self.inputs.insert(name, value.to_string());
        }
        self
    }

    fn verdict(self, rule: Label, kind: Kind) -> RuleVerdict {
        let Self { passed, because, inputs, .. } = self;
        RuleVerdict { rule, kind, passed, inputs, because }
    }
}

/// Whether a rule is about a transfer.
enum Applies {
    Yes,
    No,
    /// It can't be told without a price, and there is none: such a rule refuses.
    Unknown(String),
}

/// A case, and what was found out about it once for all rules.
struct Asked<'a> {
    policy: &'a Policy,
    case: &'a Case<'a>,
    label: Option<&'a Label>,
    /// What the transfer is worth, or why that is not known.
    priced: Result<Priced, String>,
}

impl Policy {
    /// Asks every rule that applies.
    pub fn evaluate(&self, case: &Case<'_>) -> PolicyDecision {
        let intent = case.intent;
        let asked = Asked {
            policy: self,
            case,
            label: self.label(intent.network(), &intent.destination),
            priced: self.priced(case),
        };
        let mut verdicts = Vec::new();
        let (mut require, mut delay_s) = (Vec::new(), 0);
        for rule in &self.rules {
            let Some(answer) = asked.rule(rule) else { continue };
            if answer.passed {
                require.extend(answer.require.iter().cloned());
                delay_s = delay_s.max(answer.delay_s);
            }
            verdicts.push(answer.verdict(rule.id.clone(), rule.demand.kind()));
        }
        let quorums = Quorums::resolve(&require, case.facts.groups);
        asked.always(&quorums, &mut verdicts);
        verdicts.sort_by(|a, b| a.rule.cmp(&b.rule));
        let passed = verdicts.iter().all(|verdict| verdict.passed);
        PolicyDecision {
            policy_version: self.version,
            at: case.at,
            verdicts,
            quorums: if passed { quorums } else { Quorums::default() },
            delay_s: if passed { delay_s } else { 0 },
            priced: asked.priced.ok(),
        }
    }
}

impl Asked<'_> {
    /// What a rule says. `None` where it is not about this transfer.
    fn rule(&self, rule: &PolicyRule) -> Option<Answer> {
        match self.applies(&rule.scope) {
            Applies::No => None,
            Applies::Unknown(because) => Some(Answer::refuse(because)),
            Applies::Yes => self.demand(rule),
        }
    }

    fn demand(&self, rule: &PolicyRule) -> Option<Answer> {
        match &rule.demand {
            Demand::Permit => Some(self.permit()),
            Demand::Forbid => Some(Answer::refuse("the policy forbids it")),
            Demand::Allowlist { cooling_off_s } => Some(self.allowlist(*cooling_off_s)),
            Demand::Tiers { by, steps } => self.tiers(*by, steps),
            Demand::Approvals { require } => Some(Self::approvals(require)),
            Demand::Velocity { window_s, per, most } => {
                self.velocity(&rule.scope, *window_s, *per, *most)
            }
            Demand::Hours { days, from_minute, to_minute } => {
                Some(self.hours(days, *from_minute, *to_minute))
            }
            Demand::Delay { seconds } => Some(Self::delay(*seconds)),
            Demand::FeeCap { asset, most } => self.fee_cap(*asset, *most),
            Demand::MakerNotChecker => {
                Some(Answer::pass("whoever asks does not approve: it holds always"))
            }
            Demand::WalletCeiling { asset, most, sweep_to } => {
                self.ceiling(*asset, *most, *sweep_to)
            }
            Demand::Screening { max_age_s } => Some(self.screening(*max_age_s)),
            Demand::ContractCall { contract, selectors } => self.function(contract, selectors),
            Demand::TokenApproval { token, spender, most } => self.allowance(token, spender, *most),
            Demand::ContractAdmin { contract, selectors, delegatecall } => {
                self.admin(contract, selectors, *delegatecall)
            }
            // About keys: no payment is asked.
            Demand::Compromise { .. } => None,
        }
    }

    fn applies(&self, scope: &Scope) -> Applies {
        let (case, intent) = (self.case, self.case.intent);
        let fits = fits(&scope.assets, &intent.asset)
            && fits(&scope.networks, &intent.network())
            && fits(&scope.wallets, &intent.wallet)
            && fits(&scope.wallet_tiers, &case.wallet_tier)
            && fits(&scope.clients, &case.client)
            && fits(&scope.initiators, &case.maker)
            && (scope.destinations.is_empty()
                || self.label.is_some_and(|label| scope.destinations.contains(label)));
        match (fits, scope.over) {
            (false, _) => Applies::No,
            (true, None) => Applies::Yes,
            (true, Some(Threshold::Amount { asset, units })) => {
                if asset == intent.asset && intent.amount > units {
                    Applies::Yes
                } else {
                    Applies::No
                }
            }
            (true, Some(Threshold::Value { minor_units })) => match &self.priced {
                Err(because) => Applies::Unknown(because.clone()),
                Ok(priced) if priced.value > minor_units => Applies::Yes,
                Ok(_) => Applies::No,
            },
        }
    }
}

/// An empty set is all of them.
fn fits<T: Ord>(set: &std::collections::BTreeSet<T>, one: &T) -> bool {
    set.is_empty() || set.contains(one)
}
