//! The rules of coin selection, one test each. Amounts are in base units of Bitcoin.

use super::*;
use crate::bitcoin::SelectionError;

fn bitcoin() -> &'static Chain {
    Chain::of(Network::Bitcoin).unwrap()
}

const TO: Destination = Destination::P2wpkh([9; 20]);

#[test]
fn weights_are_those_of_known_transactions() {
    use crate::bitcoin::{WeightUnits, fee, weight};
    // One key-path input, one taproot output: 111 virtual bytes; with change 154.
    assert_eq!(weight(1, &[34]), Some(WeightUnits(444)));
    assert_eq!(weight(1, &[34, 34]), Some(WeightUnits(616)));
    // From 253 inputs on, their count takes three bytes.
    let step = weight(253, &[34]).unwrap().0 - weight(252, &[34]).unwrap().0;
    assert_eq!(step, 230 + 8);
    for (weight, rate, expected) in [(4, 1_000, 1), (5, 1_000, 2), (561, 1_500, 212)] {
        assert_eq!(fee(WeightUnits(weight), SatPerKvb(rate)), Some(expected));
    }
    assert_eq!(fee(WeightUnits(u64::MAX), SatPerKvb(u64::MAX)), None);
}

#[test]
fn a_set_that_pays_exactly_needs_no_change() {
    let coins = [coin(1, 500_000), coin(2, 30_400), coin(3, 20_000), coin(4, 90_000)];
    let plan = select(&request(bitcoin(), TO, 50_000, &coins)).unwrap();
    assert_eq!(plan.change, None);
    let mut amounts: Vec<u128> = plan.inputs.iter().map(|c| c.amount.units()).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [20_000, 30_400]);
    assert_eq!(plan.fee, sats(400));
}

#[test]
fn otherwise_the_largest_coins_pay_and_the_rest_comes_back() {
    let coins = [coin(1, 70_000), coin(2, 500_000), coin(3, 90_000)];
    let plan = select(&request(bitcoin(), TO, 300_000, &coins)).unwrap();
    assert_eq!(plan.inputs, coins[1..2]);
    // 142 virtual bytes at 2 each.
    assert_eq!(plan.fee, sats(284));
    assert_eq!(plan.change, Some(sats(199_716)));
}

#[test]
fn what_would_be_dust_goes_to_the_fee() {
    // 99 virtual bytes without change, 142 with it; 500 less 284 is no change worth having.
    let coins = [coin(1, 100_500)];
    let plan = select(&request(bitcoin(), TO, 100_000, &coins)).unwrap();
    assert_eq!((plan.change, plan.fee), (None, sats(500)));
}

#[test]
fn one_more_coin_saves_change_from_the_fee_where_the_cap_asks_for_it() {
    let coins = [coin(1, 100_600), coin(2, 50_000)];
    let mut wanted = request(bitcoin(), TO, 100_000, &coins);
    assert_eq!(select(&wanted).map(|plan| plan.fee), Ok(sats(600)));
    wanted.fee_cap = sats(500);
    // 199.25 → 200 virtual bytes.
    assert_eq!(select(&wanted).map(|plan| (plan.inputs.len(), plan.fee)), Ok((2, sats(400))));
    wanted.coins = &coins[..1];
    let refused = SelectionError::FeeOverCap { fee: sats(600), cap: sats(500) };
    assert_eq!(select(&wanted), Err(refused));
}

#[test]
fn the_order_of_the_coins_does_not_matter() {
    let mut coins: Vec<Coin> = (1..20).map(|n| coin(n, 10_000 + u64::from(n % 7) * 999)).collect();
    let forwards = select(&request(bitcoin(), TO, 61_000, &coins)).unwrap();
    coins.reverse();
    assert_eq!(select(&request(bitcoin(), TO, 61_000, &coins)).unwrap(), forwards);
    coins.extend_from_within(..);
    assert_eq!(select(&request(bitcoin(), TO, 61_000, &coins)).unwrap(), forwards);
}

#[test]
fn too_little_money_is_refused_with_the_amounts() {
    let coins = [coin(1, 50_000), coin(2, 30_000)];
    assert_eq!(
        select(&request(bitcoin(), TO, 80_000, &coins)),
        Err(SelectionError::Insufficient { available: sats(80_000), needed: sats(80_314) })
    );
    assert!(matches!(
        select(&request(bitcoin(), TO, 80_000, &[])),
        Err(SelectionError::Insufficient { available: Amount::ZERO, .. })
    ));
}

