//! The deposit watcher: one task for each network reads its blocks and tells the bus what arrived,
//! what has its confirmations, and what a reorganisation took back. Never decides whose money it is
//! or when it is final: the domain does; and never skips a block.
//!
//! The log is the only record. Which blocks were read is a note beside it ([`Cursor`]) that may be
//! lost or stale: blocks are read again then, which is no news, because a deposit's id is derived
//! from its place on the chain.
//!
//! What it does not see, so that nobody relies on it:
//! - Ether that a contract pays from within (an internal call, a self-destruct, a withdrawal of the
//!   beacon chain): only transactions that pay an address directly are deposits.
//! - Payments of others to a change address: they are credited to nobody, and are no coin of ours.
//! - Coinbase outputs: they can't be spent for 100 blocks. It says so by tracing. (Litecoin's MWEB
//!   peg-outs can't be spent for 6: a policy should ask for as many confirmations there.)
//! - A deposit that the domain refuses to record: it says so by tracing, and looks at it again only
//!   when it reads the block again. A policy that asks for fewer confirmations counts from the next
//!   block on.
//! - The memory pool: a payment is seen when it is in a block.
//! - A reorganisation that takes back a deposit which was credited more than [`DEPTH`] blocks below
//!   the tip. (One that is deeper than that makes it read all blocks from the birth height again.)
//! - Payments in blocks below the configured birth height.
//! - Whether the node tells the truth: it is one node, and it is believed. A node that is on another
//!   chain is noticed by its client; one that hides blocks is not.

mod address_index;
mod block;
mod cursor;
mod fault;
mod recent;
#[cfg(test)]
mod tests;
mod trail;
mod watcher;

pub use cursor::{Cursor, CursorFolder, Cursors};
pub use fault::WatchError;
pub use watcher::{DepositWatcher, Progress, WatchSettings};

use fault::Fault;

/// How far below the tip a credited deposit is still watched, in blocks.
pub const DEPTH: u64 = 100;
