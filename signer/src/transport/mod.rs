//! How the server reaches a signer: TLS 1.3 with one pinned certificate on each side, and frames of
//! JSON. Never opens a connection, never answers anybody but the pinned server, and never knows what
//! a request means.

mod connection;
mod frame;
mod server;
mod tls;

pub use frame::{HEADER, LONGEST_BODY, encode};
pub use server::{Limits, Server, Stopper};
pub use tls::{TlsError, server_config};

#[cfg(test)]
mod tests;
