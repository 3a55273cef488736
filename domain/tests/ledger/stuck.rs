//! What becomes of a payment that its chain does not take: replacements, children, cancellations, and
//! the account nonces that others wait for.

use crate::{asks::*, book::*, names::*};
use std::collections::BTreeSet;
use strongroom_domain::{
    AddressPath, Amount, Branch, Bytes, Command, Digest, Event, ProposalId, Recorded, Rule,
    WalletId,
    proposal::Subject,
    transfer::{
        Abandoned, AttemptAuthorised, AttemptSigned, Confirmed, ReturnAuthorised, Returns,
        TransferEvent,
    },
    wallet::{Coin, Funds, OutPoint},
};
use uuid::Uuid;

/// The id of attempt `attempt` of transfer `n` on its chain.
fn id(n: u8, attempt: u32) -> String {
    Digest::of(&[n, u8::try_from(attempt).unwrap()]).to_string()
}

fn wallet_of(book: &Book, n: u8) -> WalletId {
    book.state.transfers[&transfer(n)].asked().unwrap().intent.wallet
}

fn made(book: &Book, n: u8, attempt: u32, fee: u128) -> AttemptAuthorised {
    let fee = Amount::new(fee);
    AttemptAuthorised { fee, ..attempt_of(wallet_of(book, n), attempt) }
}

/// Attempt `attempt` of a payment, for `fee`.
fn pay(book: &Book, n: u8, attempt: u32, fee: u128) -> Command {
    let Command::AuthoriseAttempt { transfer, spends, .. } = book.attempt(n, attempt) else {
        unreachable!()
    };
    Command::AuthoriseAttempt { transfer, attempt: made(book, n, attempt, fee), spends }
}

pub(crate) fn give_back(
    book: &Book,
    n: u8,
    attempt: u32,
    (returns, fee): (Returns, u128),
) -> Command {
    let returned = ReturnAuthorised { returns, attempt: made(book, n, attempt, fee) };
    Command::AuthoriseReturn { transfer: transfer(n), returned }
}

pub(crate) fn sign(n: u8, attempt: u32) -> Command {
    let signed = AttemptSigned { attempt, raw: Bytes(vec![n; 8]), transaction: id(n, attempt) };
    Command::RecordSigned { transfer: transfer(n), signed }
}

fn change(n: u8, attempt: u32, amount: u128) -> Vec<Coin> {
    let outpoint = OutPoint { txid: id(n, attempt), vout: 0 };
    let path = AddressPath { branch: Branch::Change, index: 0 };
    vec![Coin { outpoint, amount: Amount::new(amount), path }]
}

fn end(n: u8, (attempt, child): (u32, Option<u32>), fee: u128, change: Vec<Coin>) -> Command {
    let confirmed = Confirmed {
        attempt,
        child,
        transaction: id(n, attempt),
        block: block(n),
        paid: Amount::new(1_000),
        fee: Amount::new(fee),
    };
    Command::ConfirmTransfer { transfer: transfer(n), confirmed, change }
}

pub(crate) fn cancelled(n: u8, attempt: u32, fee: u128, change: Vec<Coin>) -> Command {
    let (transaction, fee) = (id(n, attempt), Amount::new(fee));
    let abandoned = Abandoned { attempt, transaction, block: block(n), fee };
    Command::AbandonTransfer { transfer: transfer(n), abandoned, change }
}

fn wish(n: u8) -> ProposalId {
    ProposalId(Uuid::from_u128(0x7000 + u128::from(n)))
}

fn ask(book: &Book, n: u8, subject: Subject) -> Command {
    let expires_at = book.in_an_hour();
    Command::Propose { proposal: wish(n), subject, maker: MAKER, expires_at }
}

fn raise(n: u8, fee_cap: u128) -> Subject {
    Subject::RaiseFeeCap { transfer: transfer(n), fee_cap: Amount::new(fee_cap) }
}

pub(crate) fn abandon(n: u8) -> Subject {
    Subject::Abandon { transfer: transfer(n) }
}

pub(crate) fn agreed(book: &mut Book, n: u8, subject: Subject) {
    book.put(ask(book, n, subject)).unwrap();
    book.approve(wish(n), &[ANN, BEN]);
}

