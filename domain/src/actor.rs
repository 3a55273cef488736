//! Who caused an entry. A label for auditors; no rule ever trusts it.

use crate::{PersonId, SignerId};
use std::fmt;

/// Written to each entry's `actor`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Actor {
    /// The founding approvers together.
    Founders,
    /// A person, through an API token of theirs.
    Person(PersonId),
    /// The signing saga.
    Saga,
    /// The deposit watcher.
    Watcher,
    /// A signer's answer, recorded by the saga.
    Signer(SignerId),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Founders => f.write_str("founders"),
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Saga => f.write_str("saga"),
            Self::Watcher => f.write_str("watcher"),
            Self::Signer(id) => write!(f, "signer:{id}"),
        }
    }
}
