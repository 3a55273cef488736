//! The whole ledger's rules, as tests over `decide`, the fold and the audit together. Nothing
//! here stands in for our own code: keys and signatures are real.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    reason = "tests: a panic is how they speak, and their commands are made on the spot"
)]

mod asks;
mod attempt;
mod audit;
mod backups;
mod book;
mod ceremony;
mod changes;
mod charter;
mod cosigners;
mod custody;
mod facts;
mod forgery;
mod golden;
mod governance;
mod house;
mod names;
mod officers;
mod own_clock;
mod payment;
mod policy;
mod properties;
mod resumption;
mod rotation;
mod rules;
mod statements;
mod statements_v2;
mod stuck;
mod waiting;

use proptest::test_runner::{Config, RngSeed};

/// The same cases in every run: whoever wants others sets PROPTEST_RNG_SEED.
fn fixed(cases: u32) -> Config {
    let chosen = std::env::var_os("PROPTEST_RNG_SEED").is_some();
    let default = Config::default();
    let rng_seed = if chosen { default.rng_seed } else { RngSeed::Fixed(0x57_20_06) };
    Config { cases, rng_seed, failure_persistence: None, ..default }
}
