//! Replacing, cancelling and pulling along, one test for each rule. Vectors are reckoned by hand from
//! BIP 125 and BIP 141.

use super::*;
use crate::bitcoin::{Bid, BidError, DecodeError, cancel, child, fee, replace};

fn wallet() -> TestWallet {
    TestWallet::on(Network::Bitcoin)
}

fn bid(rate: u64, cap: u64, replaced: u64) -> Bid {
    Bid { rate: SatPerKvb(rate), cap: sats(cap), replaced: Some(sats(replaced)) }
}

fn replaced(of: &TestWallet, earlier: &UnsignedTx, bid: Bid) -> Result<UnsignedTx, BidError> {
    replace(earlier, &|a| of.owns(a), bid)
}

/// 1 input, 2 outputs, one of them P2WPKH: 142 virtual bytes, at 2 each.
const EXAMPLE_FEE: u64 = 284;

#[test]
fn a_replacement_pays_the_same_from_the_same_coins_and_takes_its_fee_from_the_change() {
    let wallet = wallet();
    let (owns, earlier) = (|a: &Address| wallet.owns(a), wallet.example());
    assert_eq!(earlier.fee(), Ok(sats(EXAMPLE_FEE)));
    let later = replaced(&wallet, &earlier, bid(10_000, 5_000, EXAMPLE_FEE)).unwrap();
    let (before, after) = (earlier.effect(&owns).unwrap(), later.effect(&owns).unwrap());
    assert_eq!((before.destination, before.amount), (after.destination, after.amount));
    assert_eq!(after.fee, sats(1_420));
    assert!(later.spends().eq(earlier.spends()));
    assert!(later.excludes(&earlier) && earlier.excludes(&later));
    assert_ne!(later.id(), earlier.id());
    // Our own decoder takes it, and its signatures are good.
    let bytes = later.to_bytes();
    assert_eq!(UnsignedTx::parse(wallet.chain, bytes.as_slice()), Ok(later.clone()));
    later.assemble(&wallet.sign(&later)).unwrap();
}

#[test]
fn bip_125_rules_3_and_4_hold_however_low_the_market_is() {
    let wallet = wallet();
    let earlier = wallet.example();
    // More than all that it replaces, by its own size at the relay rate: 284 + 142.
    for replaced_fee in [EXAMPLE_FEE, 700] {
        let later = replaced(&wallet, &earlier, bid(1_000, 5_000, replaced_fee)).unwrap();
        assert_eq!(later.fee(), Ok(sats(replaced_fee + 142)));
    }
}

#[test]
fn a_replacement_offers_what_the_cap_allows_and_never_more() {
    let wallet = wallet();
    let earlier = wallet.example();
    let later = replaced(&wallet, &earlier, bid(50_000, 900, EXAMPLE_FEE)).unwrap();
    assert_eq!(later.fee(), Ok(sats(900)));
    // 284 + 142 is the least that nodes take.
    assert!(replaced(&wallet, &earlier, bid(50_000, 426, EXAMPLE_FEE)).is_ok());
    assert_eq!(
        replaced(&wallet, &earlier, bid(50_000, 425, EXAMPLE_FEE)),
        Err(BidError::OverCap { least: sats(426), cap: sats(425) })
    );
}

#[test]
fn change_that_would_be_dust_goes_to_the_fee_if_the_cap_allows_it() {
    let wallet = wallet();
    let to = Destination::P2wpkh([9; 20]);
    let coins = [coin(1, 61_000)];
    let plan = select(&request(wallet.chain, to, 60_000, &coins)).unwrap();
    assert_eq!(plan.change, Some(sats(716)));
    let earlier = wallet.build(to, 60_000, &plan);
    let later = replaced(&wallet, &earlier, bid(5_000, 1_000, EXAMPLE_FEE)).unwrap();
    assert_eq!(later.fee(), Ok(sats(1_000)));
    assert_eq!(later.effect(&|a| wallet.owns(a)).unwrap().amount, sats(60_000));
    assert!(matches!(
        replaced(&wallet, &earlier, bid(5_000, 999, EXAMPLE_FEE)),
        Err(BidError::OverCap { .. })
    ));
    // Without change there is nothing left to take a fee from.
    assert!(matches!(
        replaced(&wallet, &later, bid(50_000, 90_000, 1_000)),
        Err(BidError::NoChange { .. })
    ));
}

