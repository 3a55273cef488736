//! A wallet's rules. Its part in a whole decision is tested in `tests/ledger`.

use super::*;
use crate::{DepositId, scenario::given};
use uuid::Uuid;

fn created(network: Network) -> WalletEvent {
    Created { network, key: KeyId(Uuid::from_u128(1)), tier: Tier::Hot }.into()
}

fn transfer(n: u128) -> TransferId {
    TransferId(Uuid::from_u128(n))
}

fn outpoint(n: u8) -> OutPoint {
    OutPoint { txid: format!("{n:064x}"), vout: 0 }
}

fn coin(n: u8) -> Coin {
    let path = AddressPath { branch: Branch::Deposit, index: 0 };
    Coin { outpoint: outpoint(n), amount: Amount::new(100), path }
}

fn added(n: u8) -> WalletEvent {
    CoinAdded { coin: coin(n) }.into()
}

fn coins(history: impl IntoIterator<Item = WalletEvent>) -> Vec<WalletEvent> {
    std::iter::once(created(Network::LitecoinRegtest)).chain(history).collect()
}

fn balance(history: impl IntoIterator<Item = WalletEvent>) -> Vec<WalletEvent> {
    std::iter::once(created(Network::EthereumDev)).chain(history).collect()
}

fn reserve(n: u128, outpoints: &[u8]) -> CoinsReserved {
    let outpoints = outpoints.iter().map(|n| outpoint(*n)).collect();
    CoinsReserved { transfer: transfer(n), outpoints }
}

fn nonce(n: u128, account_nonce: u64, units: u128) -> AccountNonceReserved {
    AccountNonceReserved { transfer: transfer(n), account_nonce, amount: Amount::new(units) }
}

fn received(units: u128) -> WalletEvent {
    FundsReceived { deposit: DepositId(Uuid::from_u128(3)), amount: Amount::new(units) }.into()
}

fn derived(branch: Branch, index: u32) -> AddressDerived {
    let account = match branch {
        Branch::Deposit => Some(AccountId(Uuid::from_u128(4))),
        Branch::Change => None,
    };
    let address = format!("a{}x{index}", branch.number()).parse().expect("an address");
    AddressDerived { address, path: AddressPath { branch, index }, account }
}

fn derive(derived: AddressDerived, many: bool) -> Command {
    Command::Derive { derived, many }
}

#[test]
fn a_wallet_is_created_once_and_first() {
    let create = Created {
        network: Network::LitecoinRegtest,
        key: KeyId(Uuid::from_u128(1)),
        tier: Tier::Hot,
    };
    given::<Wallet>([]).when(Command::Create(create.clone())).then([create.clone().into()]);
    given::<Wallet>(coins([])).when(Command::Create(create)).then_refused(Rule::IdTaken);
    given::<Wallet>([]).when(Command::AddCoin(coin(1))).then_refused(Rule::WalletState);
    given::<Wallet>([]).cannot_be_followed_by(added(1));
    given::<Wallet>(coins([])).cannot_be_followed_by(created(Network::LitecoinRegtest));
}

#[test]
fn each_branch_counts_its_own_addresses() {
    let history = coins([derived(Branch::Deposit, 0).into()]);
    for next in [derived(Branch::Deposit, 1), derived(Branch::Change, 0)] {
        given::<Wallet>(history.clone()).when(derive(next.clone(), true)).then([next.into()]);
    }
    for wrong in [derived(Branch::Deposit, 0), derived(Branch::Deposit, 2)] {
        given::<Wallet>(history.clone()).when(derive(wrong, true)).then_refused(Rule::AddressState);
    }
    let nobodys = AddressDerived { account: None, ..derived(Branch::Deposit, 1) };
    given::<Wallet>(history.clone()).when(derive(nobodys, true)).then_refused(Rule::AddressState);
    given::<Wallet>(history)
        .when(derive(derived(Branch::Deposit, 1), false))
        .then_refused(Rule::WalletSingleAddress);
}

#[test]
fn a_wallet_has_coins_or_a_balance_as_its_chain_has() {
    given::<Wallet>(balance([])).when(Command::AddCoin(coin(1))).then_refused(Rule::WalletState);
    given::<Wallet>(coins([]))
        .when(Command::ReserveNonce(nonce(1, 0, 1)))
        .then_refused(Rule::WalletState);
    given::<Wallet>(coins([])).cannot_be_followed_by(received(1));
    given::<Wallet>(balance([])).cannot_be_followed_by(added(1));
}

#[test]
fn a_coin_is_known_once() {
    given::<Wallet>(coins([])).when(Command::AddCoin(coin(1))).then([added(1)]);
    given::<Wallet>(coins([added(1)]))
        .when(Command::AddCoin(coin(1)))
        .then_refused(Rule::WalletState);
    given::<Wallet>(coins([added(1), reserve(1, &[1]).into()]))
        .when(Command::AddCoin(coin(1)))
        .then_refused(Rule::WalletState);
}

