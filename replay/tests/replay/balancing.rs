//! The books are kept again from the journal entries, and disagree with whoever is wrong.

use crate::world::{ETH, LTC, Side, World};
use strongroom_domain::{
    Amount, Event, Head, Recorded, State, Stream, Timestamp,
    account::{AccountEvent, JournalEntry, LedgerAccount, Opened, Posted, Purpose},
    wallet::{Created, Tier, WalletEvent},
};
use strongroom_replay::{Books, Fault};

/// An account in LTC, and a wallet on each network.
fn opened() -> State {
    let mut state = State::default();
    let opened = Opened { client: crate::world::CLIENT, asset: LTC.network.native_asset() };
    let event = Event::Account(AccountEvent::from(opened));
    state.apply(Stream::Account(LTC.account()), &event).unwrap();
    for side in [LTC, ETH] {
        let created = Created { network: side.network, key: side.key(), tier: Tier::Hot };
        let event = Event::Wallet(WalletEvent::from(created));
        state.apply(Stream::Wallet(side.wallet()), &event).unwrap();
    }
    state
}

/// Five of something arrive in the wallet of `side` and are credited to the account in LTC.
fn posted(side: Side) -> Recorded {
    let entry = JournalEntry {
        debit: LedgerAccount::Custody(side.wallet()),
        credit: LedgerAccount::Client(LTC.account()),
        amount: Amount::new(5),
        purpose: Purpose::Deposit,
    };
    let posted = Posted { deposit: World::deposit_id(side, 1), entries: vec![entry] };
    Recorded {
        head: Head { position: 9, ..Head::default() },
        time: Timestamp::default(),
        stream: Stream::Account(LTC.account()),
        sequence: 2,
        event: Event::Account(AccountEvent::from(posted)),
    }
}

#[test]
fn what_both_sides_say_is_balanced() {
    let (mut state, mut books, recorded) = (opened(), Books::default(), posted(LTC));
    state.evolve(&recorded).unwrap();
    books.keep(&state, &recorded).unwrap();
    books.check(9).unwrap();
    assert_eq!(books.accounts().count(), 2);
}

#[test]
fn money_does_not_move_between_assets() {
    let (mut state, mut books, recorded) = (opened(), Books::default(), posted(ETH));
    state.evolve(&recorded).unwrap();
    let finding = books.keep(&state, &recorded).unwrap_err();
    assert_eq!((finding.fault, finding.position), (Fault::Unbalanced, Some(9)));
    assert!(finding.message.contains("litecoin-regtest/ltc"), "{finding}");
}

#[test]
fn an_account_has_the_sum_of_its_journal_entries() {
    let (state, mut books, recorded) = (opened(), Books::default(), posted(LTC));
    // The fold does not know of the entry.
    let finding = books.keep(&state, &recorded).unwrap_err();
    assert_eq!(finding.fault, Fault::Unbalanced);
}
