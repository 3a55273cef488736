//! Hierarchical deterministic secrets: words for entropy (BIP 39), the seed behind them, and the
//! private keys below a seed (BIP 32, SLIP-10). Never prints one, and never draws entropy itself.
//!
//! Public keys, paths and addresses are the affair of `strongroom_chains::hd`. No signer keeps a
//! seed: its keys are shares that were made together, or stay in a token. Words carry a piece of a
//! backup; seeds are for keys that are kept offline in a file.

mod node;
mod words;

pub use node::{Curve, HARDENED, Node, NodeError};
pub use words::{Words, WordsError};

#[cfg(test)]
mod tests;
