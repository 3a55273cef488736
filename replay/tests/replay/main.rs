//! The audit tool on real logs, whole and tampered with, mostly as the program that auditors run.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that does not hold stops"
)]

mod balancing;
mod book;
#[path = "../../../tests/src/postgres.rs"]
mod cluster;
mod comparing;
mod explaining;
mod exporting;
mod forging;
mod parting;
mod postgres;
mod python;
mod resuming;
mod segments;
mod tampering;
mod watching;
mod witnesses;
mod witnessing;
#[path = "../../../projections/tests/projections/world/mod.rs"]
#[expect(dead_code, reason = "this house is used for more elsewhere")]
mod world;