#[test]
fn a_cancellation_spends_all_the_coins_back_to_the_wallet() {
    let wallet = wallet();
    let coins = [coin(1, 100_000), coin(2, 50_000)];
    let plan = select(&request(wallet.chain, Destination::P2wpkh([9; 20]), 140_000, &coins));
    let payment = wallet.build(Destination::P2wpkh([9; 20]), 140_000, &plan.unwrap());
    let key = |path| Some(public_key(path));
    let made = cancel(wallet.chain, &coins, CHANGE, key, bid(3_000, 5_000, 400)).unwrap();
    let owns = |a: &Address| wallet.owns(a);
    // 2 inputs, 1 output: 169 virtual bytes. By the rate 507, by the rules 400 + 169.
    assert_eq!(made.returned(&owns), Ok(sats(569)));
    assert!(made.excludes(&payment) && !made.depends_on(&payment));
    // It is no payment, and a payment is no cancellation.
    assert_eq!(made.effect(&owns), Err(DecodeError::NoPayment));
    assert!(matches!(payment.returned(&owns), Err(DecodeError::Outward { .. })));
    made.assemble(&wallet.sign(&made)).unwrap();
    let short = cancel(wallet.chain, &coins[..1], CHANGE, key, bid(1_000, 200_000, 99_800));
    assert!(matches!(short, Err(BidError::NoChange { .. })));
}

#[test]
fn a_child_lifts_its_parent_to_the_rate_and_pays_nobody() {
    let wallet = wallet();
    let (owns, parent) = (|a: &Address| wallet.owns(a), wallet.example());
    let key = |path| Some(public_key(path));
    let offer = Bid { rate: SatPerKvb(10_000), cap: sats(5_000), replaced: None };
    let made = child(&parent, &owns, CHANGE, key, offer).unwrap();
    // 142 and 111 virtual bytes: weights 565 and 444, together 253 at 10 each, less what is paid.
    assert_eq!(made.returned(&owns), Ok(sats(2_530 - EXAMPLE_FEE)));
    assert!(made.depends_on(&parent) && !made.excludes(&parent) && !parent.depends_on(&made));
    assert!(!made.depends_on(&made));
    made.assemble(&wallet.sign(&made)).unwrap();
    // The cap is for both.
    let capped = child(&parent, &owns, CHANGE, key, Bid { cap: sats(1_000), ..offer }).unwrap();
    assert_eq!(capped.fee(), Ok(sats(1_000 - EXAMPLE_FEE)));
    let least = EXAMPLE_FEE + 111;
    assert!(child(&parent, &owns, CHANGE, key, Bid { cap: sats(least), ..offer }).is_ok());
    assert_eq!(
        child(&parent, &owns, CHANGE, key, Bid { cap: sats(least - 1), ..offer }),
        Err(BidError::OverCap { least: sats(least), cap: sats(least - 1) })
    );
    // Another child of the same parent excludes the first.
    let again = child(&parent, &owns, CHANGE, key, Bid { replaced: Some(sats(2_246)), ..offer });
    let again = again.unwrap();
    assert!(again.excludes(&made) && again.fee().unwrap() > made.fee().unwrap());
}

#[test]
fn what_returns_must_return_all_of_it_to_change() {
    let wallet = wallet();
    let coins = [coin(1, 100_000)];
    // "Change" to a deposit address would be credited to a client.
    let key = |path| Some(public_key(path));
    let offer = bid(2_000, 5_000, 0);
    let made = cancel(wallet.chain, &coins, deposit(3), key, offer).unwrap();
    let refused = made.returned(&|a| wallet.owns(a));
    assert_eq!(refused, Err(DecodeError::Outward { output: 0 }));
    // Nobody else's coins.
    let stranger = cancel(wallet.chain, &coins, CHANGE, key, offer).unwrap();
    assert_eq!(stranger.returned(&|_| None), Err(DecodeError::ForeignInput { input: 0 }));
}

#[test]
fn the_weight_of_what_was_built_is_the_weight_that_was_planned() {
    let wallet = wallet();
    let earlier = wallet.example();
    let weight = earlier.weight().unwrap();
    assert_eq!(fee(weight, SatPerKvb(2_000)), Some(EXAMPLE_FEE));
    let signed = earlier.assemble(&wallet.sign(&earlier)).unwrap();
    let raw: bitcoin::Transaction = bitcoin::consensus::deserialize(signed.raw.as_slice()).unwrap();
    assert_eq!(raw.weight().to_wu(), weight.0);
}

