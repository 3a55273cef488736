//! A transfer, from the request to the chain, and everything that stops one.

use crate::{asks::*, book::*, names::*};
use strongroom_domain::{
    Amount, Bytes, Command, Event, Head, ProposalId, Rule, Timestamp, statement::Answer,
    transfer::TransferEvent,
};
use uuid::Uuid;

fn available(book: &Book) -> u128 {
    book.state.accounts[&LTC_ACCOUNT].claim().unwrap().available().units()
}

fn status(book: &Book, n: u8) -> &'static str {
    book.state.transfers[&transfer(n)].name()
}

fn with_intent(book: &Book, n: u8, change: impl FnOnce(&mut strongroom_domain::Intent)) -> Command {
    let mut intent = intent(n, LTC_WALLET, 1_000);
    change(&mut intent);
    let expires_at = book.in_an_hour();
    Command::RequestTransfer { intent, proposal: question(n), maker: MAKER, expires_at }
}

#[test]
fn a_transfer_goes_from_request_to_confirmation() {
    let mut book = Book::funded();
    for (n, wallet, change) in [(1, LTC_WALLET, Some(98_000)), (2, ETH_WALLET, None)] {
        book.put(book.request(n, wallet, 500_000)).unwrap();
        assert_eq!(status(&book, n), "awaiting-approval");
        assert!(book.authorised(n, 1).is_err());
        book.approve(question(n), &[ANN, BEN]);
        assert_eq!(status(&book, n), "approved");
        assert!(book.authorised(n, 1).is_err());
        book.put(book.attempt(n, 1)).unwrap();
        assert_eq!(book.authorised(n, 1), Ok(()));
        book.put(signed(n, 1)).unwrap();
        assert!(book.authorised(n, 1).is_err(), "a signature exists: nobody needs another");
        book.put(broadcast(n, 1)).unwrap();
        book.put(confirm(n, 1, 500_000, change)).unwrap();
        assert_eq!(status(&book, n), "confirmed");
        assert_eq!(book.state.proposals[&question(n)].name(), "fulfilled");
    }
    assert_eq!(available(&book), 1_800_000 - 500_400);
}

#[test]
fn what_the_policy_forbids_is_refused_in_the_log_and_holds_nothing() {
    let mut book = Book::funded();
    let refusals = [
        (
            with_intent(&book, 1, |i| i.destination = address("rltc1qthief")),
            Rule::DestinationAllowlist,
        ),
        (with_intent(&book, 2, |i| i.amount = Amount::new(10_000_001)), Rule::AmountTier),
        (with_intent(&book, 3, |i| i.fee_cap = Amount::new(10_001)), Rule::FeeCap),
    ];
    for (n, (request, rule)) in (1..).zip(refusals) {
        let events = book.put(request).unwrap();
        assert_eq!(events.len(), 2, "asked and refused");
        let Event::Transfer(TransferEvent::Refused(refused)) = &events[1] else { unreachable!() };
        assert_eq!(refused.rule, rule);
        assert_eq!(status(&book, n), "refused");
    }
    assert_eq!(available(&book), 1_800_000);
    assert!(book.state.proposals.values().all(|proposal| proposal.answers().is_none()));
}

#[test]
fn the_tier_that_the_amount_fits_in_names_the_quorum() {
    let mut book = Book::funded();
    book.put(book.request(1, LTC_WALLET, 1_000_000)).unwrap();
    book.approve(question(1), &[ANN, BEN]);
    assert_eq!(status(&book, 1), "approved");
    book.deposit(LTC_WALLET, 9, 5_000_000);
    book.put(book.request(2, LTC_WALLET, 1_000_001)).unwrap();
    book.approve(question(2), &[ANN, BEN]);
    assert_eq!(status(&book, 2), "awaiting-approval");
    book.approve(question(2), &[CAT]);
    assert_eq!(status(&book, 2), "approved");
}

#[test]
fn a_request_fits_its_account_and_wallet() {
    let mut book = Book::funded();
    let nobody = Uuid::from_u128(0xfff);
    let account = strongroom_domain::AccountId(nobody);
    let wallet = strongroom_domain::WalletId(nobody);
    book.refused(with_intent(&book, 1, |i| i.account = account), Rule::AccountState);
    book.refused(with_intent(&book, 1, |i| i.account = ETH_ACCOUNT), Rule::AccountState);
    book.refused(with_intent(&book, 1, |i| i.wallet = wallet), Rule::WalletState);
    book.refused(with_intent(&book, 1, |i| i.wallet = ETH_WALLET), Rule::WalletState);
    book.refused(with_intent(&book, 1, |i| i.amount = Amount::ZERO), Rule::AmountInvalid);
    let all = with_intent(&book, 1, |i| {
        i.amount = Amount::new(1_799_001);
    });
    book.refused(all, Rule::AccountOverdraw);
    book.put(with_intent(&book, 1, |i| i.amount = Amount::new(1_799_000))).unwrap();
    assert_eq!(available(&book), 0);
    book.refused(with_intent(&book, 2, |_| ()), Rule::AccountOverdraw);
    book.refused(with_intent(&book, 1, |_| ()), Rule::IdTaken);
}

