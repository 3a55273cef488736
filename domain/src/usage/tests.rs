//! Sums over windows, against a list that is added up anew each time.

use super::*;
use proptest::prelude::*;
use uuid::Uuid;

pub(super) const LTC: Asset = Network::LitecoinRegtest.native_asset();
const ETH: Asset = Network::EthereumDev.native_asset();
const DAY: u64 = 86_400;

pub(super) fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

pub(super) fn requested(n: u128, time: Timestamp, amount: u128) -> Requested {
    Requested {
        transfer: TransferId(id(n)),
        time,
        wallet: WalletId(id(1)),
        client: ClientId(id(2)),
        destination: "rltc1qexchange".parse().expect("an address"),
        initiator: PersonId(id(3)),
        asset: LTC,
        amount: Amount::new(amount),
        value: None,
    }
}

fn amount(usage: &Usage, of: &Of, window: (Timestamp, u64), transfer: u128) -> u128 {
    let mut sums = usage.within(of, window, TransferId(id(transfer)));
    sums.find(|(asset, _)| *asset == LTC).map_or(0, |(_, tally)| tally.amount().units())
}

#[test]
fn an_entry_exactly_at_the_edge_of_the_window_is_outside() {
    let mut usage = Usage::default();
    usage.count(requested(1, at(100), 7));
    assert_eq!(amount(&usage, &Of::All, (at(159), 60), 9), 7);
    assert_eq!(amount(&usage, &Of::All, (at(160), 60), 9), 0, "100 is not after 160 - 60");
    let just = Timestamp::from_micros(at(160).micros() - 1);
    assert_eq!(amount(&usage, &Of::All, (just, 60), 9), 7);
    assert_eq!(amount(&usage, &Of::All, (at(30), 60), 9), 7, "a window from before the epoch");
}

#[test]
fn every_series_counts_its_own() {
    let mut usage = Usage::default();
    usage.count(requested(1, at(100), 7));
    usage.count(Requested { wallet: WalletId(id(4)), ..requested(2, at(101), 11) });
    usage.count(Requested { client: ClientId(id(4)), ..requested(3, at(102), 13) });
    usage.count(Requested { initiator: PersonId(id(4)), ..requested(4, at(103), 17) });
    let elsewhere = "rltc1qother".parse().expect("an address");
    usage.count(Requested { destination: elsewhere, ..requested(5, at(104), 19) });
    let place = Of::Destination(Network::LitecoinRegtest, "rltc1qexchange".parse().expect("one"));
    for (of, sum) in [
        (Of::All, 67),
        (Of::Wallet(WalletId(id(1))), 56),
        (Of::Client(ClientId(id(2))), 54),
        (Of::Initiator(PersonId(id(3))), 50),
        (place, 48),
        (Of::Wallet(WalletId(id(9))), 0),
    ] {
        assert_eq!(amount(&usage, &of, (at(104), 60), 9), sum, "{of:?}");
    }
}

#[test]
fn what_came_to_nothing_is_freed_and_what_is_final_is_not() {
    let mut usage = Usage::default();
    usage.count(requested(1, at(100), 7));
    usage.count(requested(2, at(101), 11));
    usage.free(TransferId(id(1)));
    usage.settle(TransferId(id(2)));
    usage.free(TransferId(id(2)));
    assert_eq!(amount(&usage, &Of::All, (at(102), 60), 9), 11);
    assert!(!usage.counts(TransferId(id(1))) && !usage.counts(TransferId(id(2))));
}

#[test]
fn a_counted_transfer_is_told_what_stood_before_it_in_every_asset() {
    let mut usage = Usage::default();
    for (n, asset) in [(1, ETH), (2, LTC), (3, ETH), (4, LTC)] {
        usage.count(Requested { asset, ..requested(n, at(100), 1) });
    }
    let sums: Vec<_> = usage
        .within(&Of::All, (at(100), 60), TransferId(id(3)))
        .map(|(asset, tally)| (asset, tally.transfers()))
        .collect();
    assert_eq!(sums, [(LTC, 1), (ETH, 1)]);
}

#[test]
fn a_transfer_without_a_price_is_told_apart() {
    let mut usage = Usage::default();
    usage.count(requested(1, at(100), 7));
    usage.count(Requested { value: Some(Amount::new(500)), ..requested(2, at(100), 11) });
    let sums: Vec<_> = usage.within(&Of::All, (at(100), 60), TransferId(id(9))).collect();
    let [(LTC, tally)] = sums.as_slice() else { panic!("{sums:?}") };
    assert_eq!((tally.value(), tally.unpriced()), (Amount::new(500), Amount::new(7)));
}

