//! The founding, and whoever may not be part of it.

use crate::{book::Book, names::*};
use strongroom_domain::{
    Bytes, Command, Digest, PersonId, Rule,
    charter::{CharterTextV2, FoundedV2, OutsideWitness, Role},
    statement,
};

const FOUNDERS: [PersonId; 4] = [ANN, BEN, CAT, DAN];

fn refused(founded: FoundedV2, rule: Rule) {
    Book::empty().refused(Command::FoundCharter(founded), rule);
}

/// Signed by everybody, so that only what `change` did is wrong.
fn changed(change: impl FnOnce(&mut CharterTextV2)) -> FoundedV2 {
    let mut text = charter();
    change(&mut text);
    founded(text, &FOUNDERS)
}

#[test]
fn the_founding_enrols_every_signer() {
    let book = Book::founded();
    assert_eq!(book.history.len(), 5);
    assert_eq!(book.state.signers.len(), 4);
}

#[test]
fn every_founding_approver_signs() {
    refused(founded(charter(), &[ANN, BEN, CAT]), Rule::CharterSignature);
}

#[test]
fn a_founding_signature_is_over_the_whole_charter() {
    let mut founded = founded(charter(), &FOUNDERS);
    founded.charter.governance = quorum(2, &[ANN, BEN]);
    refused(founded, Rule::CharterSignature);
}

#[test]
fn a_founding_signature_is_made_with_an_enrolled_key() {
    let mut founded = founded(charter(), &FOUNDERS);
    let stranger = key_of(MAKER.0);
    let text = statement::founding_v2(&founded.charter);
    founded.signatures[0].key = public(&stranger);
    founded.signatures[0].signature = sign(&stranger, &text);
    refused(founded, Rule::CharterSignature);
}

#[test]
fn a_log_is_founded_once_and_first() {
    let mut book = Book::founded();
    book.refused(Command::FoundCharter(founded(charter(), &FOUNDERS)), Rule::CharterState);
    let (account, client, by) = (LTC_ACCOUNT, CLIENT, MAKER);
    let open = Command::OpenAccount { account, client, asset: LTC, by };
    Book::empty().refused(open, Rule::CharterState);
}

#[test]
fn a_charter_holds_together() {
    let invalid = Rule::CharterInvalid;
    refused(changed(|c| c.people.push(c.people[0].clone())), invalid);
    refused(changed(|c| c.signers.push(c.signers[0].clone())), invalid);
    refused(changed(|c| c.governance = quorum(2, &[ANN, MAKER])), invalid);
    refused(changed(|c| c.policy.version = 2), invalid);
    refused(changed(|c| c.log_key = c.signers[0].identity_key.clone()), invalid);
    refused(changed(|c| c.log_key = Bytes(vec![0; 31])), invalid);
    refused(changed(|c| c.signers[1].sealing_key = Bytes(vec![1; 31])), invalid);
    refused(changed(|c| c.log_key_ml_dsa_44 = Bytes(vec![1; 1311])), invalid);
    refused(changed(|c| c.signers[1].witness_key = Bytes(vec![1; 31])), invalid);
    refused(changed(|c| c.signers[1].witness_key = c.signers[0].witness_key.clone()), invalid);
    refused(changed(|c| c.signers[1].witness_key = c.signers[1].identity_key.clone()), invalid);
    refused(changed(|c| c.people[0].approval_keys.push(public(&key_of(AUDITOR.0)))), invalid);
    refused(changed(|c| c.people[2].approval_keys.clear()), invalid);
    refused(
        changed(|c| {
            c.people.retain(|person| person.id != CAT);
            c.policy.tiers.clear();
        }),
        invalid,
    );
}

#[test]
fn a_key_of_small_order_is_no_key() {
    // The neutral element (RFC 8032 §5.1): a signature under it fits any text.
    let mut neutral = vec![0; 32];
    neutral[0] = 1;
    refused(changed(|c| c.log_key = Bytes(neutral)), Rule::CharterInvalid);
}

#[test]
fn one_key_is_not_two_people() {
    let shared = public(&key_of(ANN.0));
    refused(changed(|c| c.people[2].approval_keys = vec![shared]), Rule::CharterInvalid);
}

