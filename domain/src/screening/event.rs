//! What happened to screenings. Stored for ever: a shape is never edited, only succeeded.

use crate::{Address, Bytes, Network, PersonId, Timestamp, approval_key::Evidence, event::events};
use serde::{Deserialize, Serialize};

events! {
    /// The screenings' events.
    ScreeningEvent {
        /// Compliance looked at a destination, and signed what it found.
        Recorded = "screening.recorded", 1;
    }
}

/// What a screening found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing speaks against paying it.
    Clear,
    /// It must not be paid.
    Flagged,
}

impl Verdict {
    /// Its name in events, requests and statements.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Flagged => "flagged",
        }
    }
}

/// What a person of compliance found about a destination.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// Where the address is valid.
    pub network: Network,
    /// The destination.
    pub address: Address,
    /// What was found.
    pub verdict: Verdict,
    /// When, by that person's clock.
    pub at: Timestamp,
    /// Who looked.
    pub by: PersonId,
    /// With which of their keys they signed.
    pub key: Bytes,
    /// Over [`crate::statement::screening`].
    pub evidence: Evidence,
}
