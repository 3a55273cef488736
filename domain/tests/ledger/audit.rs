//! What a reader who trusts nobody accepts beside what was decided, and where that ends.

use crate::{
    asks::*,
    book::{self, *},
    names::*,
};
use strongroom_domain::{
    Amount, Command, Event, Head, Recorded, Rule, Stream, Timestamp,
    account::{AccountEvent, HoldPosted, JournalEntry, LedgerAccount, Purpose},
    audit::{Audited, Violation},
    decide,
    statement::Answer,
    transfer::TransferEvent,
    wallet::WalletEvent,
};

/// The book's log, with further entries that a hostile server wrote.
fn extend(book: &Book, time: Timestamp, entries: &[(Stream, Event)]) -> Result<Audited, Violation> {
    let mut audited = book.audited.clone();
    for (stream, event) in entries {
        let before = audited.head();
        let leaf = book::leaf(before, *stream, event);
        let head = Head { position: before.position + 1, leaf };
        let event = event.clone();
        audited.extend(&Recorded { head, time, stream: *stream, sequence: 1, event })?;
    }
    Ok(audited)
}

fn refused(outcome: Result<Audited, Violation>) -> Rule {
    match outcome {
        Err(Violation::Unlawful { refusal, .. }) => refusal.rule,
        other => panic!("not refused: {other:?}"),
    }
}

/// What `decide` gives, for a test to spoil.
fn decided(book: &Book, command: Command) -> Vec<(Stream, Event)> {
    decide(&book.state, command, book.now).unwrap().events
}

#[test]
fn an_answer_may_wait_for_its_append_but_not_for_long() {
    let mut book = Book::funded();
    book.put(book.request(1, LTC_WALLET, 1_000)).unwrap();
    let expires_at = book.in_an_hour();
    let answer = decided(&book, book.answer(question(1), ANN, Answer::Approve));
    for seconds in [0, 59] {
        extend(&book, expires_at.plus_seconds(seconds), &answer).unwrap();
    }
    let late = extend(&book, expires_at.plus_seconds(60), &answer);
    assert_eq!(refused(late), Rule::ProposalExpiry);
}

#[test]
fn a_request_may_wait_for_its_append_but_not_outlive_the_policy() {
    let book = Book::funded();
    let ask = |seconds| Command::RequestTransfer {
        intent: intent(1, LTC_WALLET, 1_000),
        proposal: question(1),
        maker: MAKER,
        expires_at: book.now.plus_seconds(seconds),
    };
    for seconds in [1, 86_400] {
        extend(&book, book.now.plus_seconds(30), &decided(&book, ask(seconds))).unwrap();
    }
    let mut forged = decided(&book, ask(86_400));
    let Event::Proposal(strongroom_domain::proposal::ProposalEvent::OpenedV1(opened)) =
        &mut forged[2].1
    else {
        unreachable!()
    };
    opened.expires_at = book.now.plus_seconds(10 * 86_400);
    assert_eq!(refused(extend(&book, book.now, &forged)), Rule::LogUnlawful);
}

#[test]
fn a_question_expires_at_its_time_and_not_long_before() {
    let mut book = Book::funded();
    book.put(book.request(1, LTC_WALLET, 1_000)).unwrap();
    let expires_at = book.in_an_hour();
    let start = book.now;
    book.wait(3_600);
    let expired = decided(&book, Command::ExpireProposal { proposal: question(1) });
    extend(&book, expires_at, &expired).unwrap();
    assert_eq!(refused(extend(&book, start, &expired)), Rule::ProposalExpiry);
}

#[test]
fn change_comes_from_the_transfers_own_transaction() {
    let mut book = Book::funded();
    book.signing(1, LTC_WALLET, 500_000);
    book.put(signed(1, 1)).unwrap();
    let mut events = decided(&book, confirm(1, 1, 500_000, Some(7_000)));
    extend(&book, book.now, &events).unwrap();
    let at = events
        .iter()
        .position(|(_, event)| matches!(event, Event::Wallet(WalletEvent::CoinAdded(_))))
        .unwrap();
    let twice = events[at].clone();
    let Event::Wallet(WalletEvent::CoinAdded(added)) = &mut events[at].1 else { unreachable!() };
    added.coin.outpoint.txid = "7".repeat(64);
    assert_eq!(refused(extend(&book, book.now, &events)), Rule::LogUnlawful);
    events[at] = twice.clone();
    events.insert(at, twice);
    assert_eq!(refused(extend(&book, book.now, &events)), Rule::WalletState);
}

