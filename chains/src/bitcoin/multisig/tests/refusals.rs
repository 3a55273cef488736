//! What a PSBT from outside may not say: each test changes one thing.

use super::{SHAPES, Shape, TestWallet};
use crate::bitcoin::multisig::{CombineError, Offered, ReadError, UnsignedTx};
use bitcoin::{
    Amount as Sats, Psbt, Sequence,
    absolute::LockTime,
    psbt::{self, PsbtSighashType, raw},
    sighash::{EcdsaSighashType, TapSighashType},
    transaction::Version,
};
use strongroom_domain::Network;

struct Case {
    wallet: TestWallet,
    unsigned: UnsignedTx,
    psbt: Psbt,
}

fn case(shape: Shape) -> Case {
    let wallet = TestWallet::new(Network::LitecoinRegtest, shape, 2, 3);
    let unsigned = wallet.example();
    let signed = unsigned.psbt_with(&[wallet.sign(&unsigned, 1)]).unwrap();
    let psbt = Psbt::deserialize(signed.as_slice()).unwrap();
    Case { wallet, unsigned, psbt }
}

impl Case {
    fn offered(&self) -> Result<Offered, ReadError> {
        Offered::read(self.wallet.chain, &self.wallet.descriptor, &self.psbt.serialize())
    }

    fn refused(&self, says: &str) {
        let error = self.offered().unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert!(self.unsigned.partials(&self.psbt.serialize()).is_err());
    }
}

#[test]
fn what_comes_back_unchanged_brings_its_signatures() {
    for shape in SHAPES {
        let case = case(shape);
        let partials = case.unsigned.partials(&case.psbt.serialize()).unwrap();
        assert_eq!(partials, [case.wallet.sign(&case.unsigned, 1)]);
        let parts = [partials, vec![case.wallet.sign(&case.unsigned, 2)]].concat();
        assert!(case.unsigned.combine(&parts).is_ok());
        // The next one sees who signed before.
        let both = case.unsigned.psbt_with(&parts).unwrap();
        assert_eq!(case.unsigned.partials(both.as_slice()).unwrap(), parts);
        let none = case.unsigned.partials(case.unsigned.to_bytes().as_slice());
        assert_eq!(none, Err(CombineError::NoSignatures));
    }
}

#[test]
fn what_a_device_leaves_out_is_no_loss() {
    for shape in SHAPES {
        let mut case = case(shape);
        case.psbt.proprietary.clear();
        case.psbt.xpub.clear();
        for input in &mut case.psbt.inputs {
            input.sighash_type = None;
            input.witness_script = None;
            input.tap_merkle_root = None;
            input.tap_scripts.clear();
        }
        for output in &mut case.psbt.outputs {
            output.witness_script = None;
            output.tap_tree = None;
        }
        assert_eq!(case.unsigned.partials(&case.psbt.serialize()).unwrap().len(), 1);
    }
}

#[test]
fn another_transaction_is_refused_though_it_is_well_signed() {
    for shape in SHAPES {
        let mut case = case(shape);
        for input in &mut case.psbt.inputs {
            input.partial_sigs.clear();
            input.tap_script_sigs.clear();
        }
        case.psbt.unsigned_tx.output[0].value = Sats::from_sat(1);
        let other = case.offered().unwrap().unsigned;
        let signed = other.psbt_with(&[case.wallet.sign(&other, 1)]).unwrap();
        assert_eq!(
            case.unsigned.partials(signed.as_slice()),
            Err(CombineError::AnotherTransaction)
        );
    }
}

