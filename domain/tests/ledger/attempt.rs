//! Attempts at a transfer, what they spend, and how they end.

use crate::{asks::*, book::*, names::*};
use strongroom_domain::{
    Amount, Command, Rule, Spends,
    transfer::{Abstention, AttemptRefused},
    wallet::Funds,
};

fn available(book: &Book) -> u128 {
    book.state.accounts[&LTC_ACCOUNT].claim().unwrap().available().units()
}

fn status(book: &Book, n: u8) -> &'static str {
    book.state.transfers[&transfer(n)].name()
}

#[test]
fn attempts_are_counted_and_each_further_one_spends_the_same() {
    let mut book = Book::funded();
    book.refused(book.attempt(1, 1), Rule::TransferState);
    book.put(book.request(1, LTC_WALLET, 1_000)).unwrap();
    book.refused(book.attempt(1, 1), Rule::TransferState);
    book.approve(question(1), &[ANN, BEN]);
    book.refused(book.attempt(1, 2), Rule::AttemptState);
    book.put(book.attempt(1, 1)).unwrap();
    assert_eq!(book.put(book.attempt(1, 1)), Ok(vec![]), "a repeated step is no news");
    book.refused(book.attempt(1, 3), Rule::AttemptState);
    let Command::AuthoriseAttempt { transfer, attempt, .. } = book.attempt(1, 2) else {
        unreachable!()
    };
    let Funds::Coins(coins) = &book.state.wallets[&LTC_WALLET].holding().unwrap().funds else {
        unreachable!()
    };
    let other = Spends::Coins(coins.free.keys().take(1).cloned().collect());
    book.refused(
        Command::AuthoriseAttempt { transfer, attempt, spends: other },
        Rule::WalletReserved,
    );
    book.put(book.attempt(1, 2)).unwrap();
    assert_eq!(book.authorised(1, 1).unwrap_err().rule, Rule::AttemptState);
    assert_eq!(book.authorised(1, 2), Ok(()));
}

#[test]
fn an_attempt_names_its_wallets_key_and_exactly_enough_holders() {
    let mut book = Book::funded();
    book.approved(1, LTC_WALLET, 1_000);
    let wrong = |signers: Vec<u8>| {
        let Command::AuthoriseAttempt { transfer, mut attempt, spends } = book.attempt(1, 1) else {
            unreachable!()
        };
        attempt.signers = signers.into_iter().map(signer).collect();
        Command::AuthoriseAttempt { transfer, attempt, spends }
    };
    let commands = [vec![], vec![1], vec![1, 1], vec![1, 4], vec![1, 2, 3]].map(wrong);
    for command in commands {
        book.refused(command, Rule::AttemptState);
    }
    let Command::AuthoriseAttempt { transfer, attempt, spends } = book.attempt(1, 1) else {
        unreachable!()
    };
    let mut other = attempt.clone();
    other.key = TOKEN_KEY;
    let spend = spends.clone();
    book.refused(
        Command::AuthoriseAttempt { transfer, attempt: other, spends: spend },
        Rule::AttemptState,
    );
    let mut other = attempt;
    other.fee = Amount::new(1_001);
    book.refused(Command::AuthoriseAttempt { transfer, attempt: other, spends }, Rule::FeeCap);
}

#[test]
fn a_coin_or_account_nonce_is_set_aside_once() {
    let mut book = Book::funded();
    for (first, second, wallet) in [(1, 2, LTC_WALLET), (3, 4, ETH_WALLET)] {
        book.approved(first, wallet, 1_000);
        book.approved(second, wallet, 1_000);
        let Command::AuthoriseAttempt { spends, .. } = book.attempt(first, 1) else {
            unreachable!()
        };
        book.put(book.attempt(first, 1)).unwrap();
        let Command::AuthoriseAttempt { transfer, attempt, .. } = book.attempt(second, 1) else {
            unreachable!()
        };
        let steal = Command::AuthoriseAttempt { transfer, attempt, spends };
        book.refused(steal, Rule::WalletReserved);
        book.put(book.attempt(second, 1)).unwrap();
    }
    book.approved(5, LTC_WALLET, 1_000);
    let Command::AuthoriseAttempt { transfer, attempt, .. } = book.attempt(5, 1) else {
        unreachable!()
    };
    for spends in [Spends::Coins(vec![]), Spends::AccountNonce(0)] {
        let attempt = attempt.clone();
        let command = Command::AuthoriseAttempt { transfer, attempt, spends: spends.clone() };
        let rule = match spends {
            Spends::Coins(_) => Rule::WalletReserved,
            Spends::AccountNonce(_) => Rule::WalletState,
        };
        book.refused(command, rule);
    }
}

#[test]
fn a_wallet_pays_no_more_than_it_has() {
    let mut book = Book::funded();
    // The account is covered, the wallet is not: its deposits were spent elsewhere.
    book.signing(1, ETH_WALLET, 900_000);
    book.put(signed(1, 1)).unwrap();
    book.approved(2, ETH_WALLET, 890_000);
    let deposit = seen(ETH_WALLET, 3, 600_000).0;
    book.put(Command::ReorganiseDeposit { deposit }).unwrap();
    book.refused(book.attempt(2, 1), Rule::WalletFunds);
}

#[test]
fn a_signers_refusal_is_recorded_once_for_the_current_attempt() {
    let mut book = Book::funded();
    book.signing(1, LTC_WALLET, 1_000);
    let refuse = |attempt| Command::RecordRefusal {
        transfer: transfer(1),
        refused: AttemptRefused {
            attempt,
            signer: signer(1),
            rule: Rule::SignerIntentMismatch,
            because: "the fee".to_owned(),
        },
    };
    book.refused(refuse(2), Rule::AttemptState);
    assert_eq!(book.put(refuse(1)).unwrap().len(), 1);
    assert_eq!(book.put(refuse(1)), Ok(vec![]));
}

