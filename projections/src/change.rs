//! What an event changes in the tables, as data. Never touches a database.

use rusqlite::types::Value;
use serde::Serialize;
use std::fmt::Display;
use strongroom_domain::{AccountId, Amount, Asset, TransferId, account::JournalEntry};

/// Columns and what stands in them.
pub(crate) type Cells = Vec<(&'static str, Value)>;

/// One change to the rows of one thing.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Change {
    /// A row that was not there before.
    Insert {
        /// Where.
        table: &'static str,
        /// All of it.
        cells: Cells,
    },
    /// Exactly one row that was there before.
    Update {
        /// Where.
        table: &'static str,
        /// Which row.
        key: Cells,
        /// What of it.
        cells: Cells,
    },
    /// Set aside part of a balance.
    PlaceHold {
        /// Whose.
        account: AccountId,
        /// What for.
        transfer: TransferId,
        /// How much.
        amount: Amount,
        /// By which entry.
        position: u64,
    },
    /// What was set aside is no longer.
    ReleaseHold {
        /// Whose.
        account: AccountId,
        /// What it was for.
        transfer: TransferId,
    },
    /// Money moved between two accounts of the ledger, in the asset of `account`.
    Post {
        /// Whose event it was.
        account: AccountId,
        /// What moved.
        entry: JournalEntry,
    },
    /// Money moved between two wallets' places in the ledger.
    PostIn {
        /// In what.
        asset: Asset,
        /// What moved.
        entry: JournalEntry,
    },
}

impl Change {
    pub(crate) fn insert<const N: usize>(
        table: &'static str,
        cells: [(&'static str, Value); N],
    ) -> Self {
        Self::Insert { table, cells: cells.into() }
    }

    pub(crate) fn update<const K: usize, const N: usize>(
        table: &'static str,
        key: [(&'static str, Value); K],
        cells: [(&'static str, Value); N],
    ) -> Self {
        Self::Update { table, key: key.into(), cells: cells.into() }
    }
}

/// Its one text form.
pub(crate) fn text(value: impl Display) -> Value {
    Value::Text(value.to_string())
}

/// Its text form, or nothing.
pub(crate) fn maybe(value: Option<impl Display>) -> Value {
    value.map_or(Value::Null, text)
}

/// A whole number. Positions end at 2^53-1 and heights are far below 2^63.
pub(crate) fn int(value: impl Into<u64>) -> Value {
    Value::Integer(i64::try_from(value.into()).unwrap_or(i64::MAX))
}

/// What has parts, as JSON. Event payloads always serialise: they came out of JSON.
pub(crate) fn json(value: &impl Serialize) -> Value {
    Value::Text(serde_json::to_string(value).unwrap_or_default())
}
