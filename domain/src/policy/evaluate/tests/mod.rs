//! What each kind of rule says. A test begins with the name of the kind that it is about:
//! `docs/policy-rules.md` is held to that.

use crate::{
    Amount, ClientId, Network, PersonId, Rule, Timestamp, WalletId,
    policy::{world::*, *},
    wallet::Tier,
};
use std::collections::BTreeSet;

mod calls;
mod limits;

#[test]
fn permit_must_apply_to_everything_that_passes() {
    let world = World::new();
    world.passes(&policy([]));
    let mut only_eth = policy([]);
    only_eth.rules[0].scope.assets = BTreeSet::from([ETH]);
    world.is_refused(&only_eth, "permit");
    only_eth.rules.push(scoped(
        "x-permit-ltc",
        Scope { networks: BTreeSet::from([Network::LitecoinRegtest]), ..Scope::default() },
        Demand::Permit,
    ));
    world.passes(&only_eth);
}

#[test]
fn forbid_beats_permit_wherever_it_stands() {
    let world = World::new();
    let mut forbidden = policy([rule("x-forbid", Demand::Forbid)]);
    world.is_refused(&forbidden, "x-forbid");
    forbidden.rules.rotate_right(1);
    world.is_refused(&forbidden, "x-forbid");
    assert_eq!(world.ask(&forbidden).allowed().unwrap_err().rule, Rule::Policy);
}

#[test]
fn allowlist_holds_always() {
    let mut world = World::new();
    world.intent.destination = address("rltc1qthief");
    world.is_refused(&policy([]), "allowlist");
    let refusal = world.ask(&policy([])).allowed().unwrap_err();
    assert_eq!(refusal.rule, Rule::DestinationAllowlist);
    // On another network it is another address.
    let mut elsewhere = World::new();
    elsewhere.intent.asset = ETH;
    elsewhere.is_refused(&policy([]), "allowlist");
}

#[test]
fn allowlist_lets_new_destinations_cool_off_to_the_microsecond() {
    let mut world = World::new();
    let cooling = policy([rule("x-cool", Demand::Allowlist { cooling_off_s: DAY })]);
    world.passes(&cooling);
    world.on_the_list(LTC.network(), "rltc1qexchange", at(0));
    world.is_refused(&cooling, "x-cool");
    world.at = Timestamp::from_micros(at(DAY).micros() - 1);
    world.is_refused(&cooling, "x-cool");
    world.at = at(DAY);
    world.passes(&cooling);
    world.since.clear();
    world.is_refused(&cooling, "x-cool");
    world.passes(&policy([rule("x-cool", Demand::Allowlist { cooling_off_s: 0 })]));
}

fn step(up_to: u128, approvals: u8, group: &str, delay_s: u64) -> Step {
    Step { up_to: Amount::new(up_to), require: vec![ask(approvals, group)], delay_s }
}

#[test]
fn tiers_choose_the_lowest_step_that_fits() {
    let by = Measure::AssetAmount(LTC);
    let steps = vec![step(100, 1, "board", 0), step(200, 3, "board", 60)];
    let tiered = policy([rule("x-tiers", Demand::Tiers { by, steps })]);
    let mut world = World::new();
    for (amount, approvals, delay_s) in [(1, 1, 0), (100, 1, 0), (101, 3, 60), (200, 3, 60)] {
        world.intent.amount = Amount::new(amount);
        let decision = world.ask(&tiered);
        let asked: Vec<_> = decision.quorums.0.iter().map(|part| part.approvals).collect();
        assert_eq!((asked, decision.delay_s), (vec![approvals, 2], delay_s), "{amount}");
    }
    world.intent.amount = Amount::new(201);
    world.is_refused(&tiered, "x-tiers");
    assert_eq!(world.ask(&tiered).allowed().unwrap_err().rule, Rule::AmountTier);
    world.intent.asset = ETH;
    world.intent.destination = address("0xexchange");
    world.passes(&tiered);
}