#[test]
fn a_transfer_that_failed_on_its_chain_costs_no_more_than_its_fee_cap() {
    let mut book = Book::funded();
    book.signing(1, ETH_WALLET, 500_000);
    book.put(signed(1, 1)).unwrap();
    let mut events = decided(&book, fail_on_chain(1, 1));
    extend(&book, book.now, &events).unwrap();
    for (_, event) in &mut events {
        if let Event::Account(AccountEvent::HoldPosted(posted)) = event {
            posted.entries[0].amount = Amount::new(1_001);
        }
        if let Event::Wallet(WalletEvent::AccountNonceUsed(used)) = event {
            used.spent = Amount::new(1_001);
        }
    }
    assert_eq!(refused(extend(&book, book.now, &events)), Rule::FeeCap);
}

#[test]
fn what_a_failed_transfer_cost_is_what_its_wallet_spent() {
    let mut book = Book::funded();
    book.signing(1, ETH_WALLET, 500_000);
    book.put(signed(1, 1)).unwrap();
    let mut events = decided(&book, fail_on_chain(1, 1));
    for (_, event) in &mut events {
        if let Event::Wallet(WalletEvent::AccountNonceUsed(used)) = event {
            used.spent = Amount::new(299);
        }
    }
    assert_eq!(refused(extend(&book, book.now, &events)), Rule::LogUnlawful);
}

#[test]
fn a_hold_is_posted_for_a_confirmed_transfer_only() {
    let mut book = Book::funded();
    book.signing(1, LTC_WALLET, 1_000);
    let entry = JournalEntry {
        debit: LedgerAccount::Client(LTC_ACCOUNT),
        credit: LedgerAccount::Custody(LTC_WALLET),
        amount: Amount::new(1_000),
        purpose: Purpose::Payment,
    };
    let posted = HoldPosted { transfer: transfer(1), entries: vec![entry] };
    let posted = (Stream::Account(LTC_ACCOUNT), AccountEvent::from(posted).into());
    assert_eq!(refused(extend(&book, book.now, &[posted])), Rule::LogUnlawful);
}

#[test]
fn funds_are_set_aside_for_nothing_but_the_attempt_that_follows() {
    let mut book = Book::funded();
    book.approved(1, LTC_WALLET, 1_000);
    book.put(book.request(2, LTC_WALLET, 1_000)).unwrap();
    let mut events = decided(&book, book.attempt(1, 1));
    extend(&book, book.now, &events).unwrap();
    let reached = decided(&book, Command::ReachSigner { signer: signer(1) });
    let interrupted = [events[0].clone(), reached[0].clone()];
    assert_eq!(refused(extend(&book, book.now, &interrupted)), Rule::LogUnlawful);
    let Event::Wallet(WalletEvent::CoinsReserved(reserved)) = &mut events[0].1 else {
        unreachable!()
    };
    reserved.transfer = transfer(2);
    assert_eq!(refused(extend(&book, book.now, &events)), Rule::TransferState);
}

#[test]
fn an_approved_transfer_is_asked_for_again_under_another_id_only_with_another_quorum() {
    let mut book = Book::funded();
    book.signing(1, LTC_WALLET, 1_000);
    book.put(book.fail(1)).unwrap();
    book.put(book.request(2, LTC_WALLET, 1_000)).unwrap();
    // The burnt approvals, for the new question.
    for recorded in book.history.clone() {
        if recorded.stream == Stream::Proposal(question(1))
            && recorded.event.kind().0 == "proposal.approved"
        {
            let again = [(Stream::Proposal(question(2)), recorded.event)];
            assert_eq!(refused(extend(&book, book.now, &again)), Rule::ApprovalSignature);
        }
    }
    let approved = strongroom_domain::transfer::Approved {};
    let approved = Event::from(TransferEvent::from(approved));
    let forged = [(Stream::Transfer(transfer(2)), approved)];
    assert_eq!(refused(extend(&book, book.now, &forged)), Rule::LogUnlawful);
}
