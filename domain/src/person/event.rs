//! What happened to a person's data. Stored for ever: a shape is never edited, only succeeded.

use crate::{Bytes, event::events};
use serde::{Deserialize, Serialize};

events! {
    /// The events about a person's data.
    PersonEvent {
        /// Something about the person, sealed.
        Described = "person.described", 1;
        /// The key of all that was sealed is destroyed.
        Erased = "person.erased", 1;
    }
}

/// A description.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Described {
    /// Under the person's own key, which is outside the log.
    pub sealed: Bytes,
}

/// The end of what can be read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erased {
    /// Why. Says nothing about the person.
    pub because: String,
}
