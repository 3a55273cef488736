//! Two read models, row by row. Never holds more than a page of each.

use super::Difference;
use std::cmp::Ordering;
use std::collections::VecDeque;
use strongroom_projections::{QueryError, RAW_TABLES, RawCell, RawRow, RawTable, View};

/// Rows that are read at a time.
const PAGE: u32 = 500;

/// The rows of a table, by key.
struct Rows<'a, 'b> {
    view: &'a View<'b>,
    table: RawTable,
    page: VecDeque<RawRow>,
    last: Option<Vec<RawCell>>,
}

impl Rows<'_, '_> {
    /// The next row, which stays.
    fn peek(&mut self) -> Result<Option<&RawRow>, QueryError> {
        if self.page.is_empty() {
            self.page = self.view.raw_rows(self.table, self.last.as_deref(), PAGE)?.into();
            if let Some(row) = self.page.back() {
                self.last = Some(row.key.clone());
            }
        }
        Ok(self.page.front())
    }

    fn next(&mut self) -> Option<RawRow> {
        self.page.pop_front()
    }
}

/// Adds every difference of every table; gives how many rows the live one has.
pub(super) fn compare(
    made: &View<'_>,
    live: &View<'_>,
    differences: &mut Vec<Difference>,
) -> Result<usize, QueryError> {
    let mut count = 0_usize;
    for table in RAW_TABLES.iter().copied() {
        let rows = |view| Rows { view, table, page: VecDeque::new(), last: None };
        let mut sides = (rows(made), rows(live));
        loop {
            let order = match (sides.0.peek()?, sides.1.peek()?) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(two)) => one.key.cmp(&two.key),
            };
            let one = if order.is_le() { sides.0.next() } else { None };
            let two = if order.is_ge() { sides.1.next() } else { None };
            count = count.saturating_add(usize::from(two.is_some()));
            differences.extend(difference(table, one, two));
        }
    }
    Ok(count)
}

fn difference(table: RawTable, log: Option<RawRow>, live: Option<RawRow>) -> Option<Difference> {
    if log == live {
        return None;
    }
    let (key, columns) = match (&log, &live) {
        (Some(one), Some(two)) => {
            let both = one.cells.iter().zip(&two.cells);
            let differ = both.filter(|(one, two)| one != two).map(|((name, _), _)| name.clone());
            (&one.key, differ.collect::<Vec<_>>())
        }
        (Some(row), None) | (None, Some(row)) => {
            (&row.key, row.cells.iter().map(|(name, _)| name.clone()).collect())
        }
        (None, None) => return None,
    };
    let key: Vec<_> = key.iter().map(ToString::to_string).collect();
    let told = |row: RawRow| {
        let cells = row.cells.into_iter().filter(|(name, _)| columns.contains(name));
        let cells: Vec<_> = cells.map(|(name, cell)| format!("{name} {cell}")).collect();
        cells.join(", ")
    };
    let what = format!("{} {}", table.name, key.join(" "));
    Some(Difference { what, log: log.map(told), read_model: live.map(told) })
}
