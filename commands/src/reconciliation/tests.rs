//! What a difference is, and what only looks like one.

use super::*;
use strongroom_domain::{
    AccountId, Address, AddressPath, Branch, Bytes, DepositId, Event, Intent, KeyId, Network,
    ProposalId, SignerId, State, Stream, TransferId, WalletId,
    deposit::{BlockRef, DepositEvent, Seen},
    policy::PolicyDecisionV1,
    reconciliation::{Gap, What},
    transfer::{Approved, AttemptAuthorised, AttemptSigned, RequestedV1, TransferEvent},
    wallet::{
        Coin, CoinAdded, CoinRemoved, CoinsReserved, Created, FundsReceived, OutPoint, Tier,
        WalletEvent,
    },
};
use uuid::Uuid;

const WALLET: WalletId = WalletId(Uuid::from_u128(1));
const TRANSFER: TransferId = TransferId(Uuid::from_u128(2));
const ACCOUNT: AccountId = AccountId(Uuid::from_u128(3));
const DEEP: u64 = 3;
const REQUIRED: u32 = 3;

fn outpoint(n: u8) -> OutPoint {
    OutPoint { txid: format!("{n:02x}").repeat(32), vout: 0 }
}

fn found(n: u8, amount: u128, confirmations: u64) -> Found {
    Found { outpoint: outpoint(n), amount: Amount::new(amount), confirmations }
}

struct Book(State);

impl Book {
    fn on(network: Network) -> Self {
        let mut book = Self(State::default());
        let key = KeyId(Uuid::from_u128(4));
        book.wallet(Created { network, key, tier: Tier::Hot });
        book
    }

    fn put(&mut self, stream: Stream, event: impl Into<Event>) {
        self.0.apply(stream, &event.into()).unwrap();
    }

    fn wallet(&mut self, event: impl Into<WalletEvent>) {
        self.put(Stream::Wallet(WALLET), event.into());
    }

    fn transfer(&mut self, event: impl Into<TransferEvent>) {
        self.put(Stream::Transfer(TRANSFER), event.into());
    }

    fn coin(&mut self, n: u8, amount: u128) {
        let path = AddressPath { branch: Branch::Deposit, index: 0 };
        let coin = Coin { outpoint: outpoint(n), amount: Amount::new(amount), path };
        self.wallet(CoinAdded { coin });
    }

    /// Coin `n` is set aside, and its transaction is signed: it is called `transaction`.
    fn signed(&mut self, n: u8, transaction: &OutPoint) {
        let network = Network::LitecoinRegtest;
        let intent = Intent {
            transfer: TRANSFER,
            account: ACCOUNT,
            wallet: WALLET,
            asset: network.native_asset(),
            destination: "rltc1qpayee".parse().unwrap(),
            amount: Amount::new(1),
            fee_cap: Amount::new(1),
        };
        let decision = PolicyDecisionV1 { policy_version: 1, verdicts: Vec::new(), quorum: None };
        let proposal = Some(ProposalId(Uuid::from_u128(5)));
        let maker = PersonId(Uuid::from_u128(6));
        self.transfer(RequestedV1 { intent, maker, proposal, decision });
        self.transfer(Approved {});
        self.wallet(CoinsReserved { transfer: TRANSFER, outpoints: vec![outpoint(n)] });
        self.transfer(AttemptAuthorised {
            attempt: 1,
            unsigned: Bytes(vec![1]),
            fee: Amount::new(1),
            key: KeyId(Uuid::from_u128(4)),
            signers: vec![SignerId(Uuid::from_u128(7))],
        });
        let (raw, transaction) = (Bytes(vec![2]), transaction.txid.clone());
        self.transfer(AttemptSigned { attempt: 1, raw, transaction });
    }

    fn gap(&self, found: &[Found]) -> Gap {
        compare_coins(&self.0, WALLET, found, REQUIRED).unwrap().gap()
    }
}