/// A payment of 1 000 with a fee cap of 1 000, that a node has for 500.
fn with_the_node(book: &mut Book, n: u8, wallet: WalletId) {
    book.approved(n, wallet, 1_000);
    book.put(pay(book, n, 1, 500)).unwrap();
    book.put(sign(n, 1)).unwrap();
    book.put(broadcast(n, 1)).unwrap();
}

fn status(book: &Book, n: u8) -> &'static str {
    book.state.transfers[&transfer(n)].name()
}

fn held(book: &Book, wallet: WalletId) -> (u128, u128) {
    let account = if wallet == LTC_WALLET { LTC_ACCOUNT } else { ETH_ACCOUNT };
    let claim = book.state.accounts[&account].claim().unwrap();
    (claim.total.units(), claim.pending().units())
}

/// Everything that can become of transfers that are stuck: six of them, from number `n` on.
pub(crate) fn play(book: &mut Book, n: u8) {
    let cancellation = (Returns::Cancellation, 900);
    // Replaced, and the first was faster.
    with_the_node(book, n, LTC_WALLET);
    book.put(pay(book, n, 2, 600)).unwrap();
    book.put(sign(n, 2)).unwrap();
    book.put(end(n, (1, None), 500, change(n, 1, 7_000))).unwrap();
    // Pulled along by a child.
    with_the_node(book, n + 1, LTC_WALLET);
    book.put(give_back(book, n + 1, 2, (Returns::Child { parent: 1 }, 500))).unwrap();
    book.put(sign(n + 1, 2)).unwrap();
    book.put(end(n + 1, (1, Some(2)), 1_000, change(n + 1, 2, 6_000))).unwrap();
    // It may cost more, and is cancelled all the same.
    with_the_node(book, n + 2, ETH_WALLET);
    agreed(book, n + 2, raise(n + 2, 2_000));
    agreed(book, n + 3, abandon(n + 2));
    book.put(give_back(book, n + 2, 2, cancellation)).unwrap();
    book.put(sign(n + 2, 2)).unwrap();
    book.put(broadcast(n + 2, 2)).unwrap();
    book.put(cancelled(n + 2, 2, 800, Vec::new())).unwrap();
    // Others wait for its account nonce.
    book.signing(n + 4, ETH_WALLET, 1_000);
    book.signing(n + 5, ETH_WALLET, 1_000);
    book.put(Command::FindNonceGap { transfer: transfer(n + 4) }).unwrap();
    book.put(give_back(book, n + 4, 2, cancellation)).unwrap();
    book.put(sign(n + 4, 2)).unwrap();
    book.put(cancelled(n + 4, 2, 700, Vec::new())).unwrap();
    book.put(sign(n + 5, 1)).unwrap();
    book.put(end(n + 5, (1, None), 400, Vec::new())).unwrap();
}

pub(crate) fn history() -> Vec<Recorded> {
    let mut book = Book::funded_v1();
    play(&mut book, 1);
    book.history
}

#[test]
fn everything_that_can_happen_to_a_stuck_payment_is_lawful() {
    let kinds: BTreeSet<_> = history().into_iter().map(|recorded| recorded.event.kind()).collect();
    for kind in [
        ("transfer.return-authorised", 1),
        ("transfer.fee-cap-raised", 1),
        ("transfer.abandonment-approved", 1),
        ("transfer.abandoned", 1),
        ("transfer.confirmed", 2),
        ("account.hold-raised", 1),
        ("wallet.account-nonce-raised", 1),
        ("wallet.nonce-gap-found", 1),
    ] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}

#[test]
fn of_several_signed_transactions_the_chain_chooses_and_its_fee_is_charged() {
    for (winner, fee) in [(1, 500), (2, 600)] {
        let mut book = Book::funded();
        with_the_node(&mut book, 1, LTC_WALLET);
        book.put(pay(&book, 1, 2, 600)).unwrap();
        book.refused(end(1, (2, None), 600, Vec::new()), Rule::AttemptState);
        book.put(sign(1, 2)).unwrap();
        // Change of the other one does not exist.
        let other = change(1, 3 - winner, 7_000);
        book.refused(end(1, (winner, None), fee, other), Rule::WalletState);
        book.put(end(1, (winner, None), fee, change(1, winner, 7_000))).unwrap();
        assert_eq!(status(&book, 1), "confirmed");
        assert_eq!(held(&book, LTC_WALLET), (1_800_000 - 1_000 - fee, 0));
    }
}

