//! A transfer, from the request to the chain, and everything that stops one.

use crate::{book::*, names::*};
use strongroom_domain::{
    Amount, Bytes, Command, Event, Head, ProposalId, Rule, Spends, Timestamp,
    statement::Answer,
    transfer::{AttemptRefused, TransferEvent},
    wallet::Funds,
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
        signature: sign(key, text),
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
        signature: Bytes(vec![0; 63]),
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
    book.refused(book.attempt(1, 2), Rule::TransferState);
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
fn a_failed_transfer_gives_everything_back_and_burns_its_approvals() {
    let mut book = Book::funded();
    for (n, wallet) in [(1, LTC_WALLET), (2, ETH_WALLET)] {
        book.approved(n, wallet, 1_000);
        if n == 1 {
            book.put(book.attempt(n, 1)).unwrap();
        }
        book.put(fail(n)).unwrap();
        assert_eq!(status(&book, n), "failed");
        assert_eq!(book.state.proposals[&question(n)].name(), "burnt");
        assert!(book.authorised(n, 1).is_err());
        book.refused(book.attempt(n, 1), Rule::TransferState);
    }
    assert_eq!(available(&book), 1_800_000);
    // The nonce that was given back is the next that is taken.
    book.signing(3, ETH_WALLET, 1_000);
    book.put(fail(3)).unwrap();
    book.signing(4, ETH_WALLET, 1_000);
    let Funds::Balance(balance) = &book.state.wallets[&ETH_WALLET].holding().unwrap().funds else {
        unreachable!()
    };
    assert_eq!(balance.reserved[&transfer(4)].account_nonce, 0);
    assert_eq!(balance.next_nonce, 1);
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
