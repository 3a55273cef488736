//! The log on PostgreSQL, on a real server of the tests' own. Never a mock, and never skipped: a
//! missing PostgreSQL is a failed test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "clippy takes the parts of an integration test for product code"
)]

mod backup;
#[path = "../../../tests/src/postgres.rs"]
mod cluster;
mod conformance;
mod import;
mod kills;
mod opening;
#[path = "../faults/random.rs"]
mod random;
mod refusals;
mod restarts;
mod takeover;
mod writer;

use std::sync::OnceLock;

use cluster::Cluster;
use strongroom_store::{Options, PostgresLog};

/// The server that the tests share, each with databases of its own. Those that kill it have another.
fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(Cluster::start)
}

async fn open(url: &str) -> PostgresLog {
    PostgresLog::open(url, &Options::default()).await.unwrap()
}

/// The name of the database in a URL.
fn database(url: &str) -> &str {
    url.rsplit_once('/').unwrap().1
}