#[test]
fn a_coin_is_set_aside_once() {
    let history = coins([added(1), added(2), reserve(1, &[1]).into()]);
    let ask = |n, outpoints| Command::ReserveCoins(reserve(n, outpoints));
    given::<Wallet>(history.clone()).when(ask(1, &[1])).then_nothing();
    given::<Wallet>(history.clone()).when(ask(2, &[2])).then([reserve(2, &[2]).into()]);
    for (n, wrong) in [(1, &[2][..]), (2, &[1]), (2, &[]), (2, &[2, 2]), (2, &[2, 1]), (2, &[9])] {
        given::<Wallet>(history.clone()).when(ask(n, wrong)).then_refused(Rule::WalletReserved);
    }
    given::<Wallet>(history).cannot_be_followed_by(reserve(2, &[1]));
}

#[test]
fn coins_are_released_or_spent_by_who_set_them_aside() {
    let history = coins([added(1), reserve(1, &[1]).into()]);
    let release = |n| Command::Release { transfer: transfer(n) };
    let spend = |n| Command::Spend { transfer: transfer(n), spent: Amount::new(1) };
    let released = given::<Wallet>(history.clone())
        .when(release(1))
        .then([CoinsReleased { transfer: transfer(1) }.into()]);
    assert!(released.decide(Command::ReserveCoins(reserve(2, &[1]))).is_ok());
    let over = given::<Wallet>(history.clone())
        .when(spend(1))
        .then([CoinsSpent { transfer: transfer(1) }.into()]);
    let again = over.decide(Command::ReserveCoins(reserve(2, &[1])));
    assert_eq!(again.map_err(|refusal| refusal.rule), Err(Rule::WalletReserved));
    given::<Wallet>(history.clone()).when(release(2)).then_refused(Rule::WalletReserved);
    given::<Wallet>(history).when(spend(2)).then_refused(Rule::WalletReserved);
}

#[test]
fn a_coin_that_went_while_it_was_set_aside_does_not_come_back_free() {
    let removed = || WalletEvent::from(CoinRemoved { outpoint: outpoint(1) });
    let history = coins([added(1), reserve(1, &[1]).into(), removed()]);
    given::<Wallet>(history.clone()).when(Command::RemoveCoin(outpoint(1))).then_nothing();
    let wallet = given::<Wallet>(history)
        .when(Command::Release { transfer: transfer(1) })
        .then([CoinsReleased { transfer: transfer(1) }.into()]);
    assert!(wallet.decide(Command::ReserveCoins(reserve(2, &[1]))).is_err());
}

#[test]
fn account_nonces_are_taken_in_order_and_once() {
    let history = balance([received(100), nonce(1, 0, 40).into()]);
    let ask = |n, nonce_, units| Command::ReserveNonce(nonce(n, nonce_, units));
    given::<Wallet>(history.clone()).when(ask(1, 0, 40)).then_nothing();
    given::<Wallet>(history.clone()).when(ask(2, 1, 60)).then([nonce(2, 1, 60).into()]);
    for (n, wrong, units) in [(1, 0, 41), (1, 1, 40), (2, 0, 1), (2, 2, 1)] {
        given::<Wallet>(history.clone())
            .when(ask(n, wrong, units))
            .then_refused(Rule::WalletReserved);
    }
    given::<Wallet>(history.clone()).when(ask(2, 1, 61)).then_refused(Rule::WalletFunds);
    given::<Wallet>(history).cannot_be_followed_by(nonce(2, 0, 1));
}

#[test]
fn a_nonce_that_was_given_back_is_taken_first() {
    let released = AccountNonceReleased { transfer: transfer(1) };
    let history =
        balance([received(100), nonce(1, 0, 40).into(), nonce(2, 1, 40).into(), released.into()]);
    let ask = |nonce_| Command::ReserveNonce(nonce(3, nonce_, 60));
    given::<Wallet>(history.clone()).when(ask(2)).then_refused(Rule::WalletReserved);
    given::<Wallet>(history).when(ask(0)).then([nonce(3, 0, 60).into()]);
}

#[test]
fn a_transfer_spends_no_more_than_it_set_aside() {
    let history = balance([received(100), nonce(1, 0, 40).into()]);
    let spend = |units| Command::Spend { transfer: transfer(1), spent: Amount::new(units) };
    given::<Wallet>(history.clone()).when(spend(41)).then_refused(Rule::WalletReserved);
    let used = AccountNonceUsed { transfer: transfer(1), spent: Amount::new(30) };
    let wallet = given::<Wallet>(history).when(spend(30)).then([used.into()]);
    let left = wallet.holding().and_then(|holding| holding.funds.balance().cloned());
    assert_eq!(
        left.map(|balance| (balance.free(), balance.held())),
        Ok((Amount::new(70), Amount::ZERO))
    );
}

#[test]
fn sums_are_checked() {
    let more = FundsReceived { deposit: DepositId(Uuid::from_u128(3)), amount: Amount::new(1) };
    given::<Wallet>(balance([received(u128::MAX)]))
        .when(Command::Receive(more))
        .then_refused(Rule::AmountInvalid);
}

#[test]
fn an_outpoint_has_one_spelling() {
    let right = format!("{:064x}:7", 5);
    assert_eq!(right.parse::<OutPoint>().map(|outpoint| outpoint.to_string()), Ok(right.clone()));
    for wrong in [
        right.replace('5', "F"),
        right.replace(":7", ":07"),
        right.replace(":7", ":+7"),
        right.replace(":7", ""),
        format!("0{right}"),
        right.replace(":7", ":4294967296"),
    ] {
        assert!(wrong.parse::<OutPoint>().is_err(), "{wrong}");
    }
}
