//! The publisher of checkpoints, with a real log and witnesses that decide by the ledger's own core.
//! No network here: how signers and outside witnesses are reached is shown end to end.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on panics; the lints' exceptions for tests cover test functions only"
)]

mod publishing;
mod restart;
mod witness;
mod world;
