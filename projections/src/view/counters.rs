//! Numbers of the whole read model, to be held against the fold of the log. Never corrects one.

use super::View;
use crate::error::QueryError;
use std::collections::BTreeMap;
use strongroom_domain::Amount;

/// What is counted, and how: the names are those of the fold's counters.
const COUNTS: [(&str, &str); 9] = [
    ("accounts", "SELECT count(*) FROM accounts"),
    ("wallets", "SELECT count(*) FROM wallets"),
    ("transfers", "SELECT count(*) FROM transfers"),
    ("proposals", "SELECT count(*) FROM proposals"),
    ("proposals-open", "SELECT count(*) FROM proposals WHERE state = 'open'"),
    ("deposits", "SELECT count(*) FROM deposits"),
    ("keys", "SELECT count(*) FROM keys"),
    ("signers", "SELECT count(*) FROM signers"),
    ("freezes-standing", "SELECT count(*) FROM freezes WHERE lifted_position IS NULL"),
];

impl View<'_> {
    /// How many there are of everything, and what is claimed, held and owed in each asset.
    pub fn counters(&self) -> Result<BTreeMap<String, Amount>, QueryError> {
        let mut all = BTreeMap::new();
        for (name, sql) in COUNTS {
            let count: i64 = self.db().query_row(sql, [], |row| row.get(0))?;
            let count = u128::try_from(count).unwrap_or_default();
            all.insert(name.to_owned(), Amount::new(count));
        }
        let sql = "SELECT asset, total, pending, shortfall FROM accounts";
        let accounts = self.list((sql.to_owned(), Vec::new()), |cells| {
            let asset = cells.text("asset")?.replace('/', "-");
            let sums = [
                ("claimed", cells.parse::<Amount>("total")?),
                ("held", cells.parse("pending")?),
                ("owed", cells.parse("shortfall")?),
            ];
            Ok((asset, sums))
        })?;
        for (asset, sums) in accounts {
            for (name, amount) in sums {
                let sum = all.entry(format!("{name}-{asset}")).or_default();
                *sum = sum.checked_add(amount).unwrap_or(Amount::new(u128::MAX));
            }
        }
        Ok(all)
    }
}
