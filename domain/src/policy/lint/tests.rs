//! What the linter finds, and what it lets be.

use crate::{
    Amount,
    policy::{world::*, *},
};
use std::collections::BTreeSet;

/// With nothing to find: one network, limited in every way.
fn clean(more: impl IntoIterator<Item = PolicyRule>) -> Policy {
    let most = Most::Amount { asset: LTC, units: Amount::new(500) };
    let steps = vec![Step { up_to: Amount::new(100), require: vec![ask(2, "desk")], delay_s: 0 }];
    let mut policy = policy([
        rule("g-day", Demand::Velocity { window_s: DAY, per: Per::All, most }),
        rule("h-tiers", Demand::Tiers { by: Measure::AssetAmount(LTC), steps }),
    ]);
    policy.rules[0].scope.assets = BTreeSet::from([LTC]);
    policy.rules.remove(3);
    policy.rules.extend(more);
    policy
}

fn found(policy: &Policy) -> Vec<(String, FindingKind)> {
    let findings = lint(policy, &World::new().groups);
    assert!(findings.iter().all(|finding| !finding.because.is_empty()));
    findings.into_iter().map(|finding| (finding.rule.to_string(), finding.kind)).collect()
}

fn finds(policy: &Policy, rule: &str, kind: FindingKind) {
    assert_eq!(found(policy), [(rule.to_owned(), kind)]);
}

fn only(asset: crate::Asset) -> Scope {
    Scope { assets: BTreeSet::from([asset]), ..Scope::default() }
}

#[test]
fn a_policy_without_oddities_is_let_be() {
    assert_eq!(found(&clean([])), []);
}

#[test]
fn a_rule_that_can_never_fire_is_found() {
    let nobody = Scope { destinations: BTreeSet::from([label("nobody")]), ..Scope::default() };
    let elsewhere = Scope { networks: BTreeSet::from([Network::EthereumDev]), ..only(LTC) };
    let ceiling = |asset| {
        let sweep_to = crate::WalletId(id(40));
        Demand::WalletCeiling { asset, most: Amount::new(1), sweep_to }
    };
    for (scope, demand) in [
        (nobody, Demand::Forbid),
        (elsewhere, Demand::Forbid),
        (only(ETH), Demand::Delay { seconds: 60 }),
        (only(LTC), ceiling(ETH)),
        (only(LTC), Demand::FeeCap { asset: ETH, most: Amount::new(1) }),
    ] {
        let policy = clean([scoped("x-never", scope, demand)]);
        finds(&policy, "x-never", FindingKind::CanNeverFire);
    }
    let again =
        clean([scoped("x-again", only(LTC), Demand::Approvals { require: vec![ask(2, "desk")] })]);
    finds(&again, "x-again", FindingKind::CanNeverFire);
}

#[test]
fn rules_that_contradict_each_other_are_found() {
    let forbidden = clean([rule("x-forbid", Demand::Forbid)]);
    finds(&forbidden, "a-permit", FindingKind::Contradicts);
    let hours = |id, from_minute, to_minute| {
        let days = BTreeSet::from([Day::Monday]);
        rule(id, Demand::Hours { days, from_minute, to_minute })
    };
    let never_open = clean([hours("x-am", 0, 720), hours("y-pm", 720, 1_440)]);
    finds(&never_open, "x-am", FindingKind::Contradicts);
    assert_eq!(found(&clean([hours("x-am", 0, 721), hours("y-pm", 720, 1_440)])), []);
}

#[test]
fn a_quorum_that_the_people_cannot_meet_is_found() {
    for require in [
        vec![ask(2, "ghosts")],
        vec![ask(5, "desk")],
        // Without the one of them who asks, three are left.
        vec![ask(4, "desk")],
    ] {
        let policy = clean([rule("x-all", Demand::Approvals { require })]);
        assert!(found(&policy).contains(&("x-all".to_owned(), FindingKind::Contradicts)));
    }
    // Each can be met, both together can't: one person is in both groups.
    let mut groups = World::new().groups;
    groups.insert(label("twins"), groups[&label("desk")].iter().take(2).copied().collect());
    let policy = clean([
        rule("x-two", Demand::Approvals { require: vec![ask(1, "twins"), ask(1, "desk")] }),
        rule("y-more", Demand::Approvals { require: vec![ask(3, "desk")] }),
    ]);
    let findings = lint(&policy, &groups);
    assert!(findings.iter().any(|finding| finding.kind == FindingKind::Contradicts));
}

#[test]
fn what_is_permitted_and_not_limited_is_a_hole() {
    for (rule, told) in [
        ("c-fee", "no rule limits the fee"),
        ("g-day", "goes out over time"),
        ("h-tiers", "one transfer may pay"),
    ] {
        let mut policy = clean([]);
        policy.rules.retain(|known| known.id != label(rule));
        let findings = lint(&policy, &World::new().groups);
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!(finding.kind, FindingKind::Hole);
        assert!(finding.because.contains(told), "{}", finding.because);
    }
    let mut unserved = clean([]);
    unserved.confirmations.clear();
    finds(&unserved, "a-permit", FindingKind::Hole);
    let mut everything = clean([]);
    everything.rules[0].scope = Scope::default();
    assert!(found(&everything).iter().all(|(_, kind)| *kind == FindingKind::Hole));
    assert!(!found(&everything).is_empty());
}
