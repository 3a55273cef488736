//! Files that sign, and files that don't.

use std::collections::BTreeMap;

use bitcoin::{
    Amount as Sats, OutPoint as Spent, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness,
    absolute::LockTime, consensus::encode, transaction::Version,
};
use strongroom_chains::bitcoin::{
    Chain, Destination, Plan,
    multisig::{Descriptor, Offered, Shape, UnsignedTx, build},
};
use strongroom_domain::{
    AddressPath, Amount, Branch, Bytes, Intent, Network,
    wallet::{Coin, OutPoint},
};
use strongroom_secrets::{Secret, SecretText};
use tempfile::TempDir;

use super::{Asked, OfflineError, OfflineKey, Review};
use crate::cosigner::CosignerError;

const ACCOUNT: &str = "48h/2h/0h/2h";
const CHANGE: AddressPath = AddressPath { branch: Branch::Change, index: 0 };

fn passphrase() -> Secret {
    Secret::new(b"correct horse battery staple".to_vec())
}

fn cosigners() -> Vec<(TempDir, OfflineKey)> {
    let one = || {
        let directory = TempDir::new().unwrap();
        let (key, _) = OfflineKey::create(directory.path(), &passphrase()).unwrap();
        (directory, key)
    };
    vec![one(), one(), one()]
}

fn wallet(shape: Shape, keys: &[(TempDir, OfflineKey)]) -> Descriptor {
    let expressions = keys.iter().map(|(_, key)| key.expression(ACCOUNT).unwrap()).collect();
    Descriptor::new(shape, 2, expressions).unwrap()
}

/// One coin of 0.001, of which 0.0006 go elsewhere.
fn payment(descriptor: &Descriptor, pays: Option<Destination>) -> UnsignedTx {
    let chain = Chain::of(Network::LitecoinRegtest).unwrap();
    let path = AddressPath { branch: Branch::Deposit, index: 5 };
    let own = descriptor.address(chain, path).unwrap();
    let script_pubkey = Destination::parse(chain, own.as_str()).unwrap().script();
    let previous = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: Spent::null(),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output: vec![TxOut { value: Sats::from_sat(100_000), script_pubkey }],
    };
    let txid = previous.compute_txid().to_string();
    let raw: BTreeMap<_, Bytes> = [(txid.clone(), encode::serialize(&previous).into())].into();
    let outpoint = OutPoint { txid, vout: 0 };
    let coin = Coin { outpoint, amount: Amount::new(100_000), path };
    let destination = match pays {
        Some(elsewhere) => elsewhere.spell(chain).unwrap(),
        None => descriptor.address(chain, CHANGE).unwrap(),
    };
    let change = pays.map(|_| Amount::new(39_000));
    let amount = if pays.is_some() { 60_000 } else { 99_000 };
    let intent = Intent {
        transfer: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        account: "01890a5d-ac96-774b-bcce-b302099a8058".parse().unwrap(),
        wallet: "01890a5d-ac96-774b-bcce-b302099a8059".parse().unwrap(),
        asset: Network::LitecoinRegtest.native_asset(),
        amount: Amount::new(amount),
        destination,
        fee_cap: Amount::new(100_000),
    };
    let plan = Plan { inputs: vec![coin], change, fee: Amount::new(1_000) };
    build(chain, descriptor, &intent, &plan, CHANGE, |coin| raw.get(&coin.txid).cloned()).unwrap()
}

#[test]
fn two_files_spend_what_one_cannot() {
    let keys = cosigners();
    for shape in [Shape::P2wsh, Shape::P2tr] {
        let descriptor = wallet(shape, &keys);
        let unsigned = payment(&descriptor, Some(Destination::P2wpkh([9; 20])));
        // As files travel: out of the first machine, into the second, and back.
        let first = unsigned.psbt_with(&[keys[0].1.sign(&unsigned).unwrap()]).unwrap();
        assert!(unsigned.combine(&unsigned.partials(first.as_slice()).unwrap()).is_err());
        let text = descriptor.export(bitcoin::NetworkKind::Test);
        let imported = Descriptor::import(&text).unwrap();
        let offered = Offered::read(unsigned.chain(), &imported, first.as_slice()).unwrap();
        assert_eq!(offered.signatures.len(), 1);
        let mut parts = offered.unsigned.partials(first.as_slice()).unwrap();
        parts.push(keys[2].1.sign(&offered.unsigned).unwrap());
        let second = offered.unsigned.psbt_with(&parts).unwrap();
        let parts = unsigned.partials(second.as_slice()).unwrap();
        let signed = unsigned.combine(&parts).unwrap();
        assert_eq!(unsigned.check_signed(&signed.raw).unwrap(), signed);
    }
}