#[test]
fn a_long_history_is_forgotten_and_the_last_31_days_never() {
    let mut usage = Usage::default();
    let daily = 400;
    for day in 0..daily {
        usage.count(requested(u128::from(day), at(day * DAY), 1));
    }
    for day in 0..daily {
        usage.free(TransferId(id(u128::from(day))));
        usage.count(requested(u128::from(day), at(daily * DAY), 0));
    }
    assert_eq!(amount(&usage, &Of::All, (at(daily * DAY), 31 * DAY), 9_999), 0);
    for (of, kept) in &usage.series {
        let json = serde_json::to_value(&kept[&LTC]).expect("JSON");
        let entries = json["entries"].as_array().expect("a list").len();
        assert!(entries < 800, "{of:?} keeps {entries} of 800");
    }
}

/// Something that happens to usage.
#[derive(Clone, Debug)]
enum Step {
    Count { after_s: u64, wallet: u128, asset: Asset, amount: u128, value: Option<u128> },
    Free(usize),
    Settle(usize),
    Ask { back_s: u64, window_s: u64, of: usize, transfer: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let assets = prop_oneof![Just(LTC), Just(ETH)];
    let value = prop::option::of(0..1_000_u128);
    prop_oneof![
        4 => (0..3 * DAY, 0..3_u128, assets, 0..1_000_u128, value).prop_map(
            |(after_s, wallet, asset, amount, value)| Step::Count {
                after_s, wallet, asset, amount, value
            }
        ),
        1 => (0..200_usize).prop_map(Step::Free),
        1 => (0..200_usize).prop_map(Step::Settle),
        3 => (0..DAY, 1..31 * DAY, 0..4_usize, 0..200_usize).prop_map(
            |(back_s, window_s, of, transfer)| Step::Ask { back_s, window_s, of, transfer }
        ),
    ]
}

#[derive(Default)]
struct Naive {
    all: Vec<(Requested, bool)>,
    over: std::collections::BTreeSet<usize>,
}

impl Naive {
    fn within(
        &self,
        of: &Of,
        (at, window_s): (Timestamp, u64),
        nth: usize,
    ) -> BTreeMap<Asset, Tally> {
        let known = nth < self.all.len() && !self.over.contains(&nth);
        let upto = if known { nth } else { self.all.len() };
        let mut sums: BTreeMap<Asset, Tally> = BTreeMap::new();
        let mine = |r: &Requested| *of == Of::All || *of == Of::Wallet(r.wallet);
        for (r, counted) in self.all.iter().take(upto) {
            let inside = i128::from(r.time.micros())
                > i128::from(at.micros()) - i128::from(window_s) * 1_000_000;
            if mine(r) && inside && *counted {
                let tally = sums.entry(r.asset).or_default();
                let one = Tally::one(r.amount, r.value);
                tally.transfers += 1;
                tally.amount = tally.amount.checked_add(one.amount).expect("small");
                tally.value = tally.value.checked_add(one.value).expect("small");
                tally.unpriced = tally.unpriced.checked_add(one.unpriced).expect("small");
            }
        }
        sums
    }
}

proptest! {
    #[test]
    fn usage_says_what_a_naive_sum_says(steps in prop::collection::vec(step(), 1..250)) {
        let (mut usage, mut naive, mut now) = (Usage::default(), Naive::default(), at(0));
        for step in steps {
            match step {
                Step::Count { after_s, wallet, asset, amount, value } => {
                    now = now.plus_seconds(after_s);
                    let n = naive.all.len();
                    let one = Requested {
                        wallet: WalletId(id(wallet)),
                        asset,
                        value: value.map(Amount::new),
                        ..requested(n as u128, now, amount)
                    };
                    usage.count(one.clone());
                    naive.all.push((one, true));
                }
                Step::Free(n) => {
                    usage.free(TransferId(id(n as u128)));
                    if n < naive.all.len() && naive.over.insert(n) {
                        naive.all[n].1 = false;
                    }
                }
                Step::Settle(n) => {
                    usage.settle(TransferId(id(n as u128)));
                    if n < naive.all.len() {
                        naive.over.insert(n);
                    }
                }
                Step::Ask { back_s, window_s, of, transfer } => {
                    let of = [Of::All, Of::Wallet(WalletId(id(0))), Of::Wallet(WalletId(id(1))),
                        Of::Wallet(WalletId(id(2)))][of].clone();
                    let asked = Timestamp::from_micros(
                        now.micros().saturating_sub(back_s * 1_000_000));
                    let told: BTreeMap<_, _> = usage
                        .within(&of, (asked, window_s), TransferId(id(transfer as u128)))
                        .filter(|(_, tally)| *tally != Tally::default())
                        .collect();
                    prop_assert_eq!(told, naive.within(&of, (asked, window_s), transfer));
                }
            }
        }
    }
}
