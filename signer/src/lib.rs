//! The signer: a reader of the log that holds a key. It never opens a connection but to the Vault of its
//! settings, never signs a digest or a message that somebody hands it, and never believes the server.
//!
//! Start at [`order`]: what it does with an order. [`follower`] reads the log, [`check`] holds a
//! transaction against its intent, [`consumption`] remembers what may have been signed; [`frost`]
//! and [`pkcs11`] hold the keys.

pub mod backup;
pub mod check;
pub mod config;
pub mod consumption;
pub mod cosigner;
pub mod dkls;
pub mod follower;
pub mod frost;
pub mod frost_ed25519;
pub mod grounds;
pub mod identity;
pub mod journal;
pub mod kek;
pub mod log_copy;
pub mod offline;
pub mod order;
pub mod own_address;
pub mod pinned;
pub mod pkcs11;
pub mod reading;
pub mod resealing;
pub mod resumption;
pub mod roots;
pub mod sealing;
pub mod sights;
pub mod threshold;
pub mod transport;
pub mod unlocking;
