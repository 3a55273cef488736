//! What one officer may put in force alone.

use crate::{
    Amount, WalletId,
    policy::{random::*, world::*, *},
};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn old() -> Policy {
    let days = BTreeSet::from([Day::Monday, Day::Tuesday]);
    let steps = [(100, 2, 0), (200, 3, 60)].map(|(up_to, m, delay_s)| Step {
        up_to: Amount::new(up_to),
        require: vec![ask(m, "board")],
        delay_s,
    });
    let most = Most::Amount { asset: LTC, units: Amount::new(500) };
    policy([
        rule("h-hours", Demand::Hours { days, from_minute: 0, to_minute: 600 }),
        rule("i-day", Demand::Velocity { window_s: DAY, per: Per::All, most }),
        rule("j-tiers", Demand::Tiers { by: Measure::AssetAmount(LTC), steps: steps.into() }),
        rule("k-cool", Demand::Allowlist { cooling_off_s: 60 }),
        rule("l-screened", Demand::Screening { max_age_s: 3_600 }),
        rule("m-delay", Demand::Delay { seconds: 60 }),
    ])
}

type Change = fn(&mut Policy);

fn put(policy: &mut Policy, id: &str, new: Demand) {
    let found = policy.rules.iter_mut().find(|rule| rule.id == label(id)).expect("a rule");
    found.demand = new;
}

fn most(policy: &mut Policy, units: u128, window_s: u64) {
    let most = Most::Amount { asset: LTC, units: Amount::new(units) };
    put(policy, "i-day", Demand::Velocity { window_s, per: Per::All, most });
}

fn hours(policy: &mut Policy, days: &[Day], from_minute: u16, to_minute: u16) {
    let days = days.iter().copied().collect();
    put(policy, "h-hours", Demand::Hours { days, from_minute, to_minute });
}

fn first_step(policy: &mut Policy, change: impl FnOnce(&mut Vec<Step>)) {
    let found = policy.rules.iter_mut().find(|rule| rule.id == label("j-tiers"));
    match found.map(|rule| &mut rule.demand) {
        Some(Demand::Tiers { steps, .. }) => change(steps),
        other => panic!("{other:?}"),
    }
}

#[test]
fn less_in_any_part_is_tighter() {
    let changes: [Change; 19] = [
        |_| (),
        |p| drop(p.destinations.pop()),
        |p| p.proposal_lifetime_s -= 1,
        |p| p.prices.as_mut().expect("a source").max_age_s = 1,
        |p| p.confirmations.extend([(LTC.network(), 7)]),
        |p| p.rules.push(rule("z-no", Demand::Forbid)),
        |p| p.rules.push(rule("z-more", Demand::Approvals { require: vec![ask(1, "board")] })),
        |p| p.rules.push(fee_cap("z-fee", LTC, 5)),
        |p| p.rules.retain(|rule| rule.id != label("a-permit")),
        |p| put(p, "b-desk", Demand::Approvals { require: vec![ask(3, "desk"), ask(1, "board")] }),
        |p| put(p, "c-fee", Demand::FeeCap { asset: LTC, most: Amount::new(9) }),
        |p| most(p, 499, DAY),
        |p| most(p, 500, 2 * DAY),
        |p| hours(p, &[Day::Monday], 60, 120),
        |p| first_step(p, |steps| drop(steps.pop())),
        |p| first_step(p, |steps| steps[0].up_to = Amount::new(50)),
        |p| first_step(p, |steps| steps[0].delay_s = 1),
        |p| put(p, "l-screened", Demand::Screening { max_age_s: 60 }),
        |p| p.rules.reverse(),
    ];
    for (n, change) in changes.iter().enumerate() {
        let mut new = old();
        change(&mut new);
        assert_eq!(new.tightens(&old()), Ok(()), "change {n}");
    }
}