#[test]
fn a_coin_that_costs_more_than_it_holds_is_never_spent() {
    // At 2 per virtual byte an input costs 115.
    let coins = [coin(1, 100_300), coin(2, 115)];
    let plan = select(&request(bitcoin(), TO, 100_000, &coins)).unwrap();
    assert_eq!(plan.inputs, coins[..1]);
}

#[test]
fn a_fee_over_the_cap_is_refused() {
    let coins = [coin(1, 500_000)];
    let mut wanted = request(bitcoin(), TO, 300_000, &coins);
    wanted.fee_cap = sats(283);
    assert_eq!(select(&wanted), Err(SelectionError::FeeOverCap { fee: sats(284), cap: sats(283) }));
    wanted.fee_cap = sats(284);
    assert!(select(&wanted).is_ok());
}

/// BIP 69: inputs by id as printed, then number; outputs by amount, then script.
#[test]
fn nothing_in_the_order_of_inputs_and_outputs_tells_which_is_change() {
    let wallet = TestWallet::on(Network::Bitcoin);
    let mut coins: Vec<Coin> = (0..6).map(|n| coin(n, 50_000)).collect();
    let same = coins[4].outpoint.txid.clone();
    coins[5].outpoint.txid = same;
    for amount in [120_000, 200_000] {
        let mut wanted = request(wallet.chain, TO, amount, &[]);
        wanted.keep = &coins;
        let plan = select(&wanted).unwrap();
        let unsigned = wallet.build(TO, amount, &plan);
        let spends: Vec<OutPoint> = unsigned.spends().collect();
        assert!(spends.windows(2).all(|pair| pair[0] < pair[1]));
        let paid = &unsigned.psbt.unsigned_tx.output;
        assert!(paid.len() == 2 && paid[0].value < paid[1].value);
    }
}

#[test]
fn dust_is_not_paid() {
    let coins = [coin(1, 500_000)];
    assert_eq!(
        select(&request(bitcoin(), TO, 293, &coins)),
        Err(SelectionError::Dust { amount: sats(293), least: sats(294) })
    );
    assert!(select(&request(bitcoin(), TO, 294, &coins)).is_ok());
}

#[test]
fn a_rate_that_nodes_do_not_relay_is_refused() {
    let coins = [coin(1, 500_000)];
    let mut wanted = request(bitcoin(), TO, 300_000, &coins);
    wanted.rate = SatPerKvb(999);
    assert_eq!(select(&wanted), Err(SelectionError::RateTooLow { rate: 999, least: 1_000 }));
}

#[test]
fn more_than_all_the_money_is_refused() {
    let all = bitcoin().max_money;
    let coins = [coin(1, 500_000)];
    assert_eq!(select(&request(bitcoin(), TO, all + 1, &coins)), Err(SelectionError::OutOfRange));
    let mut wanted = request(bitcoin(), TO, 300_000, &coins);
    wanted.rate = SatPerKvb(u64::MAX);
    assert!(matches!(
        select(&wanted),
        Err(SelectionError::OutOfRange | SelectionError::Insufficient { .. })
    ));
}

#[test]
fn so_many_coins_that_nodes_would_not_relay_are_refused() {
    let coins: Vec<Coin> = (0..1_800).map(|n| coin(n, 1_000)).collect();
    // 1741 of them are needed, and 1738 are as many as fit.
    let found = select(&request(bitcoin(), TO, 1_540_000, &coins)).map(|plan| plan.inputs.len());
    assert_eq!(found, Err(SelectionError::TooLarge));
}

/// BIP 125: the replacement spends what the first attempt spent, and pays more than it by its own
/// size at the relay rate.
#[test]
fn a_replacement_keeps_the_coins_and_pays_more() {
    let wallet = TestWallet::on(Network::Bitcoin);
    let coins = [coin(1, 100_400), coin(2, 500_000)];
    let first = select(&request(wallet.chain, TO, 100_000, &coins[..1])).unwrap();
    let mut wanted = request(wallet.chain, TO, 100_000, &coins);
    wanted.keep = &first.inputs;
    wanted.replaced_fee = Some(first.fee);
    let second = select(&wanted).unwrap();
    assert_eq!(second.inputs.len(), 2);
    // 200 virtual bytes at the relay rate of 1 on top of the first fee of 400.
    assert_eq!(second.fee, sats(600));
    let (first, second) = (wallet.build(TO, 100_000, &first), wallet.build(TO, 100_000, &second));
    assert!(first.excludes(&second) && second.excludes(&first));
    let other = select(&request(wallet.chain, TO, 100_000, &coins[1..])).unwrap();
    assert!(!first.excludes(&wallet.build(TO, 100_000, &other)));
}
