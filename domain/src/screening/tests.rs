//! Given screenings, when one comes, then it is the newest one or refused.

use super::*;
use crate::{Bytes, approval_key::Evidence, scenario::given};
use uuid::Uuid;

fn recorded(verdict: Verdict, seconds: u64) -> Recorded {
    Recorded {
        network: Network::LitecoinRegtest,
        address: "rltc1qpayee".parse().unwrap(),
        verdict,
        at: Timestamp::default().plus_seconds(seconds),
        by: PersonId(Uuid::from_u128(7)),
        key: Bytes(vec![1; 32]),
        evidence: Evidence::Signature { signature: Bytes(vec![7; 64]) },
    }
}

#[test]
fn the_newest_screening_counts() {
    let screenings = given::<Screenings>([recorded(Verdict::Clear, 1).into()])
        .when(Command(recorded(Verdict::Flagged, 2)))
        .then([recorded(Verdict::Flagged, 2).into()]);
    let found = recorded(Verdict::Flagged, 2);
    assert_eq!(screenings.of(found.network, &found.address), Some(&Screening::from(&found)));
    assert_eq!(screenings.all().count(), 1);
}

#[test]
fn an_older_screening_is_refused_and_the_same_is_no_news() {
    let with = || given::<Screenings>([recorded(Verdict::Flagged, 5).into()]);
    with().when(Command(recorded(Verdict::Flagged, 5))).then_nothing();
    with().when(Command(recorded(Verdict::Clear, 5))).then_refused(Rule::ScreeningInvalid);
    with().when(Command(recorded(Verdict::Clear, 4))).then_refused(Rule::ScreeningInvalid);
}

#[test]
fn a_log_whose_screenings_go_back_is_damaged() {
    let with = given::<Screenings>([recorded(Verdict::Clear, 5).into()]);
    with.cannot_be_followed_by(recorded(Verdict::Clear, 4));
}