#[test]
fn an_amount_that_is_not_proven_is_refused() {
    let mut case = case(Shape::P2wsh);
    case.psbt.inputs[1].non_witness_utxo = None;
    case.refused("lacks the whole transaction");
    let mut case = self::case(Shape::P2wsh);
    case.psbt.inputs[1].non_witness_utxo.as_mut().unwrap().output[1].value = Sats::from_sat(7);
    case.refused("does not spend what it says");
    let mut case = self::case(Shape::P2wsh);
    case.psbt.inputs[1].witness_utxo.as_mut().unwrap().value = Sats::from_sat(7);
    case.refused("does not spend what it says");
    // Taproot's signatures commit to the amount, so a lie makes them void.
    let mut case = self::case(Shape::P2tr);
    case.psbt.inputs[1].witness_utxo.as_mut().unwrap().value = Sats::from_sat(99_999);
    case.refused("no cosigner's");
}

#[test]
fn signatures_that_leave_something_open_are_refused() {
    let mut case = case(Shape::P2wsh);
    case.psbt.inputs[0].sighash_type = Some(EcdsaSighashType::None.into());
    case.refused("sighash");
    let mut case = self::case(Shape::P2wsh);
    let signature = case.psbt.inputs[0].partial_sigs.values_mut().next().unwrap();
    signature.sighash_type = EcdsaSighashType::AllPlusAnyoneCanPay;
    case.refused("sighash");
    let mut case = self::case(Shape::P2tr);
    case.psbt.inputs[0].sighash_type = Some(PsbtSighashType::from(TapSighashType::Single));
    case.refused("sighash");
    let mut case = self::case(Shape::P2tr);
    let signature = case.psbt.inputs[0].tap_script_sigs.values_mut().next().unwrap();
    signature.sighash_type = TapSighashType::All;
    case.refused("sighash");
}

#[test]
fn a_wrong_signature_is_refused_wherever_it_stands() {
    for shape in SHAPES {
        // Of another input.
        let mut case = case(shape);
        let (first, second) = (case.psbt.inputs[0].clone(), &mut case.psbt.inputs[1]);
        second.partial_sigs = first.partial_sigs;
        second.tap_script_sigs = first.tap_script_sigs;
        case.refused("no cosigner's");
        // Of somebody who is none.
        let mut case = self::case(shape);
        let input = &mut case.psbt.inputs[0];
        let stranger = super::fixed_secret(99).public_key(&super::SIGNING);
        if let Some((_, signature)) = input.partial_sigs.pop_first() {
            input.partial_sigs.insert(bitcoin::PublicKey::new(stranger), signature);
        }
        if let Some(((_, leaf), signature)) = input.tap_script_sigs.pop_first() {
            input.tap_script_sigs.insert((stranger.x_only_public_key().0, leaf), signature);
        }
        case.refused("no cosigner's");
    }
}

#[test]
fn fields_that_nobody_understands_are_refused() {
    for shape in SHAPES {
        let key = raw::Key { type_value: 0x77, key: vec![1] };
        let mut case = case(shape);
        case.psbt.unknown.insert(key.clone(), vec![1]);
        case.refused("the head");
        let mut case = self::case(shape);
        case.psbt.inputs[2].unknown.insert(key.clone(), vec![1]);
        case.refused("input 2");
        let mut case = self::case(shape);
        case.psbt.outputs[0].unknown.insert(key.clone(), vec![1]);
        case.refused("output 0");
        let mut case = self::case(shape);
        case.psbt.inputs[0].final_script_witness = Some(bitcoin::Witness::from_slice(&[[1]]));
        case.refused("input 0");
        let mut case = self::case(shape);
        case.psbt.inputs[0].redeem_script = Some(bitcoin::ScriptBuf::new());
        case.refused("input 0");
        let mut case = self::case(shape);
        let wrong = bitcoin::ScriptBuf::from_bytes(vec![0x51]);
        case.psbt.outputs[1].witness_script = Some(wrong);
        case.refused("output 1");
    }
}

