//! Spending, judged by Bitcoin Core's own script code. Taproot is judged by it only when it is given
//! every output that is spent, so it always is.

use super::{CHANGE, SHAPES, Shape, TestWallet};
use crate::bitcoin::{
    Destination, Plan,
    multisig::{MultisigBuildError, Output, OutputKind, Partial, UnsignedTx, build},
    tests::{intent, sats},
};
use bitcoin::{Transaction, TxOut, consensus::encode};
use bitcoinconsensus::{Utxo, VERIFY_ALL_PRE_TAPROOT, VERIFY_TAPROOT, verify_with_flags};
use strongroom_domain::{AddressPath, Branch, Bytes, Network};

/// Every *m* of *n* that the task names, and the largest that we make.
const SIZES: [(usize, usize); 7] = [(2, 3), (2, 4), (3, 5), (5, 7), (6, 8), (7, 10), (9, 10)];

pub(super) fn consensus(unsigned: &UnsignedTx, raw: &Bytes) -> bool {
    let spent: Vec<&TxOut> = unsigned.spent.iter().map(|spent| &spent.output).collect();
    let outputs: Vec<Utxo> = spent
        .iter()
        .map(|output| Utxo {
            script_pubkey: output.script_pubkey.as_bytes().as_ptr(),
            script_pubkey_len: output.script_pubkey.len().try_into().unwrap(),
            value: output.value.to_sat().try_into().unwrap(),
        })
        .collect();
    let flags = VERIFY_ALL_PRE_TAPROOT | VERIFY_TAPROOT;
    spent.iter().enumerate().all(|(input, output)| {
        let script = output.script_pubkey.as_bytes();
        let value = output.value.to_sat();
        verify_with_flags(script, value, raw.as_slice(), Some(&outputs), input, flags).is_ok()
    })
}

#[test]
fn m_cosigners_spend_whichever_they_are() {
    for shape in SHAPES {
        for (threshold, cosigners) in SIZES {
            let wallet = TestWallet::new(Network::Litecoin, shape, threshold, cosigners);
            let unsigned = wallet.example();
            let parts = wallet.sign_all(&unsigned);
            for first in 0..=(cosigners - threshold) {
                let mut some = parts[first..first + threshold].to_vec();
                some.reverse();
                let signed = unsigned.combine(&some).unwrap();
                assert!(consensus(&unsigned, &signed.raw), "{shape:?} {threshold}/{cosigners}");
                assert_eq!(unsigned.check_signed(&signed.raw).unwrap(), signed);
                assert_eq!(signed.id, unsigned.id());
                let few = unsigned.combine(&some[1..]);
                assert!(few.unwrap_err().to_string().contains("it takes"));
            }
            // One signs twice: still one.
            let twice: Vec<_> = vec![parts[0].clone(); threshold];
            assert!(unsigned.combine(&twice).is_err());
            assert!(unsigned.combine(&parts).is_ok(), "more than enough is enough");
        }
    }
}

#[test]
fn the_chain_itself_refuses_one_signature_less_and_any_change() {
    for shape in SHAPES {
        let wallet = TestWallet::new(Network::Bitcoin, shape, 2, 3);
        let unsigned = wallet.example();
        let parts = wallet.sign_all(&unsigned);
        let signed = unsigned.combine(&parts).unwrap();
        let spends: Transaction = encode::deserialize(signed.raw.as_slice()).unwrap();
        let judged = |transaction: &Transaction| {
            consensus(&unsigned, &encode::serialize(transaction).into())
        };
        assert!(judged(&spends));
        let mut short = spends.clone();
        let mut items = short.input[0].witness.to_vec();
        let filled = items.iter().position(|item| item.len() >= 64).unwrap();
        items[filled].clear();
        short.input[0].witness = bitcoin::Witness::from_slice(&items);
        assert!(!judged(&short), "{shape:?}: one signature is missing");
        let mut greedy = spends.clone();
        greedy.output[0].value = bitcoin::Amount::from_sat(1);
        assert!(!judged(&greedy), "{shape:?}: another amount");
        for changed in [short, greedy] {
            assert!(unsigned.check_signed(&encode::serialize(&changed).into()).is_err());
        }
    }
}

