//! A wallet is given up: what a quorum must say, that everything in it goes to its successor and to
//! nobody else, and that no claim changes but the one that bears the fees.

use crate::{asks::*, book::*, house::*, names::*};
use strongroom_domain::{
    AccountId, Address, AddressPath, Amount, Branch, ClientId, Command, Event, Intent, KeyId,
    Network, ProposalId, Rule, Spends, Stream, TransferId, WalletId,
    account::LedgerAccount,
    key::{CeremonyPlan, Key, KeyEvent, Retired},
    proposal::Subject,
    transfer::{Confirmed, SweepRequested, Transfer, TransferEvent},
    wallet::{
        AddressDerived, Funds, OutPoint, Rotation, RotationApproved, Swept, Tier, WalletEvent,
    },
};
use uuid::Uuid;

const NEW_LTC: WalletId = WalletId(Uuid::from_u128(0xc01));
const NEW_ETH: WalletId = WalletId(Uuid::from_u128(0xc02));
const OTHER_LTC: WalletId = WalletId(Uuid::from_u128(0xc03));
const NEW_FROST: KeyId = KeyId(Uuid::from_u128(0xc11));
const NEW_TOKEN: KeyId = KeyId(Uuid::from_u128(0xc12));
const OTHER_FROST: KeyId = KeyId(Uuid::from_u128(0xc13));
/// A client with money, who bears no fee.
const BYSTANDER: AccountId = AccountId(Uuid::from_u128(0xc21));

fn question_of(n: u128) -> ProposalId {
    ProposalId(Uuid::from_u128(0xc80 + n))
}

fn to_ltc() -> Address {
    address("rltc1qsuccessor")
}

fn to_eth() -> Address {
    address("0xSuccessor")
}

fn rotation(wallet: WalletId) -> Rotation {
    let (successor, fees_from) =
        if wallet == LTC_WALLET { (NEW_LTC, LTC_ACCOUNT) } else { (NEW_ETH, ETH_ACCOUNT) };
    Rotation { wallet, successor, fees_from, fee_cap: Amount::new(1_000) }
}

fn propose(book: &Book, n: u128, rotation: Rotation) -> Command {
    let (proposal, subject) = (question_of(n), Subject::Rotate(rotation));
    Command::Propose { proposal, subject, maker: MAKER, expires_at: book.in_an_hour() }
}

fn rotate(book: &mut Book, n: u128, rotation: Rotation) {
    book.put(propose(book, n, rotation)).unwrap();
    book.approve(question_of(n), &[ANN, BEN]);
}

/// Money in both wallets, and three wallets that could take their place.
fn ready() -> Book {
    let mut book = Book::house();
    let plan = |key, of: CeremonyPlan| CeremonyPlan { key, ..of };
    book.make_key(plan(NEW_FROST, frost_plan()), 0xd1);
    book.make_key(plan(NEW_TOKEN, token_plan()), 0xd2);
    book.make_key(plan(OTHER_FROST, frost_plan()), 0xd3);
    for (wallet, network, key) in [
        (NEW_LTC, Network::LitecoinRegtest, NEW_FROST),
        (NEW_ETH, Network::EthereumDev, NEW_TOKEN),
        (OTHER_LTC, Network::LitecoinRegtest, OTHER_FROST),
    ] {
        let (tier, by) = (Tier::Hot, MAKER);
        book.put(Command::CreateWallet { wallet, network, key, tier, by }).unwrap();
    }
    book.put(derive(NEW_LTC, to_ltc(), Branch::Change, 0)).unwrap();
    book.put(derive(NEW_ETH, to_eth(), Branch::Deposit, 0)).unwrap();
    book.put(derive(OTHER_LTC, address("rltc1qother"), Branch::Change, 0)).unwrap();
    let client = ClientId(Uuid::from_u128(0xc31));
    let open = Command::OpenAccount { account: BYSTANDER, client, asset: LTC, by: MAKER };
    book.put(open).unwrap();
    let path = AddressPath { branch: Branch::Deposit, index: 1 };
    let at = address("rltc1qbystander");
    let derived = AddressDerived { address: at.clone(), path, account: Some(BYSTANDER) };
    book.put(Command::DeriveAddress { wallet: LTC_WALLET, derived }).unwrap();
    let (_, known) = seen(LTC_WALLET, 9, 50_000);
    let seen = strongroom_domain::deposit::Seen { account: BYSTANDER, address: at, ..known };
    let deposit = strongroom_domain::DepositId::of(Network::LitecoinRegtest, &seen.place);
    book.put(Command::SeeDeposit { deposit, seen }).unwrap();
    book.put(Command::CreditDeposit { deposit, confirmations: 3 }).unwrap();
    book
}

