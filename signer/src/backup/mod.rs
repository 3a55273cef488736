//! A share split among officers, and put together again: Feldman's verifiable secret sharing (the
//! dealer's half of RFC 9591, appendix C.2), each piece written as 24 words. Never holds anything but
//! one share: no nonce, no session and nothing of what was signed is ever in a backup.
//!
//! The commitment is public and in the log. Its first point is the share's own public share, so
//! whoever has the log can check a piece without seeing any other, and nobody can pass off pieces of
//! something else. A piece says nothing about the key, and fewer pieces than the threshold say
//! nothing about the share.

mod pieces;
mod restored;
mod share;

pub use pieces::{BackupError, Pieces, Split, check, rebuild, split};
pub use restored::{RestoreError, RestoredShare};
pub use share::{HeldShare, HeldShareError};

#[cfg(test)]
mod tests;
