//! A proposal's rules, with answers that were really signed.

use super::*;
use crate::{
    Bytes, Head, LogId, ProposalId,
    charter::{Governing, PersonV1, Role, Standing},
    key::{CeremonyPlan, Protocol},
    policy::{InForce, PolicyV1, Quorum},
    scenario::given,
    statement::{self, Place},
};
use ed25519_dalek::{Signer as _, SigningKey};
use uuid::Uuid;

const MAKER: PersonId = PersonId(Uuid::from_u128(1));
const NOON: u64 = 1_000_000;

fn person(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(n))
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(0).plus_seconds(NOON).plus_seconds(seconds)
}

fn opened(approvals: u8, group: &[u128]) -> OpenedV1 {
    let plan = CeremonyPlan {
        key: crate::KeyId(Uuid::from_u128(9)),
        protocol: Protocol::Pkcs11Secp256k1,
        threshold: 1,
        participants: vec![crate::SignerId(Uuid::from_u128(8))],
    };
    OpenedV1 {
        subject: Subject::KeyCeremony(plan),
        maker: MAKER,
        policy_version: 1,
        quorum: Quorum { approvals, group: group.iter().map(|n| person(*n)).collect() },
        expires_at: at(100),
    }
}

fn key(n: u128) -> SigningKey {
    SigningKey::from_bytes(&crate::Digest::of(&n.to_be_bytes()).0)
}

/// An answer to `opened` that its approver signed: there is no other way to make one.
fn signed(opened: &OpenedV1, n: u128, answer: Answer) -> Verified {
    let public = Bytes(key(n).verifying_key().to_bytes().to_vec());
    let roles = [Role::Approver].into();
    let approver = PersonV1 { id: person(n), roles, approval_keys: vec![public.clone()] };
    let approver = crate::charter::Person::from(&approver);
    let standing = Standing {
        log: LogId(Uuid::from_u128(7)),
        log_key: Bytes::default(),
        log_key_ml_dsa_44: None,
        people: [(approver.id, approver)].into(),
        signers: BTreeMap::new(),
        machines: BTreeMap::new(),
        governance: Governing::V1(opened.quorum.clone()),
        destinations_since: BTreeMap::new(),
        policy: InForce::V1(PolicyV1 {
            version: 1,
            destinations: Vec::new(),
            tiers: Vec::new(),
            fee_caps: BTreeMap::new(),
            confirmations: BTreeMap::new(),
            proposal_lifetime_s: 60,
        }),
        witnessing: None,
        resumptions: 0,
    };
    let place = Place {
        log: standing.log,
        proposal: ProposalId(Uuid::from_u128(6)),
        opened_at: Head::default(),
    };
    let answers = Answers::none(opened.into(), Form::V1);
    let charter = crate::charter::Charter::of(standing);
    let state = crate::State { charter, ..crate::State::default() };
    let text = statement::approval(&state, &place, &answers, answer, person(n));
    let signature = Bytes(key(n).sign(text.as_bytes()).to_bytes().to_vec());
    let proof = Evidence::Signature { signature };
    let evidence = (person(n), &public, &proof);
    statement::verify_answer(&state, &place, &answers, answer, evidence).expect("a signature")
}

fn answer(opened: &OpenedV1, n: u128, answer: Answer) -> Command {
    Command::Answer { answer: signed(opened, n, answer), lapsed: BTreeSet::new(), now: at(1) }
}

fn plain(answer: Verified) -> (Bytes, Bytes) {
    let (key, evidence) = answer.evidence();
    (key.public().clone(), evidence.signature().clone())
}

fn approved(opened: &OpenedV1, n: u128) -> ProposalEvent {
    let (key, signature) = plain(signed(opened, n, Answer::Approve));
    ApprovedV1 { approver: person(n), key, signature }.into()
}

fn declined(opened: &OpenedV1, n: u128) -> ProposalEvent {
    let (key, signature) = plain(signed(opened, n, Answer::Decline));
    DeclinedV1 { approver: person(n), key, signature }.into()
}

fn reached(who: &[u128]) -> ProposalEvent {
    QuorumReached { approvers: who.iter().map(|n| person(*n)).collect() }.into()
}

fn open(opened: &OpenedV1) -> Command {
    Command::Open { opened: opened.into(), form: Form::V1, now: at(0), lifetime_s: 100 }
}

#[test]
fn a_question_is_put_once_to_people_who_can_answer_it() {
    let question = opened(2, &[2, 3, 4]);
    given::<Proposal>([]).when(open(&question)).then([question.clone().into()]);
    given::<Proposal>([question.clone().into()]).when(open(&question)).then_refused(Rule::IdTaken);
    for wrong in [opened(1, &[2, 3]), opened(3, &[2, 3]), opened(0, &[])] {
        given::<Proposal>([]).when(open(&wrong)).then_refused(Rule::PolicyInvalid);
    }
    given::<Proposal>([]).when(open(&opened(2, &[1, 2]))).then_refused(Rule::MakerChecker);
}