#[test]
fn coins_that_both_know_agree() {
    let mut book = Book::on(Network::LitecoinRegtest);
    book.coin(1, 500);
    assert_eq!(book.gap(&[found(1, 500, DEEP)]), Gap::None);
    let what = compare_coins(&book.0, WALLET, &[], REQUIRED).unwrap();
    let (ledger, chain) = (Amount::new(500), Amount::ZERO);
    assert_eq!(what, What::Balance { wallet: WALLET, ledger, chain });
    assert_eq!(what.gap(), Gap::Less(Amount::new(500)), "a coin that the chain has not is missed");
}

#[test]
fn a_coin_that_nobody_recorded_is_found_once_it_is_deep() {
    let book = Book::on(Network::LitecoinRegtest);
    assert_eq!(book.gap(&[found(9, 70, DEEP - 1)]), Gap::None);
    assert_eq!(book.gap(&[found(9, 70, DEEP)]), Gap::More(Amount::new(70)));
}

#[test]
fn a_deposit_that_waits_to_be_counted_is_no_difference() {
    let mut book = Book::on(Network::LitecoinRegtest);
    let place = outpoint(9).to_string();
    let deposit = DepositId::of(Network::LitecoinRegtest, &place);
    let address: Address = "rltc1qours".parse().unwrap();
    let block = BlockRef { height: 1, hash: "00".repeat(32) };
    let amount = Amount::new(70);
    let seen = Seen { wallet: WALLET, address, account: ACCOUNT, amount, place, block };
    book.put(Stream::Deposit(deposit), DepositEvent::from(seen));
    assert_eq!(book.gap(&[found(9, 70, DEEP)]), Gap::None);
}

#[test]
fn what_our_own_transfer_spent_and_will_get_back_is_ours() {
    let mut book = Book::on(Network::LitecoinRegtest);
    book.coin(1, 500);
    book.signed(1, &outpoint(2));
    // Before it is in a block, and after, with its change.
    assert_eq!(book.gap(&[found(1, 500, DEEP)]), Gap::None);
    assert_eq!(book.gap(&[found(2, 400, DEEP)]), Gap::None);
}

#[test]
fn a_coin_that_is_only_set_aside_must_still_be_there() {
    let mut book = Book::on(Network::LitecoinRegtest);
    book.coin(1, 500);
    book.wallet(CoinsReserved { transfer: TRANSFER, outpoints: vec![outpoint(1)] });
    assert_eq!(book.gap(&[]), Gap::Less(Amount::new(500)));
}

#[test]
fn what_the_chain_took_back_is_not_missed() {
    let mut book = Book::on(Network::LitecoinRegtest);
    book.coin(1, 500);
    book.wallet(CoinsReserved { transfer: TRANSFER, outpoints: vec![outpoint(1)] });
    book.wallet(CoinRemoved { outpoint: outpoint(1) });
    assert_eq!(book.gap(&[]), Gap::None);
}

#[test]
fn a_balance_is_compared_as_it_is() {
    let mut book = Book::on(Network::EthereumDev);
    let deposit = DepositId(Uuid::from_u128(8));
    book.wallet(FundsReceived { deposit, amount: Amount::new(900) });
    let gap = |chain: u128| compare_balance(&book.0, WALLET, Amount::new(chain)).unwrap().gap();
    assert_eq!(gap(900), Gap::None);
    assert_eq!(gap(901), Gap::More(Amount::new(1)));
    assert_eq!(gap(0), Gap::Less(Amount::new(900)));
    assert_eq!(compare_coins(&book.0, WALLET, &[], REQUIRED), None);
}

#[test]
fn the_fold_is_counted() {
    let book = Book::on(Network::EthereumDev);
    let counted = counters(&book.0);
    assert_eq!(counted.get("wallets"), Some(&Amount::new(1)));
    assert_eq!(counted.get("transfers"), Some(&Amount::ZERO));
}
