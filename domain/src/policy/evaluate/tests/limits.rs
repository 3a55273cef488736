//! Limits of amounts, of times and of findings, at their edges.

use super::*;
use crate::{screening::Verdict, usage::Requested};

fn velocity(window_s: u64, per: Per, most: Most) -> Policy {
    policy([rule("x-velocity", Demand::Velocity { window_s, per, most })])
}

fn units(units: u128) -> Most {
    Most::Amount { asset: LTC, units: Amount::new(units) }
}

#[test]
fn velocity_counts_this_transfer_too() {
    let mut world = World::new();
    world.passes(&velocity(DAY, Per::Wallet, units(100)));
    world.is_refused(&velocity(DAY, Per::Wallet, units(99)), "x-velocity");
    world.before(20, at(0), 50, None);
    world.passes(&velocity(DAY, Per::Wallet, units(150)));
    world.is_refused(&velocity(DAY, Per::Wallet, units(149)), "x-velocity");
}

#[test]
fn velocity_forgets_what_is_exactly_a_window_old() {
    let mut world = World::new();
    world.before(20, at(0), 50, None);
    let limit = velocity(3_600, Per::Client, units(149));
    world.at = Timestamp::from_micros(at(3_600).micros() - 1);
    world.is_refused(&limit, "x-velocity");
    world.at = at(3_600);
    world.passes(&limit);
}

#[test]
fn velocity_counts_per_wallet_client_destination_initiator_and_all() {
    let mut world = World::new();
    let other = WalletId(id(77));
    world.usage.count(Requested { wallet: other, ..world.usual(20, at(0), 1, None) });
    let other = ClientId(id(77));
    world.usage.count(Requested { client: other, ..world.usual(21, at(0), 10, None) });
    let other = address("rltc1qbank");
    world.usage.count(Requested { destination: other, ..world.usual(22, at(0), 100, None) });
    let other = PersonId(id(77));
    world.usage.count(Requested { initiator: other, ..world.usual(23, at(0), 1_000, None) });
    for (per, sum) in [
        (Per::Wallet, 1_210),
        (Per::Client, 1_201),
        (Per::Destination, 1_111),
        (Per::Initiator, 211),
        (Per::All, 1_211),
    ] {
        world.passes(&velocity(DAY, per, units(sum)));
        world.is_refused(&velocity(DAY, per, units(sum - 1)), "x-velocity");
    }
}

#[test]
fn velocity_counts_transfers_of_the_assets_that_its_scope_names() {
    let mut world = World::new();
    world.before(20, at(0), 1, None);
    world.usage.count(Requested { asset: ETH, ..world.usual(21, at(0), 1, None) });
    let most = |transfers| Most::Count { transfers };
    world.passes(&velocity(DAY, Per::All, most(3)));
    world.is_refused(&velocity(DAY, Per::All, most(2)), "x-velocity");
    let mut only = velocity(DAY, Per::All, most(2));
    only.rules[4].scope.assets = BTreeSet::from([LTC]);
    world.passes(&only);
    only.rules[4].scope.wallets = BTreeSet::from([world.intent.wallet]);
    world.passes(&only);
}

#[test]
fn velocity_in_value_takes_each_at_the_price_that_it_was_asked_with() {
    let mut world = World::new();
    world.intent.amount = Amount::new(100_000_000);
    world.before(20, at(0), 100_000_000, Some(500));
    let most = |cents| Most::Value { minor_units: Amount::new(cents) };
    world.is_refused(&velocity(DAY, Per::All, most(1_000)), "x-velocity");
    world.quote(LTC, 90, world.at);
    world.passes(&velocity(DAY, Per::All, most(590)));
    world.is_refused(&velocity(DAY, Per::All, most(589)), "x-velocity");
    // What had no price then is worth what it is now.
    world.before(21, at(0), 50_000_000, None);
    world.passes(&velocity(DAY, Per::All, most(635)));
    world.is_refused(&velocity(DAY, Per::All, most(634)), "x-velocity");
    // Of another asset there is none even now.
    world.usage.count(Requested { asset: ETH, ..world.usual(22, at(0), 1, None) });
    world.is_refused(&velocity(DAY, Per::All, most(1_000_000)), "x-velocity");
}

