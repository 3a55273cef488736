//! The texts of version 2 that people sign, letter for letter: they too never change.

use crate::{
    book::*,
    golden::same_text,
    governance::{asked, propose},
    house::*,
    names::*,
};
use strongroom_domain::{
    Amount, Bytes, Command, Digest, FreezeId, PersonId,
    approval_key::ApprovalKey,
    charter::{CharterText, Governance, Machine, PeopleChange, Person, Role},
    freeze::{self, FreezeScope},
    key::QuarantinedBy,
    policy::{Demand, Destination, Policy, PolicyRule, Requirement, Scope},
    proposal::Subject,
    statement::{self, Answer},
};
use uuid::Uuid;

const EVA: PersonId = PersonId(Uuid::from_u128(0xe1));

fn asks(book: &mut Book, subject: Subject) -> String {
    let command = propose(book, 1, subject);
    book.put(command).unwrap();
    book.statement(asked(1), ANN, Answer::Approve)
}

fn next(book: &Book) -> Policy {
    let mut policy = book.state.charter.standing().unwrap().policy.v2().unwrap().clone();
    policy.version += 1;
    policy
}

#[test]
fn the_statement_for_a_payment_says_what_is_unusual_and_what_it_waits_for() {
    let mut book = Book::house();
    let request = book.request(1, LTC_WALLET, WAITS_ABOVE + 1);
    book.put(request).unwrap();
    same_text("approve-payment.v2.txt", &book.statement(question(1), BEN, Answer::Approve));
    same_text("decline-payment.v2.txt", &book.statement(question(1), BEN, Answer::Decline));
}

#[test]
fn the_statement_for_a_policy_says_what_would_be_other_than_today() {
    let mut book = Book::house();
    let mut policy = next(&book);
    let network = strongroom_domain::Network::LitecoinRegtest;
    let (address, label) = (address("rltc1qnew"), label("new-desk"));
    policy.destinations.remove(0);
    policy.destinations.push(Destination { network, address, label });
    policy.rules.retain(|rule| !matches!(rule.demand, Demand::Delay { .. }));
    for rule in &mut policy.rules {
        if let Demand::Allowlist { cooling_off_s } = &mut rule.demand {
            *cooling_off_s = 7_200;
        }
    }
    let (id, scope) =
        (crate::names::label("no-ether"), Scope { assets: [ETH].into(), ..Scope::default() });
    policy.rules.push(PolicyRule { id, scope, demand: Demand::Forbid });
    policy.prices = None;
    same_text("approve-policy-change-2.v2.txt", &asks(&mut book, Subject::PolicyForm2(policy)));
}

#[test]
fn the_statement_for_a_first_policy_of_rules_has_every_word_of_it() {
    let mut book = Book::funded();
    let people = [ANN, BEN, CAT, DAN];
    for (n, person) in (10..).zip(people) {
        let roles = book.state.charter.standing().unwrap().people[&person].roles.clone();
        let change =
            PeopleChange::ChangeRights { person, roles, groups: [label("treasury")].into() };
        let command = propose(&book, n, Subject::People(change));
        book.put(command).unwrap();
        book.approve(asked(n), &[ANN, BEN]);
    }
    let policy = Policy { version: 2, ..rules() };
    same_text("approve-first-rules.v2.txt", &asks(&mut book, Subject::PolicyForm2(policy)));
}

