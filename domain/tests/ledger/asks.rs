//! What people, nodes and signers ask of the ledger in these tests, with what is usual filled in.

use crate::names::*;
use strongroom_domain::{
    Address, AddressPath, Amount, Branch, Bytes, Command, DepositId, Digest, Intent, KeyId,
    Network, SignerId, WalletId,
    deposit::{BlockRef, Seen},
    key::{CeremonyPlan, Confirmed, Protocol, RoundOnePublished},
    statement,
    transfer::{self, AttemptAuthorised, AttemptSigned},
    wallet::{AddressDerived, Coin, OutPoint},
};

pub(crate) fn frost_plan() -> CeremonyPlan {
    let participants = vec![signer(1), signer(2), signer(3)];
    let protocol = Protocol::FrostSecp256k1Tr;
    CeremonyPlan { key: FROST_KEY, protocol, threshold: 2, participants }
}

pub(crate) fn token_plan() -> CeremonyPlan {
    let participants = vec![signer(4)];
    CeremonyPlan { key: TOKEN_KEY, protocol: Protocol::Pkcs11Secp256k1, threshold: 1, participants }
}

pub(crate) fn round_one(key: KeyId, signer: SignerId) -> Command {
    let package = Bytes(signer.0.as_bytes().to_vec());
    Command::PublishRoundOne { key, published: RoundOnePublished { signer, package } }
}

/// `holder`'s word for the key, signed by its identity.
pub(crate) fn confirmation(key: KeyId, holder: SignerId) -> Command {
    let public_key = Bytes(vec![2; 33]);
    let public_package = Bytes(vec![7; 4]);
    let text = statement::confirmation(LOG, key, holder, &public_key, &public_package);
    let signature = sign(&key_of(holder.0), &text);
    let confirmed = Confirmed { signer: holder, public_key, public_package, signature };
    Command::ConfirmKey { key, confirmed }
}

pub(crate) fn ltc_address() -> Address {
    address("rltc1qclient")
}

pub(crate) fn eth_address() -> Address {
    address("0xClient")
}

pub(crate) fn derive(wallet: WalletId, address: Address, branch: Branch, index: u32) -> Command {
    let account = match branch {
        Branch::Deposit if wallet == LTC_WALLET => Some(LTC_ACCOUNT),
        Branch::Deposit => Some(ETH_ACCOUNT),
        Branch::Change => None,
    };
    let path = AddressPath { branch, index };
    Command::DeriveAddress { wallet, derived: AddressDerived { address, path, account } }
}

pub(crate) fn txid(n: u8) -> String {
    Digest([n; 32]).to_string()
}

pub(crate) fn seen(wallet: WalletId, n: u8, amount: u128) -> (DepositId, Seen) {
    let bitcoin = wallet == LTC_WALLET;
    let (network, place, address, account) = if bitcoin {
        (Network::LitecoinRegtest, format!("{}:0", txid(n)), ltc_address(), LTC_ACCOUNT)
    } else {
        (Network::EthereumDev, txid(n), eth_address(), ETH_ACCOUNT)
    };
    let id = DepositId::of(network, &place);
    let amount = Amount::new(amount);
    (id, Seen { wallet, address, account, amount, place, block: block(n) })
}

pub(crate) fn block(n: u8) -> BlockRef {
    BlockRef { height: u64::from(n), hash: txid(n) }
}

pub(crate) fn intent(n: u8, wallet: WalletId, amount: u128) -> Intent {
    let (account, asset, to) = if wallet == LTC_WALLET {
        (LTC_ACCOUNT, LTC, "rltc1qexchange")
    } else {
        (ETH_ACCOUNT, ETH, "0xExchange")
    };
    Intent {
        transfer: transfer(n),
        account,
        wallet,
        asset,
        amount: Amount::new(amount),
        destination: address(to),
        fee_cap: Amount::new(1_000),
    }
}

pub(crate) fn attempt_of(wallet: WalletId, attempt: u32) -> AttemptAuthorised {
    let (key, signers) = if wallet == LTC_WALLET {
        (FROST_KEY, vec![signer(1), signer(3)])
    } else {
        (TOKEN_KEY, vec![signer(4)])
    };
    let unsigned = Bytes(vec![u8::try_from(attempt % 256).unwrap(); 8]);
    AttemptAuthorised { attempt, unsigned, fee: Amount::new(500), key, signers }
}

pub(crate) fn signed(n: u8, attempt: u32) -> Command {
    let signed = AttemptSigned { attempt, raw: Bytes(vec![n; 8]), transaction: txid(0x80 + n) };
    Command::RecordSigned { transfer: transfer(n), signed }
}

pub(crate) fn broadcast(n: u8, attempt: u32) -> Command {
    Command::RecordBroadcast { transfer: transfer(n), attempt }
}

pub(crate) fn confirm(n: u8, attempt: u32, paid: u128, change: Option<u128>) -> Command {
    let (paid, fee) = (Amount::new(paid), Amount::new(400));
    let (block, transaction) = (block(n), txid(0x80 + n));
    let confirmed = transfer::Confirmed { attempt, child: None, transaction, block, paid, fee };
    let change = change.into_iter().map(|amount| Coin {
        outpoint: OutPoint { txid: txid(0x80 + n), vout: 1 },
        amount: Amount::new(amount),
        path: AddressPath { branch: Branch::Change, index: 0 },
    });
    Command::ConfirmTransfer { transfer: transfer(n), confirmed, change: change.collect() }
}

pub(crate) fn fail(n: u8) -> Command {
    fail_with(n, Vec::new())
}

pub(crate) fn fail_with(n: u8, abstentions: Vec<transfer::Abstention>) -> Command {
    let because = "no signer answers".to_owned();
    Command::FailTransfer { transfer: transfer(n), because, abstentions }
}

/// `holder`'s word that it has no part in a transfer, signed by its identity.
pub(crate) fn abstention(n: u8, holder: SignerId) -> transfer::Abstention {
    let text = statement::abstention(LOG, transfer(n), holder);
    transfer::Abstention { signer: holder, signature: sign(&key_of(holder.0), &text) }
}

pub(crate) fn fail_on_chain(n: u8, attempt: u32) -> Command {
    Command::FailTransferOnChain {
        transfer: transfer(n),
        attempt,
        block: block(n),
        fee: Amount::new(300),
        because: "it reverted".to_owned(),
    }
}