#[test]
fn a_role_is_needed_for_everything_that_people_do() {
    let mut book = Book::founded();
    for by in [BEN, AUDITOR, PersonId(uuid::Uuid::from_u128(0x77))] {
        let open = Command::OpenAccount { account: LTC_ACCOUNT, client: CLIENT, asset: LTC, by };
        book.refused(open, Rule::RoleMissing);
    }
    let standing = book.state.charter.standing().unwrap();
    assert!(standing.demand(ANN, Role::Initiator).is_ok());
    assert_eq!(standing.people[&BEN].approval_keys.len(), 1);
    assert_eq!(standing.signers[&signer(2)].tls_certificate_sha256, Digest([2; 32]));
}

#[test]
fn no_two_sets_of_witnesses_are_strangers() {
    let threshold = |k| changed(move |c| c.witnessing.threshold = k);
    for k in [0, 3, 7, 255] {
        refused(threshold(k), Rule::CharterInvalid);
    }
    for k in [4, 6] {
        Book::empty().put(Command::FoundCharter(threshold(k))).unwrap();
    }
    let crowd = changed(|c| {
        let key = |n| public(&witness_key_of(n));
        let outside = |n: u8| OutsideWitness {
            name: format!("w{n}"),
            algorithm: strongroom_domain::charter::WitnessAlgorithm::Ed25519,
            key: key(n),
        };
        c.witnessing = strongroom_domain::charter::Witnessing {
            threshold: 40,
            outside: (10..69).map(outside).collect(),
        };
    });
    refused(crowd, Rule::CharterInvalid);
    // Without witnesses no checkpoint would ever count.
    let nobody = changed(|c| {
        c.signers.clear();
        c.witnessing.outside.clear();
        c.witnessing.threshold = 0;
    });
    refused(nobody, Rule::CharterInvalid);
}

#[test]
fn an_outside_witness_has_a_name_and_a_key_of_its_own() {
    let outside = |change: &dyn Fn(&mut Vec<OutsideWitness>)| {
        refused(changed(|c| change(&mut c.witnessing.outside)), Rule::CharterInvalid);
    };
    for name in ["", "a b", "a+b", "a\nb", "a\u{a0}b", "a\u{7}b"] {
        outside(&|w| w[0].name = name.to_owned());
    }
    outside(&|w| w[0].name = "a".repeat(256));
    outside(&|w| w[0].name = w[1].name.clone());
    outside(&|w| w[0].name = format!("strongroom/{LOG}/signer/{}", signer(1)));
    outside(&|w| w[0].key = public(&witness_key_of(1)));
    outside(&|w| w[0].key = Bytes(vec![1; 1312]));
    outside(&|w| w[1].key = public(&witness_key_of(6)));
    outside(&|w| w[1].key = Bytes(vec![4; 1312]));
    outside(&|w| w.push(OutsideWitness { name: "third".to_owned(), ..w[0].clone() }));
}

#[test]
fn a_log_of_version_1_is_read_and_enrols_no_witness() {
    let mut book = Book::empty();
    book.begin_v1(founded_v1(charter_v1(), &FOUNDERS)).unwrap();
    let standing = book.state.charter.standing().unwrap();
    assert_eq!(standing.witnessing, None);
    assert_eq!(standing.log_key_ml_dsa_44, None);
    assert_eq!(standing.signers[&signer(1)].witness_key, None);
    assert_eq!(book.audited.state(), &book.state);
    book.refused(Command::FoundCharter(founded(charter(), &FOUNDERS)), Rule::CharterState);
}

#[test]
fn a_charter_of_version_1_is_still_signed_by_everybody() {
    let begin = |founded| Book::empty().begin_v1(founded);
    assert!(begin(founded_v1(charter_v1(), &[ANN, BEN, CAT])).is_err());
    let mut other = founded_v1(charter_v1(), &FOUNDERS);
    other.charter.governance = quorum(2, &[ANN, BEN]);
    assert!(begin(other).is_err());
    let mut shared = charter_v1();
    shared.people[2].approval_keys = vec![public(&key_of(ANN.0))];
    assert!(begin(founded_v1(shared, &FOUNDERS)).is_err());
}
