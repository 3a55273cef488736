//! A key's rules. Signatures and quorums are tested in `tests/ledger`.

use super::*;
use crate::PersonId;
use crate::scenario::given;
use uuid::Uuid;

fn signer(n: u128) -> SignerId {
    SignerId(Uuid::from_u128(n))
}

fn plan() -> CeremonyPlan {
    CeremonyPlan {
        key: crate::KeyId(Uuid::from_u128(9)),
        protocol: Protocol::FrostSecp256k1Tr,
        threshold: 2,
        participants: vec![signer(1), signer(2)],
    }
}

fn requested() -> KeyEvent {
    let proposal = ProposalId(Uuid::from_u128(8));
    CeremonyRequestedV1 { plan: plan(), proposal, maker: PersonId(Uuid::from_u128(7)) }.into()
}

fn approved() -> KeyEvent {
    CeremonyApproved {}.into()
}

fn confirmed(n: u128, byte: u8) -> Confirmed {
    Confirmed {
        signer: signer(n),
        public_key: Bytes(vec![byte; 33]),
        public_package: Bytes(vec![byte]),
        signature: Bytes::default(),
    }
}

fn activated() -> KeyEvent {
    Activated { public_key: Bytes(vec![2; 33]), public_package: Bytes(vec![2]) }.into()
}

fn active() -> Vec<KeyEvent> {
    let words = [confirmed(1, 2).into(), confirmed(2, 2).into()];
    [requested(), approved()].into_iter().chain(words).chain([activated()]).collect()
}

fn fail() -> Command {
    Command::Fail { because: "gone".to_owned() }
}

#[test]
fn a_key_is_asked_for_once_with_a_plan_that_can_work() {
    let proposal = ProposalId(Uuid::from_u128(8));
    let asked = |plan| Asked { plan, cosigners: Vec::new(), proposal, proof: Proof::NotAsked };
    let ask = |plan| Command::Request { asked: asked(plan), maker: PersonId(Uuid::from_u128(7)) };
    given::<Key>([]).when(ask(plan())).then([requested()]);
    given::<Key>([requested()]).when(ask(plan())).then_refused(Rule::IdTaken);
    given::<Key>([])
        .when(ask(CeremonyPlan { threshold: 3, ..plan() }))
        .then_refused(Rule::CeremonyPlan);
}

#[test]
fn a_key_is_approved_once() {
    given::<Key>([requested()]).when(Command::Approve).then([approved()]);
    given::<Key>([]).when(Command::Approve).then_refused(Rule::KeyState);
    given::<Key>([requested(), approved()]).when(Command::Approve).then_refused(Rule::KeyState);
}

#[test]
fn the_last_of_all_confirmations_activates() {
    let word = |n, byte| Command::Confirm(confirmed(n, byte));
    let history = [requested(), approved(), confirmed(1, 2).into()];
    given::<Key>(history.clone()).when(word(2, 2)).then([confirmed(2, 2).into(), activated()]);
    given::<Key>(history.clone()).when(word(1, 2)).then_nothing();
    given::<Key>(history.clone()).when(word(2, 3)).then_refused(Rule::CeremonyDisagreement);
    given::<Key>(history).when(word(3, 2)).then_refused(Rule::SignerState);
    given::<Key>([requested()]).when(word(1, 2)).then_refused(Rule::KeyState);
}

#[test]
fn a_key_signs_for_one_wallet() {
    let assigned = |n| Assigned { wallet: WalletId(Uuid::from_u128(n)) };
    given::<Key>([requested()]).when(Command::Assign(assigned(1))).then_refused(Rule::KeyState);
    let bound =
        given::<Key>(active()).when(Command::Assign(assigned(1))).then([assigned(1).into()]);
    assert_eq!(bound.decide(Command::Assign(assigned(2))).map_err(|r| r.rule), Err(Rule::KeyState));
}

#[test]
fn a_quarantined_key_is_not_active() {
    let quarantined = Quarantined { because: "a bad share".to_owned(), culprit: None };
    let key = given::<Key>(active())
        .when(Command::Quarantine(quarantined.clone()))
        .then([quarantined.clone().into()]);
    assert!(key.active().is_err());
    given::<Key>([requested()]).when(Command::Quarantine(quarantined)).then_refused(Rule::KeyState);
}

#[test]
fn only_what_is_under_way_can_fail() {
    let failed = || KeyEvent::from(CeremonyFailed { because: "gone".to_owned() });
    given::<Key>([requested()]).when(fail()).then([failed()]);
    given::<Key>([requested(), approved()]).when(fail()).then([failed()]);
    given::<Key>(active()).when(fail()).then_refused(Rule::KeyState);
    given::<Key>([requested(), failed()]).when(fail()).then_refused(Rule::KeyState);
}

#[test]
fn a_holders_number_is_its_place_in_the_plan() {
    assert_eq!(plan().index_of(signer(2)), Some(2));
    assert_eq!(plan().index_of(signer(3)), None);
}

#[test]
fn a_history_without_a_ceremony_is_damaged() {
    given::<Key>([]).cannot_be_followed_by(activated());
    given::<Key>(active()).cannot_be_followed_by(activated());
    given::<Key>([requested()]).cannot_be_followed_by(confirmed(1, 2));
}

fn asked_for() -> KeyEvent {
    let proposal = ProposalId(Uuid::from_u128(8));
    let maker = PersonId(Uuid::from_u128(7));
    CeremonyRequested { plan: plan(), cosigners: Vec::new(), proposal, maker }.into()
}

