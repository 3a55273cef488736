//! Every row of a log held against its entries. Never changes anything, and sees one moment of the
//! log while a server goes on writing.

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, Row};
use strongroom_ledger::{Chain, EntryRef, Head, TreeHead};

use super::columns::Columns;
use super::{query, tree};
use crate::read::ReadError;
use crate::sql::integer;
use crate::tree::{Grown, Tree, damaged};

/// Rows are fetched in pages, so that memory stays flat.
const PAGE: i64 = 500;
const ROWS: &str = "SELECT position, entry, payload::text, aggregate_type, aggregate_id, sequence,
    event_type, event_version, metadata::text
  FROM strongroom_log.events WHERE position > $1 ORDER BY position LIMIT $2";

/// Verifies every entry from the first on, that its columns say what it says, the tree and the
/// head.
pub(crate) async fn verify_all(db: &mut PgConnection) -> Result<Head, ReadError> {
    let mut snapshot = db.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let mut chain = Chain::start();
    let mut stored = Stored::default();
    let mut after = 0_i64;
    loop {
        let query = sqlx::query(ROWS).bind(after).bind(PAGE);
        let rows = query.fetch_all(&mut *snapshot).await?;
        let Some(last) = rows.last() else { break };
        after = last.try_get(0)?;
        for row in &rows {
            check(&mut chain, row)?;
            stored.push(&mut snapshot, chain.head()).await?;
        }
    }
    let head = query::head(&mut snapshot).await?;
    query::ends_at(&mut snapshot, head, chain.head()).await?;
    stored.finish(&mut snapshot).await?;
    snapshot.rollback().await?;
    Ok(head)
}

/// Extends the chain by a row, and holds the columns against the entry.
fn check(chain: &mut Chain, row: &PgRow) -> Result<(), ReadError> {
    let (bytes, payload): (Vec<u8>, String) = (row.try_get(1)?, row.try_get(2)?);
    chain.extend(&bytes, payload.as_bytes())?;
    let position = chain.head().position;
    let entry =
        EntryRef::parse(&bytes).map_err(|error| ReadError::corrupt(position, error.to_string()))?;
    let says = Columns::of(&entry);
    let filed = Columns {
        aggregate_type: row.try_get(3)?,
        aggregate_id: row.try_get(4)?,
        event_type: row.try_get(6)?,
        event_version: row.try_get(7)?,
        metadata: row.try_get(8)?,
    };
    let (at, sequence): (i64, i64) = (row.try_get(0)?, row.try_get(5)?);
    let numbers = (integer(entry.position.get()), integer(entry.sequence));
    if (at, sequence) != numbers || filed != says {
        let reason =
            format!("it is filed as {at}, {sequence}, {filed:?}, but says {numbers:?}, {says:?}");
        return Err(ReadError::corrupt(position, reason));
    }
    Ok(())
}

/// Holds the tree's tables against the entries, one by one.
#[derive(Default)]
struct Stored {
    tree: Tree,
    leaf_tiles: i64,
    subtrees: i64,
}

impl Stored {
    async fn push(&mut self, db: &mut PgConnection, head: Head) -> Result<(), ReadError> {
        self.tree.push(head.leaf);
        let Grown { leaf_tiles, subtrees } = self.tree.take_grown();
        let size = head.position.get();
        for tile in leaf_tiles {
            self.leaf_tiles += 1;
            if tree::leaf_tile(db, tile.index).await? != Some(tile.bytes()) {
                let reason = format!("leaf tile {} is not what the entries say", tile.index);
                return Err(damaged(size, &reason));
            }
        }
        for one in subtrees {
            self.subtrees += 1;
            let found = sqlx::query_as(
                "SELECT hash FROM strongroom_log.subtrees WHERE level = $1 AND number = $2",
            );
            let found: Option<(Vec<u8>,)> = found
                .bind(i16::from(one.level))
                .bind(integer(one.index))
                .fetch_optional(&mut *db)
                .await?;
            if found.map(|(hash,)| hash).as_deref() != Some(one.hash.as_bytes().as_slice()) {
                let (index, level) = (one.index, one.level);
                let reason =
                    format!("subtree {index} of level {level} is not what the entries say");
                return Err(damaged(size, &reason));
            }
        }
        Ok(())
    }

    /// After the last entry: the root, and that nothing more is stored.
    async fn finish(self, db: &mut PgConnection) -> Result<(), ReadError> {
        let (found, row): (TreeHead, TreeHead) = (self.tree.head(), tree::head(db).await?);
        if row != found {
            let reason =
                format!("the head row says root {}, the entries give {}", row.root, found.root);
            return Err(damaged(found.size, &reason));
        }
        let counts = "SELECT (SELECT count(*) FROM strongroom_log.leaf_tiles),
          (SELECT count(*) FROM strongroom_log.subtrees)";
        let stored: (i64, i64) = sqlx::query_as(counts).fetch_one(db).await?;
        if stored != (self.leaf_tiles, self.subtrees) {
            let reason = format!(
                "{} leaf tiles and {} subtrees are stored, the entries make {} and {}",
                stored.0, stored.1, self.leaf_tiles, self.subtrees
            );
            return Err(damaged(found.size, &reason));
        }
        Ok(())
    }
}
