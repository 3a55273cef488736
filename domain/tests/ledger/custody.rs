//! Accounts, addresses and deposits, and what a reorganisation does to them.

use crate::{asks::*, book::*, names::*};
use strongroom_domain::{
    AccountId, Amount, Branch, Command, DepositId, Network, Rule, SignerId,
    account::Claim,
    wallet::{Funds, Tier},
};
use uuid::Uuid;

fn claim(book: &Book, account: AccountId) -> &Claim {
    book.state.accounts[&account].claim().unwrap()
}

fn totals(book: &Book) -> (u128, u128, u128) {
    let claim = claim(book, LTC_ACCOUNT);
    (claim.total.units(), claim.pending().units(), claim.shortfall.units())
}

#[test]
fn ids_are_taken_once() {
    let mut book = Book::furnished();
    let (account, client, by) = (LTC_ACCOUNT, CLIENT, MAKER);
    book.refused(Command::OpenAccount { account, client, asset: LTC, by }, Rule::IdTaken);
    let (wallet, network, key) = (LTC_WALLET, Network::LitecoinRegtest, FROST_KEY);
    let create = Command::CreateWallet { wallet, network, key, tier: Tier::Hot, by };
    book.refused(create, Rule::IdTaken);
}

#[test]
fn addresses_come_in_order_and_belong_to_somebody() {
    let mut book = Book::furnished();
    let state = Rule::AddressState;
    book.refused(derive(LTC_WALLET, address("rltc1qnew"), Branch::Deposit, 0), state);
    book.refused(derive(LTC_WALLET, address("rltc1qnew"), Branch::Deposit, 2), state);
    book.refused(derive(LTC_WALLET, ltc_address(), Branch::Deposit, 1), state);
    book.put(derive(LTC_WALLET, address("rltc1qnew"), Branch::Deposit, 1)).unwrap();
    let Command::DeriveAddress { wallet, mut derived } =
        derive(LTC_WALLET, address("rltc1qnew2"), Branch::Deposit, 2)
    else {
        unreachable!()
    };
    derived.account = None;
    book.refused(Command::DeriveAddress { wallet, derived: derived.clone() }, state);
    derived.account = Some(ETH_ACCOUNT);
    book.refused(Command::DeriveAddress { wallet, derived: derived.clone() }, Rule::AccountState);
    derived.account = Some(AccountId(Uuid::from_u128(0x2f)));
    book.refused(Command::DeriveAddress { wallet, derived }, Rule::AccountState);
}

#[test]
fn a_key_that_cannot_derive_has_one_address() {
    let mut book = Book::furnished();
    let second = derive(ETH_WALLET, address("0xSecond"), Branch::Deposit, 1);
    book.refused(second, Rule::WalletSingleAddress);
}

#[test]
fn a_deposit_is_credited_at_its_confirmations() {
    let mut book = Book::furnished();
    let (deposit, seen) = seen(LTC_WALLET, 1, 5_000);
    let credit = |confirmations| Command::CreditDeposit { deposit, confirmations };
    book.refused(credit(3), Rule::DepositState);
    book.put(Command::SeeDeposit { deposit, seen: seen.clone() }).unwrap();
    assert_eq!(book.put(Command::SeeDeposit { deposit, seen }), Ok(vec![]));
    book.refused(credit(2), Rule::DepositState);
    assert_eq!(totals(&book), (0, 0, 0));
    book.put(credit(3)).unwrap();
    assert_eq!(totals(&book), (5_000, 0, 0));
    book.refused(credit(4), Rule::DepositState);
}

#[test]
fn a_deposit_is_what_its_place_and_address_say() {
    let mut book = Book::furnished();
    let (deposit, seen) = seen(LTC_WALLET, 1, 5_000);
    let see = |deposit, seen| Command::SeeDeposit { deposit, seen };
    let other = DepositId(Uuid::from_u128(9));
    book.refused(see(other, seen.clone()), Rule::DepositState);
    let mut wrong = seen.clone();
    wrong.account = ETH_ACCOUNT;
    book.refused(see(deposit, wrong), Rule::AddressState);
    let mut wrong = seen.clone();
    wrong.address = address("rltc1qchange");
    book.refused(see(deposit, wrong), Rule::AddressState);
    let mut wrong = seen;
    wrong.amount = Amount::ZERO;
    book.refused(see(deposit, wrong), Rule::AmountInvalid);
}

