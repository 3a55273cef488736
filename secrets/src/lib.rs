//! Secrets in memory and at rest: types that cannot be printed, files that only their owner reads,
//! sealed files, and keys below a seed. Nothing here ever puts a secret byte into an error, a log or
//! a format string.
//!
//! Used by the signer (shares, identity, token PIN) and by the server (its TLS key, its log key).

mod durable_file;
mod envelope;
pub mod hd;
mod kek;
mod memory;
mod reseal;
mod sealed;
mod secret;
mod secret_file;

pub use durable_file::{DurableFileError, Existing, sync_directory, write_durably};
pub use kek::{DATA_KEY, KeyEncryption, KeyPlace, KeySource, WrapError};
pub use memory::{Hardening, Memory, harden, hardening};
pub use reseal::{Reseal, ResealError, Resealed};
pub use sealed::{SealError, Sealer};
pub use secret::{NotText, Secret, SecretText};
pub use secret_file::{SecretFileError, read_secret, read_secret_text};

#[cfg(test)]
mod tests;
