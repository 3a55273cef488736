//! What signers and nodes would have brought about, put to the bus by the tests: keys and funds.

use std::{path::Path, sync::Arc};

use ed25519_dalek::Signer as _;
use strongroom_commands::{Bus, Request, bus::statement};
use strongroom_domain::{
    AccountId, Actor, AddressPath, Amount, Branch, Bytes, ClientId, Command, DepositId, KeyId,
    Network, ProposalId, Timestamp, WalletId,
    deposit::{BlockRef, Seen},
    key::{CeremonyPlan, Confirmed, Custody, Protocol},
    statement::{Answer, confirmation},
    wallet::{AddressDerived, Tier},
};
use strongroom_store::SqliteLog;
use uuid::Uuid;

use super::{
    founding::{approval_key, person, signer},
    seeded,
};

/// What the account has: 1 LTC.
pub(crate) const FUNDS: u128 = 100_000_000;

/// A point of secp256k1: its generator.
pub(crate) const POINT: [u8; 33] = [
    0x02, 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b,
    0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17,
    0x98,
];

pub(crate) struct Stock {
    pub(crate) wallet: WalletId,
    pub(crate) account: AccountId,
    pub(crate) free_key: KeyId,
    pub(crate) hsm_key: KeyId,
}

fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap())
}

/// Appends to the log of a data directory that no server has open.
pub(crate) fn stock(data: &Path) -> Stock {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let log = SqliteLog::open(data.join("log.db")).unwrap();
        let bus = Bus::open(Arc::new(log), now).await.unwrap();
        let key = make_key(&bus, Protocol::FrostSecp256k1Tr).await;
        let free_key = make_key(&bus, Protocol::FrostSecp256k1Tr).await;
        let hsm_key = make_key(&bus, Protocol::Pkcs11Secp256k1).await;
        let (wallet, account) = fund(&bus, key).await;
        Stock { wallet, account, free_key, hsm_key }
    })
}

async fn tell(bus: &Bus, command: Command) {
    bus.execute(Request::new(command, Actor::Saga)).await.unwrap();
}

async fn make_key(bus: &Bus, protocol: Protocol) -> KeyId {
    let (key, proposal) = (KeyId(Uuid::now_v7()), ProposalId(Uuid::now_v7()));
    let holders: Vec<_> = match protocol.custody() {
        Custody::Cosigners => panic!("a multisig key names its cosigners"),
        Custody::Shares => vec![signer(0), signer(1)],
        Custody::Whole => vec![signer(0)],
    };
    let threshold = u16::try_from(holders.len()).unwrap();
    let plan = CeremonyPlan { key, protocol, threshold, participants: holders.clone() };
    let expires_at = bus.now().plus_seconds(600);
    let maker = person("ian");
    tell(bus, Command::RequestCeremony { proposal, plan, maker, expires_at }).await;
    for name in ["bob", "cyd"] {
        let approver = person(name);
        let text = bus.read(|state| statement(state, proposal, Answer::Approve, approver)).unwrap();
        let signing = approval_key(name);
        let signature = Bytes(signing.sign(text.as_bytes()).to_bytes().to_vec());
        let key = Bytes(signing.verifying_key().to_bytes().to_vec());
        let answer = Answer::Approve;
        let evidence = strongroom_domain::approval_key::Evidence::Signature { signature };
        tell(bus, Command::AnswerProposal { proposal, answer, approver, key, evidence }).await;
    }
    let log = bus.read(|state| state.charter.standing().unwrap().log);
    for (number, holder) in holders.into_iter().enumerate() {
        let (public_key, package) = (Bytes(POINT.to_vec()), Bytes(vec![1]));
        let text = confirmation(log, key, holder, &public_key, &package);
        let identity = seeded(100 + u8::try_from(number).unwrap());
        let signature = Bytes(identity.sign(text.as_bytes()).to_bytes().to_vec());
        let confirmed =
            Confirmed { signer: holder, public_key, public_package: package, signature };
        tell(bus, Command::ConfirmKey { key, confirmed }).await;
    }
    key
}

/// A Litecoin wallet on the key, and an account with [`FUNDS`].
async fn fund(bus: &Bus, key: KeyId) -> (WalletId, AccountId) {
    let (wallet, account) = (WalletId(Uuid::now_v7()), AccountId(Uuid::now_v7()));
    let (by, network) = (person("ian"), Network::LitecoinRegtest);
    let (client, asset) = (ClientId(Uuid::now_v7()), network.native_asset());
    tell(bus, Command::CreateWallet { wallet, network, key, tier: Tier::Hot, by }).await;
    tell(bus, Command::OpenAccount { account, client, asset, by }).await;
    let group = strongroom_chains::frost::GroupKey::from_bytes(&POINT).unwrap();
    let first = strongroom_chains::frost::KeyPath { change: 0, index: 0 };
    let child = group.child(first).unwrap().to_bytes();
    let address = strongroom_chains::address_of(network, &child).unwrap();
    let path = AddressPath { branch: Branch::Deposit, index: 0 };
    let derived = AddressDerived { address: address.clone(), path, account: Some(account) };
    tell(bus, Command::DeriveAddress { wallet, derived }).await;
    let place = format!("{}:0", "ab".repeat(32));
    let deposit = DepositId::of(network, &place);
    let block = BlockRef { height: 101, hash: "cd".repeat(32) };
    let amount = Amount::new(FUNDS);
    let seen = Seen { wallet, address, account, amount, place, block };
    tell(bus, Command::SeeDeposit { deposit, seen }).await;
    tell(bus, Command::CreditDeposit { deposit, confirmations: 6 }).await;
    (wallet, account)
}