#[test]
fn more_in_any_part_is_not() {
    let changes: [Change; 23] = [
        |p| p.destinations[0].address = address("rltc1qthief"),
        |p| p.destinations[0].label = label("other"),
        |p| p.proposal_lifetime_s += 1,
        |p| p.prices.as_mut().expect("a source").max_age_s += 1,
        |p| p.prices.as_mut().expect("a source").key = Bytes(vec![8; 32]),
        |p| p.prices = None,
        |p| p.confirmations.extend([(LTC.network(), 5)]),
        |p| p.confirmations.clear(),
        |p| p.rules.push(rule("z-permit", Demand::Permit)),
        |p| p.rules.push(fee_cap("z-fee", Network::Bitcoin.native_asset(), 5)),
        |p| p.rules.retain(|rule| rule.id != label("i-day")),
        |p| p.rules[0].scope.assets = BTreeSet::from([LTC]),
        |p| put(p, "b-desk", Demand::Approvals { require: vec![ask(1, "desk"), ask(3, "board")] }),
        |p| put(p, "b-desk", Demand::Approvals { require: vec![ask(4, "board")] }),
        |p| put(p, "c-fee", Demand::FeeCap { asset: LTC, most: Amount::new(11) }),
        |p| put(p, "c-fee", Demand::FeeCap { asset: ETH, most: Amount::new(1) }),
        |p| most(p, 501, DAY),
        |p| most(p, 500, DAY - 1),
        |p| hours(p, &[Day::Monday], 599, 601),
        |p| first_step(p, |steps| steps[1].up_to = Amount::new(201)),
        |p| first_step(p, |steps| steps[0].up_to = Amount::new(101)),
        |p| put(p, "k-cool", Demand::Allowlist { cooling_off_s: 59 }),
        |p| put(p, "m-delay", Demand::Delay { seconds: 59 }),
    ];
    for (n, change) in changes.iter().enumerate() {
        let mut new = old();
        change(&mut new);
        assert!(new.tightens(&old()).is_err(), "change {n}");
    }
}

/// Where nobody was asked everything was refused: to ask somebody there would let it pass.
#[test]
fn to_ask_where_nobody_was_asked_is_not_tighter() {
    let mut silent = old();
    silent.rules.retain(|rule| rule.id != label("b-desk") && rule.id != label("j-tiers"));
    let mut asks = silent.clone();
    asks.rules.push(rule("z-asks", Demand::Approvals { require: vec![ask(2, "desk")] }));
    assert!(asks.tightens(&silent).is_err());
    let mut one = silent;
    one.rules.push(rule("z-asks", Demand::Approvals { require: vec![ask(1, "desk")] }));
    assert!(asks.tightens(&one).is_err());
}

/// Above a value that nobody knows, a rule refuses whatever it would say below.
#[test]
fn a_rule_above_a_value_is_not_taken_off() {
    let over = Some(Threshold::Value { minor_units: Amount::new(1) });
    let scope = Scope { over, ..Scope::default() };
    let above = policy([scoped("z-above", scope, Demand::MakerNotChecker)]);
    assert!(policy([]).tightens(&above).is_err());
    let plain = policy([rule("z-plain", Demand::MakerNotChecker)]);
    assert_eq!(policy([]).tightens(&plain), Ok(()));
}

#[test]
fn a_ceiling_keeps_where_the_rest_belongs() {
    let ceiling = |most, n| {
        let sweep_to = WalletId(id(n));
        let most = Amount::new(most);
        policy([rule("z-most", Demand::WalletCeiling { asset: LTC, most, sweep_to })])
    };
    assert_eq!(ceiling(99, 40).tightens(&ceiling(100, 40)), Ok(()));
    assert!(ceiling(101, 40).tightens(&ceiling(100, 40)).is_err());
    assert!(ceiling(99, 41).tightens(&ceiling(100, 40)).is_err());
}

#[test]
fn an_allowance_only_shrinks() {
    let allow = |most| {
        let (token, spender) = (address("0xToken"), address("0xSpender"));
        policy([rule("z-allow", Demand::TokenApproval { token, spender, most })])
    };
    let up_to = |units| allow(Allowance::UpTo(Amount::new(units)));
    assert_eq!(up_to(4).tightens(&up_to(5)), Ok(()));
    assert_eq!(up_to(4).tightens(&allow(Allowance::Unlimited)), Ok(()));
    assert!(up_to(6).tightens(&up_to(5)).is_err());
    assert!(allow(Allowance::Unlimited).tightens(&up_to(5)).is_err());
    assert!(policy([]).tightens(&up_to(5)).is_err(), "another rule may allow more");
}

