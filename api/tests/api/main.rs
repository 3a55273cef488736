//! The program's rules, on a real server with a real log, over HTTP. No signer and no node: what
//! needs those is in the workspace's `tests`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![expect(clippy::indexing_slicing, reason = "missing JSON is null, and fails the assertion")]

mod approvals;
mod attacks;
mod founding;
mod graphql;
mod house;
mod idempotency;
mod ledger_cli;
mod limits;
mod log;
mod policy_cli;
mod problems;
mod proofs;
mod roles;
mod sign_in;
mod telling;
mod transactions;
mod wallets;
