//! Replacing and cancelling by the account nonce.

use super::*;
use crate::ethereum::cancel;
use strongroom_domain::{Address, AddressPath, Branch};

const PATH: AddressPath = AddressPath { branch: Branch::Deposit, index: 0 };

fn own() -> Address {
    address_of(&public_key()).unwrap()
}

#[test]
fn a_replacement_offers_a_tenth_more_of_both_prices_rounded_up() {
    for (before, after) in [
        ((100, 10), (110, 11)),
        ((101, 1), (112, 2)),
        ((2_000_000_000, 0), (2_200_000_000, 1)),
        ((0, 0), (1, 1)),
    ] {
        let [before, after] =
            [before, after].map(|(max_fee, max_priority_fee)| Gas { max_fee, max_priority_fee });
        assert_eq!(before.bumped(), Some(after));
    }
    assert_eq!(Gas { max_fee: u128::MAX, max_priority_fee: 0 }.bumped(), None);
}

#[test]
fn a_bid_follows_the_market_between_the_bump_and_the_cap() {
    let gas = |max_fee, max_priority_fee| Gas { max_fee, max_priority_fee };
    let cap = |per_gas: u128| Amount::new(per_gas * 21_000);
    let replaced = Some(gas(100, 10));
    for (wanted, per_gas, bid) in [
        // A low market: the bump decides.
        (gas(50, 1), 1_000, Some(gas(110, 11))),
        (gas(300, 20), 1_000, Some(gas(300, 20))),
        // A high one: the cap does.
        (gas(300, 20), 120, Some(gas(120, 20))),
        (gas(300, 200), 120, Some(gas(120, 120))),
        (gas(300, 20), 109, None),
    ] {
        let found = Gas::bid(wanted, replaced, cap(per_gas));
        assert_eq!(found.as_ref().ok(), bid.as_ref(), "{wanted:?} {per_gas}");
        assert_eq!(bid.is_none(), matches!(found, Err(BuildError::FeeOverCap { .. })));
    }
    assert_eq!(Gas::bid(gas(50, 1), None, cap(60)), Ok(gas(50, 1)));
}

#[test]
fn a_replacement_changes_the_price_and_nothing_else() {
    let earlier = example();
    let later = earlier.at(earlier.gas().bumped().unwrap()).unwrap();
    let (before, after) = (earlier.effect().unwrap(), later.effect().unwrap());
    assert_eq!((before.destination, before.amount), (after.destination, after.amount));
    assert_eq!(later.account_nonce(), earlier.account_nonce());
    assert!(after.fee > before.fee && later.excludes(&earlier));
    let signature = sign(&later.signing_payload().digest);
    later.assemble(&public_key(), &signature).unwrap();
}

#[test]
fn a_cancellation_sends_nothing_to_the_wallet_itself() {
    let owns = |address: &Address| (*address == own()).then_some(PATH);
    let payment = example();
    let gas = payment.gas().bumped().unwrap();
    let made = cancel(dev(), &own(), payment.account_nonce(), gas).unwrap();
    assert_eq!(made.returned(&owns), made.fee());
    assert!(made.excludes(&payment));
    assert_eq!(UnsignedTx::parse(dev(), made.to_bytes().as_slice()), Ok(made.clone()));
    // One of another nonce excludes nothing.
    assert!(!cancel(dev(), &own(), 6, gas).unwrap().excludes(&payment));
    // To somebody else, or with something in it, it is none.
    let elsewhere = cancel(dev(), &TO.parse().unwrap(), 5, gas).unwrap();
    assert!(matches!(elsewhere.returned(&owns), Err(E::Outward { .. })));
    assert!(matches!(payment.returned(&|_| Some(PATH)), Err(E::Outward { .. })));
}
