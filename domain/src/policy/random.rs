//! Random policies and transfers in the small world, for properties: few values, so that rules meet
//! transfers and their edges often.

use super::{world::*, *};
use crate::{Amount, Timestamp, WalletId, screening::Verdict};
use proptest::{collection::vec, prelude::*, sample::subsequence};
use std::collections::BTreeSet;

fn requirement() -> impl Strategy<Value = Vec<Requirement>> {
    let one = |group: &'static str| prop::option::of((1..4_u8).prop_map(move |m| ask(m, group)));
    (one("board"), one("desk")).prop_map(|(a, b)| a.into_iter().chain(b).collect())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let limits = subsequence(vec![50, 100, 150, 200], 1..=4);
    (limits, vec((requirement(), 0..3_u64), 4)).prop_map(|(limits, asked)| {
        let steps = limits.into_iter().zip(asked);
        let step = |(up_to, (require, delay_s))| {
            let up_to = Amount::new(up_to);
            Step { up_to, require, delay_s }
        };
        steps.map(step).collect()
    })
}

fn most() -> impl Strategy<Value = Most> {
    let amount = |units| Most::Amount { asset: LTC, units: Amount::new(units) };
    prop_oneof![
        (0..500_u128).prop_map(amount),
        (0..500_u128).prop_map(|units| Most::Value { minor_units: Amount::new(units) }),
        (0..5_u32).prop_map(|transfers| Most::Count { transfers }),
    ]
}

/// Any demand about payments.
pub(super) fn demand() -> impl Strategy<Value = Demand> {
    let assets = || prop_oneof![Just(LTC), Just(ETH)];
    let per = prop_oneof![Just(Per::Wallet), Just(Per::Destination), Just(Per::All)];
    let by = prop_oneof![
        Just(Measure::ReferenceValue),
        Just(Measure::AssetAmount(LTC)),
        Just(Measure::AssetAmount(ETH))
    ];
    let days = subsequence(Day::ALL.to_vec(), 1..=7).prop_map(BTreeSet::from_iter);
    let minutes = (0..4_u16, 0..4_u16).prop_filter("no empty window", |(from, to)| from != to);
    prop_oneof![
        2 => Just(Demand::Permit),
        1 => Just(Demand::Forbid),
        1 => (0..3_u64).prop_map(|days| Demand::Allowlist { cooling_off_s: days * DAY }),
        3 => (by, steps()).prop_map(|(by, steps)| Demand::Tiers { by, steps }),
        3 => requirement().prop_filter("asks somebody", |require| !require.is_empty())
            .prop_map(|require| Demand::Approvals { require }),
        3 => (1..72_u64, per, most()).prop_map(|(hours, per, most)| Demand::Velocity {
            window_s: hours * 3_600, per, most,
        }),
        1 => (days, minutes).prop_map(|(days, (from, to))| Demand::Hours {
            days, from_minute: from * 360, to_minute: to * 360,
        }),
        1 => (1..5_u64).prop_map(|seconds| Demand::Delay { seconds }),
        2 => (assets(), 5..15_u128).prop_map(|(asset, most)| Demand::FeeCap {
            asset, most: Amount::new(most),
        }),
        1 => (assets(), 1..200_u128).prop_map(|(asset, most)| Demand::WalletCeiling {
            asset, most: Amount::new(most), sweep_to: WalletId(id(40)),
        }),
        1 => (1..48_u64).prop_map(|hours| Demand::Screening { max_age_s: hours * 3_600 }),
        1 => Just(Demand::MakerNotChecker),
    ]
}

pub(super) fn scope() -> impl Strategy<Value = Scope> {
    let assets = prop_oneof![
        4 => Just(BTreeSet::new()),
        2 => Just(BTreeSet::from([LTC])),
        1 => Just(BTreeSet::from([ETH])),
    ];
    let destinations = prop_oneof![
        5 => Just(BTreeSet::new()),
        1 => Just(BTreeSet::from([label("exchange")])),
        1 => Just(BTreeSet::from([label("bank")])),
    ];
    let over = prop_oneof![
        6 => Just(None),
        1 => (0..200_u128).prop_map(|units| {
            Some(Threshold::Amount { asset: LTC, units: Amount::new(units) })
        }),
        1 => (0..200_u128).prop_map(|minor| {
            Some(Threshold::Value { minor_units: Amount::new(minor) })
        }),
    ];
    (assets, destinations, over).prop_map(|(assets, destinations, over)| Scope {
        assets,
        destinations,
        over,
        ..Scope::default()
    })
}

pub(super) fn body() -> impl Strategy<Value = (Scope, Demand)> {
    (scope(), demand()).prop_map(|(mut scope, demand)| {
        if demand.kind() == Kind::Permit {
            scope.over = None;
        }
        (scope, demand)
    })
}

/// The small policy, or nothing of it, with some more rules.
pub(super) fn any_policy() -> impl Strategy<Value = Policy> {
    let based = prop_oneof![4 => Just(true), 1 => Just(false)];
    (based, vec(body(), 0..6)).prop_map(|(based, bodies)| {
        let rule = |(n, (scope, demand))| scoped(&format!("r-{n}"), scope, demand);
        let mut policy = policy(bodies.into_iter().enumerate().map(rule));
        if !based {
            policy.rules.drain(..4);
        }
        policy
    })
}

/// A transfer with a history, at an edge of something now and then.
pub(super) fn any_world() -> impl Strategy<Value = World> {
    let history = vec((0..96_u64, 0..150_u128, prop::option::of(0..150_u128)), 0..8);
    let amount = prop_oneof![Just(50), Just(100), Just(101), Just(150), Just(200), 1..250_u128];
    let asked = (amount, 5..15_u128, 96..192_u64, any::<bool>(), any::<bool>());
    let screened = prop::option::of((any::<bool>(), 48..192_u64));
    let quoted = prop::option::of(0..1_200_u64);
    (history, asked, screened, quoted, 1..10_u128).prop_map(
        |(mut history, (amount, fee, hours, bank, eth), screened, quoted, maker)| {
            let mut world = World::new();
            world.at = at(hours * 3_600);
            world.maker = crate::PersonId(id(maker));
            world.own(40, "rltc1qbank");
            history.sort_unstable();
            for (n, (hour, amount, value)) in (100..).zip(history) {
                world.before(n, at(hour * 3_600), amount, value);
            }
            world.intent.amount = Amount::new(amount);
            world.intent.fee_cap = Amount::new(fee);
            let to = if bank { "rltc1qbank" } else { "rltc1qexchange" };
            world.intent.destination = address(to);
            if eth {
                world.intent.asset = ETH;
                world.intent.destination = address("0xexchange");
            }
            world.on_the_list(LTC.network(), "rltc1qbank", at(80 * 3_600));
            if let Some((clear, hour)) = screened {
                let verdict = if clear { Verdict::Clear } else { Verdict::Flagged };
                world.screen(verdict, at(hour * 3_600));
            }
            if let Some(age) = quoted {
                let then = Timestamp::from_micros(world.at.micros() - age * 1_000_000);
                // 10^8 base units are worth 10^8 cents: a base unit is worth a cent.
                world.quote(LTC, 100_000_000, then);
                world.quote(ETH, 1_000_000_000_000_000_000, then);
            }
            world
        },
    )
}
