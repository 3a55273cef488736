//! The payment saga's rules that need no signer: planning, what is set aside, starting again,
//! expiry. How signers sign is shown end to end, with real ones.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics; the lints' exceptions for tests cover test functions only"
)]

mod expiry;
mod house;
mod institution;
mod planning;
mod restart;
