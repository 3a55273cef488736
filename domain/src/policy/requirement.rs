//! What a rule asks of people: so many of a group. Never names the people: who is in the group is
//! looked up when a question is opened.

use super::Label;
use serde::{Deserialize, Serialize};

/// So many approvals of a group.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Distinct people of the group who must agree. At least 1; two in total over all groups.
    pub approvals: u8,
    /// The group, as the charter's people name it.
    pub group: Label,
}
