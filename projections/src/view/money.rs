//! Accounts, holds and the ledger. Never adds amounts without checking.

use super::{
    View,
    cells::{Cells, damaged},
};
use crate::{
    change::text,
    error::QueryError,
    page::Page,
    rows::{AccountRow, HoldRow, LedgerRow, Sides, TrialRow},
};
use std::collections::BTreeMap;
use strongroom_domain::{AccountId, Amount, Asset, ClientId, account::LedgerAccount};

impl View<'_> {
    /// Clients' accounts; those of one client where one is named.
    pub fn accounts(
        &self,
        client: Option<ClientId>,
        page: Page,
    ) -> Result<Vec<AccountRow>, QueryError> {
        let filters = client.map(|client| ("client", text(client))).into_iter().collect();
        self.list(page.select("SELECT * FROM accounts", "position", filters), account)
    }

    /// One account.
    pub fn account(&self, id: AccountId) -> Result<Option<AccountRow>, QueryError> {
        self.one("SELECT * FROM accounts WHERE account = ?1", text(id), account)
    }

    /// What an account has set aside.
    pub fn holds(&self, account: AccountId, page: Page) -> Result<Vec<HoldRow>, QueryError> {
        let filters = vec![("account", text(account))];
        self.list(page.select("SELECT * FROM holds", "position", filters), |cells| {
            Ok(HoldRow {
                position: cells.number("position")?,
                account: cells.parse("account")?,
                transfer: cells.parse("transfer")?,
                amount: cells.parse("amount")?,
            })
        })
    }

    /// The accounts of the ledger; those in one asset where one is named.
    pub fn ledger(&self, asset: Option<Asset>, page: Page) -> Result<Vec<LedgerRow>, QueryError> {
        let filters = asset.map(|asset| ("asset", text(asset))).into_iter().collect();
        self.list(page.select("SELECT * FROM ledger", "number", filters), ledger)
    }

    /// All debits and credits, by asset. Reads every account of the ledger.
    pub fn trial_balance(&self) -> Result<Vec<TrialRow>, QueryError> {
        let all = self.list(("SELECT * FROM ledger".to_owned(), Vec::new()), ledger)?;
        let mut trial = BTreeMap::new();
        for row in &all {
            add(trial.entry(row.asset).or_insert_with(|| none(row.asset)), row)
                .ok_or_else(|| damaged("debits", &"the sum of an asset is out of range"))?;
        }
        Ok(trial.into_values().collect())
    }
}

fn none(asset: Asset) -> TrialRow {
    let none = Sides::default();
    TrialRow { asset, all: none, custody: none, clients: none, shortfall: none }
}

fn add(trial: &mut TrialRow, row: &LedgerRow) -> Option<()> {
    let kind = match row.account {
        LedgerAccount::Client(_) => &mut trial.clients,
        LedgerAccount::Custody(_) => &mut trial.custody,
        LedgerAccount::Shortfall(_) => &mut trial.shortfall,
    };
    for side in [kind, &mut trial.all] {
        side.debits = side.debits.checked_add(row.sides.debits)?;
        side.credits = side.credits.checked_add(row.sides.credits)?;
    }
    Some(())
}

fn account(cells: &Cells<'_>) -> Result<AccountRow, QueryError> {
    let (total, pending): (Amount, Amount) = (cells.parse("total")?, cells.parse("pending")?);
    Ok(AccountRow {
        account: cells.parse("account")?,
        position: cells.number("position")?,
        opened_at: cells.parse("opened_at")?,
        client: cells.parse("client")?,
        asset: cells.parse("asset")?,
        total,
        pending,
        // As `domain` has it: never below nothing.
        available: total.checked_sub(pending).unwrap_or(Amount::ZERO),
        shortfall: cells.parse("shortfall")?,
    })
}

fn ledger(cells: &Cells<'_>) -> Result<LedgerRow, QueryError> {
    let kind = cells.text("kind")?;
    let account = match kind.as_str() {
        "client" => LedgerAccount::Client(cells.parse("id")?),
        "custody" => LedgerAccount::Custody(cells.parse("id")?),
        "shortfall" => LedgerAccount::Shortfall(cells.parse("id")?),
        _ => return Err(damaged("kind", &kind)),
    };
    Ok(LedgerRow {
        number: cells.number("number")?,
        account,
        asset: cells.parse("asset")?,
        sides: sides(cells)?,
    })
}

pub(super) fn sides(cells: &Cells<'_>) -> Result<Sides, QueryError> {
    Ok(Sides { debits: cells.parse("debits")?, credits: cells.parse("credits")? })
}
