//! An account's rules. Its part in a whole decision is tested in `tests/ledger`.

use super::*;
use crate::{Network, scenario::given};
use uuid::Uuid;

const LTC: Asset = Network::LitecoinRegtest.native_asset();
const ACCOUNT: AccountId = AccountId(Uuid::from_u128(1));
const WALLET: WalletId = WalletId(Uuid::from_u128(2));
const DEPOSIT: DepositId = DepositId(Uuid::from_u128(3));
const CLIENT: LedgerAccount = LedgerAccount::Client(ACCOUNT);
const CUSTODY: LedgerAccount = LedgerAccount::Custody(WALLET);
const SHORTFALL: LedgerAccount = LedgerAccount::Shortfall(ACCOUNT);

fn transfer(n: u128) -> TransferId {
    TransferId(Uuid::from_u128(n))
}

fn opened() -> AccountEvent {
    Opened { client: ClientId(Uuid::from_u128(4)), asset: LTC }.into()
}

fn posted(entries: &[(LedgerAccount, LedgerAccount, u128, Purpose)]) -> AccountEvent {
    Posted { deposit: DEPOSIT, entries: journal(entries) }.into()
}

fn journal(entries: &[(LedgerAccount, LedgerAccount, u128, Purpose)]) -> Vec<JournalEntry> {
    let entry = |&(debit, credit, units, purpose)| JournalEntry {
        debit,
        credit,
        amount: Amount::new(units),
        purpose,
    };
    entries.iter().map(entry).collect()
}

fn deposited(units: u128) -> AccountEvent {
    posted(&[(CUSTODY, CLIENT, units, Purpose::Deposit)])
}

fn held(n: u128, units: u128) -> AccountEvent {
    HoldPlaced { transfer: transfer(n), amount: Amount::new(units) }.into()
}

fn place(n: u128, units: u128) -> Command {
    Command::PlaceHold { transfer: transfer(n), asset: LTC, amount: Amount::new(units) }
}

fn post(n: u128, paid: u128, fee: u128) -> Command {
    let (paid, fee) = (Amount::new(paid), Amount::new(fee));
    Command::PostHold { account: ACCOUNT, transfer: transfer(n), wallet: WALLET, paid, fee }
}

fn credit(units: u128) -> Command {
    let amount = Amount::new(units);
    Command::Credit { account: ACCOUNT, deposit: DEPOSIT, wallet: WALLET, amount }
}

fn reverse(units: u128) -> Command {
    let amount = Amount::new(units);
    Command::Reverse { account: ACCOUNT, deposit: DEPOSIT, wallet: WALLET, amount }
}

#[test]
fn an_account_opens_once() {
    let open = || Command::Open { client: ClientId(Uuid::from_u128(4)), asset: LTC };
    given::<Account>([]).when(open()).then([opened()]);
    given::<Account>([opened()]).when(open()).then_refused(Rule::IdTaken);
}

#[test]
fn nothing_happens_to_an_account_that_does_not_exist() {
    let void = Command::VoidHold { transfer: transfer(1) };
    for command in [credit(1), reverse(1), place(1, 1), post(1, 1, 0), void] {
        given::<Account>([]).when(command).then_refused(Rule::AccountState);
    }
}

#[test]
fn a_hold_is_covered_and_placed_once_in_the_accounts_asset() {
    let history = [opened(), deposited(100)];
    given::<Account>(history.clone()).when(place(1, 100)).then([held(1, 100)]);
    given::<Account>(history.clone()).when(place(1, 101)).then_refused(Rule::AccountOverdraw);
    let asset = Network::Bitcoin.native_asset();
    let other = Command::PlaceHold { transfer: transfer(1), asset, amount: Amount::new(1) };
    given::<Account>(history).when(other).then_refused(Rule::AccountState);
    let history = [opened(), deposited(100), held(1, 60)];
    given::<Account>(history.clone()).when(place(2, 41)).then_refused(Rule::AccountOverdraw);
    given::<Account>(history).when(place(1, 1)).then_refused(Rule::HoldState);
}

