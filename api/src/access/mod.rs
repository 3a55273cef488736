//! API tokens: who is calling, and what they may ask. A token's secret is never stored, only its
//! SHA-256; 32 random bytes need no slow hash.

mod register;
mod token;

pub use register::{AccessError, AccessRegister, Grant, Listed};
pub(crate) use register::{role_name, role_of};
pub use token::{TokenId, TokenParts, TokenText};

#[cfg(test)]
mod tests;
