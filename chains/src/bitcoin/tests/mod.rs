//! A wallet with known keys, and the tests on it. Never used outside tests: its keys are public.

mod properties;
mod refusals;
mod selection;
mod stuck;
mod vectors;

use super::{Chain, Destination, Plan, Request, SatPerKvb, UnsignedTx, build, select};
use crate::TransactionId;
use bitcoin::{
    TapNodeHash,
    key::{Keypair, Secp256k1, TapTweak},
    secp256k1::{All, Message, SecretKey},
};
use std::{collections::BTreeMap, sync::LazyLock};
use strongroom_domain::{
    Address, AddressPath, Amount, Branch, Digest, Intent, Network,
    wallet::{Coin, OutPoint},
};

static SIGNING: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

/// The wallet under test: a key per path, and the addresses that it knows.
pub(crate) struct TestWallet {
    pub(crate) chain: &'static Chain,
    owned: BTreeMap<Address, AddressPath>,
}

pub(crate) const CHANGE: AddressPath = AddressPath { branch: Branch::Change, index: 7 };

impl TestWallet {
    pub(crate) fn on(network: Network) -> Self {
        let chain = Chain::of(network).unwrap();
        let deposits = (0..8).map(deposit);
        let owned = deposits.chain([CHANGE]).map(|path| (address(chain, path), path)).collect();
        Self { chain, owned }
    }

    pub(crate) fn owns(&self, address: &Address) -> Option<AddressPath> {
        self.owned.get(address).copied()
    }

    /// Signs as the key of each input would.
    pub(crate) fn sign(&self, unsigned: &UnsignedTx) -> Vec<[u8; 64]> {
        let secp = &*SIGNING;
        let payloads = unsigned.signing_payloads(&|a| self.owns(a)).unwrap();
        let sign = |payload: &crate::SigningPayload| {
            let key = keypair(payload.path.unwrap()).tap_tweak(secp, None::<TapNodeHash>);
            let message = Message::from_digest(payload.digest);
            secp.sign_schnorr_no_aux_rand(&message, &key.to_keypair()).serialize()
        };
        payloads.iter().map(sign).collect()
    }

    pub(crate) fn intent(&self, to: Destination, amount: u64, fee_cap: u64) -> Intent {
        intent(self.chain.network, to.spell(self.chain).unwrap(), amount.into(), fee_cap.into())
    }

    /// A transaction with one input of 100 000 that pays 60 000 and has change.
    pub(crate) fn example(&self) -> UnsignedTx {
        let to = Destination::P2wpkh([9; 20]);
        let coins = [coin(1, 100_000)];
        let plan = select(&request(self.chain, to, 60_000, &coins)).unwrap();
        assert!(plan.change.is_some());
        self.build(to, 60_000, &plan)
    }

    pub(crate) fn build(&self, to: Destination, amount: u64, plan: &Plan) -> UnsignedTx {
        let intent = self.intent(to, amount, u64::MAX);
        build(self.chain, &intent, plan, CHANGE, |path| Some(public_key(path))).unwrap()
    }
}

pub(crate) fn intent(network: Network, destination: Address, amount: u128, cap: u128) -> Intent {
    Intent {
        transfer: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        account: "01890a5d-ac96-774b-bcce-b302099a8058".parse().unwrap(),
        wallet: "01890a5d-ac96-774b-bcce-b302099a8059".parse().unwrap(),
        asset: network.native_asset(),
        amount: Amount::new(amount),
        destination,
        fee_cap: Amount::new(cap),
    }
}

pub(crate) fn request<'a>(
    chain: &'static Chain,
    destination: Destination,
    amount: u64,
    coins: &'a [Coin],
) -> Request<'a> {
    Request {
        input: super::KEY_PATH_INPUT,
        chain,
        destination,
        amount: sats(amount),
        fee_cap: sats(chain.max_money),
        rate: SatPerKvb(2_000),
        coins,
        keep: &[],
        replaced_fee: None,
    }
}

pub(crate) fn sats(units: u64) -> Amount {
    Amount::new(units.into())
}

pub(crate) const fn deposit(index: u32) -> AddressPath {
    AddressPath { branch: Branch::Deposit, index }
}

/// Coin number `number`, on one of the wallet's first deposit addresses.
pub(crate) fn coin(number: u32, units: u64) -> Coin {
    let transaction = TransactionId(Digest::of(&number.to_be_bytes()).0);
    let path = deposit(number % 8);
    let outpoint = OutPoint { txid: transaction.to_string(), vout: number };
    Coin { outpoint, amount: sats(units), path }
}

fn keypair(path: AddressPath) -> Keypair {
    let secret = Digest::of(format!("a public secret: {path}").as_bytes());
    let secret = SecretKey::from_slice(&secret.0).unwrap();
    Keypair::from_secret_key(&SIGNING, &secret)
}

pub(crate) fn public_key(path: AddressPath) -> [u8; 33] {
    keypair(path).public_key().serialize()
}

fn address(chain: &Chain, path: AddressPath) -> Address {
    Destination::p2tr(&public_key(path)).unwrap().spell(chain).unwrap()
}
