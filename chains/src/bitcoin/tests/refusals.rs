//! One test per reason for which an unsigned transaction is refused.

use super::*;
use crate::bitcoin::{AssembleError, BuildError, DecodeError as E, decode_signed};
use bitcoin::{
    Amount as Sats, Psbt, ScriptBuf, Sequence, TapSighashType, TxOut, absolute::LockTime,
    psbt::raw, transaction::Version,
};

fn wallet() -> TestWallet {
    TestWallet::on(Network::LitecoinRegtest)
}

/// Changes the example's PSBT, and reads the result as a signer would.
fn read(change: impl FnOnce(&mut Psbt)) -> Result<strongroom_domain::Effect, E> {
    let wallet = wallet();
    let mut psbt = wallet.example().psbt;
    change(&mut psbt);
    let unsigned = UnsignedTx::parse(wallet.chain, &psbt.serialize())?;
    unsigned.effect(&|address| wallet.owns(address))
}

fn paid(units: u64, destination: Destination) -> TxOut {
    TxOut { value: Sats::from_sat(units), script_pubkey: destination.script() }
}

fn field(kind: u8) -> raw::Key {
    raw::Key { type_value: kind, key: vec![1] }
}

#[test]
fn the_example_itself_is_accepted() {
    let effect = read(|_| {}).unwrap();
    assert_eq!(effect.amount, sats(60_000));
    assert_eq!(effect.destination.as_str(), "rltc1qpyysjzgfpyysjzgfpyysjzgfpyysjzgfarjn3s");
    assert_eq!(effect.fee, sats(284));
}

#[test]
fn another_version_lock_time_or_sequence_is_refused() {
    assert_eq!(read(|p| p.unsigned_tx.version = Version(1)), Err(E::Version { found: 1 }));
    assert_eq!(
        read(|p| p.unsigned_tx.lock_time = LockTime::from_consensus(1)),
        Err(E::LockTime { found: 1 })
    );
    for found in [0, 1, 0xffff_fffe, 0xffff_ffff] {
        let change = |p: &mut Psbt| p.unsigned_tx.input[0].sequence = Sequence(found);
        assert_eq!(read(change), Err(E::Sequence { input: 0, found }));
    }
}

#[test]
fn another_sighash_type_is_refused() {
    for kind in [TapSighashType::Default, TapSighashType::All, TapSighashType::NonePlusAnyoneCanPay]
    {
        let change = |p: &mut Psbt| p.inputs[0].sighash_type = Some(kind.into());
        assert_eq!(read(change), Err(E::SighashType { input: 0 }));
    }
}

#[test]
fn a_field_that_we_do_not_write_is_refused() {
    let proprietary = || raw::ProprietaryKey { prefix: vec![1], subtype: 0, key: vec![] };
    let changes: [&dyn Fn(&mut Psbt); 8] = [
        &|p| drop(p.unknown.insert(field(0x42), vec![])),
        &|p| drop(p.proprietary.insert(proprietary(), vec![])),
        &|p| drop(p.inputs[0].unknown.insert(field(0x42), vec![])),
        &|p| drop(p.inputs[0].proprietary.insert(proprietary(), vec![])),
        &|p| p.inputs[0].witness_script = Some(ScriptBuf::new()),
        &|p| p.inputs[0].non_witness_utxo = Some(p.unsigned_tx.clone()),
        &|p| drop(p.outputs[0].unknown.insert(field(0x42), vec![])),
        &|p| p.outputs[1].tap_internal_key = p.inputs[0].tap_internal_key,
    ];
    for change in changes {
        assert_eq!(read(change), Err(E::UnknownField));
    }
}

