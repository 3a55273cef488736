//! Going on from an earlier entry: only as the governance quorum said, only there, and only once.

use crate::{book::*, names::*};
use strongroom_domain::{
    Command, Digest, PersonId, Rule,
    charter::{LogResumed, ResumptionSignature},
    statement,
};

fn refused(change: impl FnOnce(&mut LogResumed), rule: Rule) {
    let mut book = Book::founded();
    let mut certificate = book.certificate(1, &[ANN, BEN]);
    change(&mut certificate);
    book.refused(Command::ResumeLog(certificate), rule);
}

fn signed(certificate: &LogResumed, person: PersonId) -> ResumptionSignature {
    let (key, text) = (key_of(person.0), statement::resumption(&certificate.resumption, person));
    ResumptionSignature { person, key: public(&key), signature: sign(&key, &text) }
}

#[test]
fn a_log_goes_on_under_another_origin() {
    let mut book = Book::founded();
    for number in 1..=2 {
        let certificate = book.certificate(number, &[ANN, CAT]);
        book.put(Command::ResumeLog(certificate)).unwrap();
        let standing = book.state.charter.standing().unwrap();
        assert_eq!(standing.origin(), format!("strongroom/{LOG}/{number}"));
    }
    let (account, client, by) = (LTC_ACCOUNT, CLIENT, MAKER);
    book.put(Command::OpenAccount { account, client, asset: LTC, by }).unwrap();
}

#[test]
fn the_governance_quorum_agrees_and_nobody_else() {
    refused(|c| drop(c.signatures.pop()), Rule::LogResumption);
    refused(|c| c.signatures.clear(), Rule::LogResumption);
    refused(|c| c.signatures[1] = c.signatures[0].clone(), Rule::ApproverNotInGroup);
    refused(|c| c.signatures[1] = signed(c, DAN), Rule::ApproverNotInGroup);
    refused(|c| c.signatures[1] = signed(c, MAKER), Rule::RoleMissing);
    refused(|c| c.signatures[1].key = public(&key_of(ANN.0)), Rule::ApprovalKeyUnknown);
    refused(
        |c| c.signatures[1].signature = c.signatures[0].signature.clone(),
        Rule::ApprovalSignature,
    );
}

#[test]
fn a_certificate_is_good_for_one_place_in_one_log() {
    let again = |c: &mut LogResumed| c.signatures = [ANN, BEN].map(|who| signed(c, who)).into();
    let changes: [&dyn Fn(&mut LogResumed); 5] = [
        &|c| c.resumption.number = 0,
        &|c| c.resumption.from.position -= 1,
        &|c| c.resumption.from.leaf = Digest([1; 32]),
        &|c| c.resumption.log = strongroom_domain::LogId(uuid::Uuid::from_u128(0x61)),
        &|c| c.resumption.abandoned = c.resumption.from,
    ];
    for change in changes {
        refused(
            |c| {
                change(c);
                again(c);
            },
            Rule::LogResumption,
        );
        refused(
            |c| change(c),
            // Before the signature: the place is wrong whoever signed.
            Rule::LogResumption,
        );
    }
    refused(|c| c.resumption.abandoned.position += 1, Rule::ApprovalSignature);
    let mut book = Book::founded();
    let certificate = book.certificate(1, &[ANN, BEN]);
    book.put(Command::ResumeLog(certificate.clone())).unwrap();
    book.refused(Command::ResumeLog(certificate), Rule::LogResumption);
}

#[test]
fn a_number_that_was_given_up_is_not_used_again() {
    let mut book = Book::founded();
    let certificate = book.certificate(3, &[ANN, BEN]);
    book.put(Command::ResumeLog(certificate)).unwrap();
    for taken in [1, 3] {
        let certificate = book.certificate(taken, &[ANN, BEN]);
        book.refused(Command::ResumeLog(certificate), Rule::LogResumption);
    }
    let certificate = book.certificate(4, &[ANN, BEN]);
    book.put(Command::ResumeLog(certificate)).unwrap();
    assert!(book.state.charter.standing().unwrap().origin().ends_with("/4"));
}

#[test]
fn a_certificate_is_stale_once_the_log_went_on() {
    let mut book = Book::founded();
    let certificate = book.certificate(1, &[ANN, BEN]);
    let (account, client, by) = (LTC_ACCOUNT, CLIENT, MAKER);
    book.put(Command::OpenAccount { account, client, asset: LTC, by }).unwrap();
    book.refused(Command::ResumeLog(certificate), Rule::LogResumption);
    assert_eq!(book.authorised(1, 1).unwrap_err().rule, Rule::TransferState);
}