#[test]
fn tiers_by_value_round_up_and_refuse_a_stale_price() {
    let steps = vec![step(150, 1, "board", 0), step(300, 2, "board", 0)];
    let tiered = policy([rule("x-tiers", Demand::Tiers { by: Measure::ReferenceValue, steps })]);
    let mut world = World::new();
    world.is_refused(&tiered, "x-tiers");
    // 1.5 LTC at 100.00 are exactly 150.00; a base unit more is a cent more.
    world.quote(LTC, 100, world.at);
    world.intent.amount = Amount::new(150_000_000);
    assert_eq!(world.ask(&tiered).quorums.0[0].approvals, 1);
    world.intent.amount = Amount::new(150_000_001);
    let decision = world.ask(&tiered);
    assert_eq!(decision.quorums.0[0].approvals, 2);
    assert_eq!(decision.priced.unwrap().value, Amount::new(151));
    world.at = world.at.plus_seconds(600);
    world.passes(&tiered);
    world.at = Timestamp::from_micros(world.at.micros() + 1);
    world.is_refused(&tiered, "x-tiers");
}

#[test]
fn tiers_by_value_keep_the_price_that_was_asked_with() {
    let steps = vec![step(150, 1, "board", 0)];
    let tiered = policy([rule("x-tiers", Demand::Tiers { by: Measure::ReferenceValue, steps })]);
    let mut world = World::new();
    world.intent.amount = Amount::new(100_000_000);
    world.quote(LTC, 100, world.at);
    world.priced = world.ask(&tiered).priced;
    // The price has moved since; the question that people answered has not.
    world.quote(LTC, 1_000, world.at.plus_seconds(1));
    world.passes(&tiered);
    world.priced = None;
    world.is_refused(&tiered, "x-tiers");
}

#[test]
fn approvals_are_united_and_a_group_is_asked_for_the_most() {
    let both = policy([
        rule("x-more", Demand::Approvals { require: vec![ask(3, "desk"), ask(1, "board")] }),
        rule("y-less", Demand::Approvals { require: vec![ask(1, "desk")] }),
    ]);
    let quorums = World::new().ask(&both).quorums;
    let asked: Vec<_> = quorums.0.iter().map(|part| (part.approvals, part.group.len())).collect();
    assert_eq!(asked, [(1, 5), (3, 4)], "the board, then the desk");
}

#[test]
fn approvals_of_nobody_or_of_one_refuse() {
    let world = World::new();
    let mut nobody = policy([]);
    nobody.rules.remove(1);
    assert_eq!(world.refused(&nobody), ["approvals", "maker-not-checker"]);
    nobody.rules.push(rule("x-one", Demand::Approvals { require: vec![ask(1, "desk")] }));
    world.is_refused(&nobody, "approvals");
    let unknown = rule("x-ghosts", Demand::Approvals { require: vec![ask(2, "ghosts")] });
    assert_eq!(world.refused(&policy([unknown])), ["approvals", "maker-not-checker"]);
}

#[test]
fn maker_not_checker_holds_always() {
    let mut world = World::new();
    let all = policy([rule("x-all", Demand::Approvals { require: vec![ask(4, "desk")] })]);
    world.passes(&all);
    world.maker = PersonId(id(1));
    world.is_refused(&all, "maker-not-checker");
    world.passes(&policy([rule("x-mnc", Demand::MakerNotChecker)]));
    assert_eq!(world.ask(&all).allowed().unwrap_err().rule, Rule::MakerChecker);
}

#[test]
fn delay_is_the_longest_of_all() {
    let delays = [5, 3_600, 60];
    let rules = delays.map(|s| rule(&format!("x-delay-{s}"), Demand::Delay { seconds: s }));
    assert_eq!(World::new().ask(&policy(rules)).delay_s, 3_600);
}

