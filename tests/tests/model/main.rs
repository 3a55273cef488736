//! A model of proposal, hold, saga and signer consumption, checked exhaustively within small bounds:
//! docs/model.md. It decides, folds and audits with the product's own code.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy takes helpers of an integration test for product code"
)]

mod append;
mod cast;
mod flaw;
mod honest;
mod hostile;
mod log;
mod network;
mod reading;
mod server;
mod signer;
mod transaction;

use flaw::Flaw;
use honest::{Honest, Stops};
use hostile::Hostile;
use server::Bounds;
use stateright::{Checker, HasDiscoveries, Model};
use std::fmt::Debug;
use std::hash::Hash;

/// One transfer, whose people quarrel, and whose server plays tricks with coins and payees.
const TRICKED: Bounds = Bounds {
    transfers: 1,
    quarrels: true,
    tricks: true,
    freezes: false,
    locked: false,
    abandons: false,
    attempts: 2,
    last_tick: 2,
};
/// One transfer, whose wallet an officer freezes at any moment.
const FROZEN: Bounds = Bounds { quarrels: false, tricks: false, freezes: true, ..TRICKED };
/// One transfer, which people abandon at any moment.
const ABANDONED: Bounds =
    Bounds { quarrels: false, tricks: false, abandons: true, last_tick: 1, ..TRICKED };
/// One transfer, which waits after it was approved.
const LOCKED: Bounds = Bounds { quarrels: false, tricks: false, locked: true, ..TRICKED };
/// As the first, without time and quarrels: enough for most flaws.
const BRIEF: Bounds = Bounds { quarrels: false, last_tick: 0, ..TRICKED };
/// Two transfers out of one wallet, one of which has no quorum.
const TWO: Bounds =
    Bounds { transfers: 2, quarrels: false, tricks: false, attempts: 1, last_tick: 0, ..TRICKED };

/// Explores everything; says what it came to.
#[track_caller]
fn holds<M: Model + Send + Sync + 'static>(model: M, logs: impl Fn(&M) -> usize)
where
    M::State: Hash + Send + Sync + Clone + PartialEq + Debug + 'static,
    M::Action: Clone + PartialEq + Debug,
{
    let checker = model.checker().threads(2).spawn_bfs().join();
    eprintln!(
        "{} states over {} logs, {} steps deep",
        checker.unique_state_count(),
        logs(checker.model()),
        checker.max_depth(),
    );
    for (name, path) in checker.discoveries() {
        if checker.discovery_classification(name).to_string() == "counterexample" {
            eprintln!("{name}: broken by");
            path.into_actions().iter().for_each(|step| eprintln!("  {step:?}"));
        }
    }
    checker.assert_properties();
}

/// Explores until the flaw shows.
#[track_caller]
fn finds<M: Model + Send + Sync + 'static>(model: M, flaw: Flaw, broken: &'static str)
where
    M::State: Hash + Send + Sync + Clone + PartialEq + Debug + 'static,
    M::Action: Clone + PartialEq + Debug,
{
    let until = HasDiscoveries::AnyOf([broken].into());
    let checker = model.checker().threads(2).finish_when(until).spawn_bfs().join();
    let Some(path) = checker.discovery(broken) else {
        panic!("{flaw:?} is not found in {} states", checker.unique_state_count());
    };
    let states = checker.unique_state_count();
    eprintln!("{flaw:?} is found in {states} states: {broken}");
    for step in path.into_actions() {
        eprintln!("  {step:?}");
    }
}

#[test]
fn one_transfer_under_a_hostile_server() {
    holds(Hostile::new(TRICKED, None), Hostile::logs);
}

#[test]
fn a_frozen_wallet_under_a_hostile_server() {
    holds(Hostile::new(FROZEN, None), Hostile::logs);
}

#[test]
fn a_time_lock_under_a_hostile_server() {
    holds(Hostile::new(LOCKED, None), Hostile::logs);
}

#[test]
fn an_abandoned_transfer_under_a_hostile_server() {
    holds(Hostile::new(ABANDONED, None), Hostile::logs);
}

#[test]
fn two_transfers_under_a_hostile_server() {
    holds(Hostile::new(TWO, None), Hostile::logs);
}

#[test]
fn a_hostile_server_finds_every_flaw() {
    for (flaw, bounds, broken) in Flaw::HOSTILE {
        finds(Hostile::new(*bounds, Some(*flaw)), *flaw, broken);
    }
}

#[test]
fn an_honest_server_over_a_bad_network() {
    holds(Honest::new(None, Stops::Nothing), |model| model.logs.count());
}

#[test]
fn an_honest_server_and_a_time_lock() {
    holds(Honest::new(None, Stops::TimeLock), |model| model.logs.count());
}

#[test]
fn an_honest_server_and_a_freeze() {
    holds(Honest::new(None, Stops::Freeze), |model| model.logs.count());
}

#[test]
fn a_bad_network_finds_every_flaw() {
    for (flaw, broken) in Flaw::HONEST {
        finds(Honest::new(Some(*flaw), Stops::Nothing), *flaw, broken);
    }
}
