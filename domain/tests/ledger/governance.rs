//! People, rights, keys and policies, and who must agree before any of them is another one. Every
//! decision here is read again by the audit, and what nobody decided is refused there.

use crate::{book::*, house::*, names::*};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use std::collections::BTreeSet;
use strongroom_domain::{
    Amount, Bytes, Command, Digest, Event, PersonId, ProposalId, Rule, Stream, Timestamp,
    approval_key::{ApprovalKey, Evidence},
    charter::{
        CharterEvent, Governance, Machine, PeopleChange, PeopleChanged, Person, PolicyChanged,
        PolicyTightened, Role,
    },
    person::{Described, Erased, PersonEvent},
    policy::{Demand, Policy, PolicyRule, Requirement, Scope},
    proposal::{Approved, ProposalEvent, Subject, Vetoed},
    statement::Answer,
};
use uuid::Uuid;

const EVA: PersonId = PersonId(Uuid::from_u128(0xe1));
const BOT: PersonId = PersonId(Uuid::from_u128(0xb0));
const DELAY_S: u64 = 600;
const ORIGIN: &str = "https://custody.example";

pub(crate) fn asked(n: u128) -> ProposalId {
    ProposalId(Uuid::from_u128(0xa000 + n))
}

pub(crate) fn propose(book: &Book, n: u128, subject: Subject) -> Command {
    let (proposal, maker, expires_at) = (asked(n), MAKER, book.in_an_hour());
    Command::Propose { proposal, subject, maker, expires_at }
}

fn people(book: &Book, n: u128, change: &PeopleChange) -> Command {
    propose(book, n, Subject::People(change.clone()))
}

/// Asks, and two agree.
fn agree(book: &mut Book, n: u128, subject: Subject) {
    book.put(propose(book, n, subject)).unwrap();
    book.approve(asked(n), &[ANN, BEN]);
}

fn change(book: &mut Book, n: u128, change: PeopleChange) {
    agree(book, n, Subject::People(change));
}

fn refused(book: &Book, change: PeopleChange, rule: Rule) {
    let mut book = book.clone();
    let command = people(&book, 99, &change);
    book.refused(command, rule);
}

fn person(id: PersonId, roles: &[Role], groups: &[&str]) -> Person {
    Person {
        id,
        roles: roles.iter().copied().collect(),
        groups: groups.iter().map(|group| label(group)).collect(),
        approval_keys: Vec::new(),
        invitation: Some(Digest([8; 32])),
    }
}

fn secret(n: u8) -> SigningKey {
    SigningKey::from_slice(&Digest::of(&[n]).0).unwrap()
}

fn point(n: u8) -> Bytes {
    Bytes(secret(n).verifying_key().to_encoded_point(true).as_bytes().to_vec())
}