#[test]
fn a_scope_of_several_sets_fits_only_where_all_do() {
    let world = World::new();
    let forbid = |scope| policy([scoped("x-forbid", scope, Demand::Forbid)]);
    let fits: [Scope; 7] = [
        Scope { assets: BTreeSet::from([LTC, ETH]), ..Scope::default() },
        Scope { wallets: BTreeSet::from([WalletId(id(3))]), ..Scope::default() },
        Scope { wallet_tiers: BTreeSet::from([Tier::Hot]), ..Scope::default() },
        Scope { clients: BTreeSet::from([ClientId(id(5))]), ..Scope::default() },
        Scope { destinations: BTreeSet::from([label("exchange")]), ..Scope::default() },
        Scope { initiators: BTreeSet::from([PersonId(id(MAKER))]), ..Scope::default() },
        Scope {
            over: Some(Threshold::Amount { asset: LTC, units: Amount::new(99) }),
            ..Scope::default()
        },
    ];
    for scope in fits {
        world.is_refused(&forbid(scope.clone()), "x-forbid");
        world.passes(&forbid(Scope { assets: BTreeSet::from([ETH]), ..scope }));
    }
    for other in [
        Scope { wallets: BTreeSet::from([WalletId(id(4))]), ..Scope::default() },
        Scope { clients: BTreeSet::from([ClientId(id(6))]), ..Scope::default() },
        Scope { destinations: BTreeSet::from([label("bank")]), ..Scope::default() },
        Scope { initiators: BTreeSet::from([PersonId(id(1))]), ..Scope::default() },
        Scope {
            over: Some(Threshold::Amount { asset: LTC, units: Amount::new(100) }),
            ..Scope::default()
        },
        Scope {
            over: Some(Threshold::Amount { asset: ETH, units: Amount::ZERO }),
            ..Scope::default()
        },
    ] {
        world.passes(&forbid(other));
    }
}

#[test]
fn compromise_is_asked_of_no_payment_and_rotation_counts_before_a_refresh() {
    let world = World::new();
    let on = |answer| Demand::Compromise { answer };
    let both = policy([
        rule("x-refresh", on(OnCompromise::Refresh)),
        scoped(
            "y-rotate",
            Scope { wallets: BTreeSet::from([WalletId(id(3))]), ..Scope::default() },
            on(OnCompromise::Rotate),
        ),
    ]);
    world.passes(&both);
    let verdicts = world.ask(&both).verdicts;
    assert!(verdicts.iter().all(|verdict| verdict.kind != Kind::Compromise));
    let network = world.intent.network();
    let answer = |wallet| both.on_compromise(WalletId(id(wallet)), Tier::Hot, network);
    assert_eq!(answer(3), Some((&label("y-rotate"), OnCompromise::Rotate)));
    assert_eq!(answer(4), Some((&label("x-refresh"), OnCompromise::Refresh)));
    assert_eq!(policy([]).on_compromise(WalletId(id(3)), Tier::Hot, network), None);
}

#[test]
fn a_threshold_in_value_refuses_where_the_value_is_unknown() {
    let over = Some(Threshold::Value { minor_units: Amount::new(1) });
    let scope = Scope { over, ..Scope::default() };
    let above = policy([scoped("x-above", scope, Demand::Delay { seconds: 60 })]);
    let mut world = World::new();
    world.is_refused(&above, "x-above");
    world.quote(LTC, 1, world.at);
    assert_eq!(world.ask(&above).delay_s, 0, "one cent is not above one cent");
    world.intent.amount = Amount::new(100_000_001);
    assert_eq!(world.ask(&above).delay_s, 60);
}

#[test]
fn every_rule_that_was_asked_says_what_it_was_told() {
    let decision = World::new().ask(&policy([]));
    assert_eq!(decision.policy_version, 3);
    let names: Vec<_> = decision.verdicts.iter().map(|verdict| verdict.rule.to_string()).collect();
    let expected = ["a-permit", "allowlist", "approvals", "b-desk", "c-fee", "fee-cap"];
    assert_eq!(names[..6], expected);
    assert_eq!(names[6..], ["maker-not-checker", "permit"], "and not the gas of another chain");
    assert!(decision.verdicts.iter().all(|verdict| !verdict.because.is_empty()));
    assert_eq!(decision.verdicts[4].inputs[&label("fee-cap")], "10");
}
