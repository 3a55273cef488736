//! What follows a multisig wallet's payment: more money, nothing for anybody, everything for a successor.

use super::{CHANGE, SHAPES, Shape, TestWallet, spending::consensus};
use crate::{
    Realisation,
    bitcoin::{
        Bid, BidError, Destination, SatPerKvb,
        multisig::{UnsignedTx, cancel, replace, sweep, sweep_again},
        tests::sats,
    },
    signatures,
};
use strongroom_domain::{Amount, Network};

fn bid(rate: u64, cap: u64, replaced: Option<u64>) -> Bid {
    Bid { rate: SatPerKvb(rate), cap: sats(cap), replaced: replaced.map(sats) }
}

/// Signed by two, taken by consensus, and as dear for its weight as was asked.
fn stands(wallet: &TestWallet, unsigned: &UnsignedTx) {
    assert_eq!(UnsignedTx::parse(wallet.chain, unsigned.to_bytes().as_slice()).unwrap(), *unsigned);
    let parts = wallet.sign_all(unsigned);
    let signed = unsigned.combine(&parts).unwrap();
    assert!(consensus(unsigned, &signed.raw));
    let shown = signatures(strongroom_domain::Family::Bitcoin, &signed.raw).unwrap();
    let each = unsigned.spends().count() * 2;
    assert_eq!(shown.len(), each, "an auditor sees every signature of both");
    assert!(shown.iter().all(|one| parts.iter().any(|part| part.signatures.contains(one))));
    let weight = u128::from(unsigned.weight().unwrap().0.div_ceil(4));
    assert!(unsigned.fee().unwrap().units() >= weight, "nodes relay it");
}

fn excludes(one: &UnsignedTx, other: &UnsignedTx) {
    let [one, other] = [one, other].map(|of| crate::UnsignedTx::Multisig(of.clone()));
    let alone = |transaction| Realisation { transaction, parent: None };
    assert!(alone(&one).is_safe_beside(&alone(&other)));
}

#[test]
fn a_replacement_takes_more_from_the_change_and_nothing_else() {
    for shape in SHAPES {
        let wallet = TestWallet::new(Network::Litecoin, shape, 2, 3);
        let (earlier, owns) = (wallet.example(), |address: &_| wallet.owns(address));
        let before = earlier.effect(&owns).unwrap();
        let dearer = replace(&earlier, &owns, CHANGE, bid(5_000, 20_000, Some(1_000))).unwrap();
        let after = dearer.effect(&owns).unwrap();
        assert_eq!((&before.destination, before.amount), (&after.destination, after.amount));
        assert!(after.fee > before.fee && after.fee <= sats(20_000));
        stands(&wallet, &dearer);
        excludes(&earlier, &dearer);
        // All of the change, where less would be dust.
        let all = replace(&earlier, &owns, CHANGE, bid(1_000_000, 41_000, Some(1_000))).unwrap();
        assert_eq!(all.fee().unwrap(), sats(41_000));
        stands(&wallet, &all);
        let over = replace(&earlier, &owns, CHANGE, bid(5_000, 1_001, Some(1_000))).unwrap_err();
        assert!(matches!(over, BidError::OverCap { .. }), "{over}");
    }
}

#[test]
fn a_cancellation_brings_everything_back() {
    for shape in SHAPES {
        let wallet = TestWallet::new(Network::Bitcoin, shape, 2, 3);
        let (earlier, owns) = (wallet.example(), |address: &_| wallet.owns(address));
        let made = cancel(&earlier, CHANGE, bid(2_000, 20_000, Some(1_000))).unwrap();
        assert_eq!(made.returned(&owns).unwrap(), made.fee().unwrap());
        assert!(made.effect(&owns).is_err(), "it pays nobody");
        stands(&wallet, &made);
        excludes(&earlier, &made);
    }
}

#[test]
fn a_sweep_moves_everything_and_shows_its_coins() {
    for shape in SHAPES {
        let wallet = TestWallet::new(Network::Litecoin, shape, 2, 3);
        let to = Destination::P2wpkh([5; 20]).spell(wallet.chain).unwrap();
        let (descriptor, coins) = (&wallet.descriptor, &wallet.coins);
        let of = |bid, previous: bool| {
            sweep(wallet.chain, descriptor, coins, (&to, CHANGE), bid, |coin| {
                wallet.previous.get(&coin.txid).filter(|_| previous).cloned()
            })
        };
        let made = of(bid(2_000, 20_000, None), true).unwrap();
        let effect = made.effect(&|address: &_| wallet.owns(address)).unwrap();
        let all = coins.iter().map(|coin| coin.amount.units()).sum::<u128>();
        assert_eq!(effect.amount, Amount::new(all - effect.fee.units()));
        assert_eq!(effect.destination, to);
        stands(&wallet, &made);
        let dearer = bid(4_000, 20_000, Some(effect.fee.units().try_into().unwrap()));
        let again = sweep_again(&made, (&to, CHANGE), dearer).unwrap();
        assert!(again.fee().unwrap() > effect.fee);
        stands(&wallet, &again);
        excludes(&made, &again);
        assert_eq!(of(bid(2_000, 20_000, None), false).is_err(), shape == Shape::P2wsh);
    }
}
