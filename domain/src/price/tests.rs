//! Given prices, when a quote comes, then it is the newest one or refused.

use super::*;
use crate::{Bytes, Network, scenario::given};

fn quoted(minor_units: u128, seconds: u64) -> Quoted {
    Quoted {
        asset: Network::LitecoinRegtest.native_asset(),
        reference: Label::try_from("usd".to_owned()).unwrap(),
        minor_units: Amount::new(minor_units),
        at: Timestamp::default().plus_seconds(seconds),
        signature: Bytes(vec![7; 64]),
    }
}

#[test]
fn the_newest_price_counts() {
    let prices = given::<Prices>([quoted(9_000, 1).into()])
        .when(Command(quoted(9_100, 2)))
        .then([quoted(9_100, 2).into()]);
    let quote = quoted(9_100, 2);
    assert_eq!(prices.of(quote.asset), Some(&Quote::from(&quote)));
    assert_eq!(prices.newest().len(), 1);
}

#[test]
fn an_older_price_is_refused_and_the_same_is_no_news() {
    let with = || given::<Prices>([quoted(9_000, 5).into()]);
    with().when(Command(quoted(9_000, 5))).then_nothing();
    with().when(Command(quoted(9_500, 5))).then_refused(Rule::PriceInvalid);
    with().when(Command(quoted(9_500, 4))).then_refused(Rule::PriceInvalid);
}

#[test]
fn a_price_of_nothing_is_refused() {
    given::<Prices>([]).when(Command(quoted(0, 1))).then_refused(Rule::PriceInvalid);
}

#[test]
fn a_log_whose_prices_go_back_is_damaged() {
    given::<Prices>([quoted(9_000, 5).into()]).cannot_be_followed_by(quoted(9_000, 4));
}
