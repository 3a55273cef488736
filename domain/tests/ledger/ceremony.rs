//! The making of keys.

use crate::{asks::*, book::*, names::*};
use strongroom_domain::{
    Bytes, Command, Network, ProposalId, Rule, SignerId,
    key::{CeremonyPlan, Key, Protocol, Proven, Quarantined, RoundPublished},
    statement::Answer,
    wallet::Tier,
};
use uuid::Uuid;

const QUESTION: ProposalId = ProposalId(Uuid::from_u128(0x90));

fn ask(book: &Book, plan: CeremonyPlan) -> Command {
    let expires_at = book.in_an_hour();
    Command::RequestCeremony { proposal: QUESTION, plan, maker: MAKER, expires_at }
}

fn approved() -> Book {
    let mut book = Book::founded();
    book.put(ask(&book, frost_plan())).unwrap();
    book.approve(QUESTION, &[ANN, BEN]);
    book
}

#[test]
fn a_key_is_made_by_all_its_holders_after_a_quorum() {
    let mut book = approved();
    for n in 1..=3 {
        book.put(round_one(FROST_KEY, signer(n))).unwrap();
    }
    for n in 1..=3 {
        assert!(book.state.keys[&FROST_KEY].active().is_err());
        book.put(confirmation(FROST_KEY, signer(n))).unwrap();
    }
    assert!(book.state.keys[&FROST_KEY].active().is_ok());
    book.refused(book.answer(QUESTION, CAT, Answer::Approve), Rule::ProposalNotOpen);
}

#[test]
fn nothing_of_a_ceremony_happens_before_its_quorum() {
    let mut book = Book::founded();
    book.refused(round_one(FROST_KEY, signer(1)), Rule::KeyState);
    book.put(ask(&book, frost_plan())).unwrap();
    book.refused(round_one(FROST_KEY, signer(1)), Rule::KeyState);
    book.refused(confirmation(FROST_KEY, signer(1)), Rule::KeyState);
    book.refused(ask(&book, frost_plan()), Rule::IdTaken);
}

#[test]
fn a_ceremony_needs_signers_of_the_charter() {
    let mut book = Book::founded();
    let mut plan = frost_plan();
    plan.participants[0] = SignerId(Uuid::from_u128(0x3ff));
    book.refused(ask(&book, plan), Rule::SignerState);
}

#[test]
fn a_plan_is_one_that_its_protocol_can_carry_out() {
    let mut book = Book::founded();
    for threshold in [0, 1, 4] {
        book.refused(ask(&book, CeremonyPlan { threshold, ..frost_plan() }), Rule::CeremonyPlan);
    }
    let twice = vec![signer(1), signer(1)];
    book.refused(
        ask(&book, CeremonyPlan { participants: twice, ..frost_plan() }),
        Rule::CeremonyPlan,
    );
    let protocol = Protocol::Pkcs11Secp256k1;
    book.refused(ask(&book, CeremonyPlan { protocol, ..frost_plan() }), Rule::CeremonyPlan);
}

#[test]
fn only_a_participant_takes_part_and_says_one_thing() {
    let mut book = approved();
    book.refused(round_one(FROST_KEY, signer(4)), Rule::SignerState);
    book.put(round_one(FROST_KEY, signer(1))).unwrap();
    assert_eq!(book.put(round_one(FROST_KEY, signer(1))), Ok(vec![]));
    let Command::PublishRoundOne { key, mut published } = round_one(FROST_KEY, signer(1)) else {
        unreachable!()
    };
    published.package = Bytes(vec![9]);
    book.refused(Command::PublishRoundOne { key, published }, Rule::CeremonyDisagreement);
}

#[test]
fn a_confirmation_is_signed_by_the_signers_identity() {
    let mut book = approved();
    let Command::ConfirmKey { key, confirmed } = confirmation(FROST_KEY, signer(1)) else {
        unreachable!()
    };
    let mut other = confirmed.clone();
    other.signer = signer(2);
    book.refused(Command::ConfirmKey { key, confirmed: other }, Rule::CeremonySignature);
    let mut other = confirmed.clone();
    other.public_key = Bytes(vec![3; 33]);
    book.refused(Command::ConfirmKey { key, confirmed: other }, Rule::CeremonySignature);
    let mut other = confirmed;
    other.signer = SignerId(Uuid::from_u128(0x3ff));
    book.refused(Command::ConfirmKey { key, confirmed: other }, Rule::SignerState);
}

#[test]
fn holders_who_disagree_make_no_key() {
    let mut book = approved();
    book.put(confirmation(FROST_KEY, signer(1))).unwrap();
    assert_eq!(book.put(confirmation(FROST_KEY, signer(1))), Ok(vec![]));
    let Command::ConfirmKey { key, mut confirmed } = confirmation(FROST_KEY, signer(2)) else {
        unreachable!()
    };
    confirmed.public_package = Bytes(vec![8; 4]);
    let text = strongroom_domain::statement::confirmation(
        LOG,
        key,
        signer(2),
        &confirmed.public_key,
        &confirmed.public_package,
    );
    confirmed.signature = sign(&key_of(signer(2).0), &text);
    book.refused(Command::ConfirmKey { key, confirmed }, Rule::CeremonyDisagreement);
}