#[test]
fn a_payment_with_a_signed_attempt_never_fails_and_its_hold_stays() {
    let mut book = Book::funded();
    with_the_node(&mut book, 1, LTC_WALLET);
    book.put(pay(&book, 1, 2, 600)).unwrap();
    book.refused(book.fail(1), Rule::TransferState);
    assert_eq!(held(&book, LTC_WALLET), (1_800_000, 2_000));
}

#[test]
fn a_fee_cap_is_raised_by_its_quorum_and_not_before() {
    let mut book = Book::funded();
    for (n, wallet) in [(1, LTC_WALLET), (2, ETH_WALLET)] {
        with_the_node(&mut book, n, wallet);
        book.refused(pay(&book, n, 2, 1_500), Rule::FeeCap);
        // No more than the policy lets anybody pay, and more than it is.
        book.refused(ask(&book, n, raise(n, 1_000)), Rule::FeeCap);
        book.refused(ask(&book, n, raise(n, 1_000_000)), Rule::FeeCap);
        book.put(ask(&book, n, raise(n, 2_000))).unwrap();
        book.approve(wish(n), &[ANN]);
        book.refused(pay(&book, n, 2, 1_500), Rule::FeeCap);
        assert_eq!(held(&book, wallet).1, 2_000);
        book.approve(wish(n), &[BEN]);
        assert_eq!(held(&book, wallet).1, 3_000);
        book.put(pay(&book, n, 2, 1_500)).unwrap();
        assert_eq!(book.authorised(n, 2), Ok(()), "people approved the payment and its new cap");
        book.put(sign(n, 2)).unwrap();
        book.put(end(n, (2, None), 1_400, Vec::new())).unwrap();
        assert_eq!(held(&book, wallet), (1_800_000 - 2_400, 0));
    }
}

#[test]
fn a_raise_that_nothing_covers_is_refused_with_the_last_approval() {
    let mut book = Book::funded();
    book.put(book.request(1, LTC_WALLET, 999_000)).unwrap();
    book.approve(question(1), &[ANN, BEN]);
    book.put(book.request(2, LTC_WALLET, 799_000)).unwrap();
    book.put(ask(&book, 1, raise(1, 2_000))).unwrap();
    book.approve(wish(1), &[ANN]);
    let last = book.answer(wish(1), BEN, strongroom_domain::statement::Answer::Approve);
    book.refused(last, Rule::AccountOverdraw);
}

#[test]
fn it_is_abandoned_by_its_quorum_and_gives_back_all_but_the_fee() {
    for (wallet, back) in [(LTC_WALLET, 9_000), (ETH_WALLET, 0)] {
        let mut book = Book::funded();
        with_the_node(&mut book, 1, wallet);
        let cancel = give_back(&book, 1, 2, (Returns::Cancellation, 900));
        book.refused(cancel.clone(), Rule::TransferState);
        agreed(&mut book, 1, abandon(1));
        book.refused(pay(&book, 1, 2, 900), Rule::TransferState);
        book.put(cancel).unwrap();
        assert_eq!(book.authorised(1, 2), Ok(()));
        book.put(sign(1, 2)).unwrap();
        let coins = if back > 0 { change(1, 2, back) } else { Vec::new() };
        book.refused(cancelled(1, 1, 500, Vec::new()), Rule::AttemptState);
        book.put(cancelled(1, 2, 800, coins)).unwrap();
        assert_eq!(status(&book, 1), "abandoned");
        assert_eq!(held(&book, wallet), (1_800_000 - 800, 0));
        assert_eq!(book.state.proposals[&question(1)].name(), "burnt");
        assert_eq!(book.state.proposals[&wish(1)].name(), "fulfilled");
    }
}

