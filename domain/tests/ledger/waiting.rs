//! Time locks: an approved transfer waits, and signers measure the time by their own clocks.

use crate::{asks::*, book::*, house::*, names::*};
use strongroom_domain::{
    Amount, Rule,
    proposal::{Subject, Unusual},
};

const LARGE: u128 = WAITS_ABOVE + 1;

#[test]
fn a_locked_transfer_is_not_built_before_its_time() {
    let mut book = Book::house();
    book.approved(1, LTC_WALLET, LARGE);
    book.refused(book.attempt(1, 1), Rule::TimeLock);
    book.wait(WAITS_S - 1);
    book.refused(book.attempt(1, 1), Rule::TimeLock);
    book.wait(1);
    book.put(book.attempt(1, 1)).unwrap();
    book.authorised(1, 1).unwrap();
}

#[test]
fn a_small_transfer_waits_for_nothing() {
    let mut book = Book::house();
    book.approved(1, LTC_WALLET, WAITS_ABOVE);
    book.put(book.attempt(1, 1)).unwrap();
}

/// The lock runs from the entry that approved it, however long people took.
#[test]
fn the_lock_begins_with_the_approval() {
    let mut book = Book::house();
    let request = book.request(1, LTC_WALLET, LARGE);
    book.put(request).unwrap();
    book.wait(WAITS_S);
    book.approve(question(1), &[ANN, BEN]);
    book.refused(book.attempt(1, 1), Rule::TimeLock);
    book.wait(WAITS_S);
    book.put(book.attempt(1, 1)).unwrap();
}

/// A server whose clock runs ahead convinces no signer.
#[test]
fn a_signer_measures_the_lock_by_its_own_clock() {
    let mut book = Book::house();
    book.approved(1, LTC_WALLET, LARGE);
    let approved_at = book.now;
    book.wait(WAITS_S);
    book.put(book.attempt(1, 1)).unwrap();
    let early = approved_at.plus_seconds(WAITS_S - 1);
    let refusal = book.audited.authorised(transfer(1), 1, early).map(drop).unwrap_err();
    assert_eq!(refusal.rule, Rule::TimeLock);
    book.audited.authorised(transfer(1), 1, book.now).unwrap();
}

#[test]
fn people_are_told_what_is_not_as_it_was() {
    let mut book = Book::house();
    let told = |book: &Book, n: u8| {
        let answers = book.state.proposals[&question(n)].answers().unwrap().clone();
        match answers.opened.subject {
            Subject::Payment { unusual, .. } => unusual,
            other => panic!("{other:?}"),
        }
    };
    book.signing(1, LTC_WALLET, 1_000);
    assert_eq!(told(&book, 1), [Unusual::FirstPayment]);
    book.put(signed(1, 1)).unwrap();
    book.put(broadcast(1, 1)).unwrap();
    book.put(confirm(1, 1, 1_000, None)).unwrap();
    for (n, amount, expected) in [
        (2, 1_000, vec![]),
        (3, 1_001, vec![Unusual::LargestAmount { so_far: Amount::new(1_000) }]),
    ] {
        let request = book.request(n, LTC_WALLET, amount);
        book.put(request).unwrap();
        assert_eq!(told(&book, n), expected);
    }
}