fn unproven() -> Vec<KeyEvent> {
    let words = [confirmed(1, 2).into(), confirmed(2, 2).into()];
    [asked_for(), approved()].into_iter().chain(words).chain([activated()]).collect()
}

#[test]
fn a_key_holds_nothing_before_it_has_shown_that_it_can_sign() {
    let assigned = || Command::Assign(Assigned { wallet: WalletId(Uuid::from_u128(1)) });
    let proof = |epoch| Proven { epoch, signatures: vec![Bytes(vec![1; 64])] };
    given::<Key>(unproven()).when(assigned()).then_refused(Rule::KeyUnproven);
    given::<Key>(unproven()).when(Command::Prove(proof(2))).then_refused(Rule::KeyState);
    let two = Proven { epoch: 1, signatures: Vec::new() };
    given::<Key>(unproven()).when(Command::Prove(two)).then_refused(Rule::KeyUnproven);
    let proven = given::<Key>(unproven()).when(Command::Prove(proof(1))).then([proof(1).into()]);
    assert!(proven.decide(assigned()).is_ok());
    assert_eq!(proven.decide(Command::Prove(proof(1))), Ok(Vec::new()));
    given::<Key>(active()).when(Command::Prove(proof(1))).then_refused(Rule::KeyState);
}

#[test]
fn rounds_follow_one_another() {
    let said = |n, round, byte| RoundPublished {
        signer: signer(n),
        epoch: 1,
        round,
        package: Bytes(vec![byte]),
    };
    let say = |n, round, byte| Command::PublishRound(said(n, round, byte));
    let history = [asked_for(), approved(), said(1, 1, 7).into()];
    given::<Key>(history.clone()).when(say(2, 1, 8)).then([said(2, 1, 8).into()]);
    given::<Key>(history.clone()).when(say(1, 1, 7)).then_nothing();
    given::<Key>(history.clone()).when(say(1, 1, 8)).then_refused(Rule::CeremonyDisagreement);
    given::<Key>(history.clone()).when(say(1, 2, 7)).then_refused(Rule::CeremonyDisagreement);
    given::<Key>(history.clone()).when(say(1, 0, 7)).then_refused(Rule::CeremonyDisagreement);
    given::<Key>(history).when(say(3, 1, 7)).then_refused(Rule::SignerState);
}

#[test]
fn any_holder_of_a_whole_key_signs_and_there_are_as_many_as_a_pool_has() {
    let whole = |threshold, n| CeremonyPlan {
        protocol: Protocol::Pkcs11Secp256k1,
        threshold,
        participants: (1..=n).map(signer).collect(),
        ..plan()
    };
    assert_eq!(whole(1, 1).check(&[]), Ok(()));
    assert_eq!(whole(1, 2).check(&[]), Ok(()));
    for wrong in [whole(2, 2), whole(1, 0), whole(1, 11)] {
        assert_eq!(wrong.check(&[]).map_err(|refusal| refusal.rule), Err(Rule::CeremonyPlan));
    }
}

#[test]
fn the_maker_of_a_whole_key_confirms_it_first() {
    let pool = CeremonyPlan { protocol: Protocol::Pkcs11P256, threshold: 1, ..plan() };
    let proposal = ProposalId(Uuid::from_u128(8));
    let asked = CeremonyRequested {
        plan: pool,
        cosigners: Vec::new(),
        proposal,
        maker: PersonId(Uuid::from_u128(7)),
    };
    let history = [asked.into(), approved()];
    let word = |n| Command::Confirm(confirmed(n, 2));
    given::<Key>(history.clone()).when(word(2)).then_refused(Rule::CeremonyDisagreement);
    given::<Key>(history.clone()).when(word(1)).then([confirmed(1, 2).into()]);
    let made: Vec<KeyEvent> = history.into_iter().chain([confirmed(1, 2).into()]).collect();
    given::<Key>(made.clone()).when(word(2)).then([confirmed(2, 2).into(), activated()]);
    let other = Command::Confirm(confirmed(2, 3));
    given::<Key>(made).when(other).then_refused(Rule::CeremonyDisagreement);
}

#[test]
fn holders_of_a_threshold_ecdsa_key_are_numbered_without_gaps() {
    let of = |protocol| {
        let plan = CeremonyPlan { protocol, participants: (1..=4).map(signer).collect(), ..plan() };
        let proposal = ProposalId(Uuid::from_u128(8));
        let maker = PersonId(Uuid::from_u128(7));
        let mut key = Key::default();
        let words = [1, 2, 3, 4].map(|n| confirmed(n, 2).into());
        let requested = CeremonyRequestedV1 { plan, proposal, maker }.into();
        for event in [requested, approved()].into_iter().chain(words).chain([activated()]) {
            key.evolve(&event).unwrap();
        }
        key.active().unwrap().clone()
    };
    let drops = |gone, joining: Option<Joining>| KeyChange {
        key: plan().key,
        dropped: [signer(gone)].into(),
        joining,
        helpers: vec![signer(1), signer(3)],
    };
    let joins = Joining { signer: signer(9), index: 2 };
    let (ecdsa, frost) = (of(Protocol::Dkls23Secp256k1), of(Protocol::FrostSecp256k1Tr));
    assert!(drops(2, None).holders_after(&frost).is_ok());
    assert!(drops(2, None).holders_after(&ecdsa).is_err());
    assert!(drops(2, Some(joins)).holders_after(&ecdsa).is_ok());
    assert!(drops(4, None).holders_after(&ecdsa).is_ok());
}
