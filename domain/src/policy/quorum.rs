//! How many of which people must agree. Never decides what they are asked.

use crate::{PersonId, Refusal, Rule};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many of which people must agree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quorum {
    /// *m*: distinct approvals needed. At least 2.
    pub approvals: u8,
    /// *n*: who may give them. At most 10.
    pub group: BTreeSet<PersonId>,
}

impl Quorum {
    /// A quorum that can be met, and takes more than one person.
    pub fn check(&self) -> Result<(), Refusal> {
        let needed = usize::from(self.approvals);
        if needed < 2 || self.group.len() > 10 || needed > self.group.len() {
            return Err(Refusal::new(
                Rule::PolicyInvalid,
                format!(
                    "a quorum is 2 to 10 people, at least 2 of whom must approve; this one asks {needed} of {}",
                    self.group.len()
                ),
            ));
        }
        Ok(())
    }
}