fn passkey(n: u8) -> ApprovalKey {
    ApprovalKey::WebAuthn {
        key: point(n),
        credential: Bytes(vec![n; 16]),
        rp_id: "custody.example".to_owned(),
        origin: ORIGIN.to_owned(),
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Digest::of(bytes).0
}

/// What an authenticator says to a text, on a page of `origin`.
fn assertion(n: u8, text: &str, origin: &str) -> Evidence {
    let challenge = URL_SAFE_NO_PAD.encode(sha256(text.as_bytes()));
    let client_data = format!(
        r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#
    );
    let mut authenticator_data = sha256(b"custody.example").to_vec();
    authenticator_data.extend([0b0000_0101, 0, 0, 0, 1]);
    let mut signed = authenticator_data.clone();
    signed.extend(sha256(client_data.as_bytes()));
    let signature: Signature = secret(n).sign(&signed);
    Evidence::Assertion {
        authenticator_data: Bytes(authenticator_data),
        client_data: Bytes(client_data.into_bytes()),
        signature: Bytes(signature.to_der().as_bytes().to_vec()),
    }
}

fn say(n: u128, approver: PersonId, key: Bytes, evidence: Evidence, answer: Answer) -> Command {
    Command::AnswerProposal { proposal: asked(n), answer, approver, key, evidence }
}

/// Whose policies wait.
fn waiting_house() -> Book {
    let mut charter = house_charter();
    charter.governance.policy_delay_s = DELAY_S;
    let mut book = Book::empty();
    book.put(Command::Found(founded_house(charter, &[ANN, BEN, CAT, DAN]))).unwrap();
    book.furnish().fund()
}

fn next_policy(book: &Book) -> Policy {
    let mut policy = book.state.charter.standing().unwrap().policy.v2().unwrap().clone();
    policy.version += 1;
    policy
}

fn without_exchange(book: &Book) -> Policy {
    let mut policy = next_policy(book);
    policy.destinations.clear();
    policy
}

fn standing(book: &Book) -> &strongroom_domain::charter::Standing {
    book.state.charter.standing().unwrap()
}

/// Every event of this file, once.
pub(crate) fn governed() -> Book {
    let mut book = waiting_house();
    change(&mut book, 1, PeopleChange::AddKey { person: CAT, key: passkey(3) });
    let policy = next_policy(&book);
    book.put(propose(&book, 2, Subject::PolicyForm2(policy))).unwrap();
    let text = book.statement(asked(2), CAT, Answer::Approve);
    let evidence = assertion(3, &text, ORIGIN);
    book.put(say(2, CAT, point(3), evidence, Answer::Approve)).unwrap();
    book.approve(asked(2), &[BEN]);
    book.wait(DELAY_S);
    book.put(Command::EnactPolicy { proposal: asked(2) }).unwrap();
    let policy = without_exchange(&book);
    agree(&mut book, 3, Subject::PolicyForm2(policy));
    book.put(Command::VetoProposal { proposal: asked(3), by: OLA }).unwrap();
    let policy = without_exchange(&book);
    book.put(Command::TightenPolicy { policy, by: OLA }).unwrap();
    book.put(people(&book, 4, &PeopleChange::Remove { person: DAN })).unwrap();
    let text = book.statement(asked(4), CAT, Answer::Decline);
    let evidence = assertion(3, &text, ORIGIN);
    book.put(say(4, CAT, point(3), evidence, Answer::Decline)).unwrap();
    let described = Described { sealed: Bytes(vec![5; 40]) };
    book.put(Command::DescribePerson { person: ANN, described, by: ADA }).unwrap();
    let erased = Erased { because: "a request".to_owned() };
    book.put(Command::ErasePerson { person: ANN, erased, by: ADA }).unwrap();
    // The newest event of each kind is kept: one of a quorum's own.
    change(&mut book, 5, PeopleChange::Invite { person: ANN, invitation: Digest([9; 32]) });
    book
}

#[test]
fn a_quorum_changes_who_may_do_what() {
    let mut book = Book::house();
    change(&mut book, 1, PeopleChange::Enrol(person(EVA, &[Role::Approver], &["treasury"])));
    assert!(!standing(&book).groups()[&label("treasury")].contains(&EVA), "without a key");
    let key = ApprovalKey::P256 { key: point(5) };
    change(&mut book, 2, PeopleChange::AddKey { person: EVA, key });
    assert!(standing(&book).groups()[&label("treasury")].contains(&EVA));
    let roles = BTreeSet::from([Role::Viewer]);
    change(&mut book, 3, PeopleChange::RemoveKey { person: EVA, key: point(5) });
    let groups = BTreeSet::new();
    change(&mut book, 4, PeopleChange::ChangeRights { person: EVA, roles: roles.clone(), groups });
    assert_eq!(standing(&book).people[&EVA].roles, roles);
    change(&mut book, 5, PeopleChange::Invite { person: EVA, invitation: Digest([7; 32]) });
    assert_eq!(standing(&book).people[&EVA].invitation, Some(Digest([7; 32])));
    let machine = machine(&[Role::Initiator]);
    change(&mut book, 6, PeopleChange::EnrolMachine(machine));
    assert!(standing(&book).may(BOT, &[Role::Initiator]).is_ok());
    change(&mut book, 7, PeopleChange::RemoveMachine { machine: BOT });
    assert!(standing(&book).may(BOT, &[Role::Initiator]).is_err());
    change(&mut book, 8, PeopleChange::Remove { person: EVA });
    assert!(!standing(&book).people.contains_key(&EVA));
    assert_eq!(book.state.proposals[&asked(8)].name(), "fulfilled");
}

fn machine(roles: &[Role]) -> Machine {
    Machine {
        id: BOT,
        key: public(&key_of(BOT.0)),
        roles: roles.iter().copied().collect(),
        scopes: [label("request-transfer")].into(),
        networks: vec!["192.0.2.0/24".to_owned()],
        expires_at: "2027-01-01T00:00:00.000000Z".parse().unwrap(),
    }
}

#[test]
fn a_machine_asks_and_never_approves() {
    let mut book = Book::house();
    for roles in [&[][..], &[Role::Approver], &[Role::Officer], &[Role::Administrator]] {
        refused(&book, PeopleChange::EnrolMachine(machine(roles)), Rule::CharterInvalid);
    }
    for networks in ["192.0.2.1/24", "somewhere"] {
        let machine = Machine { networks: vec![networks.to_owned()], ..machine(&[Role::Viewer]) };
        refused(&book, PeopleChange::EnrolMachine(machine), Rule::CharterInvalid);
    }
    change(&mut book, 1, PeopleChange::EnrolMachine(machine(&[Role::Initiator])));
    refused(&book, PeopleChange::EnrolMachine(machine(&[Role::Viewer])), Rule::PeopleChange);
    let Command::RequestTransfer { intent, proposal, expires_at, .. } =
        book.request(1, LTC_WALLET, 1_000)
    else {
        unreachable!()
    };
    let request = Command::RequestTransfer { intent, proposal, maker: BOT, expires_at };
    book.put(request).unwrap();
    book.approve(question(1), &[ANN, BEN]);
}

#[test]
fn the_last_administrator_stays() {
    let mut book = Book::house();
    refused(&book, PeopleChange::Remove { person: ADA }, Rule::LastAdministrator);
    let (person, roles, groups) = (ADA, [Role::Viewer].into(), BTreeSet::new());
    let demote = PeopleChange::ChangeRights { person, roles, groups };
    refused(&book, demote.clone(), Rule::LastAdministrator);
    let second = Person { roles: [Role::Administrator].into(), ..self::person(EVA, &[], &[]) };
    change(&mut book, 1, PeopleChange::Enrol(second));
    change(&mut book, 2, demote);
}

#[test]
fn an_administrator_has_no_say_over_funds() {
    let book = Book::house();
    for role in [Role::Initiator, Role::Approver, Role::Officer, Role::Compliance] {
        let both = person(EVA, &[Role::Administrator, role], &[]);
        refused(&book, PeopleChange::Enrol(both), Rule::RoleSeparation);
    }
    let watching = person(EVA, &[Role::Administrator, Role::Auditor, Role::Viewer], &[]);
    let mut book = book;
    change(&mut book, 1, PeopleChange::Enrol(watching));
}

#[test]
fn no_quorum_is_made_that_could_not_be_met() {
    let mut book = Book::house();
    let three = vec![Requirement { approvals: 3, group: label("treasury") }];
    let of = |policy: &[Requirement]| {
        let Governance { people, keys, release, policy_delay_s, .. } = house_charter().governance;
        let policy = policy.to_vec();
        PeopleChange::ChangeGovernance(Governance { policy, people, keys, release, policy_delay_s })
    };
    let four = [Requirement { approvals: 4, group: label("treasury") }];
    // Ann may ask: then the other three can't be four.
    refused(&book, of(&four), Rule::QuorumUnmeetable);
    let strangers = [Requirement { approvals: 2, group: label("nobody") }];
    refused(&book, of(&strangers), Rule::QuorumUnmeetable);
    let one = [Requirement { approvals: 1, group: label("treasury") }];
    refused(&book, of(&one), Rule::QuorumUnmeetable);
    refused(&book, of(&[]), Rule::QuorumUnmeetable);
    change(&mut book, 1, of(&three));
    for person in [BEN, CAT, DAN] {
        refused(&book, PeopleChange::Remove { person }, Rule::QuorumUnmeetable);
        let key = public(&key_of(person.0));
        refused(&book, PeopleChange::RemoveKey { person, key }, Rule::QuorumUnmeetable);
    }
}

#[test]
fn a_key_is_one_persons_and_of_who_signs() {
    let book = Book::house();
    let wrong = Rule::ApprovalKeyInvalid;
    let add = |person, key| PeopleChange::AddKey { person, key };
    let theirs = ApprovalKey::Ed25519 { key: public(&key_of(BEN.0)) };
    refused(&book, add(CAT, theirs), wrong);
    refused(
        &book,
        add(CAT, ApprovalKey::P256 { key: Bytes([vec![2], vec![0xff; 32]].concat()) }),
        wrong,
    );
    refused(&book, add(OLA, passkey(1)), Rule::CharterInvalid);
    refused(&book, add(EVA, passkey(1)), Rule::PeopleChange);
    refused(&book, PeopleChange::RemoveKey { person: CAT, key: point(1) }, Rule::PeopleChange);
    let mut grouped = person(EVA, &[Role::Viewer], &["treasury"]);
    refused(&book, PeopleChange::Enrol(grouped.clone()), Rule::CharterInvalid);
    grouped.roles.clear();
    refused(&book, PeopleChange::Enrol(grouped), Rule::CharterInvalid);
    refused(&book, PeopleChange::Enrol(person(ANN, &[Role::Viewer], &[])), Rule::PeopleChange);
    refused(&book, PeopleChange::Remove { person: EVA }, Rule::PeopleChange);
}

#[test]
fn who_has_no_right_to_ask_is_refused() {
    let mut book = Book::house();
    let subject = Subject::People(PeopleChange::Remove { person: DAN });
    for (maker, ok) in [(COM, false), (AUDITOR, false), (EVA, false), (OLA, true), (ADA, true)] {
        let (proposal, expires_at) = (asked(u128::from(maker.0.as_bytes()[15])), book.in_an_hour());
        let command = Command::Propose { proposal, subject: subject.clone(), maker, expires_at };
        if ok {
            book.put(command).unwrap();
        } else {
            book.refused(command, Rule::RoleMissing);
        }
    }
}

#[test]
fn an_answer_with_a_passkey_or_a_token_is_as_good_as_any() {
    let mut book = Book::house();
    change(&mut book, 1, PeopleChange::AddKey { person: CAT, key: passkey(3) });
    let token = ApprovalKey::P256 { key: point(4) };
    change(&mut book, 2, PeopleChange::AddKey { person: DAN, key: token });
    book.put(people(&book, 3, &PeopleChange::Remove { person: COM })).unwrap();
    let yes = Answer::Approve;
    let text = book.statement(asked(3), CAT, yes);
    let wrong = Rule::ApprovalSignature;
    let others = book.statement(asked(3), DAN, yes);
    book.refused(say(3, CAT, point(3), assertion(3, &others, ORIGIN), yes), wrong);
    let evil = assertion(3, &text, "https://custody.example.evil.test");
    book.refused(say(3, CAT, point(3), evil, yes), wrong);
    book.refused(say(3, CAT, point(3), assertion(4, &text, ORIGIN), yes), wrong);
    let unknown = assertion(4, &text, ORIGIN);
    book.refused(say(3, CAT, point(4), unknown, yes), Rule::ApprovalKeyUnknown);
    let done = book.put(say(3, CAT, point(3), assertion(3, &text, ORIGIN), yes)).unwrap();
    assert!(matches!(&done[0], Event::Proposal(ProposalEvent::Approved(_))), "{done:?}");
    let text = book.statement(asked(3), DAN, yes);
    let signature: Signature = secret(4).sign(text.as_bytes());
    let evidence = Evidence::Signature { signature: Bytes(signature.to_bytes().to_vec()) };
    book.put(say(3, DAN, point(4), evidence, yes)).unwrap();
    assert!(!standing(&book).people.contains_key(&COM));
}

#[test]
fn who_leaves_does_not_count_any_more() {
    let mut book = Book::house();
    let request = book.request(1, LTC_WALLET, 1_000);
    book.put(request).unwrap();
    book.approve(question(1), &[DAN]);
    change(&mut book, 1, PeopleChange::Remove { person: DAN });
    book.approve(question(1), &[CAT]);
    assert_eq!(book.state.proposals[&question(1)].name(), "open", "Dan is gone");
    book.approve(question(1), &[BEN]);
    book.put(book.attempt(1, 1)).unwrap();
    assert_eq!(book.authorised(1, 1), Ok(()));
    change(&mut book, 2, PeopleChange::AddKey { person: CAT, key: passkey(3) });
    let key = public(&key_of(CAT.0));
    change(&mut book, 3, PeopleChange::RemoveKey { person: CAT, key });
    let refusal = book.authorised(1, 1).unwrap_err();
    assert_eq!(refusal.rule, Rule::SignerQuorum, "with a key that is Cat's no more: {refusal}");
}

#[test]
fn a_policy_waits_for_its_delay_and_any_officer_can_veto_it() {
    let mut book = waiting_house();
    let enact = Command::EnactPolicy { proposal: asked(1) };
    book.put(propose(&book, 1, Subject::PolicyForm2(without_exchange(&book)))).unwrap();
    book.refused(enact.clone(), Rule::PolicyDelay);
    book.approve(asked(1), &[ANN, BEN]);
    book.refused(enact.clone(), Rule::PolicyDelay);
    book.wait(DELAY_S - 1);
    book.refused(enact.clone(), Rule::PolicyDelay);
    let mut vetoed = book.clone();
    let veto = |by| Command::VetoProposal { proposal: asked(1), by };
    vetoed.refused(veto(ANN), Rule::RoleMissing);
    vetoed.put(veto(OLA)).unwrap();
    vetoed.wait(DELAY_S);
    vetoed.refused(enact.clone(), Rule::ProposalNotOpen);
    assert_eq!(vetoed.state.proposals[&asked(1)].name(), "vetoed");
    book.wait(1);
    book.put(enact.clone()).unwrap();
    assert_eq!(standing(&book).policy.version(), 2);
    assert!(standing(&book).policy.destinations().is_empty());
    book.refused(enact, Rule::ProposalNotOpen);
    book.refused(veto(OLA), Rule::ProposalNotOpen);
}

/// Its delay counts on top of the time that people had.
#[test]
fn an_approved_policy_does_not_expire_while_it_waits() {
    let mut book = waiting_house();
    let subject = Subject::PolicyForm2(without_exchange(&book));
    let (proposal, maker) = (asked(1), MAKER);
    let expires_at = book.now.plus_seconds(60);
    book.put(Command::Propose { proposal, subject, maker, expires_at }).unwrap();
    book.approve(proposal, &[ANN, BEN]);
    book.wait(60);
    book.refused(Command::ExpireProposal { proposal }, Rule::ProposalExpiry);
    book.wait(DELAY_S - 60);
    book.put(Command::EnactPolicy { proposal }).unwrap();
}

#[test]
fn a_policy_that_was_overtaken_comes_to_nothing() {
    let mut book = waiting_house();
    let policy = next_policy(&book);
    agree(&mut book, 1, Subject::PolicyForm2(policy));
    book.put(propose(&book, 2, Subject::PolicyForm2(next_policy(&book)))).unwrap();
    let policy = without_exchange(&book);
    book.put(Command::TightenPolicy { policy, by: OLA }).unwrap();
    let late = book.answer(asked(2), ANN, Answer::Approve);
    book.refused(late, Rule::PolicyInvalid);
    book.wait(DELAY_S);
    book.put(Command::EnactPolicy { proposal: asked(1) }).unwrap();
    assert_eq!(book.state.proposals[&asked(1)].name(), "burnt");
    assert!(standing(&book).policy.destinations().is_empty());
}

#[test]
fn a_policy_whose_approvers_have_left_comes_to_nothing() {
    let mut book = waiting_house();
    book.put(propose(&book, 1, Subject::PolicyForm2(next_policy(&book)))).unwrap();
    book.approve(asked(1), &[CAT, DAN]);
    change(&mut book, 2, PeopleChange::Remove { person: DAN });
    book.wait(DELAY_S);
    book.put(Command::EnactPolicy { proposal: asked(1) }).unwrap();
    assert_eq!(book.state.proposals[&asked(1)].name(), "burnt");
    assert_eq!(standing(&book).policy.version(), 1);
}

#[test]
fn one_officer_tightens_and_nobody_loosens() {
    let mut book = Book::house();
    let policy = without_exchange(&book);
    let by = |by| Command::TightenPolicy { policy: policy.clone(), by };
    book.refused(by(ANN), Rule::RoleMissing);
    book.put(by(OLA)).unwrap();
    assert_eq!(standing(&book).policy.version(), 2);
    let mut looser = next_policy(&book);
    looser.destinations = policy_of_the_house().destinations;
    book.refused(Command::TightenPolicy { policy: looser, by: OLA }, Rule::PolicyTightens);
}

fn policy_of_the_house() -> Policy {
    rules()
}

#[test]
fn a_policy_asks_no_more_than_its_own_change_takes() {
    let mut book = Book::house();
    let mut policy = next_policy(&book);
    let require = vec![Requirement { approvals: 3, group: label("treasury") }];
    let (id, scope) = (label("three-agree"), Scope::default());
    policy.rules.push(PolicyRule { id, scope, demand: Demand::Approvals { require } });
    let command = propose(&book, 1, Subject::PolicyForm2(policy.clone()));
    book.refused(command, Rule::GovernanceTooWeak);
    let mut strict = house_charter().governance;
    strict.policy = vec![Requirement { approvals: 3, group: label("treasury") }];
    change(&mut book, 2, PeopleChange::ChangeGovernance(strict));
    book.put(propose(&book, 3, Subject::PolicyForm2(policy))).unwrap();
    book.approve(asked(3), &[ANN, BEN]);
    book.refused(Command::EnactPolicy { proposal: asked(3) }, Rule::PolicyDelay);
    book.approve(asked(3), &[CAT]);
    book.put(Command::EnactPolicy { proposal: asked(3) }).unwrap();
}

/// A log from before there were groups goes on with them, by its own quorum.
#[test]
fn an_older_house_can_take_the_new_form() {
    let mut book = Book::funded();
    for (n, id) in (1..).zip([ANN, BEN, CAT, DAN]) {
        let known = &standing(&book).people[&id];
        let roles = known.roles.clone();
        let groups = BTreeSet::from([label("treasury")]);
        change(&mut book, n, PeopleChange::ChangeRights { person: id, roles, groups });
    }
    let administrator = person(ADA, &[Role::Administrator], &[]);
    change(&mut book, 6, PeopleChange::Enrol(administrator));
    let mut governance = house_charter().governance;
    refused(&book, PeopleChange::ChangeGovernance(governance.clone()), Rule::GovernanceTooWeak);
    governance.policy = vec![Requirement { approvals: 3, group: label("treasury") }];
    change(&mut book, 7, PeopleChange::ChangeGovernance(governance));
    let policy = Policy { version: 2, ..rules() };
    agree(&mut book, 8, Subject::PolicyForm2(policy));
    book.approve(asked(8), &[CAT]);
    book.put(Command::EnactPolicy { proposal: asked(8) }).unwrap();
    book.approved(1, LTC_WALLET, 1_000);
    book.put(book.attempt(1, 1)).unwrap();
    assert_eq!(book.authorised(1, 1), Ok(()));
}

#[test]
fn only_an_administrator_looks_after_personal_data() {
    let mut book = Book::house();
    let described = Described { sealed: Bytes(vec![1; 40]) };
    let describe = |by| Command::DescribePerson { person: ANN, described: described.clone(), by };
    book.refused(describe(OLA), Rule::RoleMissing);
    book.put(describe(ADA)).unwrap();
    book.put(describe(ADA)).unwrap();
    let erased = Erased { because: "a request".to_owned() };
    let erase = |by| Command::ErasePerson { person: ANN, erased: erased.clone(), by };
    book.refused(erase(ANN), Rule::RoleMissing);
    book.put(erase(ADA)).unwrap();
    book.refused(erase(ADA), Rule::PersonState);
    book.refused(describe(ADA), Rule::PersonState);
}

/// What a server might write that nobody agreed to.
#[test]
fn no_reader_believes_what_no_quorum_agreed_to() {
    let mut book = waiting_house();
    book.put(propose(&book, 1, Subject::PolicyForm2(next_policy(&book)))).unwrap();
    let lies = |book: &Book, event: CharterEvent| {
        assert!(book.forge(Stream::Charter, event.clone().into()).is_err(), "{event:?}");
    };
    let (proposal, at) = (asked(1), book.now);
    let enrol = PeopleChange::Enrol(person(EVA, &[Role::Officer], &[]));
    lies(&book, PeopleChanged { proposal, change: enrol }.into());
    lies(&book, PolicyChanged { proposal, policy: next_policy(&book), at }.into());
    for by in [ANN, EVA] {
        let policy = without_exchange(&book);
        lies(&book, PolicyTightened { by, policy, at }.into());
    }
    book.approve(proposal, &[ANN, BEN]);
    let policy = next_policy(&book);
    // Too early, and too early with a lie about the time.
    for at in [book.now, book.now.plus_seconds(DELAY_S), Timestamp::from_micros(0)] {
        lies(&book, PolicyChanged { proposal, policy: policy.clone(), at }.into());
    }
    let vetoed = |by| Event::from(ProposalEvent::from(Vetoed { by }));
    assert!(book.forge(Stream::Proposal(proposal), vetoed(ANN)).is_err());
    assert!(book.forge(Stream::Proposal(proposal), vetoed(OLA)).is_ok());
    book.wait(DELAY_S);
    let at = book.now;
    let mut other = policy.clone();
    other.proposal_lifetime_s += 1;
    lies(&book, PolicyChanged { proposal, policy: other, at }.into());
    let erased = Event::from(PersonEvent::from(Erased { because: "a lie".to_owned() }));
    assert!(book.forge(Stream::Person(ANN), erased).is_err(), "nobody was described");
}

#[test]
fn no_reader_believes_a_question_with_another_quorum_or_an_answer_without_proof() {
    let mut book = waiting_house();
    let opened = book.put(propose(&book, 1, Subject::PolicyForm2(next_policy(&book)))).unwrap();
    let Event::Proposal(ProposalEvent::Opened(opened)) = &opened[0] else { panic!("{opened:?}") };
    let fresh = waiting_house();
    let ask = |opened| Event::from(ProposalEvent::Opened(opened));
    let stream = Stream::Proposal(asked(1));
    assert!(fresh.forge(stream, ask(opened.clone())).is_ok());
    let mut weaker = opened.clone();
    weaker.quorums.0[0].approvals = 1;
    assert!(fresh.forge(stream, ask(weaker)).is_err());
    let mut fewer = opened.clone();
    fewer.quorums.0[0].group.remove(&DAN);
    assert!(fresh.forge(stream, ask(fewer)).is_err());
    let mut sooner = opened.clone();
    sooner.delay_s = 0;
    assert!(fresh.forge(stream, ask(sooner)).is_err());
    let mut longer = opened.clone();
    longer.expires_at = longer.expires_at.plus_seconds(86_400 * 365);
    assert!(fresh.forge(stream, ask(longer)).is_err());
    let mut strange = opened.clone();
    strange.maker = AUDITOR;
    assert!(fresh.forge(stream, ask(strange)).is_err());
    // An Ed25519 answer in the newer form, and a passkey's that is not enrolled.
    let text = book.statement(asked(1), CAT, Answer::Approve);
    let signature = sign(&key_of(CAT.0), &text);
    let key = public(&key_of(CAT.0));
    let plain = Evidence::Signature { signature };
    for (key, evidence) in [(key, plain), (point(3), assertion(3, &text, ORIGIN))] {
        let approved = Approved { approver: CAT, key, evidence };
        assert!(book.forge(stream, ProposalEvent::from(approved).into()).is_err());
    }
}

/// A payment's amount is what it was when people read it.
#[test]
fn a_payment_in_the_new_form_is_bound_to_its_statement() {
    let mut book = Book::house();
    let request = book.request(1, LTC_WALLET, 1_000);
    book.put(request).unwrap();
    let text = book.statement(question(1), ANN, Answer::Approve);
    for (was, is) in [
        ("0.00001000", "0.00002000"),
        ("two-agree", "one-agrees"),
        ("nothing was ever paid", "it was often paid"),
    ] {
        assert!(text.contains(was), "{was} is not in\n{text}");
        let key = key_of(ANN.0);
        let evidence = Evidence::Signature { signature: sign(&key, &text.replace(was, is)) };
        let (proposal, answer, approver) = (question(1), Answer::Approve, ANN);
        let key = public(&key);
        let forged = Command::AnswerProposal { proposal, answer, approver, key, evidence };
        book.refused(forged, Rule::ApprovalSignature);
    }
    assert_eq!(
        book.state.transfers[&transfer(1)].asked().unwrap().intent.amount,
        Amount::new(1_000)
    );
}
