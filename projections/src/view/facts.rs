//! Freezes, prices, screenings and differences. Never decides what follows from one.

use super::{
    View,
    cells::{Cells, damaged},
};
use crate::{
    change::text,
    error::QueryError,
    page::Page,
    rows::{DifferenceRow, FreezeRow, PriceRow, ScreeningRow},
};
use strongroom_domain::{Address, Asset, DifferenceId, FreezeId, Network, screening::Verdict};

impl View<'_> {
    /// Freezes, also those that were lifted.
    pub fn freezes(&self, page: Page) -> Result<Vec<FreezeRow>, QueryError> {
        self.list(page.select("SELECT * FROM freezes", "position", Vec::new()), freeze)
    }

    /// One freeze.
    pub fn freeze(&self, id: FreezeId) -> Result<Option<FreezeRow>, QueryError> {
        self.one("SELECT * FROM freezes WHERE freeze = ?1", text(id), freeze)
    }

    /// Prices, of one asset or of all.
    pub fn prices(&self, asset: Option<Asset>, page: Page) -> Result<Vec<PriceRow>, QueryError> {
        let filters = asset.map(|asset| ("asset", text(asset))).into_iter().collect();
        self.list(page.select("SELECT * FROM prices", "position", filters), price)
    }

    /// Screenings, of one destination or of all.
    pub fn screenings(
        &self,
        of: Option<(Network, &Address)>,
        page: Page,
    ) -> Result<Vec<ScreeningRow>, QueryError> {
        let filters = of
            .map(|(network, address)| vec![("network", text(network)), ("address", text(address))]);
        let filters = filters.unwrap_or_default();
        self.list(page.select("SELECT * FROM screenings", "position", filters), screening)
    }

    /// Differences, also those that were explained.
    pub fn differences(&self, page: Page) -> Result<Vec<DifferenceRow>, QueryError> {
        self.list(page.select("SELECT * FROM differences", "position", Vec::new()), difference)
    }

    /// One difference.
    pub fn difference(&self, id: DifferenceId) -> Result<Option<DifferenceRow>, QueryError> {
        self.one("SELECT * FROM differences WHERE difference = ?1", text(id), difference)
    }
}

fn freeze(cells: &Cells<'_>) -> Result<FreezeRow, QueryError> {
    Ok(FreezeRow {
        freeze: cells.parse("freeze")?,
        position: cells.number("position")?,
        set_at: cells.parse("set_at")?,
        scope: cells.json("scope")?,
        set_by: cells.parse("set_by")?,
        because: cells.text("because")?,
        lifted_position: cells.maybe_number("lifted_position")?,
        lifted_at: cells.maybe_parse("lifted_at")?,
        proposal: cells.maybe_parse("proposal")?,
    })
}

fn price(cells: &Cells<'_>) -> Result<PriceRow, QueryError> {
    let reference = cells.text("reference")?;
    Ok(PriceRow {
        position: cells.number("position")?,
        recorded_at: cells.parse("recorded_at")?,
        asset: cells.parse("asset")?,
        reference: reference.try_into().map_err(|error| damaged("reference", &error))?,
        minor_units: cells.parse("minor_units")?,
        at: cells.parse("at")?,
    })
}

fn screening(cells: &Cells<'_>) -> Result<ScreeningRow, QueryError> {
    let verdict = cells.text("verdict")?;
    let verdict = match verdict.as_str() {
        "clear" => Verdict::Clear,
        "flagged" => Verdict::Flagged,
        _ => return Err(damaged("verdict", &verdict)),
    };
    Ok(ScreeningRow {
        position: cells.number("position")?,
        recorded_at: cells.parse("recorded_at")?,
        network: cells.parse("network")?,
        address: cells.parse("address")?,
        verdict,
        at: cells.parse("at")?,
        screened_by: cells.parse("screened_by")?,
    })
}

fn difference(cells: &Cells<'_>) -> Result<DifferenceRow, QueryError> {
    Ok(DifferenceRow {
        difference: cells.parse("difference")?,
        position: cells.number("position")?,
        found_at: cells.parse("found_at")?,
        what: cells.json("what")?,
        owner: cells.parse("owner")?,
        resolved_position: cells.maybe_number("resolved_position")?,
        resolved_at: cells.maybe_parse("resolved_at")?,
        resolved_by: cells.maybe_parse("resolved_by")?,
        because: cells.maybe_text("because")?,
    })
}
