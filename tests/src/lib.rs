//! Strongroom's end-to-end scaffold: real nodes and processes for tests. Never product code.

pub mod deployment;
pub mod journey;
pub mod postgres;
pub mod regtest;
pub mod withdrawals;
