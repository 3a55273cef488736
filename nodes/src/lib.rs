//! Clients of chain nodes: broadcast, watch, fees. Never a key, never an append to the log.
//!
//! One client for the family of Bitcoin Core ([`BitcoinNode`]: bitcoind, litecoind, btcd) and one for
//! Ethereum ([`EthereumNode`]). What both can do is the port [`ChainNode`]; what only one family has
//! (outputs, account nonces, fee markets) is on the client itself.
//!
//! A node is not trusted for more than it can show: its chain is checked before its first answer is
//! used and again after every outage, answers have a size and a time limit, and amounts are parsed
//! from their decimal text, exactly.

pub mod bitcoin_core;
mod endpoint;
mod error;
pub mod ethereum;
mod hash;
mod identity;
mod port;
mod transport;

pub use bitcoin_core::BitcoinNode;
pub use endpoint::{Credentials, Endpoint, EndpointError};
pub use error::NodeError;
pub use ethereum::EthereumNode;
pub use hash::{BlockHash, HashError, TransactionId};
pub use port::{
    Answer, ChainNode, Inclusion, Rejection, RejectionReason, Submission, Tip, TransactionStatus,
};