proptest::proptest! {
    /// Whatever the market, the cap and the coin: what comes out pays the same, excludes what it
    /// replaces, costs more and never more than the cap.
    #[test]
    fn no_replacement_pays_elsewhere_or_above_its_cap(
        coins in 60_500u64..200_000, rate in 1_000u64..60_000, cap in 0u64..20_000,
    ) {
        let wallet = wallet();
        let owns = |a: &Address| wallet.owns(a);
        let to = Destination::P2wpkh([9; 20]);
        let coins = [coin(1, coins)];
        let Ok(plan) = select(&request(wallet.chain, to, 60_000, &coins)) else { return Ok(()) };
        let earlier = wallet.build(to, 60_000, &plan);
        let fee = earlier.fee().unwrap();
        let offer = Bid { rate: SatPerKvb(rate), cap: sats(cap), replaced: Some(fee) };
        if let Ok(later) = replaced(&wallet, &earlier, offer) {
            let (before, after) = (earlier.effect(&owns).unwrap(), later.effect(&owns).unwrap());
            proptest::prop_assert_eq!(before.destination, after.destination);
            proptest::prop_assert_eq!(before.amount, after.amount);
            proptest::prop_assert!(after.fee > fee && after.fee <= sats(cap));
            proptest::prop_assert!(later.excludes(&earlier));
        }
        let key = |path| Some(public_key(path));
        if let Ok(made) = child(&earlier, &owns, CHANGE, key, Bid { replaced: None, ..offer }) {
            let both = made.returned(&owns).unwrap().checked_add(fee).unwrap();
            proptest::prop_assert!(both <= sats(cap) && made.depends_on(&earlier));
        }
        if let Ok(made) = cancel(wallet.chain, &coins, CHANGE, key, offer) {
            let cost = made.returned(&owns).unwrap();
            proptest::prop_assert!(cost > fee && cost <= sats(cap) && made.excludes(&earlier));
        }
    }
}

#[test]
fn whoever_signs_two_of_them_signs_at_most_one_payment() {
    use crate::{Realisation, UnsignedTx as Any};
    let wallet = wallet();
    let owns = |a: &Address| wallet.owns(a);
    let key = |path| Some(public_key(path));
    let one = wallet.example();
    let two = replaced(&wallet, &one, bid(9_000, 9_000, EXAMPLE_FEE)).unwrap();
    let offer = Bid { rate: SatPerKvb(10_000), cap: sats(9_000), replaced: None };
    let child_of_one = child(&one, &owns, CHANGE, key, offer).unwrap();
    let higher = Bid { replaced: Some(child_of_one.fee().unwrap()), ..offer };
    let other_child_of_one = child(&one, &owns, CHANGE, key, higher).unwrap();
    let child_of_two = child(&two, &owns, CHANGE, key, offer).unwrap();
    let to = Destination::P2wpkh([9; 20]);
    let elsewhere = [coin(2, 100_000)];
    let plan = select(&request(wallet.chain, to, 60_000, &elsewhere)).unwrap();
    let another_payment = wallet.build(to, 60_000, &plan);
    let [one, two, first, second, third, another] =
        [one, two, child_of_one, other_child_of_one, child_of_two, another_payment]
            .map(Any::Bitcoin);
    let alone = |transaction| Realisation { transaction, parent: None };
    let of = |transaction, parent| Realisation { transaction, parent: Some(parent) };
    let cases = [
        (alone(&one), alone(&two), true),
        (alone(&one), alone(&one), true),
        (alone(&one), of(&first, &one), true),
        // A child falls with what replaces its parent.
        (alone(&two), of(&first, &one), true),
        (of(&first, &one), of(&second, &one), true),
        (of(&first, &one), of(&third, &two), true),
        // The same money twice.
        (alone(&one), alone(&another), false),
        (alone(&another), of(&first, &one), false),
        // Said to stand alone, a child excludes nothing.
        (alone(&one), alone(&first), false),
        (alone(&two), alone(&first), false),
    ];
    for (number, (left, right, safe)) in cases.into_iter().enumerate() {
        assert_eq!(left.is_safe_beside(&right), safe, "case {number}");
        assert_eq!(right.is_safe_beside(&left), safe, "case {number}, turned round");
    }
}
