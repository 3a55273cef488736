//! What compliance found out about an address. Never says who is behind it.

use crate::{Address, Network, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether an address may be paid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing speaks against it.
    Clear,
    /// It must not be paid.
    Flagged,
}

/// The last word about an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Screening {
    /// What was found.
    pub verdict: Verdict,
    /// When.
    pub at: Timestamp,
}

/// The last word about each address that was looked at.
pub type Screenings = BTreeMap<Network, BTreeMap<Address, Screening>>;
