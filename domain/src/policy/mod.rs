//! The rules that a transfer must pass before people are asked. Evaluation never looks at
//! anything but what it is given, so everybody who has the log gets the same answer.

mod label;
mod quorum;
mod version_1;

pub use label::{Label, LabelError};
pub use quorum::Quorum;
pub use version_1::{PolicyDecisionV1, PolicyV1, RuleVerdictV1, TierV1};

use crate::{Address, Network};
use serde::{Deserialize, Serialize};

/// One permitted destination.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// Where the address is valid.
    pub network: Network,
    /// The address, in its canonical spelling.
    pub address: Address,
    /// The institution's short name for it, shown to approvers. Never a person's name: the log
    /// is for ever.
    pub label: Label,
}
