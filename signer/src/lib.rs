//! The signer: a reader of the log that holds a key. It never opens a connection, never signs a
//! digest or a message that somebody hands it, and never believes the server.

pub mod frost;
pub mod identity;
pub mod journal;
pub mod log_copy;
pub mod pkcs11;
pub mod sealing;
pub mod transport;
