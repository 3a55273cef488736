//! A cosigner's key on a machine without a network, in a file or in a token: it signs PSBTs of multisig wallets that
//! its owner has read. Never follows a log, and never signs a coin or an output that its descriptor or
//! the person before it does not account for.

mod key;
mod proving;
mod review;
#[cfg(test)]
mod tests;
mod token;

pub use key::{OfflineError, OfflineKey};
pub use proving::{Proving, ProvingError};
pub use review::{Asked, Review};
pub use token::TokenCosigner;