#[test]
fn change_is_only_what_derives_to_it() {
    for shape in SHAPES {
        let mut case = case(shape);
        // Says of the payment that it were change.
        let own = case.psbt.outputs.iter().position(|o| *o != psbt::Output::default()).unwrap();
        case.psbt.outputs.swap(0, 1);
        case.refused("output");
        // Says nothing of the change: it counts as a payment, which people then see.
        let mut case = self::case(shape);
        case.psbt.outputs[own] = psbt::Output::default();
        let outputs = case.offered().unwrap().unsigned.outputs().unwrap();
        assert!(outputs.iter().all(|o| o.kind == crate::bitcoin::multisig::OutputKind::Payment));
    }
}

#[test]
fn foreign_coins_and_coins_in_disguise_are_refused() {
    for shape in SHAPES {
        let case = case(shape);
        let other = TestWallet::new(Network::LitecoinRegtest, shape, 2, 4);
        let bytes = case.psbt.serialize();
        assert!(Offered::read(case.wallet.chain, &other.descriptor, &bytes).is_err());
        let mut case = self::case(shape);
        case.psbt.inputs[0].bip32_derivation.clear();
        case.psbt.inputs[0].tap_key_origins.clear();
        case.refused("not shown to be on an address");
        let mut case = self::case(shape);
        let (derivation, origins) = {
            let second = &case.psbt.inputs[1];
            (second.bip32_derivation.clone(), second.tap_key_origins.clone())
        };
        case.psbt.inputs[0].bip32_derivation = derivation;
        case.psbt.inputs[0].tap_key_origins = origins;
        case.refused("not shown to be on an address");
    }
}

#[test]
fn what_waits_or_is_malformed_is_refused() {
    for shape in SHAPES {
        let mut case = case(shape);
        case.psbt.unsigned_tx.input[0].sequence = Sequence::from_height(9);
        case.refused("wait");
        let mut case = self::case(shape);
        case.psbt.unsigned_tx.lock_time = LockTime::from_time(1_700_000_000).unwrap();
        case.refused("wait");
        let mut case = self::case(shape);
        case.psbt.unsigned_tx.output[0].value = Sats::from_sat(900_000);
        case.refused("worth more");
        let mut long = case.psbt.serialize();
        long.push(0);
        assert!(Offered::read(case.wallet.chain, &case.wallet.descriptor, &long).is_err());
        assert!(Offered::read(case.wallet.chain, &case.wallet.descriptor, b"psbt").is_err());
        let huge = vec![0; 5_000_000];
        assert!(Offered::read(case.wallet.chain, &case.wallet.descriptor, &huge).is_err());
    }
}

/// The log holds one form only.
#[test]
fn what_we_would_not_have_written_is_not_ours() {
    for shape in SHAPES {
        let case = case(shape);
        let chain = case.wallet.chain;
        let ours = case.unsigned.to_bytes();
        assert_eq!(UnsignedTx::parse(chain, ours.as_slice()).unwrap(), case.unsigned);
        assert!(UnsignedTx::is_one(ours.as_slice()));
        let change = |change: &dyn Fn(&mut Psbt)| {
            let mut psbt = Psbt::deserialize(ours.as_slice()).unwrap();
            change(&mut psbt);
            UnsignedTx::parse(chain, &psbt.serialize()).unwrap_err().to_string()
        };
        assert!(change(&|psbt| psbt.proprietary.clear()).contains("name its descriptor"));
        assert!(change(&|psbt| psbt.inputs[0].sighash_type = None).contains("canonical"));
        assert!(change(&|psbt| psbt.xpub.clear()).contains("canonical"));
        assert!(change(&|psbt| psbt.outputs.reverse()).contains("output"));
        assert!(change(&|psbt| psbt.unsigned_tx.version = Version::ONE).contains("version"));
        assert!(
            change(&|psbt| psbt.unsigned_tx.lock_time = LockTime::from_height(9).unwrap())
                .contains("lock time")
        );
        assert!(
            change(&|psbt| psbt.unsigned_tx.input[0].sequence = Sequence::MAX).contains("sequence")
        );
        let signed = case.psbt.serialize();
        assert!(UnsignedTx::parse(chain, &signed).is_err(), "signatures are kept elsewhere");
    }
}
