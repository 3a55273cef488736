//! One page of a list. Never more rows than a page may have.

use rusqlite::types::Value;
use std::fmt::Write as _;

/// The most rows of a page.
pub const PAGE_LIMIT: u32 = 500;

/// Which part of a list. Lists are in the order in which their things began in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    /// At most so many rows; 1 to [`PAGE_LIMIT`], anything else becomes the nearest.
    pub limit: u32,
    /// The `position` (or `number`) of the last row of the page before.
    pub after: Option<u64>,
    /// From the newest to the oldest.
    pub newest_first: bool,
}

impl Page {
    /// The first page from the oldest on.
    pub const fn oldest(limit: u32) -> Self {
        Self { limit, after: None, newest_first: false }
    }

    /// The first page from the newest back.
    pub const fn newest(limit: u32) -> Self {
        Self { limit, after: None, newest_first: true }
    }

    /// The same list, behind a row.
    #[must_use]
    pub const fn after(self, row: u64) -> Self {
        Self { after: Some(row), ..self }
    }

    /// Behind which row the next page begins, where there may be one: a page that was not full was
    /// the last.
    pub fn next(self, found: usize, last: Option<u64>) -> Option<u64> {
        last.filter(|_| u32::try_from(found).is_ok_and(|found| found == self.limit))
    }

    /// Completes `SELECT … FROM …` with filters, this page's bounds and its order.
    pub(crate) fn select(
        self,
        select: &str,
        cursor: &str,
        filters: Vec<(&'static str, Value)>,
    ) -> (String, Vec<Value>) {
        let mut sql = format!("{select} WHERE TRUE");
        let mut values = Vec::new();
        // Writing to a String does not fail.
        for (column, value) in filters {
            values.push(value);
            let _ = write!(sql, " AND {column} = ?{}", values.len());
        }
        let (than, order) = if self.newest_first { ("<", "DESC") } else { (">", "ASC") };
        if let Some(after) = self.after {
            values.push(crate::change::int(after));
            let _ = write!(sql, " AND {cursor} {than} ?{}", values.len());
        }
        values.push(crate::change::int(self.limit.clamp(1, PAGE_LIMIT)));
        let _ = write!(sql, " ORDER BY {cursor} {order} LIMIT ?{}", values.len());
        (sql, values)
    }
}
