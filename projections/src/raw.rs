//! Tables as they stand, for who holds one read model against another row by row. Never interprets
//! a cell.

use crate::{error::QueryError, view::View};
use rusqlite::types::Value;
use std::fmt;

/// A table and the columns that tell its rows apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RawTable {
    /// Its name.
    pub name: &'static str,
    /// Its primary key.
    pub key: &'static [&'static str],
}

const fn table(name: &'static str, key: &'static [&'static str]) -> RawTable {
    RawTable { name, key }
}

/// Every table that the fold fills.
pub const RAW_TABLES: &[RawTable] = &[
    table("charter", &["id"]),
    table("charter_changes", &["position"]),
    table("personal", &["position"]),
    table("accounts", &["account"]),
    table("holds", &["account", "transfer"]),
    table("ledger", &["number"]),
    table("wallets", &["wallet"]),
    table("addresses", &["position"]),
    table("transfers", &["transfer"]),
    table("attempts", &["transfer", "attempt"]),
    table("refusals", &["position"]),
    table("partials", &["position"]),
    table("proposals", &["proposal"]),
    table("answers", &["position"]),
    table("deposits", &["deposit"]),
    table("keys", &["key"]),
    table("key_steps", &["position"]),
    table("backups", &["position"]),
    table("drills", &["position"]),
    table("signers", &["signer"]),
    table("freezes", &["freeze"]),
    table("prices", &["position"]),
    table("screenings", &["position"]),
    table("differences", &["difference"]),
    table("entries", &["position"]),
];

/// What stands in one column of one row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RawCell {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A text. In the order of its bytes, as SQLite has it.
    Text(String),
    /// What no table of ours holds.
    Other(String),
}

/// One row: its key, and every column by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawRow {
    /// In the order of [`RawTable::key`].
    pub key: Vec<RawCell>,
    /// In the order of the table.
    pub cells: Vec<(String, RawCell)>,
}

impl fmt::Display for RawCell {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("nothing"),
            Self::Integer(number) => number.fmt(out),
            Self::Text(text) | Self::Other(text) => out.write_str(text),
        }
    }
}

impl From<Value> for RawCell {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(number),
            Value::Text(text) => Self::Text(text),
            Value::Real(number) => Self::Other(number.to_string()),
            Value::Blob(bytes) => Self::Other(format!("{} bytes", bytes.len())),
        }
    }
}

impl From<&RawCell> for Value {
    fn from(cell: &RawCell) -> Self {
        match cell {
            RawCell::Null => Self::Null,
            RawCell::Integer(number) => Self::Integer(*number),
            RawCell::Text(text) | RawCell::Other(text) => Self::Text(text.clone()),
        }
    }
}

impl View<'_> {
    /// At most `limit` rows of a table behind the row with the key `after`, by key.
    pub fn raw_rows(
        &self,
        table: RawTable,
        after: Option<&[RawCell]>,
        limit: u32,
    ) -> Result<Vec<RawRow>, QueryError> {
        let keys = table.key.join(", ");
        let marks = vec!["?"; table.key.len()].join(", ");
        let behind = after.map(|_| format!("WHERE ({keys}) > ({marks})")).unwrap_or_default();
        let sql = format!("SELECT * FROM {} {behind} ORDER BY {keys} LIMIT {limit}", table.name);
        let mut statement = self.db().prepare_cached(&sql)?;
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let values = after.unwrap_or_default().iter().map(Value::from);
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        let mut page = Vec::new();
        while let Some(row) = rows.next()? {
            let mut cells = Vec::with_capacity(names.len());
            for (column, name) in names.iter().enumerate() {
                cells.push((name.clone(), RawCell::from(row.get::<_, Value>(column)?)));
            }
            let of = |name: &&str| cells.iter().find(|(column, _)| column == name);
            let key = table.key.iter().filter_map(of).map(|(_, cell)| cell.clone()).collect();
            page.push(RawRow { key, cells });
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn every_table_is_known_by_its_primary_key() {
        let names: Vec<_> = RAW_TABLES.iter().map(|table| table.name).collect();
        assert_eq!(names, schema::FILLED);
        let folder = tempfile::tempdir().unwrap();
        let db = schema::writer(&folder.path().join("read.db")).unwrap();
        for table in RAW_TABLES {
            let sql = "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk";
            let mut statement = db.prepare(sql).unwrap();
            let rows = statement.query_map([table.name], |row| row.get::<_, String>(0)).unwrap();
            assert_eq!(rows.collect::<Result<Vec<_>, _>>().unwrap(), table.key, "{}", table.name);
        }
    }
}
