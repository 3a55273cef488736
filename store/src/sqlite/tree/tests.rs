//! Damage to the tree's tables, and logs from before there was a tree. Never uses a mock: damage is
//! done by a second, raw connection.

use std::path::PathBuf;

use rusqlite::Connection;
use strongroom_ledger::{Position, TreeHead};
use tempfile::TempDir;

use crate::append::EVENTS_LIMIT;
use crate::audit::AuditLog;
use crate::conformance::{append_to, verify};
use crate::log::{AppendLog, ReadLog};
use crate::open::OpenError;
use crate::proof::{consistency, inclusion, tree_head};
use crate::read::ReadError;
use crate::sqlite::SqliteLog;

/// A log of `entries` entries, closed, and its tree.
async fn log_of(entries: u64) -> (TempDir, PathBuf, TreeHead) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let log = SqliteLog::open(&path).unwrap();
    let mut sequence = 0;
    while sequence < entries {
        let mut append = append_to(&[("a", sequence)]);
        let more = (entries - sequence).min(u64::try_from(EVENTS_LIMIT).unwrap());
        append.events = vec![append.events[0].clone(); usize::try_from(more).unwrap()];
        log.append(append).await.unwrap();
        sequence += more;
    }
    let tree = tree_head(&log, entries).await.unwrap();
    (folder, path, tree)
}

/// Someone with the file and an editor.
fn tamper(path: &PathBuf, sql: &str) {
    let raw = Connection::open(path).unwrap();
    raw.execute_batch(
        "DROP TRIGGER leaf_tiles_stay; DROP TRIGGER leaf_tiles_remain;
         DROP TRIGGER subtrees_stay; DROP TRIGGER subtrees_remain;",
    )
    .unwrap();
    raw.execute_batch(sql).unwrap();
}

fn is_damage(found: &ReadError) -> bool {
    matches!(found, ReadError::Corrupt { reason, .. } if reason.contains("its tree"))
}

/// Flips the last bit of the hash that is the `last`-th byte of `column`.
fn flip(column: &str, last: usize) -> String {
    format!(
        "CAST(substr({column}, 1, {before}) AS BLOB)
         || CASE substr({column}, {last}, 1) WHEN x'00' THEN x'01' ELSE x'00' END
         || substr({column}, {last} + 1)",
        before = last - 1
    )
}

#[tokio::test]
async fn a_tree_that_the_next_entry_would_go_on_from_is_checked_at_opening() {
    for sql in [
        format!("UPDATE head SET root = CAST({} AS BLOB)", flip("root", 7)),
        format!("UPDATE subtrees SET hash = CAST({} AS BLOB) WHERE number = 1", flip("hash", 32)),
        "DELETE FROM subtrees WHERE number = 0".to_owned(),
        "INSERT INTO subtrees VALUES (1, 2, zeroblob(32))".to_owned(),
        "INSERT INTO subtrees VALUES (2, 0, zeroblob(32))".to_owned(),
        "INSERT INTO leaf_tiles VALUES (2, zeroblob(8192))".to_owned(),
        "DELETE FROM leaf_tiles WHERE number = 1".to_owned(),
    ] {
        let (_folder, path, _) = log_of(600).await;
        tamper(&path, &sql);
        let opened = SqliteLog::open(&path).map(drop);
        let Err(OpenError::Damaged(damage)) = opened else { panic!("{sql}: {opened:?}") };
        assert!(is_damage(&damage), "{sql}: {damage}");
        let audit = AuditLog::open_read_only(&path).unwrap().verify_all().unwrap_err();
        assert!(is_damage(&audit), "{sql}: {audit}");
    }
}

#[tokio::test]
async fn a_damaged_tile_is_found_by_the_audit_and_before_a_proof_is_handed_out() {
    let (_folder, path, _) = log_of(600).await;
    for place in [1, 32, 33, 8192] {
        tamper_tile(&path, place);
        let log = SqliteLog::open(&path).unwrap();
        assert!(is_damage(&log.verify_all().unwrap_err()));
        let first = Position::FIRST;
        assert!(is_damage(&inclusion(&log, first, 600).await.unwrap_err()));
        assert!(is_damage(&consistency(&log, 7, 600).await.unwrap_err()));
        assert!(inclusion(&log, Position::new(300).unwrap(), 600).await.is_ok());
        drop(log);
        let raw = Connection::open(&path).unwrap();
        let sql = "UPDATE leaf_tiles SET hashes = (SELECT hashes FROM kept) WHERE number = 0";
        raw.execute_batch(sql).unwrap();
        raw.execute_batch("DROP TABLE kept").unwrap();
    }
}

