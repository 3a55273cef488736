//! Real chain nodes as child processes, for tests and the quick start. Never a mock: where a program
//! is missing, this panics and says how to get it.
//!
//! Everything here blocks and panics: it is a test's scaffold, and a scaffold that cannot stand is a
//! failed test. In async tests use the multi-threaded runtime.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::needless_pass_by_value,
    reason = "a harness that cannot go on is a failed test, which is what a panic says; and its calls \
              take json!() without an ampersand"
)]

mod anvil;
mod bitcoin_regtest;
mod btcd;
mod core;
mod faucet;
pub(crate) mod process;
mod rpc;
mod tool;

pub use anvil::Anvil;
pub use bitcoin_regtest::{BITCOIN, BitcoinRegtest, LITECOIN, Network, start_bitcoin};
pub use btcd::Btcd;
pub use core::Core;
pub use rpc::RpcFault;
pub use tool::{find, tool};
