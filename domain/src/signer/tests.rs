//! What the server knows of a signer.

use super::*;
use crate::{Bytes, Digest, scenario::given};

fn enrolled() -> Enrolled {
    Enrolled { identity_key: Bytes(vec![1; 32]), tls_certificate_sha256: Digest([2; 32]) }
}

fn lose() -> Command {
    Command::Lose { because: "timed out".to_owned() }
}

fn lost() -> SignerEvent {
    Lost { because: "timed out".to_owned() }.into()
}

#[test]
fn a_signer_is_enrolled_once() {
    given::<Signer>([]).when(Command::Enrol(enrolled())).then([enrolled().into()]);
    given::<Signer>([enrolled().into()])
        .when(Command::Enrol(enrolled()))
        .then_refused(Rule::SignerState);
}

#[test]
fn a_stranger_is_neither_reached_nor_lost() {
    given::<Signer>([]).when(Command::Reach).then_refused(Rule::SignerState);
    given::<Signer>([]).when(lose()).then_refused(Rule::SignerState);
}

#[test]
fn only_a_change_is_news() {
    let reached = || SignerEvent::from(Reached {});
    given::<Signer>([enrolled().into()]).when(Command::Reach).then([reached()]);
    given::<Signer>([enrolled().into(), reached()]).when(Command::Reach).then_nothing();
    given::<Signer>([enrolled().into(), reached()]).when(lose()).then([lost()]);
    given::<Signer>([enrolled().into(), lost()]).when(lose()).then_nothing();
    given::<Signer>([enrolled().into(), lost()]).when(Command::Reach).then([reached()]);
}

#[test]
fn a_history_without_an_enrolment_is_damaged() {
    given::<Signer>([]).cannot_be_followed_by(Reached {});
    given::<Signer>([enrolled().into(), lost()]).cannot_be_followed_by(lost());
}
