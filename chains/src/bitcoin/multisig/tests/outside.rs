//! Recovery without us: a PSBT that another library makes from the exported text alone, and what that
//! library makes of our signatures.

use super::{CHANGE, SHAPES, SIGNING, TestWallet, spending::consensus};
use crate::bitcoin::{
    Destination,
    multisig::{Offered, OutputKind},
};
use bitcoin::{Psbt, ScriptBuf, Sequence, TxIn, TxOut, Witness, consensus::encode, psbt};
use miniscript::{DescriptorPublicKey, psbt::PsbtExt as _, psbt::PsbtInputExt as _};
use std::str::FromStr as _;
use strongroom_domain::{Branch, Network};

type Theirs = miniscript::Descriptor<DescriptorPublicKey>;

#[test]
fn a_psbt_of_another_wallet_is_read_signed_and_finalised_by_it() {
    for shape in SHAPES {
        let wallet = TestWallet::new(Network::Bitcoin, shape, 2, 3);
        let psbt = theirs(&wallet);
        let offered = Offered::read(wallet.chain, &wallet.descriptor, &psbt.serialize()).unwrap();
        let unsigned = offered.unsigned;
        let outputs = unsigned.outputs().unwrap();
        assert_eq!(outputs[1].kind, OutputKind::Own(CHANGE), "{shape:?}");
        assert_eq!(outputs[0].kind, OutputKind::Payment);
        let parts = [wallet.sign(&unsigned, 0), wallet.sign(&unsigned, 2)];
        let signed = unsigned.psbt_with(&parts).unwrap();
        let mut signed = Psbt::deserialize(signed.as_slice()).unwrap();
        signed.finalize_mut(&SIGNING).unwrap();
        let raw = signed.extract(&SIGNING).unwrap();
        let raw = encode::serialize(&raw).into();
        assert!(consensus(&unsigned, &raw), "{shape:?}");
        assert_eq!(unsigned.check_signed(&raw).unwrap(), unsigned.combine(&parts).unwrap());
    }
}

/// Made with miniscript's own updater from the exported text, as BDK does.
fn theirs(wallet: &TestWallet) -> Psbt {
    let text = wallet.descriptor.export(bitcoin::NetworkKind::Main);
    let branches = Theirs::from_str(&text).unwrap().into_single_descriptors().unwrap();
    let definite = |path: strongroom_domain::AddressPath| {
        let branch = usize::from(path.branch == Branch::Change);
        branches[branch].at_derivation_index(path.index).unwrap()
    };
    let previous = |coin: &strongroom_domain::wallet::Coin| -> bitcoin::Transaction {
        encode::deserialize(wallet.previous[&coin.outpoint.txid].as_slice()).unwrap()
    };
    let input = |coin| TxIn {
        previous_output: bitcoin::OutPoint::new(previous(coin).compute_txid(), 1),
        script_sig: ScriptBuf::new(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::new(),
    };
    let to = Destination::P2wpkh([9; 20]).script();
    let back = definite(CHANGE).script_pubkey();
    let output =
        |value, script_pubkey| TxOut { value: bitcoin::Amount::from_sat(value), script_pubkey };
    let mut psbt = Psbt::from_unsigned_tx(bitcoin::Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::from_height(800_000).unwrap(),
        input: wallet.coins.iter().map(input).collect(),
        output: vec![output(200_000, to), output(99_000, back)],
    })
    .unwrap();
    for (fields, coin) in psbt.inputs.iter_mut().zip(&wallet.coins) {
        let whole = previous(coin);
        fields.witness_utxo = Some(whole.output[1].clone());
        fields.non_witness_utxo = Some(whole);
        fields.update_with_descriptor_unchecked(&definite(coin.path)).unwrap();
    }
    psbt.update_output_with_descriptor(1, &definite(CHANGE)).unwrap();
    assert_ne!(psbt.outputs[1], psbt::Output::default());
    psbt
}
