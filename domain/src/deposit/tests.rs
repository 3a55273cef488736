//! A deposit's rules. Its part in a whole decision is tested in `tests/ledger`.

use super::*;
use crate::{AccountId, Amount, WalletId, scenario::given};
use uuid::Uuid;

fn block(height: u64) -> BlockRef {
    BlockRef { height, hash: format!("{height:064x}") }
}

fn seen(height: u64) -> Seen {
    Seen {
        wallet: WalletId(Uuid::from_u128(1)),
        address: "rltc1qclient".parse().expect("an address"),
        account: AccountId(Uuid::from_u128(2)),
        amount: Amount::new(5),
        place: "place".to_owned(),
        block: block(height),
    }
}

fn credit(confirmations: u32) -> Command {
    Command::Credit { confirmations, required: 3 }
}

fn credited() -> DepositEvent {
    Credited { confirmations: 3 }.into()
}

fn gone() -> DepositEvent {
    Reorganised { block: block(1) }.into()
}

#[test]
fn a_deposit_is_seen_once_per_block() {
    given::<Deposit>([]).when(Command::See(seen(1))).then([seen(1).into()]);
    given::<Deposit>([seen(1).into()]).when(Command::See(seen(1))).then_nothing();
    given::<Deposit>([seen(1).into(), credited()]).when(Command::See(seen(1))).then_nothing();
}

#[test]
fn a_deposit_is_in_one_block_at_a_time() {
    for history in [vec![seen(1).into()], vec![seen(1).into(), credited()]] {
        given::<Deposit>(history).when(Command::See(seen(2))).then_refused(Rule::DepositState);
    }
}

#[test]
fn a_deposit_is_credited_once_at_its_confirmations() {
    given::<Deposit>([]).when(credit(3)).then_refused(Rule::DepositState);
    given::<Deposit>([seen(1).into()]).when(credit(2)).then_refused(Rule::DepositState);
    given::<Deposit>([seen(1).into()]).when(credit(3)).then([credited()]);
    given::<Deposit>([seen(1).into(), credited()]).when(credit(4)).then_refused(Rule::DepositState);
}

#[test]
fn a_deposit_that_is_gone_is_neither_credited_nor_gone_again() {
    let history = [seen(1).into(), gone()];
    given::<Deposit>(history.clone()).when(credit(9)).then_refused(Rule::DepositState);
    given::<Deposit>(history).when(Command::Reorganise).then_refused(Rule::DepositState);
    given::<Deposit>([]).when(Command::Reorganise).then_refused(Rule::DepositState);
}

#[test]
fn a_deposit_that_is_gone_can_come_again_in_another_block() {
    let again = || DepositEvent::from(SeenAgain { block: block(2) });
    let history = [seen(1).into(), credited(), gone()];
    given::<Deposit>(history.clone()).when(Command::See(seen(2))).then([again()]);
    let [first, second, third] = history;
    let known = given::<Deposit>([first, second, third, again()]);
    assert_eq!(known.is().seen().map(|seen| &seen.block), Some(&block(2)));
    known.when(credit(3)).then([credited()]);
}

#[test]
fn a_history_out_of_order_is_damaged() {
    given::<Deposit>([]).cannot_be_followed_by(credited());
    given::<Deposit>([seen(1).into()]).cannot_be_followed_by(seen(2));
    given::<Deposit>([seen(1).into(), gone()]).cannot_be_followed_by(credited());
}
