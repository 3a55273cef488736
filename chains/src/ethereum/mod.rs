//! Ethereum's family: plain payments of the native asset from one account (EIP-1559). Nothing here
//! holds a private key, asks a node, or calls a contract.

mod address;
mod assemble;
mod network;
mod replace;
#[cfg(test)]
mod tests;
mod unsigned;

pub use address::{address_of, parse_address};
pub use assemble::{AssembleError, SignedView, decode_signed};
pub use network::Chain;
pub use replace::cancel;
pub use unsigned::{BuildError, DecodeError, GAS_LIMIT, Gas, UnsignedTx, build};
