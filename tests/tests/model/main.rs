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
mod hostile;
mod log;
mod reading;
mod server;
mod signer;
mod transaction;

use flaw::Flaw;
use hostile::Hostile;
use server::Bounds;
use stateright::{Checker, HasDiscoveries, Model};

const ONE: Bounds =
    Bounds { transfers: 1, quarrels: true, tricks: true, attempts: 2, last_tick: 2 };

#[track_caller]
fn holds(bounds: Bounds) {
    let start = std::time::Instant::now();
    let checker = Hostile::new(bounds, None).checker().threads(2).spawn_bfs().join();
    let found = checker.discoveries();
    eprintln!(
        "{} states, {} logs, depth {}, {:?}",
        checker.unique_state_count(),
        checker.model().logs(),
        checker.max_depth(),
        start.elapsed()
    );
    for (name, path) in &found {
        if checker.discovery_classification(name).to_string() == "counterexample" {
            eprintln!("{name}: {:?}", checker.model().complaint(path.last_state()));
            for step in path.clone().into_actions() {
                eprintln!("  {step:?}");
            }
        }
    }
    checker.assert_properties();
}

#[test]
fn one_transfer_under_a_hostile_server() {
    holds(ONE);
}

#[test]
fn every_flaw_is_found() {
    for (flaw, broken) in Flaw::HOSTILE {
        let checker = Hostile::new(ONE, Some(*flaw))
            .checker()
            .threads(2)
            .finish_when(HasDiscoveries::AnyFailures)
            .spawn_bfs()
            .join();
        let found = checker.discovery(broken);
        eprintln!("{flaw:?}: after {} states", checker.unique_state_count());
        assert!(found.is_some(), "{flaw:?} is not found: {:?}", checker.discoveries().keys());
    }
}
