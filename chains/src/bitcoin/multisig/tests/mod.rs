//! A multisig wallet with known keys, and the tests on it. Never used outside tests: its keys are
//! public.

mod descriptors;
mod outside;
mod properties;
mod refusals;
mod remedies;
mod spending;
mod vectors;

use super::{Descriptor, KeyExpression, Partial, Shape, UnsignedTx, build};
use crate::bitcoin::{
    Chain, Destination, Plan,
    tests::{intent, sats},
};
use bitcoin::{
    Amount as Sats, NetworkKind, OutPoint as Spent, ScriptBuf, Sequence, Transaction, TxIn, TxOut,
    Witness,
    absolute::LockTime,
    bip32::{DerivationPath, Xpriv, Xpub},
    consensus::encode,
    key::{Keypair, Secp256k1},
    secp256k1::{All, Message, SecretKey},
    transaction::Version,
};
use std::{collections::BTreeMap, sync::LazyLock};
use strongroom_domain::{
    Address, AddressPath, Branch, Bytes, Digest, Network,
    wallet::{Coin, OutPoint},
};

static SIGNING: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

const SHAPES: [Shape; 2] = [Shape::P2wsh, Shape::P2tr];
const CHANGE: AddressPath = AddressPath { branch: Branch::Change, index: 7 };

/// What a cosigner keeps to itself.
#[derive(Clone)]
enum Keeps {
    Master(Xpriv),
    One(SecretKey),
}

/// A wallet with the secrets of all its cosigners.
struct TestWallet {
    chain: &'static Chain,
    descriptor: Descriptor,
    /// By place.
    secrets: Vec<Keeps>,
    coins: Vec<Coin>,
    previous: BTreeMap<String, Bytes>,
}

fn origin() -> DerivationPath {
    "48h/2h/0h/2h".parse().unwrap()
}

fn master(number: usize) -> Xpriv {
    Xpriv::new_master(NetworkKind::Main, &Digest::of(format!("public {number}").as_bytes()).0)
        .unwrap()
}

fn extended(number: usize) -> KeyExpression {
    let master = master(number);
    let account = master.derive_priv(&SIGNING, &origin()).unwrap();
    let fingerprint = master.fingerprint(&SIGNING);
    KeyExpression::Extended {
        fingerprint,
        origin: origin(),
        xpub: Xpub::from_priv(&SIGNING, &account),
    }
}

fn fixed_secret(number: usize) -> SecretKey {
    SecretKey::from_slice(&Digest::of(format!("fixed {number}").as_bytes()).0).unwrap()
}

fn fixed(number: usize) -> KeyExpression {
    KeyExpression::Fixed(fixed_secret(number).public_key(&SIGNING))
}

impl TestWallet {
    /// *m* of *n*: the first cosigner has a fixed key, as a device that can't derive has.
    fn new(network: Network, shape: Shape, threshold: usize, cosigners: usize) -> Self {
        let pairs = (0..cosigners).map(|number| match number {
            0 => (fixed(0), Keeps::One(fixed_secret(0))),
            _ => (extended(number), Keeps::Master(master(number))),
        });
        let (keys, secrets): (Vec<_>, Vec<_>) = pairs.unzip();
        let descriptor = Descriptor::new(shape, threshold, keys.clone()).unwrap();
        let secrets = descriptor.keys().iter().map(|key| {
            let number = keys.iter().position(|one| one == key).unwrap();
            secrets[number].clone()
        });
        let secrets = secrets.collect();
        let chain = Chain::of(network).unwrap();
        let (coins, previous) = (Vec::new(), BTreeMap::new());
        let mut wallet = Self { chain, descriptor, secrets, coins, previous };
        for index in 0..3 {
            wallet.fund(AddressPath { branch: Branch::Deposit, index }, 100_000);
        }
        wallet
    }

    fn fund(&mut self, path: AddressPath, value: u64) {
        self.fund_from(path, value, 0);
    }

    /// By a transaction with so many bytes besides.
    fn fund_from(&mut self, path: AddressPath, value: u64, besides: usize) {
        let script_pubkey = self.descriptor.scripts(path).unwrap().output;
        let source = TxIn {
            previous_output: Spent::new(txid(path), 3),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[b"proves nothing"]),
        };
        let elsewhere = TxOut {
            value: Sats::from_sat(9),
            script_pubkey: ScriptBuf::from_bytes(vec![0x6a; besides]),
        };
        let transaction = Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![source],
            output: vec![elsewhere, TxOut { value: Sats::from_sat(value), script_pubkey }],
        };
        let id = crate::TransactionId::from(transaction.compute_txid()).to_string();
        self.previous.insert(id.clone(), encode::serialize(&transaction).into());
        let outpoint = OutPoint { txid: id, vout: 1 };
        self.coins.push(Coin { outpoint, amount: sats(value), path });
    }

    fn owns(&self, address: &Address) -> Option<AddressPath> {
        let paths = (0..8).map(|index| AddressPath { branch: Branch::Deposit, index });
        let mut paths = paths.chain([CHANGE]);
        paths.find(|path| self.descriptor.address(self.chain, *path).as_ref() == Some(address))
    }

    /// Spends all coins but 41 000 and the fee.
    fn example(&self) -> UnsignedTx {
        let paid = self.coins.iter().map(|coin| coin.amount.units()).sum::<u128>() - 41_000;
        let plan =
            Plan { inputs: self.coins.clone(), change: Some(sats(40_000)), fee: sats(1_000) };
        let to = Destination::P2wpkh([9; 20]).spell(self.chain).unwrap();
        let intent = intent(self.chain.network, to, paid, u128::MAX);
        build(self.chain, &self.descriptor, &intent, &plan, CHANGE, |coin| {
            self.previous.get(&coin.txid).cloned()
        })
        .unwrap()
    }

    /// Signs as the cosigner at `place` would.
    fn sign(&self, unsigned: &UnsignedTx, place: usize) -> Partial {
        let signatures = unsigned.payloads(place).into_iter().map(|payload| {
            let secret = match &self.secrets[place] {
                Keeps::One(secret) => *secret,
                Keeps::Master(master) => {
                    let path = origin().extend(super::key::steps(payload.path).unwrap());
                    master.derive_priv(&SIGNING, &path).unwrap().private_key
                }
            };
            assert_eq!(secret.public_key(&SIGNING).serialize(), payload.key);
            let message = Message::from_digest(payload.digest);
            match self.descriptor.shape() {
                Shape::P2wsh => SIGNING.sign_ecdsa(&message, &secret).serialize_compact(),
                Shape::P2tr => {
                    let pair = Keypair::from_secret_key(&SIGNING, &secret);
                    SIGNING.sign_schnorr_no_aux_rand(&message, &pair).serialize()
                }
            }
        });
        Partial { place, signatures: signatures.collect() }
    }

    fn sign_all(&self, unsigned: &UnsignedTx) -> Vec<Partial> {
        (0..self.secrets.len()).map(|place| self.sign(unsigned, place)).collect()
    }
}

fn txid(path: AddressPath) -> bitcoin::Txid {
    hex::encode(Digest::of(path.to_string().as_bytes()).0).parse().unwrap()
}