#[test]
fn a_posted_hold_takes_no_more_than_it_set_aside_and_frees_the_rest() {
    let history = [opened(), deposited(100), held(1, 60)];
    given::<Account>(history.clone()).when(post(1, 50, 11)).then_refused(Rule::HoldState);
    given::<Account>(history.clone()).when(post(2, 1, 0)).then_refused(Rule::HoldState);
    given::<Account>(history.clone()).when(post(1, u128::MAX, 1)).then_refused(Rule::AmountInvalid);
    let entries = journal(&[
        (CLIENT, CUSTODY, 50, Purpose::Payment),
        (CLIENT, CUSTODY, 4, Purpose::NetworkFee),
    ]);
    let after = given::<Account>(history).when(post(1, 50, 4)).then([HoldPosted {
        transfer: transfer(1),
        entries,
    }
    .into()]);
    assert_eq!(after.claim().map(Claim::available), Ok(Amount::new(46)));
    assert_eq!(after.claim().map(Claim::pending), Ok(Amount::ZERO));
}

#[test]
fn a_hold_is_settled_once() {
    let voided = || AccountEvent::from(HoldVoided { transfer: transfer(1) });
    let history = [opened(), deposited(100), held(1, 60)];
    let void = || Command::VoidHold { transfer: transfer(1) };
    given::<Account>(history.clone()).when(void()).then([voided()]);
    let settled = [opened(), deposited(100), held(1, 60), voided()];
    given::<Account>(settled.clone()).when(void()).then_refused(Rule::HoldState);
    given::<Account>(settled.clone()).when(post(1, 1, 0)).then_refused(Rule::HoldState);
    given::<Account>(settled).cannot_be_followed_by(voided());
    given::<Account>(history).cannot_be_followed_by(held(1, 5));
}

#[test]
fn a_reversal_takes_what_is_available_and_the_rest_is_a_shortfall() {
    let history = [opened(), deposited(100), held(1, 60)];
    given::<Account>(history).when(reverse(100)).then([posted(&[
        (CLIENT, CUSTODY, 40, Purpose::Reversal),
        (SHORTFALL, CUSTODY, 60, Purpose::Reversal),
    ])]);
}

#[test]
fn a_shortfall_is_covered_first_and_stops_holds_until_it_is() {
    let short = posted(&[(SHORTFALL, CUSTODY, 60, Purpose::Reversal)]);
    let history = [opened(), deposited(100), short];
    given::<Account>(history.clone()).when(place(1, 1)).then_refused(Rule::AccountShortfall);
    let after = given::<Account>(history).when(credit(70)).then([posted(&[
        (CUSTODY, SHORTFALL, 60, Purpose::ShortfallCovered),
        (CUSTODY, CLIENT, 10, Purpose::Deposit),
    ])]);
    assert_eq!(after.claim().map(|claim| claim.shortfall), Ok(Amount::ZERO));
}

#[test]
fn sums_are_checked() {
    let full = [opened(), deposited(u128::MAX)];
    given::<Account>(full).when(credit(1)).then_refused(Rule::AmountInvalid);
    let short = posted(&[(SHORTFALL, CUSTODY, u128::MAX, Purpose::Reversal)]);
    given::<Account>([opened(), short]).when(reverse(1)).then_refused(Rule::AmountInvalid);
}

#[test]
fn a_history_that_overdraws_is_damaged() {
    let out = posted(&[(CLIENT, CUSTODY, 101, Purpose::Reversal)]);
    let corrupt = given::<Account>([opened(), deposited(100)]).cannot_be_followed_by(out);
    assert_eq!((corrupt.aggregate, corrupt.event), ("account", "account.posted"));
    given::<Account>([]).cannot_be_followed_by(deposited(1));
    given::<Account>([opened()]).cannot_be_followed_by(opened());
}