/// Everything that is free.
fn sweep(book: &Book, n: u8, wallet: WalletId) -> SweepRequested {
    let holding = book.state.wallets[&wallet].holding().unwrap();
    let (coins, amount) = match &holding.funds {
        Funds::Coins(coins) => {
            let sum = coins.free.values().map(|coin| coin.amount.units()).sum();
            (coins.free.keys().cloned().collect(), Amount::new(sum))
        }
        Funds::Balance(balance) => (Vec::new(), balance.free()),
    };
    let known = holding.rotation.clone();
    let rotation = known.as_ref().map_or(rotation(wallet), |known| known.rotation);
    let intent = Intent {
        transfer: transfer(n),
        account: rotation.fees_from,
        wallet,
        asset: holding.network.native_asset(),
        amount,
        destination: if wallet == LTC_WALLET { to_ltc() } else { to_eth() },
        fee_cap: rotation.fee_cap,
    };
    let (proposal, maker) = known.map_or((question_of(1), MAKER), |of| (of.proposal, of.maker));
    SweepRequested { intent, coins, successor: rotation.successor, rotation: proposal, maker }
}

fn spends(book: &Book, n: u8) -> Spends {
    let Transfer::Approved(asked) = &book.state.transfers[&transfer(n)] else { panic!("{n}") };
    let holding = book.state.wallets[&asked.intent.wallet].holding().unwrap();
    match &holding.funds {
        Funds::Coins(_) => Spends::Coins(asked.sweep.clone().unwrap().coins),
        Funds::Balance(balance) => Spends::AccountNonce(balance.lowest_nonce()),
    }
}

fn authorise(book: &Book, n: u8, wallet: WalletId) -> Command {
    let (attempt, spends) = (attempt_of(wallet, 1), spends(book, n));
    Command::AuthoriseAttempt { transfer: transfer(n), attempt, spends }
}

/// What the network took is what the attempt said: 500.
fn arrived(n: u8, amount: Amount) -> Command {
    let Command::ConfirmTransfer { transfer, confirmed, .. } =
        confirm(n, 1, amount.units() - 500, None)
    else {
        unreachable!()
    };
    let confirmed = Confirmed { fee: Amount::new(500), ..confirmed };
    Command::ConfirmTransfer { transfer, confirmed, change: Vec::new() }
}

/// A sweep from the request to its end; what it moved.
fn carry_out(book: &mut Book, n: u8, wallet: WalletId) -> Amount {
    let requested = sweep(book, n, wallet);
    let amount = requested.intent.amount;
    book.put(Command::RequestSweep(requested)).unwrap();
    book.put(authorise(book, n, wallet)).unwrap();
    book.authorised(n, 1).unwrap();
    book.put(signed(n, 1)).unwrap();
    book.put(broadcast(n, 1)).unwrap();
    book.put(arrived(n, amount)).unwrap();
    amount
}

/// Everything that this part of the ledger can record, once each at least.
pub(crate) fn everything() -> Book {
    let mut book = ready();
    for (n, wallet) in [(1, LTC_WALLET), (2, ETH_WALLET)] {
        rotate(&mut book, n.into(), rotation(wallet));
        carry_out(&mut book, n, wallet);
        book.put(Command::RetireKey { wallet }).unwrap();
    }
    book
}