#[test]
fn the_statements_for_changes_of_people_name_them_and_their_rights() {
    let groups = || [label("treasury")].into();
    let key = ApprovalKey::Ed25519 { key: public(&key_of(EVA.0)) };
    let eva = Person {
        id: EVA,
        roles: [Role::Approver, Role::Initiator].into(),
        groups: groups(),
        approval_keys: vec![key],
        invitation: Some(Digest([8; 32])),
    };
    let point: Bytes =
        "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296".parse().unwrap();
    let passkey = ApprovalKey::WebAuthn {
        key: point,
        credential: Bytes(vec![1; 16]),
        rp_id: "custody.example".to_owned(),
        origin: "https://custody.example".to_owned(),
    };
    let machine = Machine {
        id: EVA,
        key: public(&key_of(EVA.0)),
        roles: [Role::Initiator].into(),
        scopes: [label("request-transfer")].into(),
        networks: vec!["192.0.2.0/24".to_owned()],
        expires_at: "2027-01-01T00:00:00.000000Z".parse().unwrap(),
    };
    let strict = |approvals| vec![Requirement { approvals, group: label("treasury") }];
    let governance = Governance {
        policy: strict(3),
        people: strict(2),
        keys: strict(2),
        release: strict(2),
        policy_delay_s: 86_400,
    };
    let roles = [Role::Approver, Role::Officer].into();
    for change in [
        PeopleChange::Enrol(eva),
        PeopleChange::Remove { person: DAN },
        PeopleChange::ChangeRights { person: CAT, roles, groups: groups() },
        PeopleChange::AddKey { person: CAT, key: passkey },
        PeopleChange::RemoveKey { person: DAN, key: public(&key_of(DAN.0)) },
        PeopleChange::Invite { person: CAT, invitation: Digest([9; 32]) },
        PeopleChange::EnrolMachine(machine),
        PeopleChange::ChangeGovernance(governance),
    ] {
        let name = format!("approve-{}.v2.txt", change.name());
        same_text(&name, &asks(&mut Book::house(), Subject::People(change)));
    }
}

#[test]
fn the_statements_about_what_was_stopped_name_it() {
    let mut book = Book::house();
    let (freeze, because) = (FreezeId(Uuid::from_u128(0xf1)), "a report".to_owned());
    let scope = FreezeScope::Everything;
    book.put(Command::Freeze(freeze::Set { freeze, scope, by: OLA, because: because.clone() }))
        .unwrap();
    let halted = QuarantinedBy { by: OLA, because };
    book.put(Command::HaltKey { key: FROST_KEY, halted }).unwrap();
    let mut other = book.clone();
    same_text("approve-unfreeze.v2.txt", &asks(&mut book, Subject::Unfreeze { freeze }));
    let key = Subject::ReleaseKey { key: FROST_KEY };
    same_text("approve-release-key.v2.txt", &asks(&mut other, key));
}

#[test]
fn the_statements_about_what_is_stuck_name_it() {
    let mut book = Book::house();
    book.signing(1, LTC_WALLET, 1_000);
    let (mut other, transfer) = (book.clone(), transfer(1));
    let raise = Subject::RaiseFeeCap { transfer, fee_cap: Amount::new(10_000) };
    same_text("approve-raise-fee-cap.v2.txt", &asks(&mut book, raise));
    same_text("approve-abandon.v2.txt", &asks(&mut other, Subject::Abandon { transfer }));
}

#[test]
fn the_founding_statement_of_today_has_every_word_of_the_charter() {
    same_text("founding.v3.txt", &statement::founding(&house_charter()));
}

#[test]
fn no_two_charters_read_alike() {
    let changes: [&dyn Fn(&mut CharterText); 10] = [
        &|c| c.log_key_ml_dsa_44 = Bytes(vec![6; 1312]),
        &|c| c.people[1].groups = [label("other")].into(),
        &|c| c.people[1].roles.clear(),
        &|c| c.people[0].invitation = Some(Digest([1; 32])),
        &|c| c.governance.people[0].approvals = 3,
        &|c| c.governance.release[0].group = label("other"),
        &|c| c.governance.policy_delay_s = 1,
        &|c| drop(c.policy.rules.pop()),
        &|c| c.policy.destinations[0].label = label("other"),
        &|c| c.policy.prices = None,
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let mut other = house_charter();
        change(&mut other);
        let (one, two) = (statement::founding(&other), statement::founding(&house_charter()));
        assert_ne!(one, two, "change {n}");
    }
}

/// What a terminal shows must be what is signed.
#[test]
fn a_statement_is_printable_ascii() {
    let mut book = Book::house();
    let policy = next(&book);
    let text = asks(&mut book, Subject::PolicyForm2(policy));
    let text = text + &statement::founding(&house_charter());
    assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)));
}