/// A change of a policy as an officer might try it: a rule is altered, taken off or added.
fn changed() -> impl Strategy<Value = (Policy, Policy)> {
    let edits = prop::collection::vec((0..12_usize, 0..4_u8, body()), 1..4);
    (any_policy(), edits).prop_map(|(old, edits)| {
        let mut new = old.clone();
        for (n, (at, how, (scope, demand))) in edits.into_iter().enumerate() {
            let at = at.checked_rem(new.rules.len()).unwrap_or_default();
            match (how, new.rules.get_mut(at)) {
                (0, Some(_)) => drop(new.rules.remove(at)),
                (1, Some(rule)) if rule.demand.kind() == demand.kind() => rule.demand = demand,
                (2, Some(rule)) => shrink(&mut rule.demand),
                _ => new.rules.push(scoped(&format!("s-{n}"), scope, demand)),
            }
        }
        (old, new)
    })
}

/// A little less of whatever it is.
fn shrink(demand: &mut Demand) {
    let less = |amount: &mut Amount| *amount = Amount::new(amount.units().saturating_sub(20));
    match demand {
        Demand::Velocity { most: Most::Amount { units, .. }, .. } => less(units),
        Demand::Velocity { most: Most::Value { minor_units }, .. } => less(minor_units),
        Demand::FeeCap { most, .. } | Demand::WalletCeiling { most, .. } => less(most),
        Demand::Approvals { require } => require.iter_mut().for_each(|one| one.approvals += 1),
        Demand::Tiers { steps, .. } => {
            for one in steps.iter_mut().flat_map(|step| &mut step.require) {
                one.approvals += 1;
            }
        }
        Demand::Delay { seconds } => *seconds += 1,
        Demand::Velocity { most: Most::Count { transfers }, .. } => {
            *transfers = transfers.saturating_sub(1);
        }
        Demand::Allowlist { cooling_off_s } => *cooling_off_s += 1,
        Demand::Screening { max_age_s } => *max_age_s /= 2,
        Demand::Permit
        | Demand::Forbid
        | Demand::Hours { .. }
        | Demand::MakerNotChecker
        | Demand::ContractCall { .. }
        | Demand::TokenApproval { .. }
        | Demand::ContractAdmin { .. }
        | Demand::Compromise { .. } => {}
    }
}

#[test]
fn to_rotate_is_tighter_than_to_refresh_and_neither_is_left_out() {
    let with = |answer| {
        let mut next = policy([rule("x-stolen", Demand::Compromise { answer })]);
        next.version += 1;
        next
    };
    let (none, refresh, rotate) =
        (policy([]), with(OnCompromise::Refresh), with(OnCompromise::Rotate));
    for (new, old, tighter) in [
        (&rotate, &refresh, true),
        (&refresh, &rotate, false),
        (&rotate, &none, true),
        (&none, &rotate, false),
    ] {
        assert_eq!(new.tightens(old).is_ok(), tighter, "{new:?} after {old:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 768, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_taken_for_tighter_lets_nothing_more_pass(
        (old, new) in changed(),
        worlds in prop::collection::vec(any_world(), 8),
    ) {
        if new.tightens(&old).is_ok() {
            for world in worlds {
                let (was, now) = (world.ask(&old), world.ask(&new));
                prop_assert!(
                    was.allowed().is_ok() || now.allowed().is_err(),
                    "{old:#?}\n{new:#?}\n{was:#?}\n{now:#?}"
                );
                if now.allowed().is_ok() {
                    prop_assert!(now.delay_s >= was.delay_s);
                    for part in &was.quorums.0 {
                        let kept = now.quorums.0.iter().any(|more| {
                            more.group == part.group && more.approvals >= part.approvals
                        });
                        prop_assert!(kept);
                    }
                }
            }
        }
    }
}
