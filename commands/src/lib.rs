//! The only code that appends to the log: the command bus, and the sagas that drive what takes
//! longer than one command. No SQL, no HTTP, no private key, and no decision from a read model.
//!
//! [`bus`] is what the server uses: it decides over several streams in one atomic append. [`cqrs`]
//! is for programs that are written against cqrs-es: they read and drive single aggregates, where
//! nothing else is to be weighed. [`deposits`] watches the chains for what arrives.

pub mod bus;
pub mod ceremony;
mod chain_nodes;
pub mod checkpoints;
pub mod cqrs;
pub mod deposits;
pub mod governance;
pub mod payment;
pub mod prices;
pub mod proof;
pub mod reconciliation;
mod record;
pub mod reminders;
pub mod rotation;
pub mod signers;

pub use bus::{Bus, CommandError, IdempotencyKey, Outcome, Request};
pub use chain_nodes::ChainNodes;
pub use record::recorded;