#[test]
fn sums_beyond_the_ledger_are_refused() {
    let mut book = Book::funded();
    let request = with_intent(&book, 1, |i| i.amount = Amount::new(u128::MAX));
    // Above every tier: recorded as refused before any sum is made.
    assert_eq!(book.put(request).unwrap().len(), 2);
    let (deposit, seen) = seen(LTC_WALLET, 9, u128::MAX);
    book.put(Command::SeeDeposit { deposit, seen }).unwrap();
    let credit = Command::CreditDeposit { deposit, confirmations: 3 };
    book.refused(credit, Rule::AmountInvalid);
}

#[test]
fn who_asks_is_an_initiator_and_asks_once() {
    let mut book = Book::funded();
    let ask = |book: &Book, n, maker| Command::RequestTransfer {
        intent: intent(n, LTC_WALLET, 1_000),
        proposal: question(1),
        maker,
        expires_at: book.in_an_hour(),
    };
    book.refused(ask(&book, 1, BEN), Rule::RoleMissing);
    book.refused(ask(&book, 1, AUDITOR), Rule::RoleMissing);
    book.put(ask(&book, 1, MAKER)).unwrap();
    // Another transfer under the same question.
    book.refused(ask(&book, 2, MAKER), Rule::IdTaken);
}

#[test]
fn a_question_is_open_for_as_long_as_the_policy_allows() {
    let mut book = Book::funded();
    let ask = |expires_at: Timestamp| Command::RequestTransfer {
        intent: intent(1, LTC_WALLET, 1_000),
        proposal: question(1),
        maker: MAKER,
        expires_at,
    };
    let now = book.now;
    book.refused(ask(now), Rule::ProposalExpiry);
    book.refused(ask(now.plus_seconds(86_401)), Rule::ProposalExpiry);
    book.put(ask(now.plus_seconds(86_400))).unwrap();
}

#[test]
fn the_one_who_asked_never_answers() {
    let mut book = Book::funded();
    let expires_at = book.in_an_hour();
    let ask = |n, amount| Command::RequestTransfer {
        intent: intent(n, LTC_WALLET, amount),
        proposal: question(n),
        maker: ANN,
        expires_at,
    };
    book.put(ask(1, 1_000)).unwrap();
    book.refused(book.answer(question(1), ANN, Answer::Approve), Rule::MakerChecker);
    book.approve(question(1), &[BEN, CAT]);
    // All three would be needed, and Ann is one of them.
    book.deposit(LTC_WALLET, 9, 5_000_000);
    book.refused(ask(2, 1_000_001), Rule::MakerChecker);
}

#[test]
fn an_approver_counts_once_whatever_they_say() {
    let mut book = Book::funded();
    book.put(book.request(1, LTC_WALLET, 1_000)).unwrap();
    book.approve(question(1), &[ANN]);
    book.refused(book.answer(question(1), ANN, Answer::Approve), Rule::ApproverSpoke);
    book.refused(book.answer(question(1), ANN, Answer::Decline), Rule::ApproverSpoke);
    book.put(book.answer(question(1), CAT, Answer::Decline)).unwrap();
    book.refused(book.answer(question(1), CAT, Answer::Approve), Rule::ApproverSpoke);
    assert_eq!(status(&book, 1), "awaiting-approval");
}

#[test]
fn only_the_group_answers_and_only_with_the_approver_role() {
    let mut book = Book::funded();
    book.put(book.request(1, LTC_WALLET, 1_000)).unwrap();
    book.refused(book.answer(question(1), DAN, Answer::Approve), Rule::ApproverNotInGroup);
    book.refused(book.answer(question(1), AUDITOR, Answer::Approve), Rule::RoleMissing);
    book.refused(book.answer(question(1), MAKER, Answer::Approve), Rule::MakerChecker);
}

