//! Bitcoin's family: taproot key-path wallets (BIP 86) on networks that speak Bitcoin Core's
//! formats. Nothing here holds a private key or asks a node.
//!
//! The way of a payment: [`select`] coins, [`build`] an [`UnsignedTx`], read its
//! [`effect`](UnsignedTx::effect) back, sign its [payloads](UnsignedTx::signing_payloads),
//! [`assemble`](UnsignedTx::assemble).

mod address;
mod assemble;
mod build;
mod effect;
mod fee;
pub mod multisig;
mod network;
mod outpoint;
mod psbt;
mod replace;
mod returning;
mod search;
mod selection;
mod signed;
#[cfg(test)]
pub(crate) mod tests;

pub use address::Destination;
pub use assemble::AssembleError;
pub use build::{BuildError, build};
pub use fee::{KEY_PATH_INPUT, WeightUnits, dust_limit, fee, weight};
pub use network::{Chain, SatPerKvb};
pub use psbt::{DecodeError, UnsignedTx};
pub use replace::{Bid, BidError, replace};
pub use returning::{cancel, child, sweep};
pub use selection::{Plan, Request, SelectionError, select};
pub use signed::{NotATransaction, SignedView, decode_signed};

use bitcoin::secp256k1::{Secp256k1, VerifyOnly};
use std::sync::LazyLock;

/// Tables for verifying. Made once, because making them costs more than a verification.
pub(crate) static SECP: LazyLock<Secp256k1<VerifyOnly>> =
    LazyLock::new(Secp256k1::verification_only);
