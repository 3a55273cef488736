//! Who may do what: each operation is asked of `strongroom.cedar`, compiled once at start. Deny by
//! default: never an operation that the file does not permit, and never a route without a name.

pub mod operations;
mod policy;
mod principal;

pub use policy::{Authorisation, PolicyError, Resource, Settings};
pub use principal::{Principal, Via};

#[cfg(test)]
mod tests;