fn claim(book: &Book, account: AccountId) -> u128 {
    book.state.accounts[&account].claim().unwrap().total.units()
}

fn custody(book: &Book, wallet: WalletId) -> i128 {
    book.of(LedgerAccount::Custody(wallet))
}

fn funds(book: &Book, wallet: WalletId) -> i128 {
    let amount = match &book.state.wallets[&wallet].holding().unwrap().funds {
        Funds::Coins(coins) => {
            let reserved = coins.reserved.values().flat_map(|mine| mine.values());
            coins.free.values().chain(reserved).map(|coin| coin.amount.units()).sum()
        }
        Funds::Balance(balance) => balance.amount.units(),
    };
    i128::try_from(amount).unwrap()
}

#[test]
fn everything_goes_to_the_successor_and_only_the_fee_is_paid_for() {
    let mut book = ready();
    for (n, wallet, to) in [(1, LTC_WALLET, NEW_LTC), (2, ETH_WALLET, NEW_ETH)] {
        let held = funds(&book, wallet);
        let payer = rotation(wallet).fees_from;
        let before = (claim(&book, payer), claim(&book, BYSTANDER));
        rotate(&mut book, n.into(), rotation(wallet));
        carry_out(&mut book, n, wallet);
        assert_eq!((claim(&book, payer), claim(&book, BYSTANDER)), (before.0 - 500, before.1));
        assert_eq!((funds(&book, wallet), funds(&book, to)), (0, held - 500));
        assert_eq!((custody(&book, wallet), custody(&book, to)), (0, held - 500));
    }
}

/// Claims are what wallets hold, after every entry's decision.
#[test]
fn what_is_owed_is_what_is_held_at_every_step() {
    let mut book = ready();
    let balanced = |book: &Book| {
        for (wallets, asset) in [
            ([LTC_WALLET, NEW_LTC, OTHER_LTC].as_slice(), LTC),
            ([ETH_WALLET, NEW_ETH].as_slice(), ETH),
        ] {
            let held: i128 = wallets.iter().map(|wallet| funds(book, *wallet)).sum();
            let booked: i128 = wallets.iter().map(|wallet| custody(book, *wallet)).sum();
            let claims = book.state.accounts.values().map(|account| account.claim().unwrap());
            let owed: u128 =
                claims.filter(|claim| claim.asset == asset).map(|of| of.total.units()).sum();
            assert_eq!((held, booked), (i128::try_from(owed).unwrap(), held));
        }
    };
    for (n, wallet) in [(1, LTC_WALLET), (2, ETH_WALLET)] {
        rotate(&mut book, n.into(), rotation(wallet));
        let requested = sweep(&book, n, wallet);
        let amount = requested.intent.amount;
        book.put(Command::RequestSweep(requested)).unwrap();
        balanced(&book);
        let steps = [authorise(&book, n, wallet), signed(n, 1), broadcast(n, 1)];
        for step in steps.into_iter().chain([arrived(n, amount)]) {
            book.put(step).unwrap();
            balanced(&book);
        }
    }
}