#[test]
fn a_file_of_another_wallet_signs_nothing() {
    let keys = cosigners();
    let descriptor = wallet(Shape::P2wsh, &keys);
    let unsigned = payment(&descriptor, Some(Destination::P2wpkh([9; 20])));
    let strangers = cosigners();
    let refused = strangers[0].1.sign(&unsigned);
    assert!(matches!(refused, Err(OfflineError::Cosigner(CosignerError::NoCosigner { .. }))));
}

#[test]
fn the_same_words_make_the_same_key_again() {
    let directory = TempDir::new().unwrap();
    let (key, words) = OfflineKey::create(directory.path(), &passphrase()).unwrap();
    assert_eq!(words.expose().split(' ').count(), 24);
    let opened = OfflineKey::open(directory.path(), &passphrase()).unwrap();
    let elsewhere = TempDir::new().unwrap();
    let restored = OfflineKey::restore(elsewhere.path(), &passphrase(), &words).unwrap();
    for other in [&opened, &restored] {
        assert_eq!(other.expression(ACCOUNT).unwrap(), key.expression(ACCOUNT).unwrap());
    }
    let wrong = Secret::new(b"another".to_vec());
    assert!(matches!(OfflineKey::open(directory.path(), &wrong), Err(OfflineError::Seal(_))));
    let again = OfflineKey::create(directory.path(), &passphrase());
    assert!(matches!(again, Err(OfflineError::Seal(_))), "a key is never written over");
}

/// BIP 48's path, from the words that everybody publishes; the fingerprint is well known.
#[test]
fn an_account_is_what_other_wallets_derive() {
    let directory = TempDir::new().unwrap();
    let words = format!("{} about", ["abandon"; 11].join(" "));
    let words = SecretText::new(words);
    let key = OfflineKey::restore(directory.path(), &passphrase(), &words).unwrap();
    assert_eq!(key.fingerprint().to_string(), "73c5da0a");
    let found = key.expression("84h/0h/0h").unwrap().to_string();
    // BIP 84's account 0, whose published `zpub` has other version bytes over the same key.
    let zpub = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs";
    let mut bytes = bitcoin::base58::decode_check(zpub).unwrap();
    bytes[..4].copy_from_slice(&[0x04, 0x88, 0xb2, 0x1e]);
    assert_eq!(found, format!("[73c5da0a/84h/0h/0h]{}", bitcoin::base58::encode_check(&bytes)));
    for path in ["", "m", "x", "48h//2", "2147483648"] {
        assert!(
            matches!(key.expression(path), Err(OfflineError::Cosigner(CosignerError::Path { .. }))),
            "{path}"
        );
    }
}

#[test]
fn a_person_reads_what_leaves_and_types_it() {
    let keys = cosigners();
    let descriptor = wallet(Shape::P2tr, &keys);
    let unsigned = payment(&descriptor, Some(Destination::P2wpkh([9; 20])));
    let review = Review::of(&unsigned).unwrap();
    assert!(review.text.contains("PAYS 0.00060000 LTC to\n    rltc1q"), "{}", review.text);
    assert!(review.text.contains("fee: 0.00001000 LTC"), "{}", review.text);
    assert!(review.text.contains("back to the wallet's own"), "{}", review.text);
    assert!(review.text.contains("2 of 3"), "{}", review.text);
    assert_eq!(review.asked, Asked::Amount("0.00060000 LTC".to_owned()));
    assert!(review.asked.agrees("0.00060000 LTC\n"));
    for typed in ["", "yes", "0.0006", "0.00060000", "0.0006000 LTC"] {
        assert!(!review.asked.agrees(typed), "{typed}");
    }
    let back = Review::of(&payment(&descriptor, None)).unwrap();
    assert_eq!(back.asked, Asked::Yes);
    assert!(!back.text.contains("PAYS"));
    assert!(back.asked.agrees("yes") && !back.asked.agrees("y"));
}