#[test]
fn a_second_encoding_or_a_tail_is_refused() {
    let wallet = wallet();
    let bytes = wallet.example().to_bytes().0;
    assert_eq!(UnsignedTx::parse(wallet.chain, &bytes), Ok(wallet.example()));
    let tail = [bytes.as_slice(), &[0]].concat();
    assert_eq!(UnsignedTx::parse(wallet.chain, &tail), Err(E::NotCanonical));
    // The version field may be written even where it has its default value.
    let global = 5 + 1 + 1 + 1 + wallet.example().psbt.unsigned_tx.base_size();
    let (head, rest) = bytes.split_at(global);
    let version = [1, 0xfb, 4, 0, 0, 0, 0];
    let longer = [head, &version, rest].concat();
    assert!(
        Psbt::deserialize(&longer).is_ok(),
        "the library takes it: the test would prove nothing"
    );
    assert_eq!(UnsignedTx::parse(wallet.chain, &longer), Err(E::NotCanonical));
    let long = vec![0; 1_000_001];
    assert_eq!(UnsignedTx::parse(wallet.chain, &long), Err(E::TooLong { found: 1_000_001 }));
    assert!(matches!(UnsignedTx::parse(wallet.chain, b""), Err(E::NotAPsbt { .. })));
}

#[test]
fn an_input_that_is_not_the_wallets_own_key_path_coin_is_refused() {
    let stranger = |p: &mut Psbt| {
        let key = super::super::address::internal_key(&public_key(deposit(99))).unwrap();
        p.inputs[0].tap_internal_key = Some(key);
        p.inputs[0].witness_utxo = Some(paid(100_000, Destination::p2tr_internal(key)));
    };
    assert_eq!(read(stranger), Err(E::ForeignInput { input: 0 }));
    let old =
        |p: &mut Psbt| p.inputs[0].witness_utxo = Some(paid(100_000, Destination::P2wpkh([1; 20])));
    assert_eq!(read(old), Err(E::NotKeyPath { input: 0 }));
    assert_eq!(read(|p| p.inputs[0].tap_internal_key = None), Err(E::Incomplete { input: 0 }));
    assert_eq!(read(|p| p.inputs[0].witness_utxo = None), Err(E::Incomplete { input: 0 }));
}

#[test]
fn spending_nothing_or_one_coin_twice_is_refused() {
    let nothing = |p: &mut Psbt| {
        p.unsigned_tx.input.clear();
        p.inputs.clear();
    };
    assert_eq!(read(nothing), Err(E::NoInputs));
    let twice = |p: &mut Psbt| {
        p.unsigned_tx.input.push(p.unsigned_tx.input[0].clone());
        p.inputs.push(p.inputs[0].clone());
    };
    assert_eq!(read(twice), Err(E::SameCoinTwice { coin: coin(1, 0).outpoint }));
}

/// Adds an output, paid for by the payment (the larger output, so the last).
fn with_output(script_pubkey: ScriptBuf) -> impl FnOnce(&mut Psbt) {
    move |p| {
        p.unsigned_tx.output[1].value -= Sats::from_sat(10_000);
        p.unsigned_tx.output.push(TxOut { value: Sats::from_sat(10_000), script_pubkey });
        p.outputs.push(bitcoin::psbt::Output::default());
    }
}

#[test]
fn every_output_is_accounted_for() {
    let own = |path| Destination::p2tr(&public_key(path)).unwrap().script();
    let stranger = Destination::P2wsh([4; 32]).script();
    assert_eq!(read(with_output(stranger)), Err(E::SecondPayment { output: 2 }));
    // Not even to ourselves: change goes to the change branch.
    assert_eq!(read(with_output(own(deposit(0)))), Err(E::SecondPayment { output: 2 }));
    assert_eq!(read(with_output(own(CHANGE))), Err(E::SecondChange { output: 2 }));
    let off_the_curve = ScriptBuf::from_hex(&format!("5120{}", "ff".repeat(32))).unwrap();
    for script in [
        ScriptBuf::new_op_return([1, 2, 3]),
        ScriptBuf::new(),
        ScriptBuf::from_hex("51024e73").unwrap(),
        ScriptBuf::from_hex(&format!("5220{}", "11".repeat(32))).unwrap(),
        off_the_curve,
    ] {
        assert_eq!(read(with_output(script)), Err(E::UnknownScript { output: 2 }));
    }
    let only_change = |p: &mut Psbt| {
        p.unsigned_tx.output.pop();
        p.outputs.pop();
    };
    assert_eq!(read(only_change), Err(E::NoPayment));
}