#[test]
fn an_approval_is_signed_with_the_approvers_own_key_over_this_statement() {
    let mut book = Book::funded();
    book.put(book.request(1, LTC_WALLET, 1_000)).unwrap();
    book.put(book.request(2, LTC_WALLET, 2_000)).unwrap();
    let proposal = question(1);
    let (mine, others) = (key_of(ANN.0), key_of(BEN.0));
    let answer = |key: &ed25519_dalek::SigningKey, text: &str, with| Command::AnswerProposal {
        proposal,
        answer: with,
        approver: ANN,
        key: public(key),
        evidence: strongroom_domain::approval_key::Evidence::Signature {
            signature: sign(key, text),
        },
    };
    let text = book.statement(proposal, ANN, Answer::Approve);
    let wrong = Rule::ApprovalSignature;
    book.refused(answer(&others, &text, Answer::Approve), Rule::ApprovalKeyUnknown);
    book.refused(answer(&mine, &text, Answer::Decline), wrong);
    let other = book.statement(question(2), ANN, Answer::Approve);
    book.refused(answer(&mine, &other, Answer::Approve), wrong);
    let other = book.statement(proposal, BEN, Answer::Approve);
    book.refused(answer(&mine, &other, Answer::Approve), wrong);
    book.refused(answer(&mine, text.trim_end(), Answer::Approve), wrong);
    let short = Command::AnswerProposal {
        proposal,
        answer: Answer::Approve,
        approver: ANN,
        key: public(&mine),
        evidence: strongroom_domain::approval_key::Evidence::Signature {
            signature: Bytes(vec![0; 63]),
        },
    };
    book.refused(short, wrong);
    book.put(answer(&mine, &text, Answer::Approve)).unwrap();
}

#[test]
fn a_signature_from_another_log_does_not_fit() {
    let mut book = Book::funded();
    book.put(book.request(1, LTC_WALLET, 1_000)).unwrap();
    let elsewhere = book.answer(question(1), ANN, Answer::Approve);
    // The same question, opened at another entry.
    let mut other = Book::funded();
    other.put(other.request(2, LTC_WALLET, 1_000)).unwrap();
    other.put(other.request(1, LTC_WALLET, 1_000)).unwrap();
    other.refused(elsewhere, Rule::ApprovalSignature);
    assert_ne!(book.state.opened_at[&question(1)], Head::default());
}

#[test]
fn a_declined_transfer_gives_its_hold_back() {
    let mut book = Book::funded();
    book.put(book.request(1, LTC_WALLET, 1_000)).unwrap();
    assert_eq!(available(&book), 1_798_000);
    book.put(book.answer(question(1), ANN, Answer::Decline)).unwrap();
    assert_eq!(status(&book, 1), "awaiting-approval");
    book.put(book.answer(question(1), BEN, Answer::Decline)).unwrap();
    assert_eq!(status(&book, 1), "rejected");
    assert_eq!(available(&book), 1_800_000);
    book.refused(book.answer(question(1), CAT, Answer::Approve), Rule::ProposalNotOpen);
}

#[test]
fn its_maker_alone_cancels_and_only_while_it_is_open() {
    let mut book = Book::funded();
    book.put(book.request(1, LTC_WALLET, 1_000)).unwrap();
    let cancel = |n, by| Command::CancelProposal { proposal: question(n), by };
    book.refused(cancel(1, ANN), Rule::NotTheMaker);
    book.refused(cancel(9, MAKER), Rule::ProposalNotOpen);
    book.put(cancel(1, MAKER)).unwrap();
    assert_eq!(status(&book, 1), "cancelled");
    assert_eq!(available(&book), 1_800_000);
    book.approved(2, LTC_WALLET, 1_000);
    book.refused(cancel(2, MAKER), Rule::ProposalNotOpen);
}

#[test]
fn time_runs_out_for_questions_and_for_approvals() {
    let mut book = Book::funded();
    let expire = |n| Command::ExpireProposal { proposal: question(n) };
    book.put(book.request(1, LTC_WALLET, 1_000)).unwrap();
    book.approved(2, LTC_WALLET, 1_000);
    book.signing(3, LTC_WALLET, 1_000);
    book.refused(expire(1), Rule::ProposalExpiry);
    book.refused(expire(2), Rule::ProposalExpiry);
    book.wait(3_600);
    book.refused(book.answer(question(1), ANN, Answer::Approve), Rule::ProposalExpiry);
    book.put(expire(1)).unwrap();
    book.put(expire(2)).unwrap();
    assert_eq!((status(&book, 1), status(&book, 2)), ("expired", "expired"));
    // Signers may be at work: it fails, or confirms, but does not just expire.
    book.refused(expire(3), Rule::TransferState);
    assert_eq!(book.authorised(3, 1).unwrap_err().rule, Rule::SignerExpired);
    assert_eq!(available(&book), 1_798_000);
}

#[test]
fn what_does_not_exist_is_refused() {
    let mut book = Book::funded();
    let none = ProposalId(Uuid::from_u128(0xeee));
    book.refused(book.answer(none, ANN, Answer::Approve), Rule::ProposalNotOpen);
    book.refused(Command::ExpireProposal { proposal: none }, Rule::ProposalNotOpen);
    book.refused(fail(9), Rule::TransferState);
    book.refused(confirm(9, 1, 1, None), Rule::TransferState);
    assert_eq!(book.authorised(9, 1).unwrap_err().rule, Rule::TransferState);
}
