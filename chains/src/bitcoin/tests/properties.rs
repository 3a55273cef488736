//! What holds for every payment, every set of coins and every change of the bytes.

use super::*;
use crate::bitcoin::{SelectionError, WeightUnits, decode_signed, fee, weight};
use bitcoin::{Transaction, consensus::encode::deserialize};
use proptest::{collection::vec, prelude::*, sample::Index};

fn any_chain() -> impl Strategy<Value = &'static Chain> {
    proptest::sample::select(Chain::ALL.as_slice())
}

fn any_destination() -> impl Strategy<Value = Destination> {
    prop_oneof![
        any::<[u8; 20]>().prop_map(Destination::P2pkh),
        any::<[u8; 20]>().prop_map(Destination::P2sh),
        any::<[u8; 20]>().prop_map(Destination::P2wpkh),
        any::<[u8; 32]>().prop_map(Destination::P2wsh),
        (100u32..200).prop_map(|n| Destination::p2tr(&public_key(deposit(n))).unwrap()),
        // Our own deposit address.
        (0u32..8).prop_map(|n| Destination::p2tr(&public_key(deposit(n))).unwrap()),
    ]
}

fn any_coins() -> impl Strategy<Value = Vec<Coin>> {
    vec(1u64..2_000_000, 0..9)
        .prop_map(|amounts| (0..).zip(amounts).map(|(n, units)| coin(n, units)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// From the coins to the signed bytes, and back at every step.
    #[test]
    fn what_is_built_does_what_the_intent_says(
        chain in any_chain(),
        to in any_destination(),
        coins in any_coins(),
        amount in 6_000u64..3_000_000,
        rate in 1_000u64..30_000,
        cap in 0u64..100_000,
    ) {
        let wallet = TestWallet::on(chain.network);
        let intent = wallet.intent(to, amount, cap);
        let mut wanted = request(chain, to, amount, &coins);
        wanted.rate = SatPerKvb(rate);
        wanted.fee_cap = intent.fee_cap;
        let plan = match select(&wanted) {
            Ok(plan) => plan,
            Err(SelectionError::Insufficient { available, needed }) => {
                prop_assert!(available < needed);
                return Ok(());
            }
            Err(SelectionError::FeeOverCap { fee, cap }) => {
                prop_assert!(fee > cap);
                return Ok(());
            }
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        };
        let unsigned =
            build(chain, &intent, &plan, CHANGE, |path| Some(public_key(path))).unwrap();
        let bytes = unsigned.to_bytes();
        prop_assert_eq!(&UnsignedTx::parse(chain, bytes.as_slice()).unwrap(), &unsigned);
        let effect = unsigned.effect(&|address| wallet.owns(address)).unwrap();
        prop_assert_eq!(effect.realises(&intent), Ok(()));
        prop_assert_eq!(effect.fee, plan.fee);

        let signed = unsigned.assemble(&wallet.sign(&unsigned)).unwrap();
        prop_assert_eq!(signed.id, unsigned.id());
        let view = decode_signed(chain, signed.raw.as_slice()).unwrap();
        prop_assert_eq!(view.spends, plan.inputs.iter().map(|c| c.outpoint.clone()).collect::<Vec<_>>());
        prop_assert!(view.pays.contains(&(Some(intent.destination), intent.amount)));

        // The weight that the fee was reckoned with is the weight that the network sees.
        let transaction: Transaction = deserialize(signed.raw.as_slice()).unwrap();
        let scripts: Vec<usize> = transaction.output.iter().map(|o| o.script_pubkey.len()).collect();
        let reckoned = weight(transaction.input.len(), &scripts).unwrap();
        prop_assert_eq!(reckoned, WeightUnits(transaction.weight().to_wu()));
        prop_assert!(plan.fee >= sats(fee(reckoned, SatPerKvb(rate)).unwrap()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Never above the cap, never a unit lost or made, never dust, never a coin twice.
    #[test]
    fn selection_keeps_the_books(
        chain in any_chain(),
        to in any_destination(),
        coins in any_coins(),
        kept in 0usize..3,
        amount in 1u64..3_000_000,
        rate in 0u64..100_000,
        cap in 0u64..200_000,
        replaced in proptest::option::of(0u64..50_000),
    ) {
        let (keep, free) = coins.split_at(kept.min(coins.len()));
        let mut wanted = request(chain, to, amount, free);
        wanted.keep = keep;
        wanted.rate = SatPerKvb(rate);
        wanted.fee_cap = sats(cap);
        wanted.replaced_fee = replaced.map(sats);
        let Ok(plan) = select(&wanted) else { return Ok(()) };
        let sum = plan.inputs.iter().fold(0, |sum, coin| sum + coin.amount.units());
        let change = plan.change.unwrap_or(Amount::ZERO);
        prop_assert_eq!(sum, u128::from(amount) + change.units() + plan.fee.units());
        prop_assert!(plan.fee <= sats(cap));
        prop_assert!(keep.iter().all(|coin| plan.inputs.contains(coin)));
        prop_assert!(plan.inputs.windows(2).all(|pair| pair[0].outpoint < pair[1].outpoint));
        prop_assert!(plan.inputs.iter().all(|coin| coins.contains(coin)));
        let mut scripts = vec![to.script().len()];
        if let Some(change) = plan.change {
            scripts.push(34);
            prop_assert!(change >= sats(chain.dust_rate.0 * 110 / 1_000));
        }
        let size = weight(plan.inputs.len(), &scripts).unwrap();
        prop_assert!(plan.fee >= sats(fee(size, SatPerKvb(rate)).unwrap()));
        if let Some(replaced) = replaced {
            prop_assert!(plan.fee >= sats(replaced + fee(size, chain.relay_rate).unwrap()));
        }
    }

    /// A script and its address stand for each other.
    #[test]
    fn every_address_reads_back(chain in any_chain(), to in any_destination()) {
        let address = to.spell(chain).unwrap();
        prop_assert_eq!(Destination::parse(chain, address.as_str()), Ok(to));
        prop_assert_eq!(Destination::from_script(&to.script()), Some(to));
    }

    /// One wrong character is never another address (BIP 173; base58check with 2^-32).
    #[test]
    fn a_slip_of_the_pen_is_refused(
        chain in any_chain(),
        to in any_destination(),
        at in any::<Index>(),
        by in proptest::char::range('0', 'z'),
    ) {
        let mut text: Vec<char> = to.spell(chain).unwrap().as_str().chars().collect();
        let at = at.index(text.len());
        prop_assume!(text[at] != by);
        text[at] = by;
        let text: String = text.into_iter().collect();
        prop_assert!(Destination::parse(chain, &text).is_err(), "{text}");
    }

    /// Foreign bytes are refused, not fallen over.
    #[test]
    fn decoders_survive_any_bytes(
        noise in vec(any::<u8>(), 0..300),
        changes in vec((any::<Index>(), any::<u8>()), 0..6),
        cut in any::<Index>(),
        text in ".{0,110}",
    ) {
        let wallet = TestWallet::on(Network::Bitcoin);
        let unsigned = wallet.example();
        let signed = unsigned.assemble(&wallet.sign(&unsigned)).unwrap();
        for mut bytes in [noise.clone(), unsigned.to_bytes().0, signed.raw.0] {
            for (at, byte) in &changes {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
            }
            bytes.truncate(cut.index(bytes.len() + 1).max(bytes.len() / 2));
            if let Ok(read) = UnsignedTx::parse(wallet.chain, &bytes) {
                let _ = read.effect(&|address| wallet.owns(address));
            }
            let _ = decode_signed(wallet.chain, &bytes);
            let _ = unsigned.check_signed(&bytes.into());
        }
        let _ = Destination::parse(wallet.chain, &text);
    }
}

/// There is no change of the bytes that signers would not notice.
#[test]
fn every_changed_bit_is_refused_or_changes_what_is_signed() {
    let wallet = TestWallet::on(Network::LitecoinRegtest);
    let unsigned = wallet.example();
    let owns = |address: &Address| wallet.owns(address);
    let before = (unsigned.effect(&owns).unwrap(), unsigned.digests().unwrap());
    let bytes = unsigned.to_bytes().0;
    let mut read = 0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let Ok(other) = UnsignedTx::parse(wallet.chain, &changed) else { continue };
            let Ok(effect) = other.effect(&owns) else { continue };
            read += 1;
            // Even the same effect is signed anew.
            assert_ne!(other.digests().unwrap(), before.1, "byte {at}, bit {bit}");
            let _ = effect == before.0;
        }
    }
    assert!(read > 0, "amounts and the destination can be changed to other valid ones");
}
