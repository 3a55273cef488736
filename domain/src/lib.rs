//! The custody rules, and nothing else.
//!
//! A command goes in; events, or a reason for refusal, come out. Everything here is a pure
//! function of its arguments: no I/O, no async, no clock, no randomness. Times, ids and prices
//! arrive inside commands, so replaying a log always gives the same state.
//!
//! Start at [`decide`], which is all of what can happen, and [`State`], which is all of what
//! did. Readers who trust nobody use [`audit::Audited`] instead. Terms are defined in
//! `docs/glossary.md`.

#![warn(clippy::arithmetic_side_effects, clippy::as_conversions)]

pub mod account;
mod actor;
mod address;
mod aggregate;
mod amount;
pub mod approval_key;
pub mod audit;
mod bytes;
pub mod charter;
mod command;
mod decision;
pub mod deposit;
mod digest;
mod event;
pub mod freeze;
mod id;
mod intent;
pub mod key;
mod network;
pub mod person;
pub mod policy;
pub mod price;
pub mod proposal;
pub mod protocol;
pub mod reconciliation;
mod recorded;
mod refusal;
#[cfg(test)]
mod scenario;
pub mod screening;
pub mod signer;
mod state;
pub mod statement;
mod stream;
mod time;
pub mod transfer;
pub mod usage;
pub mod wallet;

pub use actor::Actor;
pub use address::{Address, AddressError, AddressPath, Branch, GAP_LIMIT};
pub use aggregate::{Aggregate, Corrupt};
pub use amount::{Amount, AmountError};
pub use bytes::{Bytes, BytesError};
pub use command::{Command, Spends};
pub use decision::{
    Decision, check_frozen, check_trusted, decide, judge, left_to_sweep, place, planned_change,
    restoring_change, set_aside,
};
pub use digest::{Digest, DigestError};
pub use event::{DecodeError, Event};
pub use id::{
    AccountId, ClientId, DepositId, DifferenceId, FreezeId, IdError, KeyId, LogId, PersonId,
    ProposalId, SignerId, TransferId, WalletId,
};
pub use intent::{Effect, Intent};
pub use network::{Asset, AssetError, Family, Network, NetworkError};
pub use recorded::{EntryParts, Unreadable, UnreadableEntry};
pub use refusal::{Refusal, Rule, RuleError};
pub use state::{Head, Recorded, State};
pub use stream::{Stream, StreamError};
pub use time::{Timestamp, TimestampError};
