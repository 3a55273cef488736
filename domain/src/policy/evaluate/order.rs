//! What holds for every policy: order never matters, and a rule that is added refuses or asks, and
//! takes nothing back that another refused.

use crate::policy::{random::*, world::*, *};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The kinds without which nothing passes. Adding one can complete a policy; every other kind only
/// refuses or asks for more.
const COMPLETING: [Kind; 7] = [
    Kind::Permit,
    Kind::Tiers,
    Kind::Approvals,
    Kind::FeeCap,
    Kind::ContractCall,
    Kind::TokenApproval,
    Kind::ContractAdmin,
];

fn by_rule(decision: &PolicyDecision) -> BTreeMap<Label, RuleVerdict> {
    decision.verdicts.iter().map(|verdict| (verdict.rule.clone(), verdict.clone())).collect()
}

fn asks_no_less(more: &PolicyDecision, less: &PolicyDecision) -> bool {
    let all = |group: &std::collections::BTreeSet<_>, asked: u8| {
        more.quorums.0.iter().any(|part| part.group == *group && part.approvals >= asked)
    };
    more.delay_s >= less.delay_s
        && less.quorums.0.iter().all(|part| all(&part.group, part.approvals))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_rules_never_matters(
        (policy, shuffled) in any_policy().prop_flat_map(|policy| {
            let rules = Just(policy.rules.clone()).prop_shuffle();
            (Just(policy.clone()), rules.prop_map(move |rules| Policy { rules, ..policy.clone() }))
        }),
        world in any_world(),
    ) {
        let decision = world.ask(&policy);
        prop_assert_eq!(&decision, &world.ask(&shuffled));
        prop_assert!(decision.verdicts.is_sorted_by(|a, b| a.rule < b.rule));
    }

    #[test]
    fn a_rule_that_is_added_takes_no_refusal_back(
        policy in any_policy(),
        (scope, demand) in body(),
        world in any_world(),
    ) {
        let kind = demand.kind();
        let (before, mut more) = (world.ask(&policy), policy.clone());
        more.rules.push(scoped("z-added", scope, demand));
        let after = world.ask(&more);
        let verdicts = by_rule(&after);
        for rule in &policy.rules {
            let was = before.verdicts.iter().find(|verdict| verdict.rule == rule.id);
            prop_assert_eq!(was, verdicts.get(&rule.id), "another rule says something else");
        }
        if before.allowed().is_err() && !COMPLETING.contains(&kind) {
            prop_assert!(after.allowed().is_err(), "{} made it pass", kind);
        }
        if before.allowed().is_ok() && after.allowed().is_ok() {
            prop_assert!(asks_no_less(&after, &before));
        }
    }

    #[test]
    fn what_passes_is_permitted_known_capped_and_asked_about(
        policy in any_policy(),
        world in any_world(),
    ) {
        let decision = world.ask(&policy);
        let any = |kind| decision.verdicts.iter().any(|v| v.kind == kind && v.passed
            && policy.rules.iter().any(|rule| rule.id == v.rule));
        if let Ok(quorums) = decision.allowed() {
            prop_assert!(any(Kind::Permit) && any(Kind::FeeCap));
            prop_assert!(policy.label(world.intent.network(), &world.intent.destination).is_some());
            prop_assert!(quorums.check().is_ok());
            let maker = [world.maker].into();
            prop_assert!(quorums.still_possible_without(&maker));
        }
    }
}