#[test]
fn velocity_says_the_same_after_later_transfers() {
    let mut world = World::new();
    let limit = velocity(DAY, Per::All, units(150));
    world.before(20, at(0), 50, None);
    world.passes(&limit);
    world.before(1, world.at, 100, None);
    world.before(21, world.at.plus_seconds(DAY), 150, None);
    world.passes(&limit);
    world.is_refused(&velocity(DAY, Per::All, units(149)), "x-velocity");
}

#[test]
fn hours_begin_with_their_first_minute_and_end_before_their_last() {
    let days = BTreeSet::from([Day::Monday, Day::Friday]);
    let office =
        policy([rule("x-hours", Demand::Hours { days, from_minute: 540, to_minute: 1_020 })]);
    let mut world = World::new();
    for (seconds, open) in [
        (540 * 60 - 1, false),
        (540 * 60, true),
        (1_020 * 60 - 1, true),
        (1_020 * 60, false),
        (DAY + 600 * 60, false),
        (4 * DAY + 600 * 60, true),
        (7 * DAY + 600 * 60, true),
    ] {
        world.at = at(seconds);
        assert_eq!(world.refused(&office).is_empty(), open, "{}", world.at);
    }
}

#[test]
fn hours_over_midnight_belong_to_the_day_that_they_begin_on() {
    let days = BTreeSet::from([Day::Sunday]);
    let night =
        policy([rule("x-hours", Demand::Hours { days, from_minute: 1_320, to_minute: 360 })]);
    let mut world = World::new();
    for (seconds, open) in [
        (6 * DAY + 1_319 * 60, false),
        (6 * DAY + 1_320 * 60, true),
        (7 * DAY + 359 * 60, true),
        (7 * DAY + 360 * 60, false),
        (7 * DAY + 1_320 * 60, false),
        (6 * DAY, false),
    ] {
        world.at = at(seconds);
        assert_eq!(world.refused(&night).is_empty(), open, "{}", world.at);
    }
}

#[test]
fn fee_cap_must_apply_to_everything_that_passes() {
    let mut world = World::new();
    world.intent.fee_cap = Amount::new(11);
    world.is_refused(&policy([]), "c-fee");
    assert_eq!(world.ask(&policy([])).allowed().unwrap_err().rule, Rule::FeeCap);
    world.intent.fee_cap = Amount::ZERO;
    let mut uncapped = policy([]);
    uncapped.rules.remove(2);
    world.is_refused(&uncapped, "fee-cap");
}

#[test]
fn wallet_ceiling_limits_one_payment_but_not_the_sweep() {
    let mut world = World::new();
    world.own(40, "rltc1qbank");
    let ceiling = |most| {
        let sweep_to = WalletId(id(40));
        policy([rule("x-ceiling", Demand::WalletCeiling { asset: LTC, most, sweep_to })])
    };
    world.passes(&ceiling(Amount::new(100)));
    world.is_refused(&ceiling(Amount::new(99)), "x-ceiling");
    world.intent.destination = address("rltc1qbank");
    world.passes(&ceiling(Amount::new(99)));
}

#[test]
fn screening_must_be_clear_and_young() {
    let mut world = World::new();
    let screened = policy([rule("x-screened", Demand::Screening { max_age_s: 3_600 })]);
    world.is_refused(&screened, "x-screened");
    world.screen(Verdict::Clear, at(11 * 3_600));
    world.passes(&screened);
    world.at = Timestamp::from_micros(world.at.micros() + 1);
    world.is_refused(&screened, "x-screened");
    world.screen(Verdict::Flagged, world.at);
    world.is_refused(&screened, "x-screened");
    world.screen(Verdict::Clear, world.at.plus_seconds(1));
    world.passes(&screened);
}
