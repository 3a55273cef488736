//! The custody rules, and nothing else.
//!
//! A command goes in; events, or a reason for refusal, come out. Everything here is a pure
//! function of its arguments: no I/O, no async, no clock, no randomness. Times, ids and prices
//! arrive inside commands, so replaying a log always gives the same state.
//!
//! Terms are defined in `docs/glossary.md`.

mod address;
mod amount;
mod bytes;
mod digest;
mod id;
mod intent;
mod network;
mod time;

pub use address::{Address, AddressError, AddressPath, Branch};
pub use amount::{Amount, AmountError};
pub use bytes::{Bytes, BytesError};
pub use digest::{Digest, DigestError};
pub use id::{
    AccountId, ClientId, DepositId, IdError, KeyId, LogId, PersonId, ProposalId, SignerId,
    TransferId, WalletId,
};
pub use intent::{Effect, Intent};
pub use network::{Asset, AssetError, Family, Network, NetworkError};
pub use time::{Timestamp, TimestampError};
