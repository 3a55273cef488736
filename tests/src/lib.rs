//! Strongroom's end-to-end scaffold: real nodes and processes for tests. Never product code.

pub mod browser;
pub mod deployment;
pub mod journey;
pub mod postgres;
pub mod regtest;
pub mod soak;
pub mod withdrawals;
