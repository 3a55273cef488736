//! Given freezes, when one is set or lifted, then payments stop or go on.

use super::*;
use crate::{AccountId, Address, Amount, Network, TransferId, WalletId, scenario::given};
use uuid::Uuid;

const WALLET: WalletId = WalletId(Uuid::from_u128(0x51));
const CLIENT: ClientId = ClientId(Uuid::from_u128(0xc1));
const PROPOSAL: ProposalId = ProposalId(Uuid::from_u128(0x9f));

fn freeze(n: u128) -> FreezeId {
    FreezeId(Uuid::from_u128(n))
}

fn payee() -> Address {
    "rltc1qpayee".parse().unwrap()
}

fn intent() -> Intent {
    Intent {
        transfer: TransferId(Uuid::from_u128(1)),
        account: AccountId(Uuid::from_u128(2)),
        wallet: WALLET,
        asset: Network::LitecoinRegtest.native_asset(),
        destination: payee(),
        amount: Amount::new(5),
        fee_cap: Amount::new(1),
    }
}

fn set(n: u128, scope: FreezeScope) -> Set {
    let by = PersonId(Uuid::from_u128(0x0f));
    Set { freeze: freeze(n), scope, by, because: "a report of theft".to_owned() }
}

#[test]
fn a_freeze_covers_its_wallet_client_destination_or_everything() {
    let network = Network::LitecoinRegtest;
    for scope in [
        FreezeScope::Wallet(WALLET),
        FreezeScope::Client(CLIENT),
        FreezeScope::Destination { network, address: payee() },
        FreezeScope::Everything,
    ] {
        let frozen = given::<Freezes>([]).when(Command::Set(set(1, scope.clone())));
        let frozen = frozen.then([set(1, scope).into()]);
        assert_eq!(frozen.check(&intent(), CLIENT).unwrap_err().rule, Rule::Frozen);
        let lifted = Lifted { freeze: freeze(1), proposal: PROPOSAL };
        let mut free = frozen;
        free.evolve(&lifted.into()).unwrap();
        free.check(&intent(), CLIENT).unwrap();
    }
}

#[test]
fn a_freeze_of_something_else_covers_nothing_here() {
    let network = Network::BitcoinRegtest;
    let others = [
        set(1, FreezeScope::Wallet(WalletId(Uuid::from_u128(0x52)))),
        set(2, FreezeScope::Client(ClientId(Uuid::from_u128(0xc2)))),
        set(3, FreezeScope::Destination { network, address: payee() }),
    ];
    let given = given::<Freezes>(others.map(FreezeEvent::from));
    given.is().check(&intent(), CLIENT).unwrap();
}

#[test]
fn payments_stay_frozen_until_the_last_freeze_is_lifted() {
    let both = [set(1, FreezeScope::Everything), set(2, FreezeScope::Everything)];
    let one_left = given::<Freezes>(both.map(FreezeEvent::from))
        .when(Command::Lift { freeze: freeze(1), proposal: PROPOSAL })
        .then([Lifted { freeze: freeze(1), proposal: PROPOSAL }.into()]);
    assert!(one_left.check(&intent(), CLIENT).is_err());
}

#[test]
fn an_id_is_used_once_and_the_same_freeze_again_is_no_news() {
    let first = || set(1, FreezeScope::Everything);
    given::<Freezes>([first().into()]).when(Command::Set(first())).then_nothing();
    let other = set(1, FreezeScope::Wallet(WALLET));
    given::<Freezes>([first().into()]).when(Command::Set(other)).then_refused(Rule::IdTaken);
    let lifted = Lifted { freeze: freeze(1), proposal: PROPOSAL };
    given::<Freezes>([first().into(), lifted.clone().into()])
        .when(Command::Set(first()))
        .then_refused(Rule::IdTaken);
    given::<Freezes>([]).cannot_be_followed_by(lifted);
}

#[test]
fn what_does_not_stand_is_not_lifted_and_a_reason_is_asked_for() {
    given::<Freezes>([])
        .when(Command::Lift { freeze: freeze(1), proposal: PROPOSAL })
        .then_refused(Rule::FreezeState);
    let silent = Set { because: " ".to_owned(), ..set(1, FreezeScope::Everything) };
    given::<Freezes>([]).when(Command::Set(silent)).then_refused(Rule::ReasonMissing);
}
