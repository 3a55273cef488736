//! Freezes, screenings, prices and differences, as callers see them. Amounts in base units.

use strongroom_projections::{DifferenceRow, FreezeRow, PriceRow, ScreeningRow};

use super::{Json, json, maybe, views};

views! {
    /// A freeze.
    Freeze from FreezeRow as row {
        /// Which.
        freeze: String = row.freeze.to_string(),
        /// Where it was set.
        position: u64 = row.position,
        /// When.
        set_at: String = row.set_at.to_string(),
        /// What it covers, for a person to read.
        covers: String = row.scope.to_string(),
        /// What it covers, as it was asked for.
        #[schema(value_type = Object)]
        scope: Json = json(&row.scope),
        /// Which officer.
        set_by: String = row.set_by.to_string(),
        /// Why.
        because: String = row.because,
        /// When a quorum lifted it; none while it stands.
        lifted_at: Option<String> = maybe(row.lifted_at),
        /// Whose quorum that was.
        proposal: Option<String> = maybe(row.proposal),
    }
    /// Freezes.
    FreezePage {
        /// In the order that was asked for.
        items: Vec<Freeze>,
        /// `after` for the next page, where there may be more.
        next: Option<u64>,
    }
    /// A reference price.
    Price from PriceRow as row {
        /// Where it was recorded.
        position: u64 = row.position,
        /// Of which asset.
        asset: String = row.asset.to_string(),
        /// In what.
        reference: String = row.reference.to_string(),
        /// Minor units (cents) for one whole unit of the asset.
        minor_units: String = row.minor_units.to_string(),
        /// When it was worth that, by the source's clock.
        at: String = row.at.to_string(),
    }
    /// Reference prices.
    PricePage {
        /// In the order that was asked for.
        items: Vec<Price>,
        /// `after` for the next page, where there may be more.
        next: Option<u64>,
    }
    /// What compliance found about a destination.
    Screening from ScreeningRow as row {
        /// Where it was recorded.
        position: u64 = row.position,
        /// Where the address is valid.
        network: String = row.network.to_string(),
        /// The destination.
        address: String = row.address.to_string(),
        /// `clear` or `flagged`.
        verdict: String = row.verdict.name().to_owned(),
        /// When, by that person's clock.
        at: String = row.at.to_string(),
        /// Who looked.
        screened_by: String = row.screened_by.to_string(),
    }
    /// Screenings.
    ScreeningPage {
        /// In the order that was asked for.
        items: Vec<Screening>,
        /// `after` for the next page, where there may be more.
        next: Option<u64>,
    }
    /// Two records that did not agree.
    Difference from DifferenceRow as row {
        /// Which.
        difference: String = row.difference.to_string(),
        /// Where it was recorded.
        position: u64 = row.position,
        /// When it was looked at.
        found_at: String = row.found_at.to_string(),
        /// What does not agree, for a person to read.
        about: String = row.what.about().to_string(),
        /// What each record says.
        #[schema(value_type = Object)]
        what: Json = json(&row.what),
        /// Whose affair it is.
        owner: String = row.owner.to_string(),
        /// When a person explained it; none while it is open.
        resolved_at: Option<String> = maybe(row.resolved_at),
        /// Who.
        resolved_by: Option<String> = maybe(row.resolved_by),
        /// What they found.
        because: Option<String> = row.because,
    }
    /// Differences.
    DifferencePage {
        /// In the order that was asked for.
        items: Vec<Difference>,
        /// `after` for the next page, where there may be more.
        next: Option<u64>,
    }
    /// How reconciliation goes.
    ReconciliationStatus {
        /// Whether it is configured.
        running: bool,
        /// When the last look ended.
        looked_at: Option<String>,
        /// What could not be compared, and why.
        troubles: Vec<String>,
    }
}
