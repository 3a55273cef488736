//! From format 1 to format 2: the tree is added to a log that had none. Never changes an entry, and
//! never leaves a log half way: a crash leaves format 1.

use rusqlite::{Connection, params};

use super::query::walk;
use super::schema::{FORMAT, TREE};
use super::tree::store;
use crate::open::OpenError;
use crate::sql::integer;
use crate::tree::Tree;

/// Verifies every entry, builds the tree from them and stores it, in one transaction. Takes about
/// as long as an audit: a million entries in a few seconds.
pub(crate) fn add_tree(db: &Connection) -> Result<(), OpenError> {
    tracing::info!("the log has format 1: its chain is verified and its tree is built");
    let transaction = db.unchecked_transaction()?;
    // The head row of format 1 stays in place until the chain was held against it.
    transaction.execute_batch(&format!("ALTER TABLE head RENAME TO old_head; {TREE}"))?;
    transaction
        .execute_batch("INSERT INTO head SELECT id, position, leaf, zeroblob(32) FROM old_head")?;
    let mut tree = Tree::new();
    let head = walk(&transaction, |leaf| {
        tree.push(leaf);
        Ok(store(&transaction, &tree.take_grown())?)
    })?;
    transaction
        .execute("UPDATE head SET root = ?1 WHERE id = 1", params![tree.head().root.as_bytes()])?;
    transaction.execute_batch(&format!("DROP TABLE old_head; PRAGMA user_version = {FORMAT};"))?;
    transaction.commit()?;
    tracing::info!(entries = integer(head.position.get()), "the log has format 2 now");
    Ok(())
}
