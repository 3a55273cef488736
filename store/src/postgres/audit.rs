//! A log in PostgreSQL opened for nothing but reading, also while a server writes to it. Never has
//! a session that could write.

use sqlx::postgres::PgConnection;
use strongroom_ledger::{Head, Position, TreeHead};

use super::session::Target;
use super::{query, tree, verify};
use crate::append::StoredOutcome;
use crate::log::BoxFuture;
use crate::open::{OpenError, Options};
use crate::raw::{RawLog, RawOutcome, RawRow};
use crate::read::{ReadError, Record};

/// A log in a PostgreSQL database, for audit. Nothing is checked when it is opened.
///
/// A standby serves as well; it may lie behind its primary.
pub struct PostgresAudit {
    db: PgConnection,
}

impl PostgresAudit {
    /// Opens the log of the database at `postgres://user@host:port/database`. The login needs to be
    /// a member of `strongroom_reader`. Of the options only the password file counts.
    pub async fn open_read_only(url: &str, options: &Options) -> Result<Self, OpenError> {
        Ok(Self { db: Target::new(url, options)?.reader().await? })
    }

    /// The tree as the database claims it.
    pub async fn tree_head(&mut self) -> Result<TreeHead, ReadError> {
        tree::head(&mut self.db).await
    }

    /// A page of checked entries; see [`crate::ReadLog::read_from`].
    pub async fn read_from(
        &mut self,
        from: Position,
        limit: usize,
    ) -> Result<Vec<Record>, ReadError> {
        // One after the other: the head may only lie before what the page was read from.
        let durable = query::head(&mut self.db).await?.position;
        query::read_from(&mut self.db, from, limit, durable).await
    }

    /// The answer that was kept for a key; see [`crate::ReadLog::outcome`].
    pub async fn outcome(
        &mut self,
        caller: &str,
        key: &str,
    ) -> Result<Option<StoredOutcome>, ReadError> {
        query::outcome(&mut self.db, caller, key).await
    }

    /// Verifies every entry from the first on, its columns, the tree and the head.
    pub async fn verify_all(&mut self) -> Result<Head, ReadError> {
        verify::verify_all(&mut self.db).await
    }
}

impl RawLog for PostgresAudit {
    fn head(&mut self) -> BoxFuture<'_, Result<Head, ReadError>> {
        Box::pin(query::head(&mut self.db))
    }

    fn raw_after(
        &mut self,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RawRow>, ReadError>> {
        Box::pin(query::raw_after(&mut self.db, after, limit))
    }

    fn outcomes(&mut self) -> BoxFuture<'_, Result<Vec<RawOutcome>, ReadError>> {
        Box::pin(query::outcomes(&mut self.db))
    }
}
