//! FROST on secp256k1 (RFC 9591, BIP 340/341 flavour): making a share together with others, keeping
//! it sealed, signing with it. Never lets a share or a signing nonce out, and never keeps a nonce.
//!
//! The public half (derivation, checking, combining) is [`strongroom_chains::frost`].

mod backed_up;
mod ceremony;
mod change;
mod curve;
mod renewed;
mod share;
mod signing;

pub use ceremony::{Ceremony, CeremonyError, Dealing, Exchange};
pub use change::{ChangePlan, Changed, Changing};
pub use renewed::ShareChange;
pub use share::{KeyShare, ShareError, ShareName};
pub use signing::{SignError, SigningNonces};

#[cfg(test)]
mod changes_tests;
#[cfg(test)]
mod tests;