#[test]
fn the_chains_steps_come_in_order_and_may_be_repeated() {
    let mut book = Book::funded();
    book.signing(1, LTC_WALLET, 1_000);
    book.refused(broadcast(1, 1), Rule::TransferState);
    book.refused(confirm(1, 1, 1_000, None), Rule::TransferState);
    book.refused(signed(1, 2), Rule::AttemptState);
    book.put(signed(1, 1)).unwrap();
    assert_eq!(book.put(signed(1, 1)), Ok(vec![]));
    // Another one costs more.
    book.refused(book.attempt(1, 2), Rule::AttemptState);
    book.refused(fail(1), Rule::TransferState);
    book.refused(broadcast(1, 2), Rule::AttemptState);
    book.put(broadcast(1, 1)).unwrap();
    assert_eq!(book.put(broadcast(1, 1)), Ok(vec![]));
    book.refused(confirm(1, 2, 1_000, None), Rule::AttemptState);
    book.put(confirm(1, 1, 1_000, None)).unwrap();
    assert_eq!(book.put(confirm(1, 1, 1_000, None)), Ok(vec![]));
    book.refused(fail(1), Rule::TransferState);
    book.refused(signed(9, 1), Rule::TransferState);
}

#[test]
fn what_is_final_is_what_was_approved() {
    let mut book = Book::funded();
    book.signing(1, LTC_WALLET, 1_000);
    book.put(signed(1, 1)).unwrap();
    book.refused(confirm(1, 1, 999, None), Rule::AmountInvalid);
    book.refused(confirm(1, 1, 1_001, None), Rule::AmountInvalid);
    let Command::ConfirmTransfer { transfer, mut confirmed, change } = confirm(1, 1, 1_000, None)
    else {
        unreachable!()
    };
    confirmed.fee = Amount::new(1_001);
    book.refused(Command::ConfirmTransfer { transfer, confirmed, change }, Rule::FeeCap);
}

#[test]
fn what_signers_have_heard_of_fails_only_when_too_few_of_them_are_left_to_sign_it() {
    let mut book = Book::funded();
    book.signing(1, LTC_WALLET, 1_000);
    let holders = [signer(1), signer(2), signer(3)];
    let word = |n: usize| abstention(1, holders[n]);
    let forged = Abstention { signature: word(1).signature, ..word(0) };
    let stranger = abstention(1, signer(4));
    let other = Abstention { signer: holders[1], ..abstention(2, holders[1]) };
    for few in [
        vec![],
        vec![word(0)],
        vec![word(0), word(0)],
        vec![forged, word(1)],
        vec![word(0), stranger],
        vec![word(0), other],
    ] {
        book.refused(fail_with(1, few), Rule::TransferAbstentions);
    }
    // One holder of a 2-of-3 key is left: no signature exists, and none ever will.
    book.put(fail_with(1, vec![word(0), word(2)])).unwrap();
    assert_eq!(status(&book, 1), "failed");
}

#[test]
fn a_failed_transfer_gives_everything_back_and_burns_its_approvals() {
    let mut book = Book::funded();
    for (n, wallet) in [(1, LTC_WALLET), (2, ETH_WALLET)] {
        book.approved(n, wallet, 1_000);
        if n == 1 {
            book.put(book.attempt(n, 1)).unwrap();
        }
        book.put(book.fail(n)).unwrap();
        assert_eq!(status(&book, n), "failed");
        assert_eq!(book.state.proposals[&question(n)].name(), "burnt");
        assert!(book.authorised(n, 1).is_err());
        book.refused(book.attempt(n, 1), Rule::TransferState);
    }
    assert_eq!(available(&book), 1_800_000);
    // The nonce that was given back is the next that is taken.
    book.signing(3, ETH_WALLET, 1_000);
    book.put(book.fail(3)).unwrap();
    book.signing(4, ETH_WALLET, 1_000);
    let Funds::Balance(balance) = &book.state.wallets[&ETH_WALLET].holding().unwrap().funds else {
        unreachable!()
    };
    assert_eq!(balance.reserved[&transfer(4)].account_nonce, 0);
    assert_eq!(balance.next_nonce, 1);
}

#[test]
fn a_transaction_of_the_bitcoin_family_never_fails_on_its_chain() {
    let mut book = Book::funded();
    book.signing(1, LTC_WALLET, 1_000);
    book.put(signed(1, 1)).unwrap();
    book.refused(fail_on_chain(1, 1), Rule::TransferState);
    book.put(broadcast(1, 1)).unwrap();
    book.refused(fail_on_chain(1, 1), Rule::TransferState);
    book.put(confirm(1, 1, 1_000, None)).unwrap();
}

#[test]
fn a_transfer_that_fails_on_its_chain_costs_its_fee() {
    let mut book = Book::funded();
    book.signing(1, ETH_WALLET, 1_000);
    book.refused(fail_on_chain(1, 1), Rule::TransferState);
    book.put(signed(1, 1)).unwrap();
    book.refused(fail_on_chain(1, 2), Rule::AttemptState);
    book.put(fail_on_chain(1, 1)).unwrap();
    assert_eq!(status(&book, 1), "failed");
    let claim = book.state.accounts[&ETH_ACCOUNT].claim().unwrap();
    assert_eq!((claim.total.units(), claim.pending().units()), (1_799_700, 0));
    let Funds::Balance(balance) = &book.state.wallets[&ETH_WALLET].holding().unwrap().funds else {
        unreachable!()
    };
    assert_eq!((balance.amount.units(), balance.next_nonce), (1_799_700, 1));
}