#[test]
fn a_payment_to_an_own_deposit_address_is_a_payment() {
    let wallet = wallet();
    let to = Destination::p2tr(&public_key(deposit(3))).unwrap();
    let plan = select(&request(wallet.chain, to, 60_000, &[coin(1, 100_000)])).unwrap();
    let effect = wallet.build(to, 60_000, &plan).effect(&|a| wallet.owns(a)).unwrap();
    assert_eq!(effect.destination, to.spell(wallet.chain).unwrap());
    assert_eq!(effect.amount, sats(60_000));
}

#[test]
fn outputs_worth_more_than_the_inputs_are_refused() {
    assert_eq!(read(|p| p.unsigned_tx.output[1].value += Sats::from_sat(285)), Err(E::Money));
    assert_eq!(read(|p| p.unsigned_tx.output[1].value = Sats::MAX), Err(E::Money));
    let most = Sats::from_sat(u64::MAX);
    assert_eq!(read(|p| p.inputs[0].witness_utxo.as_mut().unwrap().value = most), Err(E::Money));
}

#[test]
fn a_signature_that_does_not_verify_never_leaves() {
    let wallet = wallet();
    let unsigned = wallet.example();
    let good = wallet.sign(&unsigned);
    let signed = unsigned.assemble(&good).unwrap();
    assert_eq!(unsigned.check_signed(&signed.raw), Ok(signed.clone()));
    assert_eq!(signed.id, unsigned.id());
    let mut bad = good.clone();
    bad[0][63] ^= 1;
    assert_eq!(unsigned.assemble(&bad), Err(AssembleError::BadSignature { input: 0 }));
    assert_eq!(unsigned.assemble(&[]), Err(AssembleError::Count { found: 0, expected: 1 }));
    let view = decode_signed(wallet.chain, signed.raw.as_slice()).unwrap();
    assert_eq!(view.spends, [coin(1, 0).outpoint]);
    let tail = [signed.raw.as_slice(), &[0]].concat();
    assert!(decode_signed(wallet.chain, &tail).is_err());
    assert_eq!(unsigned.check_signed(&tail.into()), Err(AssembleError::NotThisTransaction));
}

#[test]
fn an_intent_for_another_network_or_a_plan_that_does_not_balance_is_not_built() {
    let wallet = wallet();
    let to = Destination::P2wpkh([9; 20]);
    let plan = select(&request(wallet.chain, to, 60_000, &[coin(1, 100_000)])).unwrap();
    let make = |intent: &Intent, plan: &Plan| {
        build(wallet.chain, intent, plan, CHANGE, |path| Some(public_key(path)))
    };
    let elsewhere = TestWallet::on(Network::Bitcoin).intent(to, 60_000, 0);
    assert!(matches!(make(&elsewhere, &plan), Err(BuildError::Network { .. })));
    assert_eq!(make(&wallet.intent(to, 60_001, 0), &plan), Err(BuildError::Unbalanced));
    let nothing = Plan { inputs: vec![], change: None, fee: Amount::ZERO };
    assert!(make(&wallet.intent(to, 60_000, 0), &nothing).is_err());
    let mut nowhere = plan.clone();
    nowhere.inputs[0].outpoint.txid = "no id".to_owned();
    let refused = make(&wallet.intent(to, 60_000, 0), &nowhere);
    assert!(matches!(refused, Err(BuildError::OutPoint { .. })));
    let keyless = build(wallet.chain, &wallet.intent(to, 60_000, 0), &plan, CHANGE, |_| None);
    assert!(matches!(keyless, Err(BuildError::NoKey { .. })));
}
