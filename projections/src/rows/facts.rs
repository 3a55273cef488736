//! Freezes, reference prices, screenings and differences. Never personal data: the log has none.

use serde::Serialize;
use strongroom_domain::{
    Address, Amount, Asset, DifferenceId, FreezeId, Network, PersonId, ProposalId, Timestamp,
    freeze::FreezeScope, policy::Label, reconciliation::What, screening::Verdict,
};

/// A freeze.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FreezeRow {
    /// Which.
    pub freeze: FreezeId,
    /// Where it was set.
    pub position: u64,
    /// When.
    pub set_at: Timestamp,
    /// What it covers.
    pub scope: FreezeScope,
    /// Which officer.
    pub set_by: PersonId,
    /// Why.
    pub because: String,
    /// Where it was lifted; `None` while it stands.
    pub lifted_position: Option<u64>,
    /// When.
    pub lifted_at: Option<Timestamp>,
    /// Whose quorum agreed.
    pub proposal: Option<ProposalId>,
}

/// A reference price.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PriceRow {
    /// Where it was recorded.
    pub position: u64,
    /// When.
    pub recorded_at: Timestamp,
    /// Of which asset.
    pub asset: Asset,
    /// In what.
    pub reference: Label,
    /// Minor units of the reference for one whole unit of the asset.
    pub minor_units: Amount,
    /// When it was worth that, by the source's clock.
    pub at: Timestamp,
}

/// What compliance found about a destination.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ScreeningRow {
    /// Where it was recorded.
    pub position: u64,
    /// When.
    pub recorded_at: Timestamp,
    /// Where the address is valid.
    pub network: Network,
    /// The destination.
    pub address: Address,
    /// What was found.
    pub verdict: Verdict,
    /// When, by that person's clock.
    pub at: Timestamp,
    /// Who looked.
    pub screened_by: PersonId,
}

/// Two records that did not agree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DifferenceRow {
    /// Which.
    pub difference: DifferenceId,
    /// Where it was recorded.
    pub position: u64,
    /// When it was looked at.
    pub found_at: Timestamp,
    /// What each record says.
    pub what: What,
    /// Whose affair it is.
    pub owner: PersonId,
    /// Where a person explained it; `None` while it is open.
    pub resolved_position: Option<u64>,
    /// When.
    pub resolved_at: Option<Timestamp>,
    /// Who.
    pub resolved_by: Option<PersonId>,
    /// What they found.
    pub because: Option<String>,
}