/// Damages tile 0 and keeps what it was; the other tile is left alone by its number.
fn tamper_tile(path: &PathBuf, place: usize) {
    let raw = Connection::open(path).unwrap();
    raw.execute_batch(&format!(
        "DROP TRIGGER IF EXISTS leaf_tiles_stay;
         CREATE TABLE kept AS SELECT hashes FROM leaf_tiles WHERE number = 0;
         UPDATE leaf_tiles SET hashes = CAST({} AS BLOB) WHERE number = 0;",
        flip("hashes", place)
    ))
    .unwrap();
}

#[tokio::test]
async fn the_tree_cannot_be_changed_or_removed_by_accident() {
    let (_folder, path, _) = log_of(257).await;
    let raw = Connection::open(&path).unwrap();
    raw.execute_batch("PRAGMA recursive_triggers = ON").unwrap();
    for sql in [
        "UPDATE leaf_tiles SET hashes = zeroblob(8192)",
        "DELETE FROM leaf_tiles",
        "REPLACE INTO leaf_tiles SELECT * FROM leaf_tiles",
        "UPDATE subtrees SET hash = zeroblob(32)",
        "DELETE FROM subtrees",
        "REPLACE INTO subtrees SELECT * FROM subtrees",
    ] {
        let error = raw.execute(sql, []).unwrap_err().to_string();
        assert!(error.contains("append-only"), "{sql}: {error}");
    }
}

/// The file as the program before this one made it.
fn make_format_1(path: &PathBuf) {
    let raw = Connection::open(path).unwrap();
    raw.execute_batch(
        "BEGIN; DROP TABLE leaf_tiles; DROP TABLE subtrees;
         ALTER TABLE head RENAME TO with_root;
         CREATE TABLE head (
           id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL, leaf BLOB NOT NULL)
           STRICT;
         INSERT INTO head SELECT id, position, leaf FROM with_root; DROP TABLE with_root;
         PRAGMA user_version = 1; COMMIT;",
    )
    .unwrap();
}

fn schema(path: &PathBuf) -> Vec<(String, Option<String>)> {
    let raw = Connection::open(path).unwrap();
    let mut schema = raw.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").unwrap();
    let rows = schema.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_log_without_a_tree_gets_the_one_that_it_would_have_had() {
    for entries in [0, 1, 256, 600] {
        let (_folder, path, tree) = log_of(entries).await;
        let fresh = schema(&path);
        make_format_1(&path);
        let audit = AuditLog::open_read_only(&path).unwrap();
        assert_eq!(audit.tree_head().unwrap(), None);
        let head = audit.verify_all().unwrap();
        let log = SqliteLog::open(&path).unwrap();
        assert_eq!(log.head(), head);
        assert_eq!(tree_head(&log, entries).await.unwrap(), tree);
        assert_eq!(log.verify_all().unwrap(), head);
        assert_eq!(audit.tree_head().unwrap(), Some(tree), "an open auditor sees it too");
        assert_eq!(schema(&path), fresh);
        log.append(append_to(&[("a", entries)])).await.unwrap();
        assert_eq!(verify(&log).await.len(), usize::try_from(entries).unwrap() + 1);
        drop(log);
        drop(SqliteLog::open(&path).unwrap());
    }
}

#[tokio::test]
async fn a_damaged_log_without_a_tree_stays_as_it_is() {
    let (_folder, path, _) = log_of(600).await;
    make_format_1(&path);
    let before = schema(&path);
    let raw = Connection::open(&path).unwrap();
    // The last entry: by then all tiles were written, and all of it has to be undone.
    raw.execute_batch(
        "DROP TRIGGER entries_stay;
         UPDATE entries SET payload = CAST('{}' AS BLOB) WHERE position = 600;
         CREATE TRIGGER entries_stay BEFORE UPDATE ON entries
  BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;",
    )
    .unwrap();
    let opened = SqliteLog::open(&path).map(drop);
    assert!(matches!(opened, Err(OpenError::Damaged(ReadError::Chain(_)))), "{opened:?}");
    assert_eq!(schema(&path), before);
    let format: i32 = raw.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(format, 1);
}
