//! What a reader of a policy should be told before a quorum votes on it: rules that can never fire,
//! rules that contradict each other, and holes. Never refuses anything: [`Policy::check`] does.

use super::{Demand, Groups, Kind, Label, Measure, Most, Policy, PolicyRule, Quorums, Scope};
use crate::{Asset, Network};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// What is odd about a policy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// No transfer that could pass is the rule's affair.
    CanNeverFire,
    /// It and another rule, or the people there are, leave nothing that could pass.
    Contradicts,
    /// Something is permitted that nothing limits, or can't be served.
    Hole,
}

/// Something that a reader should be told.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Which rule.
    pub rule: Label,
    /// What about it.
    pub kind: FindingKind,
    /// Why, for a person to read.
    pub because: String,
}

/// Every finding, in the order of the rules' ids. `groups` are the approvers of each group.
pub fn lint(policy: &Policy, groups: &Groups) -> Vec<Finding> {
    let mut found = BTreeSet::new();
    let mut add = |rule: &PolicyRule, kind, because: String| {
        found.insert(Finding { rule: rule.id.clone(), kind, because });
    };
    for rule in &policy.rules {
        if let Some(because) = never(policy, rule) {
            add(rule, FindingKind::CanNeverFire, because);
        }
        for because in contradictions(policy, rule, groups) {
            add(rule, FindingKind::Contradicts, because);
        }
        for because in holes(policy, rule) {
            add(rule, FindingKind::Hole, because);
        }
    }
    found.into_iter().collect()
}

fn permits(policy: &Policy) -> impl Iterator<Item = &PolicyRule> {
    policy.rules.iter().filter(|rule| rule.demand.kind() == Kind::Permit)
}

/// The assets that a scope is about.
fn assets(scope: &Scope) -> Vec<Asset> {
    let fits = |asset: &Asset| {
        (scope.assets.is_empty() || scope.assets.contains(asset))
            && (scope.networks.is_empty() || scope.networks.contains(&asset.network()))
    };
    Network::ALL.map(Network::native_asset).into_iter().filter(fits).collect()
}

/// The asset that a demand is about, whatever its scope says.
const fn only_asset(demand: &Demand) -> Option<Asset> {
    match demand {
        Demand::Tiers { by: Measure::AssetAmount(asset), .. }
        | Demand::Velocity { most: Most::Amount { asset, .. }, .. }
        | Demand::WalletCeiling { asset, .. } => Some(*asset),
        Demand::Permit
        | Demand::Forbid
        | Demand::Allowlist { .. }
        | Demand::Tiers { by: Measure::ReferenceValue, .. }
        | Demand::Approvals { .. }
        | Demand::Velocity { most: Most::Value { .. } | Most::Count { .. }, .. }
        | Demand::Hours { .. }
        | Demand::Delay { .. }
        | Demand::FeeCap { .. }
        | Demand::MakerNotChecker
        | Demand::Screening { .. }
        | Demand::ContractCall { .. }
        | Demand::TokenApproval { .. }
        | Demand::ContractAdmin { .. }
        | Demand::Compromise { .. } => None,
    }
}

fn meet<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> bool {
    a.is_empty() || b.is_empty() || !a.is_disjoint(b)
}

/// Whether some transfer could be the affair of both.
fn overlap(a: &Scope, b: &Scope) -> bool {
    let both = assets(b);
    assets(a).iter().any(|asset| both.contains(asset))
        && meet(&a.wallets, &b.wallets)
        && meet(&a.wallet_tiers, &b.wallet_tiers)
        && meet(&a.clients, &b.clients)
        && meet(&a.destinations, &b.destinations)
        && meet(&a.initiators, &b.initiators)
}

