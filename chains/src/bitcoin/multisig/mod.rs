//! Wallets whose coins *m* of *n* cosigners spend, each with a key of its own, counted by the chain:
//! P2WSH (BIP 141, keys sorted as BIP 67 says) and P2TR by script path (BIP 341, 342). Never holds a
//! private key, and never signs.
//!
//! A [`Descriptor`] (BIP 380) is all that it takes to watch such a wallet, or to spend from it without
//! us. The way of a payment: [`build`] an [`UnsignedTx`], hand its PSBT (BIP 174, 370, 371) or its
//! [payloads](UnsignedTx::payloads) to cosigners, [take](UnsignedTx::partials) their signatures from
//! what comes back, [`combine`](UnsignedTx::combine) *m* of them.

mod build;
mod combine;
mod descriptor;
mod fields;
mod key;
mod outputs;
mod places;
mod reading;
mod returning;
mod script;
mod size;
#[cfg(test)]
mod tests;
mod unsigned;

pub use build::{MultisigBuildError, build};
pub use combine::{CombineError, Partial, Payload};
pub use descriptor::{Descriptor, DescriptorError, Shape};
pub use key::{KeyExpression, KeyExpressionError};
pub use outputs::{Output, OutputKind};
pub use places::{Places, PlacesError, expression, shape_of};
pub use reading::{Offered, ReadError};
pub use returning::{cancel, replace, sweep, sweep_again};
pub use unsigned::UnsignedTx;
