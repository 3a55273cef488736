//! Reference prices, as a configured source signs them. Never a guess: what is too old is no price.

use crate::{Amount, Asset, Timestamp, policy::Label};
use serde::{Deserialize, Serialize};

/// What a whole unit of an asset is worth.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// Of what.
    pub asset: Asset,
    /// In which reference, `usd` for example.
    pub reference: Label,
    /// Minor units of the reference (cents) for a whole unit of the asset.
    pub minor_units: Amount,
    /// When the source said so.
    pub at: Timestamp,
}