fn never(policy: &Policy, rule: &PolicyRule) -> Option<String> {
    let scope = &rule.scope;
    let mine = assets(scope);
    if mine.is_empty() {
        return Some("none of its assets lives on one of its networks".to_owned());
    }
    let known = policy
        .destinations
        .iter()
        .filter(|known| scope.destinations.is_empty() || scope.destinations.contains(&known.label));
    if !known.into_iter().any(|known| mine.iter().any(|asset| asset.network() == known.network)) {
        return Some("the allowlist has no destination that it is about".to_owned());
    }
    if let Some(asset) = only_asset(&rule.demand)
        && !mine.contains(&asset)
    {
        return Some(format!("it is about {asset}, and its scope is not"));
    }
    if let Demand::FeeCap { asset, .. } = &rule.demand
        && !mine.iter().any(|one| one.network().native_asset() == *asset)
    {
        return Some(format!("it is about fees in {asset}, and its scope is not"));
    }
    if rule.demand.kind() != Kind::Permit
        && !permits(policy).any(|permit| overlap(&permit.scope, scope))
    {
        return Some("no permit lets a transfer be asked for that it is about".to_owned());
    }
    let twin = policy.rules.iter().find(|other| {
        other.id < rule.id && other.demand == rule.demand && other.scope.covers(scope)
    });
    twin.map(|twin| format!("rule {} says the same about all of its transfers", twin.id))
}

fn contradictions(policy: &Policy, rule: &PolicyRule, groups: &Groups) -> Vec<String> {
    let mut found = Vec::new();
    for other in &policy.rules {
        if rule.demand.kind() == Kind::Permit
            && other.demand.kind() == Kind::Forbid
            && other.scope.covers(&rule.scope)
        {
            found.push(format!("rule {} forbids all that it permits", other.id));
        }
        if other.id > rule.id
            && let (Some(mine), Some(theirs)) = (rule.demand.week(), other.demand.week())
            && overlap(&rule.scope, &other.scope)
            && !mine.iter().zip(theirs).any(|(mine, theirs)| *mine && theirs)
        {
            found.push(format!("it and rule {} are never open at the same time", other.id));
        }
    }
    let own = policy.required().filter(|(of, _)| of.id == rule.id);
    for (_, require) in own {
        // What other rules ask for beside it must be met by other people.
        let beside = policy.required().filter(|(other, _)| {
            other.demand.kind() == Kind::Approvals
                && other.id != rule.id
                && other.scope.covers(&rule.scope)
        });
        let beside = beside.flat_map(|(_, require)| require);
        let all = require.iter().chain(beside);
        if let Some(because) = unmeetable(&Quorums::resolve(all, groups)) {
            found.push(because);
        }
    }
    found
}

/// Why nobody, or not everybody of them, could ask and have it approved.
fn unmeetable(quorums: &Quorums) -> Option<String> {
    if quorums.0.is_empty() {
        return None;
    }
    if quorums.approvals() >= 2
        && let Err(refusal) = quorums.check()
    {
        return Some(refusal.because);
    }
    let stuck = |person: &&_| !quorums.still_possible_without(&BTreeSet::from([**person]));
    let people = quorums.people();
    let stuck = people.iter().filter(stuck).count();
    (stuck > 0).then(|| {
        format!("what {stuck} of its approvers ask for themselves can't be approved by the others")
    })
}

/// What a permit lets pass without a limit, or what can't be served.
fn holes(policy: &Policy, rule: &PolicyRule) -> Vec<String> {
    if rule.demand.kind() != Kind::Permit {
        return Vec::new();
    }
    let mut found = Vec::new();
    for asset in assets(&rule.scope) {
        let reaches = |other: &&PolicyRule| {
            overlap(&rule.scope, &other.scope)
                && assets(&other.scope).contains(&asset)
                && only_asset(&other.demand).is_none_or(|of| of == asset)
        };
        let any =
            |kind| policy.rules.iter().filter(reaches).any(|other| other.demand.kind() == kind);
        let fee = policy.rules.iter().filter(reaches).any(|other| {
            matches!(&other.demand, Demand::FeeCap { asset: of, .. }
                if *of == asset.network().native_asset())
        });
        let network = asset.network();
        if !policy.destinations.iter().any(|known| known.network == network) {
            found.push(format!("{asset} may be paid, and nobody on {network} is on the allowlist"));
            continue;
        }
        if !any(Kind::Approvals) && !any(Kind::Tiers) {
            found.push(format!("no rule asks anybody about {asset}: all of it is refused"));
        }
        if !fee {
            found.push(format!("no rule limits the fee of {asset}: all of it is refused"));
        }
        if !policy.confirmations.contains_key(&network) {
            found.push(format!("{network} has no confirmations: nothing there becomes final"));
        }
        if !any(Kind::Velocity) {
            found.push(format!("no rule limits how much {asset} goes out over time"));
        }
        if !any(Kind::Tiers) && !any(Kind::WalletCeiling) {
            found.push(format!("no rule limits how much {asset} one transfer may pay"));
        }
    }
    found
}
