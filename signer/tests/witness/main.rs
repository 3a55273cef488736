//! The signer as a witness, and what it demands before it acts: a real signer on a real directory,
//! asked in the form that the server asks in. Only the network between them is left out.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests: a panic is how they speak"
)]

mod cosigning;
mod covering;
mod resuming;
mod world;
