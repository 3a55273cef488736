//! The clients of chain nodes against real nodes. Never asserts how long anything takes.

mod bitcoin;
mod ethereum;
mod litecoin;
mod outages;
mod port;
mod taproot;
