//! The audit tool: reads a log without trusting who wrote it, and says what is wrong with it.
//! Never writes to a log, and never repairs anything.
//!
//! Start at [`Verifier`], which judges one entry after another; [`Source`] is where they come from.

mod books;
mod compare;
mod finding;
mod source;
mod transactions;
mod verifier;

pub use books::{Books, Totals};
pub use compare::{Comparison, Difference, compare};
pub use finding::{Fault, Finding};
pub use source::{Source, SourceError};
pub use verifier::{Expected, Verdict, Verifier, verify};
