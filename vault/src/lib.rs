//! A client of Vault's (or OpenBao's) transit engine, for signers: data keys wrapped under a key that
//! never leaves it, and Ed25519 keys that it holds. The only code linked into a signer that opens a
//! connection; it never connects to an address that is not in its settings, never follows a
//! redirect or a proxy, and never trusts a certificate authority but the one it was given.

mod address;
mod connection;
mod error;
mod transit;

pub use address::{Address, AddressError};
pub use connection::{Vault, VaultSettings};
pub use error::VaultError;

#[cfg(test)]
mod tests;
