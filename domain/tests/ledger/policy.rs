//! Changes of the policy, and what they do to what is under way.

use crate::{asks::*, book::*, names::*};
use strongroom_domain::{
    Amount, Command, Network, ProposalId, Rule,
    policy::{Destination, PolicyV1},
    statement::Answer,
};
use uuid::Uuid;

const QUESTION: ProposalId = ProposalId(Uuid::from_u128(0x9a));

fn propose(book: &Book, change: impl FnOnce(&mut PolicyV1)) -> Command {
    let mut policy = standing_policy(book);
    policy.version += 1;
    change(&mut policy);
    let expires_at = book.in_an_hour();
    Command::ProposePolicy { proposal: QUESTION, policy, maker: MAKER, expires_at }
}

#[test]
fn a_quorum_puts_a_policy_in_force_at_once() {
    let mut book = Book::funded();
    let (network, to) = (Network::LitecoinRegtest, address("rltc1qnew"));
    let known = Destination { network, address: to.clone(), label: label("new") };
    book.put(propose(&book, |policy| policy.destinations.push(known))).unwrap();
    let request = |book: &Book, n| {
        let mut intent = intent(n, LTC_WALLET, 1_000);
        intent.destination = to.clone();
        let expires_at = book.in_an_hour();
        Command::RequestTransfer { intent, proposal: question(n), maker: MAKER, expires_at }
    };
    book.approve(QUESTION, &[ANN]);
    assert_eq!(book.put(request(&book, 1)).unwrap().len(), 2, "still refused");
    book.approve(QUESTION, &[BEN]);
    assert_eq!(book.state.charter.standing().unwrap().policy.version(), 2);
    assert_eq!(book.state.proposals[&QUESTION].name(), "fulfilled");
    book.put(request(&book, 2)).unwrap();
    book.approve(question(2), &[ANN, BEN]);
    book.put(book.attempt(2, 1)).unwrap();
    assert_eq!(book.authorised(2, 1), Ok(()));
}

#[test]
fn a_declined_policy_changes_nothing() {
    let mut book = Book::funded();
    book.put(propose(&book, |policy| policy.tiers.clear())).unwrap();
    for who in [ANN, BEN] {
        book.put(book.answer(QUESTION, who, Answer::Decline)).unwrap();
    }
    assert_eq!(standing_policy(&book), policy());
}

#[test]
fn the_next_policy_is_sound_and_the_next() {
    let mut book = Book::founded();
    let wrong: [&dyn Fn(&mut PolicyV1); 9] = [
        &|policy| policy.version += 1,
        &|policy| policy.version = 1,
        &|policy| policy.proposal_lifetime_s = 59,
        &|policy| policy.proposal_lifetime_s = 30 * 86_400 + 1,
        &|policy| policy.tiers[0].quorum = quorum(1, &[ANN, BEN]),
        &|policy| policy.tiers[0].quorum = quorum(3, &[ANN, BEN]),
        &|policy| policy.tiers[1].up_to = policy.tiers[0].up_to,
        &|policy| {
            policy.confirmations.insert(Network::Bitcoin, 0);
        },
        &|policy| {
            let crowd = (0..11).map(|n| strongroom_domain::PersonId(Uuid::from_u128(n)));
            policy.tiers[0].quorum.group = crowd.collect();
        },
    ];
    for change in wrong {
        let command = propose(&book, change);
        book.refused(command, Rule::PolicyInvalid);
    }
    let stranger = propose(&book, |policy| policy.tiers[0].quorum = quorum(2, &[ANN, MAKER]));
    book.refused(stranger, Rule::RoleMissing);
}

#[test]
fn signers_hold_an_approved_transfer_to_the_policy_of_today() {
    let mut book = Book::funded();
    book.signing(1, LTC_WALLET, 1_000);
    assert_eq!(book.authorised(1, 1), Ok(()));
    let mut stricter = book.clone();
    book.put(propose(&book, |policy| policy.destinations.clear())).unwrap();
    book.approve(QUESTION, &[ANN, CAT]);
    assert_eq!(book.authorised(1, 1).unwrap_err().rule, Rule::SignerPolicy);
    let group = quorum(3, &[ANN, BEN, CAT]);
    stricter.put(propose(&stricter, |policy| policy.tiers[0].quorum = group)).unwrap();
    stricter.approve(QUESTION, &[ANN, CAT]);
    assert_eq!(stricter.authorised(1, 1).unwrap_err().rule, Rule::SignerQuorum);
}

#[test]
fn of_two_policies_for_one_version_the_second_is_refused() {
    let mut book = Book::founded();
    book.put(propose(&book, |policy| policy.proposal_lifetime_s = 100)).unwrap();
    let Command::ProposePolicy { policy, maker, expires_at, .. } =
        propose(&book, |policy| policy.proposal_lifetime_s = 200)
    else {
        unreachable!()
    };
    let second = ProposalId(Uuid::from_u128(0x9b));
    book.put(Command::ProposePolicy { proposal: second, policy, maker, expires_at }).unwrap();
    book.approve(QUESTION, &[ANN, BEN]);
    book.approve(second, &[ANN]);
    book.refused(book.answer(second, BEN, Answer::Approve), Rule::PolicyInvalid);
    book.put(Command::CancelProposal { proposal: second, by: MAKER }).unwrap();
}

#[test]
fn an_asset_without_a_fee_cap_or_confirmations_is_not_served() {
    let mut book = Book::furnished();
    book.put(propose(&book, |policy| {
        policy.fee_caps.clear();
        policy.confirmations.clear();
    }))
    .unwrap();
    book.approve(QUESTION, &[ANN, BEN]);
    let (deposit, seen) = seen(LTC_WALLET, 1, 5_000);
    book.put(Command::SeeDeposit { deposit, seen }).unwrap();
    book.refused(Command::CreditDeposit { deposit, confirmations: 99 }, Rule::PolicyInvalid);
    let events = book.put(book.request(1, LTC_WALLET, 1_000)).unwrap();
    assert_eq!(events.len(), 2, "asked and refused");
    assert_eq!(Amount::ZERO, book.state.accounts[&LTC_ACCOUNT].claim().unwrap().pending());
}