#[test]
fn a_deposit_that_is_reorganised_before_it_is_final_moves_nothing() {
    let mut book = Book::furnished();
    let (deposit, mut seen) = seen(LTC_WALLET, 1, 5_000);
    book.put(Command::SeeDeposit { deposit, seen: seen.clone() }).unwrap();
    book.put(Command::ReorganiseDeposit { deposit }).unwrap();
    book.refused(Command::CreditDeposit { deposit, confirmations: 9 }, Rule::DepositState);
    seen.block = block(9);
    book.put(Command::SeeDeposit { deposit, seen }).unwrap();
    book.put(Command::CreditDeposit { deposit, confirmations: 3 }).unwrap();
    assert_eq!(totals(&book), (5_000, 0, 0));
}

#[test]
fn a_final_deposit_that_is_reorganised_is_taken_back_and_comes_again() {
    let mut book = Book::furnished();
    let deposit = book.deposit(LTC_WALLET, 1, 5_000);
    book.put(Command::ReorganiseDeposit { deposit }).unwrap();
    assert_eq!(totals(&book), (0, 0, 0));
    book.refused(Command::ReorganiseDeposit { deposit }, Rule::DepositState);
    book.deposit(LTC_WALLET, 1, 5_000);
    assert_eq!(totals(&book), (5_000, 0, 0));
}

#[test]
fn what_was_spent_and_reorganised_is_a_shortfall_that_the_next_deposit_covers() {
    let mut book = Book::furnished();
    let deposit = book.deposit(LTC_WALLET, 1, 5_000);
    book.signing(1, LTC_WALLET, 3_000);
    book.put(Command::ReorganiseDeposit { deposit }).unwrap();
    // 5 000 less the hold of 4 000 could still be taken back.
    assert_eq!(totals(&book), (4_000, 4_000, 4_000));
    book.refused(book.request(2, LTC_WALLET, 1), Rule::AccountShortfall);
    book.deposit(LTC_WALLET, 2, 4_500);
    assert_eq!(totals(&book), (4_500, 4_000, 0));
    book.put(book.fail(1)).unwrap();
    assert_eq!(totals(&book), (4_500, 0, 0));
}

#[test]
fn a_coin_that_is_gone_is_not_free_when_its_transfer_fails() {
    let mut book = Book::furnished();
    let deposit = book.deposit(LTC_WALLET, 1, 5_000);
    book.signing(1, LTC_WALLET, 3_000);
    book.put(Command::ReorganiseDeposit { deposit }).unwrap();
    book.put(book.fail(1)).unwrap();
    let Funds::Coins(coins) = &book.state.wallets[&LTC_WALLET].holding().unwrap().funds else {
        unreachable!()
    };
    assert!(coins.free.is_empty() && coins.reserved.is_empty());
}

#[test]
fn a_balance_that_is_gone_is_missing_until_it_comes_again() {
    let mut book = Book::furnished();
    let deposit = book.deposit(ETH_WALLET, 1, 5_000);
    book.signing(1, ETH_WALLET, 3_000);
    book.put(signed(1, 1)).unwrap();
    book.put(confirm(1, 1, 3_000, None)).unwrap();
    book.put(Command::ReorganiseDeposit { deposit }).unwrap();
    let balance = |book: &Book| {
        let Funds::Balance(balance) = &book.state.wallets[&ETH_WALLET].holding().unwrap().funds
        else {
            unreachable!()
        };
        (balance.amount.units(), balance.missing.units(), balance.next_nonce)
    };
    assert_eq!(balance(&book), (0, 3_400, 1));
    book.deposit(ETH_WALLET, 1, 5_000);
    assert_eq!(balance(&book), (1_600, 0, 1));
}

#[test]
fn a_signer_is_reached_and_lost_if_the_charter_names_it() {
    let mut book = Book::founded();
    let signer = signer(1);
    let lose = || Command::LoseSigner { signer, because: "timed out".to_owned() };
    assert_eq!(book.put(Command::ReachSigner { signer }).unwrap().len(), 1);
    assert_eq!(book.put(Command::ReachSigner { signer }), Ok(vec![]));
    assert_eq!(book.put(lose()).unwrap().len(), 1);
    assert_eq!(book.put(lose()), Ok(vec![]));
    let stranger = SignerId(Uuid::from_u128(0x3ff));
    book.refused(Command::ReachSigner { signer: stranger }, Rule::SignerState);
}
