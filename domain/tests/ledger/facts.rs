//! Prices, screenings and differences: who may say them, and what a hostile server can't make up.

use crate::{book::*, house::*, names::*};
use strongroom_domain::{
    Amount, Bytes, Command, DifferenceId, Event, PersonId, Rule, Stream,
    approval_key::Evidence,
    price::{PriceEvent, Quoted},
    reconciliation::{DifferenceFound, DifferenceResolved, ReconciliationEvent},
    screening::{self, ScreeningEvent, Verdict},
};
use uuid::Uuid;

fn resolved(n: u128, by: PersonId) -> Command {
    let because = "a stray payment".to_owned();
    let difference = DifferenceId(Uuid::from_u128(n));
    Command::ResolveDifference(DifferenceResolved { difference, by, because })
}

#[test]
fn a_price_is_the_policys_sources_word_and_nobody_elses() {
    let mut book = Book::house();
    book.put(Command::QuotePrice(quoted(book.now, 9_100))).unwrap();
    assert_eq!(book.state.prices.of(LTC).unwrap().minor_units, Amount::new(9_100));
    let later = book.now.plus_seconds(1);
    let forged = Quoted { minor_units: Amount::new(1), ..quoted(later, 9_200) };
    book.refused(Command::QuotePrice(forged), Rule::PriceInvalid);
    let other = Quoted { reference: label("eur"), ..quoted(later, 9_200) };
    book.refused(Command::QuotePrice(other), Rule::PriceInvalid);
    let tomorrow = quoted(book.now.plus_seconds(86_400), 9_200);
    book.refused(Command::QuotePrice(tomorrow), Rule::PriceInvalid);
    assert_eq!(book.put(Command::QuotePrice(quoted(book.now, 9_100))).unwrap(), []);
}

#[test]
fn without_a_source_there_are_no_prices() {
    let mut book = Book::founded();
    book.refused(Command::QuotePrice(quoted(book.now, 9_100)), Rule::PriceInvalid);
}

#[test]
fn a_screening_is_signed_by_compliance() {
    let mut book = Book::house();
    book.put(Command::RecordScreening(screened(book.now, Verdict::Clear, COM))).unwrap();
    let later = book.now.plus_seconds(1);
    book.refused(Command::RecordScreening(screened(later, Verdict::Clear, ANN)), Rule::RoleMissing);
    let turned =
        screening::Recorded { verdict: Verdict::Flagged, ..screened(later, Verdict::Clear, COM) };
    book.refused(Command::RecordScreening(turned), Rule::ApprovalSignature);
    let strange =
        screening::Recorded { key: public(&key_of(ANN.0)), ..screened(later, Verdict::Clear, COM) };
    book.refused(Command::RecordScreening(strange), Rule::ApprovalKeyUnknown);
    book.put(Command::RecordScreening(screened(later, Verdict::Flagged, COM))).unwrap();
}

#[test]
fn a_difference_has_an_owner_who_explains_it_or_an_officer_does() {
    let mut book = Book::house();
    let stranger =
        DifferenceFound { owner: PersonId(Uuid::from_u128(0x99)), ..found(1, 15, book.now) };
    book.refused(Command::FindDifference(stranger), Rule::RoleMissing);
    book.put(Command::FindDifference(DifferenceFound { owner: AUDITOR, ..found(1, 15, book.now) }))
        .unwrap();
    assert_eq!(book.put(Command::FindDifference(found(2, 15, book.now))).unwrap(), []);
    book.refused(resolved(1, MAKER), Rule::RoleMissing);
    book.put(resolved(1, OLA)).unwrap();
    book.refused(resolved(1, OLA), Rule::DifferenceState);
    book.put(Command::FindDifference(DifferenceFound { owner: AUDITOR, ..found(3, 16, book.now) }))
        .unwrap();
    book.put(resolved(3, AUDITOR)).unwrap();
}

/// A hostile server writes what nobody signed, or what can't have been found then.
#[test]
fn no_fact_is_made_up() {
    let mut book = Book::house();
    let now = book.now;
    book.put(Command::FindDifference(found(1, 15, now))).unwrap();
    let price = Quoted { signature: no_signature(), ..quoted(now, 9_100) };
    let evidence = Evidence::Signature { signature: Bytes(vec![7; 64]) };
    let screening = screening::Recorded { evidence, ..screened(now, Verdict::Clear, COM) };
    let difference = DifferenceId(Uuid::from_u128(1));
    let because = "nothing to see".to_owned();
    let forged: [(Stream, Event); 4] = [
        (Stream::Prices, PriceEvent::from(price).into()),
        (Stream::Screenings, ScreeningEvent::from(screening).into()),
        (
            Stream::Reconciliation,
            ReconciliationEvent::from(found(2, 99, now.plus_seconds(600))).into(),
        ),
        (
            Stream::Reconciliation,
            ReconciliationEvent::from(DifferenceResolved { difference, by: MAKER, because }).into(),
        ),
    ];
    for (stream, event) in forged {
        let kind = event.kind().0;
        assert!(book.forge(stream, event).is_err(), "{kind} was accepted");
    }
}
