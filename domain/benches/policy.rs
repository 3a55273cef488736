//! What asking a policy costs, by its rules and by the payments before. It must not grow with
//! history: beside each number stands a naive sum over the same history, which does.
//!
//! `STRONGROOM_BENCH_PAST` limits the history (default 1000000), for a quick look whether it runs.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has nothing to report")]
#![expect(clippy::print_stdout, reason = "a benchmark reports on its standard output")]
#![expect(clippy::disallowed_methods, reason = "a benchmark needs a clock")]
#![expect(clippy::float_arithmetic, reason = "ratios of times")]

use criterion::{Criterion, criterion_group, criterion_main};
use std::{
    collections::BTreeMap,
    hint::black_box,
    time::{Duration, Instant},
};
use strongroom_domain::{
    AccountId, Amount, Asset, ClientId, Intent, Network, PersonId, Timestamp, TransferId, WalletId,
    policy::{
        Case, Demand, Destination, Facts, Groups, Label, Most, Per, Policy, PolicyRule,
        Requirement, Scope, Since,
    },
    price::Prices,
    screening::Screenings,
    usage::{Requested, Usage},
    wallet::Tier,
};
use uuid::Uuid;

const LTC: Asset = Network::LitecoinRegtest.native_asset();
const WINDOW_S: u64 = 86_400;
/// Between two payments of the history, in microseconds: a million of them are about 12 days.
const STEP: u64 = 1_000_000;
const RULES: [usize; 2] = [1, 1_000];
const PAST: [u64; 3] = [1, 1_000, 1_000_000];

fn id(n: u64) -> Uuid {
    Uuid::from_u128(n.into())
}

fn label(text: &str) -> Label {
    Label::try_from(text.to_owned()).unwrap()
}

/// The first rule is a limit over a day; the others are such limits too, among all kinds that look
/// at every payment.
fn policy(rules: usize) -> Policy {
    let most = Most::Amount { asset: LTC, units: Amount::new(u128::MAX >> 1) };
    let demand = |n: usize| match n % 4 {
        0 => Demand::Velocity { window_s: WINDOW_S, per: Per::All, most },
        1 => Demand::Permit,
        2 => Demand::FeeCap { asset: LTC, most: Amount::new(10) },
        _ => {
            Demand::Approvals { require: vec![Requirement { approvals: 2, group: label("desk") }] }
        }
    };
    let rule =
        |n| PolicyRule { id: label(&format!("r-{n}")), scope: Scope::default(), demand: demand(n) };
    Policy {
        version: 1,
        destinations: vec![Destination {
            network: LTC.network(),
            address: "rltc1qexchange".parse().unwrap(),
            label: label("exchange"),
        }],
        rules: (0..rules).map(rule).collect(),
        confirmations: BTreeMap::new(),
        proposal_lifetime_s: WINDOW_S,
        prices: None,
    }
}

struct World {
    usage: Usage,
    /// The same history as a list, for the naive sum.
    list: Vec<(Timestamp, u128)>,
    at: Timestamp,
    groups: Groups,
    since: Since,
    prices: Prices,
    screenings: Screenings,
    wallets: BTreeMap<WalletId, strongroom_domain::wallet::Wallet>,
    intent: Intent,
}