#[test]
fn nothing_is_swept_without_a_rotation_or_elsewhere_or_for_more() {
    let mut book = ready();
    let asked = sweep(&book, 1, LTC_WALLET);
    book.refused(Command::RequestSweep(asked), Rule::Sweep);
    book.put(propose(&book, 1, rotation(LTC_WALLET))).unwrap();
    book.refused(Command::RequestSweep(sweep(&book, 1, LTC_WALLET)), Rule::Sweep);
    book.approve(question_of(1), &[ANN, BEN]);
    let right = sweep(&book, 1, LTC_WALLET);
    let intent = |change: &dyn Fn(&mut Intent)| {
        let mut other = right.clone();
        change(&mut other.intent);
        other
    };
    let free: OutPoint = right.coins[0].clone();
    let wrong = [
        intent(&|of| of.destination = address("rltc1qexchange")),
        intent(&|of| of.destination = address("rltc1qother")),
        intent(&|of| of.destination = ltc_address()),
        intent(&|of| of.account = BYSTANDER),
        intent(&|of| of.fee_cap = Amount::new(1_001)),
        intent(&|of| of.fee_cap = Amount::ZERO),
        intent(&|of| of.amount = Amount::new(of.amount.units() + 1)),
        intent(&|of| of.amount = Amount::new(900)),
        intent(&|of| of.asset = ETH),
        SweepRequested { successor: OTHER_LTC, ..right.clone() },
        SweepRequested { rotation: question_of(2), ..right.clone() },
        SweepRequested { maker: ANN, ..right.clone() },
        SweepRequested { coins: vec![free], ..right.clone() },
        SweepRequested { coins: Vec::new(), ..right.clone() },
    ];
    for requested in wrong {
        book.refused(Command::RequestSweep(requested.clone()), Rule::Sweep);
        let event = Event::Transfer(TransferEvent::from(requested));
        book.forge(Stream::Transfer(transfer(1)), event).unwrap_err();
    }
    book.put(Command::RequestSweep(right)).unwrap();
}

#[test]
fn another_successor_never_takes_the_place_of_the_first() {
    let mut book = ready();
    rotate(&mut book, 1, rotation(LTC_WALLET));
    let other = Rotation { successor: OTHER_LTC, ..rotation(LTC_WALLET) };
    book.refused(propose(&book, 2, other), Rule::WalletRotated);
    book.refused(propose(&book, 2, rotation(LTC_WALLET)), Rule::WalletRotated);
    let dearer = Rotation { fee_cap: Amount::new(2_000), ..rotation(LTC_WALLET) };
    rotate(&mut book, 2, dearer);
    assert_eq!(sweep(&book, 1, LTC_WALLET).intent.fee_cap, Amount::new(2_000));
}

#[test]
fn a_successor_is_another_wallet_of_the_network_that_is_not_given_up() {
    let mut book = ready();
    let of = |successor| Rotation { successor, ..rotation(LTC_WALLET) };
    book.refused(propose(&book, 1, of(LTC_WALLET)), Rule::RotationInvalid);
    book.refused(propose(&book, 1, of(NEW_ETH)), Rule::RotationInvalid);
    let fees = Rotation { fees_from: ETH_ACCOUNT, ..rotation(LTC_WALLET) };
    book.refused(propose(&book, 1, fees), Rule::RotationInvalid);
    let free = Rotation { fee_cap: Amount::ZERO, ..rotation(LTC_WALLET) };
    book.refused(propose(&book, 1, free), Rule::RotationInvalid);
    let further = Rotation { wallet: NEW_LTC, successor: OTHER_LTC, ..rotation(LTC_WALLET) };
    rotate(&mut book, 1, further);
    book.refused(propose(&book, 2, rotation(LTC_WALLET)), Rule::RotationInvalid);
}

#[test]
fn a_wallet_that_was_given_up_pays_nobody_and_gives_out_no_address() {
    let mut book = ready();
    book.approved(5, LTC_WALLET, 1_000);
    rotate(&mut book, 1, rotation(LTC_WALLET));
    book.refused(book.request(6, LTC_WALLET, 1_000), Rule::WalletRotated);
    let next = derive(LTC_WALLET, address("rltc1qnext"), Branch::Deposit, 2);
    book.refused(next, Rule::WalletRotated);
    // What was approved before finishes.
    book.put(book.attempt(5, 1)).unwrap();
    book.authorised(5, 1).unwrap();
}