#[test]
fn an_abandoned_payment_that_was_faster_is_paid_once() {
    let mut book = Book::funded();
    with_the_node(&mut book, 1, ETH_WALLET);
    agreed(&mut book, 1, abandon(1));
    book.put(give_back(&book, 1, 2, (Returns::Cancellation, 900))).unwrap();
    book.put(sign(1, 2)).unwrap();
    book.put(end(1, (1, None), 450, Vec::new())).unwrap();
    book.refused(cancelled(1, 2, 900, Vec::new()), Rule::TransferState);
    assert_eq!(held(&book, ETH_WALLET), (1_800_000 - 1_450, 0));
    assert_eq!(book.state.proposals[&question(1)].name(), "fulfilled");
    assert_eq!(book.state.proposals[&wish(1)].name(), "burnt");
}

#[test]
fn what_no_signer_has_heard_of_is_not_abandoned() {
    let mut book = Book::funded();
    book.approved(1, LTC_WALLET, 1_000);
    book.refused(ask(&book, 1, abandon(1)), Rule::TransferState);
    book.put(book.attempt(1, 1)).unwrap();
    book.put(ask(&book, 1, abandon(1))).unwrap();
}

#[test]
fn a_nonce_that_others_wait_for_is_not_given_back_but_used_up() {
    let mut book = Book::funded();
    book.signing(1, ETH_WALLET, 1_000);
    let gap = || Command::FindNonceGap { transfer: transfer(1) };
    book.refused(gap(), Rule::NonceGap);
    with_the_node(&mut book, 2, ETH_WALLET);
    book.refused(book.fail(1), Rule::NonceGap);
    let cancel = give_back(&book, 1, 2, (Returns::Cancellation, 900));
    book.refused(cancel.clone(), Rule::TransferState);
    book.put(gap()).unwrap();
    assert_eq!(book.put(gap()), Ok(vec![]), "a repeated step is no news");
    book.put(cancel).unwrap();
    assert_eq!(book.authorised(1, 2), Ok(()), "it pays nobody: nobody need agree");
    book.put(sign(1, 2)).unwrap();
    book.put(cancelled(1, 2, 900, Vec::new())).unwrap();
    assert_eq!(held(&book, ETH_WALLET), (1_800_000 - 900, 2_000));
    let Funds::Balance(balance) = &book.state.wallets[&ETH_WALLET].holding().unwrap().funds else {
        unreachable!()
    };
    assert!(balance.gaps.is_empty() && balance.released.is_empty());
    // What is signed fills its own place.
    with_the_node(&mut book, 3, ETH_WALLET);
    book.refused(Command::FindNonceGap { transfer: transfer(2) }, Rule::TransferState);
}

#[test]
fn a_nonce_that_nobody_waits_for_is_given_back() {
    let mut book = Book::funded();
    book.signing(1, ETH_WALLET, 1_000);
    book.put(book.fail(1)).unwrap();
    book.signing(2, ETH_WALLET, 1_000);
    with_the_node(&mut book, 3, ETH_WALLET);
    // A log of an earlier build may have given one back all the same: that is lawful to read.
    let failed = book.fail(2);
    let Command::FailTransfer { because, abstentions, .. } = failed else { unreachable!() };
    let failed = strongroom_domain::transfer::Failed { because, abstentions };
    let event = Event::Transfer(TransferEvent::Failed(failed));
    book.forge(strongroom_domain::Stream::Transfer(transfer(2)), event).unwrap();
}

#[test]
fn nobody_says_alone_what_only_follows() {
    let mut book = Book::funded();
    with_the_node(&mut book, 1, ETH_WALLET);
    let stream = strongroom_domain::Stream::Transfer(transfer(1));
    let seen: Vec<_> = history().into_iter().map(|recorded| recorded.event).collect();
    for event in seen {
        if let Event::Transfer(TransferEvent::FeeCapRaised(_)) = &event {
            book.forge(stream, event).unwrap_err();
        } else if let Event::Transfer(TransferEvent::AbandonmentApproved(_)) = &event {
            book.forge(stream, event).unwrap_err();
        }
    }
}
