//! Given differences, when another look is taken, then only news is recorded.

use super::*;
use crate::scenario::given;
use uuid::Uuid;

const OWNER: PersonId = PersonId(Uuid::from_u128(0x0f));
const WALLET: WalletId = WalletId(Uuid::from_u128(0x51));

fn found(n: u128, ledger: u128, chain: u128) -> DifferenceFound {
    let (ledger, chain) = (Amount::new(ledger), Amount::new(chain));
    DifferenceFound {
        difference: DifferenceId(Uuid::from_u128(n)),
        what: What::Balance { wallet: WALLET, ledger, chain },
        owner: OWNER,
        at: Timestamp::from_micros(1),
    }
}

fn resolved(n: u128) -> DifferenceResolved {
    let because = "a stray payment to a change address".to_owned();
    DifferenceResolved { difference: DifferenceId(Uuid::from_u128(n)), by: OWNER, because }
}

#[test]
fn nothing_is_doubled_while_a_difference_is_open() {
    given::<Reconciliation>([])
        .when(Command::Find(found(1, 10, 15)))
        .then([found(1, 10, 15).into()]);
    let open = || given::<Reconciliation>([found(1, 10, 15).into()]);
    open().when(Command::Find(found(2, 10, 15))).then_nothing();
    open().when(Command::Find(found(2, 10, 99))).then_nothing();
    open().when(Command::Find(found(1, 10, 15))).then_refused(Rule::IdTaken);
}

#[test]
fn what_agrees_is_no_difference() {
    given::<Reconciliation>([]).when(Command::Find(found(1, 10, 10))).then_nothing();
}

#[test]
fn an_explained_gap_is_no_news_until_it_changes() {
    let explained = || given::<Reconciliation>([found(1, 10, 15).into(), resolved(1).into()]);
    explained().when(Command::Find(found(2, 20, 25))).then_nothing();
    explained().when(Command::Find(found(2, 20, 26))).then([found(2, 20, 26).into()]);
    explained().when(Command::Find(found(2, 15, 10))).then([found(2, 15, 10).into()]);
    explained().when(Command::Find(found(1, 20, 26))).then_refused(Rule::IdTaken);
}

#[test]
fn a_difference_is_resolved_once_with_a_note() {
    let open = || given::<Reconciliation>([found(1, 10, 15).into()]);
    open().when(Command::Resolve(resolved(1))).then([resolved(1).into()]);
    open().when(Command::Resolve(resolved(2))).then_refused(Rule::DifferenceState);
    let silent = DifferenceResolved { because: String::new(), ..resolved(1) };
    open().when(Command::Resolve(silent)).then_refused(Rule::ReasonMissing);
    given::<Reconciliation>([]).cannot_be_followed_by(resolved(1));
}