#[test]
fn a_key_is_retired_when_nothing_is_left_and_then_signs_only_what_comes_late() {
    let mut book = ready();
    rotate(&mut book, 1, rotation(LTC_WALLET));
    let retire = Command::RetireKey { wallet: LTC_WALLET };
    book.refused(retire.clone(), Rule::Sweep);
    book.put(Command::RequestSweep(sweep(&book, 1, LTC_WALLET))).unwrap();
    book.put(authorise(&book, 1, LTC_WALLET)).unwrap();
    book.refused(retire.clone(), Rule::Sweep);
    let early = Event::Key(KeyEvent::from(Retired {}));
    book.forge(Stream::Key(FROST_KEY), early).unwrap_err();
    let Transfer::Signing(attempts) = &book.state.transfers[&transfer(1)] else { panic!() };
    let amount = attempts.asked.intent.amount;
    book.put(signed(1, 1)).unwrap();
    book.put(arrived(1, amount)).unwrap();
    book.put(retire.clone()).unwrap();
    assert!(book.put(retire).unwrap().is_empty());
    let Key::Active(active) = &book.state.keys[&FROST_KEY] else { panic!() };
    assert!(active.retired);
    book.deposit(LTC_WALLET, 7, 70_000);
    let late = carry_out(&mut book, 8, LTC_WALLET);
    assert_eq!(late, Amount::new(70_000));
}

#[test]
fn a_sweep_is_nobodys_deposit() {
    let mut book = ready();
    rotate(&mut book, 2, rotation(ETH_WALLET));
    book.put(Command::RequestSweep(sweep(&book, 2, ETH_WALLET))).unwrap();
    book.put(authorise(&book, 2, ETH_WALLET)).unwrap();
    book.put(signed(2, 1)).unwrap();
    let Command::RecordSigned { signed, .. } = signed(2, 1) else { unreachable!() };
    let (_, known) = seen(ETH_WALLET, 0x44, 1_000);
    let seen = strongroom_domain::deposit::Seen {
        wallet: NEW_ETH,
        address: to_eth(),
        place: signed.transaction,
        ..known
    };
    let deposit = strongroom_domain::DepositId::of(Network::EthereumDev, &seen.place);
    book.refused(Command::SeeDeposit { deposit, seen }, Rule::Sweep);
}

#[test]
fn a_sweep_waits_for_freezes_and_does_not_count_in_limits() {
    let mut book = ready();
    rotate(&mut book, 1, rotation(LTC_WALLET));
    let freeze = strongroom_domain::FreezeId(Uuid::from_u128(0xf7));
    let scope = strongroom_domain::freeze::FreezeScope::Wallet(LTC_WALLET);
    let because = "a report of theft".to_owned();
    let set = strongroom_domain::freeze::Set { freeze, scope, by: OLA, because };
    let mut frozen = book.clone();
    frozen.put(Command::Freeze(set)).unwrap();
    frozen.refused(Command::RequestSweep(sweep(&book, 1, LTC_WALLET)), Rule::Frozen);
    let before = book.state.usage.clone();
    carry_out(&mut book, 1, LTC_WALLET);
    assert_eq!(book.state.usage, before);
}

#[test]
fn what_a_rotation_and_a_sweep_record_is_not_written_by_anybody_else() {
    let mut book = ready();
    let approved =
        RotationApproved { rotation: rotation(LTC_WALLET), proposal: question_of(1), maker: MAKER };
    let forged = Event::Wallet(WalletEvent::from(approved));
    book.forge(Stream::Wallet(LTC_WALLET), forged).unwrap_err();
    rotate(&mut book, 1, rotation(LTC_WALLET));
    let swept = Swept { transfer: TransferId(Uuid::from_u128(1)), asset: LTC, entries: Vec::new() };
    let forged = Event::Wallet(WalletEvent::from(swept));
    book.forge(Stream::Wallet(LTC_WALLET), forged).unwrap_err();
}

#[test]
fn people_read_where_everything_goes_and_who_pays() {
    let mut book = ready();
    book.put(propose(&book, 1, rotation(LTC_WALLET))).unwrap();
    let text = book.statement(question_of(1), ANN, strongroom_domain::statement::Answer::Approve);
    crate::golden::same_text("statement-rotate.txt", &text);
    for part in [&LTC_WALLET.to_string(), &NEW_LTC.to_string(), &LTC_ACCOUNT.to_string()] {
        assert!(text.contains(part), "{text}");
    }
}
