//! From an entry to what it changes in the tables: pure functions, so that following a log and
//! rebuilding from it are the same. Never reads a table.

mod account;
mod custody;
mod facts;
mod key;
mod proposal;
mod transfer;

use crate::change::{Change, int, text};
use strongroom_domain::{Event, Recorded, Stream};

/// An entry, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Item {
    /// The event and its place.
    pub(crate) recorded: Recorded,
    /// Who caused it, as the entry says.
    pub(crate) actor: String,
}

/// Where and when something happened, for the rows that say so.
#[derive(Clone, Copy)]
pub(crate) struct At<'a>(&'a Recorded);

impl At<'_> {
    pub(crate) fn position(self) -> rusqlite::types::Value {
        int(self.0.head.position)
    }

    pub(crate) fn leaf(self) -> rusqlite::types::Value {
        text(self.0.head.leaf)
    }

    pub(crate) fn time(self) -> rusqlite::types::Value {
        text(self.0.time)
    }
}

/// All that an entry changes. An event in a stream of another kind changes nothing but the list of
/// entries: it is for auditors to say that the log is damaged.
pub(crate) fn fold(item: &Item) -> Vec<Change> {
    let recorded = &item.recorded;
    let at = At(recorded);
    let (kind, version) = recorded.event.kind();
    let mut changes = vec![Change::insert(
        "entries",
        [
            ("position", at.position()),
            ("time", at.time()),
            ("stream", text(recorded.stream)),
            ("sequence", int(recorded.sequence)),
            ("kind", text(kind)),
            ("version", int(version)),
            ("actor", text(&item.actor)),
            ("leaf", at.leaf()),
        ],
    )];
    match (recorded.stream, &recorded.event) {
        (Stream::Charter, Event::Charter(event)) => custody::charter(at, event, &mut changes),
        (Stream::Proposal(id), Event::Proposal(event)) => {
            proposal::fold(at, id, event, &mut changes);
        }
        (Stream::Account(id), Event::Account(event)) => account::fold(at, id, event, &mut changes),
        (Stream::Wallet(id), Event::Wallet(event)) => custody::wallet(at, id, event, &mut changes),
        (Stream::Transfer(id), Event::Transfer(event)) => {
            transfer::fold(at, id, event, &mut changes);
        }
        (Stream::Deposit(id), Event::Deposit(event)) => {
            custody::deposit(at, id, event, &mut changes);
        }
        (Stream::Key(id), Event::Key(event)) => key::fold(at, id, event, &mut changes),
        (Stream::Signer(id), Event::Signer(event)) => custody::signer(at, id, event, &mut changes),
        (Stream::Person(id), Event::Person(event)) => custody::person(at, id, event, &mut changes),
        (Stream::Freezes, Event::Freeze(event)) => facts::freeze(at, event, &mut changes),
        (Stream::Prices, Event::Price(event)) => facts::price(at, event, &mut changes),
        (Stream::Screenings, Event::Screening(event)) => {
            facts::screening(at, event, &mut changes);
        }
        (Stream::Reconciliation, Event::Reconciliation(event)) => {
            facts::reconciliation(at, event, &mut changes);
        }
        (
            Stream::Charter
            | Stream::Proposal(_)
            | Stream::Account(_)
            | Stream::Wallet(_)
            | Stream::Transfer(_)
            | Stream::Deposit(_)
            | Stream::Key(_)
            | Stream::Signer(_)
            | Stream::Person(_)
            | Stream::Freezes
            | Stream::Prices
            | Stream::Screenings
            | Stream::Reconciliation,
            _,
        ) => {}
    }
    changes
}
