//! What each chain family's bytes mean: addresses, unsigned and signed transactions, what a key
//! signs for them. Pure functions: there is no network, no secret key and no clock in here.
//!
//! Start at [`UnsignedTx`]. Making one is the families' own affair: [`bitcoin::build`],
//! [`ethereum::build`].

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions))]

mod address;
pub mod backup;
pub mod bitcoin;
pub mod ethereum;
mod family;
pub mod frost;
pub mod hd;
mod key;
mod key_address;
mod signatures;
pub mod spend_proof;
#[cfg(test)]
mod tests;
mod token;
mod transaction;

pub use address::{AddressError, address_of, least_payment, parse_address};
pub use family::{
    AssembleError, DecodeError, Ownership, Realisation, UnsignedTx, WrongFamily, transaction_id,
};
pub use key::KeyError;
pub use key_address::{KeyAddressError, key_address};
pub use signatures::signatures;
pub use token::{TokenPublic, TokenPublicError};
pub use transaction::{SignedTx, SigningPayload, TransactionId, TransactionIdError};