impl World {
    fn new(past: u64) -> Self {
        let intent = Intent {
            transfer: TransferId(id(u64::MAX)),
            account: AccountId(id(2)),
            wallet: WalletId(id(3)),
            asset: LTC,
            amount: Amount::new(100),
            destination: "rltc1qexchange".parse().unwrap(),
            fee_cap: Amount::new(10),
        };
        let begin: Timestamp = "2026-11-22T00:00:00.000000Z".parse().unwrap();
        let after = |n: u64| Timestamp::from_micros(begin.micros() + n * STEP);
        let (mut usage, mut list) = (Usage::default(), Vec::new());
        for n in 0..past {
            usage.count(Requested {
                transfer: TransferId(id(n)),
                time: after(n),
                wallet: intent.wallet,
                client: ClientId(id(5)),
                destination: intent.destination.clone(),
                initiator: PersonId(id(9)),
                asset: LTC,
                amount: intent.amount,
                value: None,
            });
            // What is final is the usual case.
            usage.settle(TransferId(id(n)));
            list.push((after(n), 100));
        }
        let people = (1..=4).map(|n| PersonId(id(n))).collect();
        let address = intent.destination.clone();
        Self {
            usage,
            list,
            at: after(past),
            groups: Groups::from([(label("desk"), people)]),
            since: Since::from([(
                LTC.network(),
                BTreeMap::from([(address, Timestamp::default())]),
            )]),
            prices: Prices::default(),
            screenings: Screenings::default(),
            wallets: BTreeMap::new(),
            intent,
        }
    }

    fn ask(&self, policy: &Policy) -> usize {
        let decision = policy.evaluate(&Case {
            intent: &self.intent,
            maker: PersonId(id(9)),
            client: ClientId(id(5)),
            wallet_tier: Tier::Hot,
            at: self.at,
            priced: None,
            call: None,
            facts: Facts {
                groups: &self.groups,
                destinations_since: &self.since,
                usage: &self.usage,
                late: None,
                prices: &self.prices,
                screenings: &self.screenings,
                wallets: &self.wallets,
            },
        });
        decision.verdicts.len()
    }

    /// What one limit would cost without the tree.
    fn naive(&self) -> u128 {
        let after = self.at.micros() - WINDOW_S * 1_000_000;
        self.list.iter().filter(|(time, _)| time.micros() > after).map(|(_, amount)| amount).sum()
    }
}

fn past() -> impl Iterator<Item = u64> {
    let most = std::env::var("STRONGROOM_BENCH_PAST").ok().map(|most| most.parse().unwrap());
    PAST.into_iter().filter(move |past| most.is_none_or(|most: u64| *past <= most))
}

fn asking(c: &mut Criterion) {
    let mut group = c.benchmark_group("Policy::evaluate");
    for past in past() {
        let world = World::new(past);
        for rules in RULES {
            let policy = policy(rules);
            let name = format!("{rules} rules, {past} payments before");
            group.bench_function(name, |b| b.iter(|| black_box(world.ask(black_box(&policy)))));
        }
        group.bench_function(format!("naive sum over {past} payments"), |b| {
            b.iter(|| black_box(world.naive()));
        });
    }
    group.finish();
}

/// The fastest of several rounds, per call.
fn fastest(mut call: impl FnMut()) -> Duration {
    let rounds = (0..20).map(|_| {
        let begin = Instant::now();
        for _ in 0..10 {
            call();
        }
        begin.elapsed() / 10
    });
    rounds.min().unwrap()
}

/// The same in one table, as ratios to one payment before: what a reader wants to know.
fn ratios(_: &mut Criterion) {
    println!("rules  past      evaluate   ratio   naive sum   ratio");
    for rules in RULES {
        let policy = policy(rules);
        let mut first = None;
        for past in past() {
            let world = World::new(past);
            let evaluate = fastest(|| _ = black_box(world.ask(black_box(&policy))));
            let naive = fastest(|| _ = black_box(world.naive()));
            let (one, one_naive) = *first.get_or_insert((evaluate, naive));
            let ratio = |now: Duration, then: Duration| {
                format!("{:.2}", now.as_secs_f64() / then.as_secs_f64().max(1e-9))
            };
            println!(
                "{rules:<6} {past:<9} {:<10} {:<7} {:<11} {}",
                format!("{evaluate:.1?}"),
                ratio(evaluate, one),
                format!("{naive:.1?}"),
                ratio(naive, one_naive)
            );
        }
    }
}

criterion_group!(policy_benches, asking, ratios);
criterion_main!(policy_benches);