#[test]
fn a_question_expires_within_its_lifetime() {
    for expires_at in [at(0), at(101)] {
        let wrong = OpenedV1 { expires_at, ..opened(2, &[2, 3]) };
        given::<Proposal>([]).when(open(&wrong)).then_refused(Rule::ProposalExpiry);
    }
}

#[test]
fn the_approval_that_completes_the_quorum_reaches_it() {
    let question = opened(2, &[2, 3, 4]);
    let history = [question.clone().into(), approved(&question, 2)];
    given::<Proposal>(history.clone())
        .when(answer(&question, 3, Answer::Approve))
        .then([approved(&question, 3), reached(&[2, 3])]);
    given::<Proposal>(history)
        .when(answer(&question, 2, Answer::Approve))
        .then_refused(Rule::ApproverSpoke);
}

#[test]
fn the_no_that_leaves_too_few_rejects() {
    let question = opened(2, &[2, 3, 4]);
    let history = [question.clone().into(), declined(&question, 2)];
    given::<Proposal>([question.clone().into()])
        .when(answer(&question, 2, Answer::Decline))
        .then([declined(&question, 2)]);
    given::<Proposal>(history.clone())
        .when(answer(&question, 3, Answer::Decline))
        .then([declined(&question, 3), Rejected {}.into()]);
    given::<Proposal>(history)
        .when(answer(&question, 2, Answer::Approve))
        .then_refused(Rule::ApproverSpoke);
}

#[test]
fn neither_the_maker_nor_a_stranger_answers() {
    let question = opened(2, &[1, 2, 3]);
    given::<Proposal>([question.clone().into()])
        .when(answer(&question, 1, Answer::Approve))
        .then_refused(Rule::MakerChecker);
    given::<Proposal>([question.clone().into()])
        .when(answer(&question, 5, Answer::Approve))
        .then_refused(Rule::ApproverNotInGroup);
}

#[test]
fn no_answer_counts_from_the_expiry_on() {
    let question = opened(2, &[2, 3]);
    let answer = signed(&question, 2, Answer::Approve);
    let late = Command::Answer { answer, lapsed: BTreeSet::new(), now: at(100) };
    given::<Proposal>([question.into()]).when(late).then_refused(Rule::ProposalExpiry);
}

#[test]
fn what_is_over_stays_over() {
    let question = opened(2, &[2, 3]);
    let ends: [ProposalEvent; 3] = [Rejected {}.into(), Cancelled {}.into(), Expired {}.into()];
    for end in ends {
        let over = [question.clone().into(), end];
        let commands = [
            answer(&question, 2, Answer::Approve),
            Command::Cancel { by: MAKER },
            Command::Expire { now: at(200) },
            Command::Fulfil,
            Command::Burn { because: String::new() },
        ];
        for command in commands {
            given::<Proposal>(over.clone()).when(command).then_refused(Rule::ProposalNotOpen);
        }
        given::<Proposal>(over).cannot_be_followed_by(reached(&[2, 3]));
    }
}

#[test]
fn only_its_maker_cancels_and_only_before_the_quorum() {
    let question = opened(2, &[2, 3]);
    let cancel = |by| Command::Cancel { by };
    given::<Proposal>([question.clone().into()])
        .when(cancel(person(2)))
        .then_refused(Rule::NotTheMaker);
    given::<Proposal>([question.clone().into()]).when(cancel(MAKER)).then([Cancelled {}.into()]);
    given::<Proposal>([question.into(), reached(&[2, 3])])
        .when(cancel(MAKER))
        .then_refused(Rule::ProposalNotOpen);
}

#[test]
fn a_proposal_expires_at_its_time_approved_or_not() {
    let question = opened(2, &[2, 3]);
    for history in [vec![question.clone().into()], vec![question.into(), reached(&[2, 3])]] {
        given::<Proposal>(history.clone())
            .when(Command::Expire { now: at(99) })
            .then_refused(Rule::ProposalExpiry);
        given::<Proposal>(history).when(Command::Expire { now: at(100) }).then([Expired {}.into()]);
    }
}

#[test]
fn approvals_are_used_up_or_burnt_once() {
    let question = opened(2, &[2, 3]);
    let history = [question.clone().into(), reached(&[2, 3])];
    given::<Proposal>(history.clone()).when(Command::Fulfil).then([Fulfilled {}.into()]);
    let because = "failed".to_owned();
    let burnt = given::<Proposal>(history)
        .when(Command::Burn { because: because.clone() })
        .then([Burnt { because }.into()]);
    assert_eq!(burnt.decide(Command::Fulfil).map_err(|r| r.rule), Err(Rule::ProposalNotOpen));
    given::<Proposal>([question.into()]).when(Command::Fulfil).then_refused(Rule::ProposalNotOpen);
}