#[test]
fn a_ceremony_that_fails_burns_its_approvals() {
    let mut book = approved();
    let fail = Command::FailCeremony { key: FROST_KEY, because: "a signer is gone".to_owned() };
    book.put(fail.clone()).unwrap();
    assert_eq!(book.state.keys[&FROST_KEY], Key::Failed);
    assert_eq!(book.state.proposals[&QUESTION].name(), "burnt");
    book.refused(fail, Rule::KeyState);
}

#[test]
fn a_ceremony_that_nobody_approved_yet_is_cancelled_not_failed() {
    let mut book = Book::founded();
    book.put(ask(&book, frost_plan())).unwrap();
    let fail = Command::FailCeremony { key: FROST_KEY, because: "too early".to_owned() };
    book.refused(fail, Rule::KeyState);
    book.put(Command::CancelProposal { proposal: QUESTION, by: MAKER }).unwrap();
    assert_eq!(book.state.keys[&FROST_KEY], Key::Failed);
}

#[test]
fn a_ceremony_that_its_quorum_declines_or_forgets_comes_to_nothing() {
    let mut book = Book::founded();
    book.put(ask(&book, frost_plan())).unwrap();
    let mut late = book.clone();
    for who in [ANN, BEN] {
        book.put(book.answer(QUESTION, who, Answer::Decline)).unwrap();
    }
    assert_eq!(book.state.keys[&FROST_KEY], Key::Failed);
    late.approve(QUESTION, &[ANN, BEN]);
    late.wait(3_600);
    late.put(Command::ExpireProposal { proposal: QUESTION }).unwrap();
    assert_eq!(late.state.keys[&FROST_KEY], Key::Failed);
}

#[test]
fn a_quarantined_key_signs_nothing_and_holds_no_wallet() {
    let mut book = Book::funded();
    book.signing(1, LTC_WALLET, 1_000);
    assert_eq!(book.authorised(1, 1), Ok(()));
    let quarantined = Quarantined { because: "a bad share".to_owned(), culprit: Some(signer(2)) };
    let quarantine = Command::QuarantineKey { key: FROST_KEY, quarantined };
    book.put(quarantine.clone()).unwrap();
    assert_eq!(book.authorised(1, 1).unwrap_err().rule, Rule::SignerKey);
    book.refused(book.attempt(1, 2), Rule::KeyState);
    book.refused(quarantine, Rule::KeyState);
}

#[test]
fn a_key_signs_for_one_wallet_of_its_family() {
    let mut book = Book::furnished();
    let wallet = strongroom_domain::WalletId(Uuid::from_u128(0x3f));
    let create =
        |network, key| Command::CreateWallet { wallet, network, key, tier: Tier::Hot, by: MAKER };
    book.refused(create(Network::LitecoinRegtest, FROST_KEY), Rule::KeyState);
    book.refused(create(Network::EthereumDev, FROST_KEY), Rule::WalletState);
    let unknown = strongroom_domain::KeyId(Uuid::from_u128(0x4f));
    book.refused(create(Network::EthereumDev, unknown), Rule::KeyState);
}

/// A key whose holders spoke in three rounds, that has shown that it can sign.
pub(crate) fn proven() -> Book {
    let mut book = Book::founded();
    let plan = CeremonyPlan { protocol: Protocol::Dkls23Secp256k1, ..frost_plan() };
    let (cosigners, expires_at) = (Vec::new(), book.in_an_hour());
    let request =
        Command::RequestKey { proposal: QUESTION, plan, cosigners, maker: MAKER, expires_at };
    book.put(request).unwrap();
    book.approve(QUESTION, &[ANN, BEN]);
    for round in 1..=3 {
        for n in 1..=3 {
            book.put(spoken(n, round)).unwrap();
        }
    }
    for n in 1..=3 {
        book.put(confirmation(FROST_KEY, signer(n))).unwrap();
    }
    let proven = Proven { epoch: 1, signatures: vec![Bytes(vec![7; 64])] };
    book.put(Command::ProveKey { key: FROST_KEY, proven }).unwrap();
    book
}

fn spoken(n: u8, round: u16) -> Command {
    let package = Bytes(vec![n, u8::try_from(round).unwrap()]);
    let published = RoundPublished { signer: signer(n), epoch: 1, round, package };
    Command::PublishRound { key: FROST_KEY, published }
}

#[test]
fn a_key_of_the_second_form_speaks_in_rounds_and_proves_itself() {
    let mut book = proven();
    assert!(book.state.keys[&FROST_KEY].active().unwrap().check_proven().is_ok());
    book.refused(spoken(1, 4), Rule::KeyState);
}
