//! What happened to reference prices. Stored for ever: a shape is never edited, only succeeded.

use crate::{Amount, Asset, Bytes, Timestamp, event::events, policy::Label};
use serde::{Deserialize, Serialize};

events! {
    /// The prices' events.
    PriceEvent {
        /// The configured source said what an asset is worth.
        Quoted = "price.quoted", 1;
    }
}

/// What an asset was worth, signed by the policy's price source.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quoted {
    /// Of which asset.
    pub asset: Asset,
    /// In what: the policy's reference, such as `usd`.
    pub reference: Label,
    /// Minor units (cents) of the reference for one whole unit of the asset.
    pub minor_units: Amount,
    /// When it was worth that, by the source's clock.
    pub at: Timestamp,
    /// Ed25519 of the policy's price source over [`crate::statement::price`].
    pub signature: Bytes,
}
