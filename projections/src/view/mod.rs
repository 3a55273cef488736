//! Questions about one moment of a read model. Never two moments: all answers of a view belong
//! together.

mod cells;
mod counters;
mod custody;
mod facts;
mod money;
mod proposals;
mod transfers;

pub use custody::DepositFilter;
pub use proposals::ProposalFilter;
pub use transfers::TransferFilter;

use crate::{apply, error::QueryError, page::Page, rows::EntryRow};
use cells::Cells;
use rusqlite::{Connection, types::Value};
use strongroom_domain::{Head, Stream};

/// One moment of a read model.
pub struct View<'a> {
    db: &'a Connection,
}

impl<'a> View<'a> {
    pub(crate) const fn new(db: &'a Connection) -> Self {
        Self { db }
    }

    pub(crate) const fn db(&self) -> &Connection {
        self.db
    }

    /// The last entry that these answers know of.
    pub fn head(&self) -> Result<Head, QueryError> {
        Ok(apply::head(self.db)?)
    }

    /// Entries of the log.
    pub fn entries(&self, page: Page) -> Result<Vec<EntryRow>, QueryError> {
        self.entries_where(Vec::new(), page)
    }

    /// Entries of one stream.
    pub fn stream(&self, stream: Stream, page: Page) -> Result<Vec<EntryRow>, QueryError> {
        self.entries_where(vec![("stream", crate::change::text(stream))], page)
    }

    fn entries_where(
        &self,
        filters: Vec<(&'static str, Value)>,
        page: Page,
    ) -> Result<Vec<EntryRow>, QueryError> {
        self.list(page.select("SELECT * FROM entries", "position", filters), entry)
    }

    fn list<T>(
        &self,
        (sql, values): (String, Vec<Value>),
        read: impl Fn(&Cells<'_>) -> Result<T, QueryError>,
    ) -> Result<Vec<T>, QueryError> {
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        let mut list = Vec::new();
        while let Some(row) = rows.next()? {
            list.push(read(&Cells(row))?);
        }
        Ok(list)
    }

    fn one<T>(
        &self,
        sql: &str,
        key: Value,
        read: impl Fn(&Cells<'_>) -> Result<T, QueryError>,
    ) -> Result<Option<T>, QueryError> {
        Ok(self.list((sql.to_owned(), vec![key]), read)?.pop())
    }
}

fn entry(cells: &Cells<'_>) -> Result<EntryRow, QueryError> {
    Ok(EntryRow {
        position: cells.number("position")?,
        time: cells.parse("time")?,
        stream: cells.text("stream")?,
        sequence: cells.number("sequence")?,
        kind: cells.text("kind")?,
        version: cells.number("version")?,
        actor: cells.text("actor")?,
        leaf: cells.parse("leaf")?,
    })
}
