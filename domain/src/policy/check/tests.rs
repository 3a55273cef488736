//! Policies that could surprise somebody are refused.

use crate::{
    Amount, Rule,
    policy::{world::*, *},
};
use std::collections::BTreeSet;

/// An Ed25519 public key: RFC 8032, 7.1, test 1.
fn key() -> Bytes {
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a".parse().expect("a key")
}

fn sound() -> Policy {
    let mut policy = policy([]);
    policy.prices.as_mut().expect("a source").key = key();
    policy
}

type Change = fn(&mut Policy);

fn step(up_to: u128) -> Step {
    Step { up_to: Amount::new(up_to), require: vec![ask(2, "desk")], delay_s: 0 }
}

fn add(policy: &mut Policy, demand: Demand) {
    policy.rules.push(rule("x", demand));
}

fn tiers(policy: &mut Policy, steps: Vec<Step>) {
    add(policy, Demand::Tiers { by: Measure::ReferenceValue, steps });
}

fn velocity(policy: &mut Policy, window_s: u64, most: Most) {
    add(policy, Demand::Velocity { window_s, per: Per::All, most });
}

fn hours(policy: &mut Policy, days: &[Day], from_minute: u16, to_minute: u16) {
    let days = days.iter().copied().collect();
    add(policy, Demand::Hours { days, from_minute, to_minute });
}

fn above(minor: u128) -> Scope {
    let over = Some(Threshold::Value { minor_units: Amount::new(minor) });
    Scope { over, ..Scope::default() }
}

const ONE: Most = Most::Count { transfers: 1 };

#[test]
fn what_is_at_the_edge_of_a_limit_is_sound() {
    let changes: [Change; 13] = [
        |_| (),
        |p| p.rules.clear(),
        |p| p.proposal_lifetime_s = 60,
        |p| p.proposal_lifetime_s = LONGEST_WAIT_S,
        |p| p.prices.as_mut().expect("a source").max_age_s = LONGEST_PRICE_S,
        |p| velocity(p, LONGEST_WINDOW_S, ONE),
        |p| velocity(p, 1, ONE),
        |p| add(p, Demand::Delay { seconds: LONGEST_WAIT_S }),
        |p| add(p, Demand::Screening { max_age_s: LONGEST_SCREENING_S }),
        |p| add(p, Demand::Allowlist { cooling_off_s: LONGEST_WAIT_S }),
        |p| hours(p, &[Day::Monday], 1_439, 1_440),
        |p| tiers(p, (1..=64).map(step).collect()),
        |p| p.rules.push(scoped("x", above(1), Demand::Forbid)),
    ];
    for (n, change) in changes.iter().enumerate() {
        let mut policy = sound();
        change(&mut policy);
        assert_eq!(policy.check(), Ok(()), "change {n}");
    }
}

#[test]
fn what_could_surprise_is_refused() {
    let changes: [Change; 33] = [
        |p| p.proposal_lifetime_s = 59,
        |p| p.proposal_lifetime_s = LONGEST_WAIT_S + 1,
        |p| p.confirmations.extend([(LTC.network(), 0)]),
        |p| p.destinations.push(p.destinations[0].clone()),
        |p| p.destinations[1].label = label("exchange"),
        |p| p.prices.as_mut().expect("a source").key = Bytes(vec![7; 31]),
        |p| p.prices.as_mut().expect("a source").max_age_s = 0,
        |p| p.prices.as_mut().expect("a source").max_age_s = LONGEST_PRICE_S + 1,
        |p| p.rules.push(p.rules[0].clone()),
        |p| p.rules.push(rule("permit", Demand::Permit)),
        |p| p.rules.push(rule("maker-not-checker", Demand::Forbid)),
        |p| p.rules.push(scoped("x", above(1), Demand::Permit)),
        |p| velocity(p, 0, ONE),
        |p| velocity(p, LONGEST_WINDOW_S + 1, ONE),
        |p| velocity(p, 1, Most::Amount { asset: LTC, units: Amount::new(u128::MAX) }),
        |p| add(p, Demand::Delay { seconds: 0 }),
        |p| add(p, Demand::Delay { seconds: LONGEST_WAIT_S + 1 }),
        |p| add(p, Demand::Allowlist { cooling_off_s: LONGEST_WAIT_S + 1 }),
        |p| add(p, Demand::Screening { max_age_s: 59 }),
        |p| add(p, Demand::Screening { max_age_s: LONGEST_SCREENING_S + 1 }),
        |p| hours(p, &[], 0, 1),
        |p| hours(p, &[Day::Monday], 1_440, 1),
        |p| hours(p, &[Day::Monday], 0, 1_441),
        |p| hours(p, &[Day::Monday], 60, 60),
        |p| tiers(p, Vec::new()),
        |p| tiers(p, (1..=65).map(step).collect()),
        |p| tiers(p, vec![step(2), step(1)]),
        |p| tiers(p, vec![step(1), step(1)]),
        |p| add(p, Demand::Approvals { require: Vec::new() }),
        |p| add(p, Demand::Approvals { require: vec![ask(0, "desk")] }),
        |p| add(p, Demand::Approvals { require: vec![ask(11, "desk")] }),
        |p| add(p, Demand::Approvals { require: vec![ask(1, "desk"), ask(2, "desk")] }),
        |p| {
            let (contract, selectors) = (address("0xToken"), BTreeSet::new());
            add(p, Demand::ContractCall { contract, selectors });
        },
    ];
    for (n, change) in changes.iter().enumerate() {
        let mut policy = sound();
        change(&mut policy);
        assert_eq!(policy.check().map_err(|refusal| refusal.rule), Err(Rule::PolicyInvalid), "{n}");
    }
}

#[test]
fn what_looks_at_values_needs_a_source_of_prices() {
    let value = Most::Value { minor_units: Amount::new(1) };
    let demands = [
        (above(1), Demand::Forbid),
        (Scope::default(), Demand::Tiers { by: Measure::ReferenceValue, steps: vec![step(1)] }),
        (Scope::default(), Demand::Velocity { window_s: 1, per: Per::All, most: value }),
    ];
    for (scope, demand) in demands {
        let mut policy = sound();
        policy.rules.push(scoped("x", scope, demand));
        assert_eq!(policy.check(), Ok(()));
        policy.prices = None;
        assert!(policy.check().is_err(), "{policy:?}");
    }
}

#[test]
fn a_policy_is_written_without_what_it_does_not_say_and_read_back_the_same() {
    let json = serde_json::to_string(&sound()).expect("JSON");
    assert!(json.contains(r#"{"id":"a-permit","demand":"permit"}"#), "{json}");
    assert_eq!(serde_json::from_str::<Policy>(&json).expect("a policy"), sound());
    let unknown = json.replacen(r#""demand":"permit""#, r#""demand":"permit","more":1"#, 1);
    assert!(serde_json::from_str::<Policy>(&unknown).is_err());
    let inside = r#"{"allowlist":{"cooling_off_s":1,"more":1}}"#;
    assert!(serde_json::from_str::<Demand>(inside).is_err());
}
