//! The rules of the read model, on logs that `domain` and `store` have made.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that does not hold stops"
)]

mod follow;
mod histories;
mod questions;
mod world;