#[test]
fn other_software_may_have_other_cosigners_sign_each_input() {
    for shape in SHAPES {
        let wallet = TestWallet::new(Network::Bitcoin, shape, 2, 3);
        let unsigned = wallet.example();
        let parts = wallet.sign_all(&unsigned);
        let read = |of: &[Partial]| -> Transaction {
            encode::deserialize(unsigned.combine(of).unwrap().raw.as_slice()).unwrap()
        };
        let (mut mixed, other) = (read(&parts[..2]), read(&parts[1..]));
        assert!(mixed.input.len() > 1);
        mixed.input[1].witness = other.input[1].witness.clone();
        let raw: Bytes = encode::serialize(&mixed).into();
        assert!(consensus(&unsigned, &raw), "{shape:?}: the chain takes it");
        assert_eq!(unsigned.check_signed(&raw).unwrap().raw, raw);
        // The signature of another input is none.
        mixed.input[1].witness = mixed.input[0].witness.clone();
        assert!(unsigned.check_signed(&encode::serialize(&mixed).into()).is_err());
    }
}

#[test]
fn what_is_signed_is_read_back_as_it_is() {
    for shape in SHAPES {
        let wallet = TestWallet::new(Network::LitecoinRegtest, shape, 2, 3);
        let unsigned = wallet.example();
        let effect = unsigned.effect(&|address| wallet.owns(address)).unwrap();
        assert_eq!((effect.amount.units(), effect.fee.units()), (259_000, 1_000));
        let outputs = unsigned.outputs().unwrap();
        let own = |output: &&Output| output.kind == OutputKind::Own(super::CHANGE);
        assert_eq!(outputs.iter().filter(own).count(), 1);
        assert_eq!(outputs.len(), 2);
        assert!(unsigned.effect(&|_| None).is_err(), "coins of somebody else");
        assert!(unsigned.returned(&|address| wallet.owns(address)).is_err());
    }
}

/// What is reckoned for the fee is never below what it comes to, and at most a byte above for each
/// signature: DER is sometimes shorter.
#[test]
fn an_input_weighs_what_is_reckoned() {
    for shape in SHAPES {
        for (threshold, cosigners) in SIZES {
            let wallet = TestWallet::new(Network::Bitcoin, shape, threshold, cosigners);
            let unsigned = wallet.example();
            let signed = unsigned.combine(&wallet.sign_all(&unsigned)).unwrap();
            let signed: Transaction = encode::deserialize(signed.raw.as_slice()).unwrap();
            let inputs = u64::try_from(signed.input.len()).unwrap();
            let bare = unsigned.transaction.weight().to_wu();
            // Without any witness a transaction has no marker and no flag either.
            let real = signed.weight().to_wu() - (bare - inputs * 4 * 41) - 2;
            let reckoned = wallet.descriptor.input_weight().0 * inputs;
            let spare = match shape {
                Shape::P2wsh => inputs * u64::try_from(threshold).unwrap() * 2,
                Shape::P2tr => 0,
            };
            assert!(real <= reckoned && reckoned - real <= spare, "{real} {reckoned} {shape:?}");
        }
    }
}

/// All of the wallet's coins but the fee, to one destination.
fn everything(wallet: &TestWallet) -> Result<UnsignedTx, MultisigBuildError> {
    let paid = wallet.coins.iter().map(|coin| coin.amount.units()).sum::<u128>() - 1_000;
    let plan = Plan { inputs: wallet.coins.clone(), change: None, fee: sats(1_000) };
    let to = Destination::P2wpkh([9; 20]).spell(wallet.chain).unwrap();
    let intent = intent(wallet.chain.network, to, paid, u128::MAX);
    build(wallet.chain, &wallet.descriptor, &intent, &plan, CHANGE, |coin| {
        wallet.previous.get(&coin.txid).cloned()
    })
}

/// Whoever pays in decides how long the transaction is that made a coin.
#[test]
fn coins_whose_transactions_the_log_does_not_hold_together_are_not_spent_together() {
    let mut wallet = TestWallet::new(Network::LitecoinRegtest, Shape::P2wsh, 7, 10);
    wallet.coins.clear();
    for index in 0..5 {
        wallet.fund_from(AddressPath { branch: Branch::Deposit, index }, 100_000, 99_000);
    }
    let five = everything(&wallet).unwrap();
    assert!(UnsignedTx::parse(wallet.chain, five.to_bytes().as_slice()).is_ok());
    wallet.fund_from(AddressPath { branch: Branch::Deposit, index: 5 }, 100_000, 99_000);
    let error = everything(&wallet).unwrap_err();
    assert!(matches!(error, MultisigBuildError::TooLarge { coins: 6, .. }), "{error}");
}

#[test]
fn the_log_holds_a_sweep_of_as_many_taproot_coins_as_are_asked_for() {
    let mut wallet = TestWallet::new(Network::LitecoinRegtest, Shape::P2tr, 7, 10);
    wallet.coins.clear();
    for index in 0..250 {
        wallet.fund(AddressPath { branch: Branch::Deposit, index }, 100_000);
    }
    assert!(everything(&wallet).is_ok());
}
