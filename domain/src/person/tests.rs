//! A person's data comes, comes again, and goes for ever.

use super::*;
use crate::{Bytes, scenario::given};

fn described(length: usize) -> Described {
    Described { sealed: Bytes(vec![7; length]) }
}

fn erased() -> Erased {
    Erased { because: "they asked for it".to_owned() }
}

#[test]
fn a_person_is_described_as_often_as_need_be() {
    let describe = || Command::Describe(described(9));
    given::<Personal>([]).when(describe()).then([described(9).into()]);
    given::<Personal>([described(1).into()]).when(describe()).then([described(9).into()]);
    for length in [0, LONGEST + 1] {
        let describe = Command::Describe(described(length));
        given::<Personal>([]).when(describe).then_refused(Rule::PersonState);
    }
}

#[test]
fn what_is_erased_stays_erased() {
    let gone = || [described(1).into(), erased().into()];
    given::<Personal>([described(1).into()]).when(Command::Erase(erased())).then([erased().into()]);
    given::<Personal>([]).when(Command::Erase(erased())).then_refused(Rule::PersonState);
    given::<Personal>(gone()).when(Command::Erase(erased())).then_refused(Rule::PersonState);
    let describe = Command::Describe(described(1));
    given::<Personal>(gone()).when(describe).then_refused(Rule::PersonState);
    given::<Personal>([]).cannot_be_followed_by(erased());
    given::<Personal>(gone()).cannot_be_followed_by(described(1));
}
