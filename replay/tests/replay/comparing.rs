//! A read model is held against its log while both are in use.

use crate::book::{house, live, run};
use crate::world::{LTC, World};
use std::path::PathBuf;
use strongroom_projections::Projections;
use strongroom_replay::Fault;

struct Served {
    directory: tempfile::TempDir,
    log: PathBuf,
    model: PathBuf,
    world: World,
    projections: Projections,
}

/// A log with a read model that is as far, both still open.
async fn served() -> Served {
    let directory = tempfile::tempdir().unwrap();
    let (log, model) = (directory.path().join("log.db"), directory.path().join("read.db"));
    let mut world = house(&log);
    live(&mut world).await;
    let projections = Projections::open(&model).unwrap();
    let running = {
        let (projections, log) = (projections.clone(), world.reader());
        tokio::spawn(async move { projections.run(log).await })
    };
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_mins(1);
    projections.wait_for(world.state.head.position, deadline).await.unwrap();
    running.abort();
    Served { directory, log, model, world, projections }
}

impl Served {
    fn compare(&self) -> (i32, String) {
        run(&["compare", self.log.to_str().unwrap(), self.model.to_str().unwrap()])
    }

    fn change(&self, sql: &str) {
        let db = rusqlite::Connection::open(&self.model).unwrap();
        db.execute_batch(sql).unwrap();
    }
}

#[tokio::test]
async fn a_read_model_says_what_its_log_says_also_when_it_is_behind() {
    let mut served = served().await;
    let (code, said) = served.compare();
    assert_eq!(code, 0, "{said}");
    let position = served.projections.head().position;
    served.world.see(LTC, 5, 100).await.unwrap();
    let (code, said) = served.compare();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(&format!("rows at {position}:")), "{said}");
    assert!(served.directory.path().exists());
}

#[tokio::test]
async fn every_difference_is_named() {
    let served = served().await;
    served.change(
        "UPDATE accounts SET total = '1' WHERE asset = 'litecoin-regtest/ltc';
         UPDATE transfers SET state = 'approved' WHERE state = 'awaiting-approval';
         DELETE FROM deposits WHERE state = 'credited' AND amount = '700000';
         UPDATE ledger SET debits = '9' WHERE kind = 'custody' AND asset = 'ethereum-dev/eth';",
    );
    let (code, said) = served.compare();
    assert_eq!(code, i32::from(Fault::Differs.exit_code()), "{said}");
    for part in [
        "the log says total 700000; the read model says total 1",
        "the log says state awaiting-approval; the read model says state approved",
        "state credited",
        "; the read model says nothing",
        "the read model says debits 9",
        "4 rows differ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[tokio::test]
async fn a_read_model_of_another_log_differs() {
    let served = served().await;
    served.change("UPDATE head SET leaf = replace(leaf, substr(leaf, 1, 4), '0000')");
    let (code, said) = served.compare();
    assert_eq!(code, i32::from(Fault::Differs.exit_code()), "{said}");
    assert!(said.contains("the read model is at entry"), "{said}");
}

#[tokio::test]
async fn what_is_no_read_model_is_unreadable() {
    let served = served().await;
    let log = served.log.to_str().unwrap();
    let (code, said) = run(&["compare", log, log]);
    assert_eq!(code, i32::from(Fault::Unreadable.exit_code()), "{said}");
}

/// Tables that this book has no rows for: here only an added row is tried, of refusals.
const NEVER_FILLED: [&str; 10] = [
    "charter_changes",
    "personal",
    "refusals",
    "partials",
    "backups",
    "drills",
    "freezes",
    "prices",
    "screenings",
    "differences",
];

/// Every table, in both directions: whatever was changed, taken away or added.
#[tokio::test]
async fn no_row_of_any_table_can_be_changed() {
    let served = served().await;
    let (code, said) = served.compare();
    assert_eq!(code, 0, "{said}");
    let whole = std::fs::read(&served.model).unwrap();
    drop(served.projections);
    let db = rusqlite::Connection::open(&served.model).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(db);
    assert!(!whole.is_empty());
    let model = served.directory.path().join("tampered.db");
    let mut empty = Vec::new();
    for table in strongroom_projections::RAW_TABLES {
        std::fs::copy(&served.model, &model).unwrap();
        let db = rusqlite::Connection::open(&model).unwrap();
        let gone = db.execute(&format!("DELETE FROM {}", table.name), []).unwrap();
        drop(db);
        let (log, model) = (served.log.to_str().unwrap(), model.to_str().unwrap());
        let (code, said) = run(&["compare", log, model]);
        if gone == 0 {
            empty.push(table.name);
            continue;
        }
        assert_eq!(code, i32::from(Fault::Differs.exit_code()), "{}: {said}", table.name);
        assert!(said.contains(&format!("{} ", table.name)), "{}: {said}", table.name);
        assert!(said.contains(&format!("{gone} rows differ")), "{}: {said}", table.name);
    }
    assert_eq!(empty, NEVER_FILLED, "the house has nothing to tell them apart by");
    let db = rusqlite::Connection::open(&model).unwrap();
    db.execute("INSERT INTO refusals VALUES (1, 'x', 'x', 1, 'x', 'x', 'x')", []).unwrap();
    drop(db);
    let arguments = ["compare", served.log.to_str().unwrap(), model.to_str().unwrap()];
    let (code, said) = run(&arguments);
    assert_eq!(code, i32::from(Fault::Differs.exit_code()), "{said}");
    assert!(said.contains("refusals 1: the log says nothing"), "{said}");
}

#[tokio::test]
async fn a_read_model_is_made_from_nothing() {
    let served = served().await;
    let out = served.directory.path().join("made.db");
    let (log, made) = (served.log.to_str().unwrap(), out.to_str().unwrap());
    let (code, said) = run(&["rebuild", log, "--out", made]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = run(&["compare", log, made]);
    assert_eq!(code, 0, "{said}");
    // One file, and a server goes on with it.
    assert!(!served.directory.path().join("made.db-wal").exists());
    let (code, said) = run(&["rebuild", log, "--out", made]);
    assert_eq!(code, i32::from(Fault::Unreadable.exit_code()), "{said}");
    let projections = Projections::open(&out).unwrap();
    assert_eq!(projections.head(), served.projections.head());
}

#[tokio::test]
async fn nothing_is_made_of_a_damaged_log() {
    let book = crate::book::Book::written().await;
    let mut pairs = book.pairs();
    pairs.remove(20);
    let file = book.file("damaged.jsonl");
    std::fs::write(&file, crate::book::bytes(&pairs)).unwrap();
    let out = book.file("made.db");
    let (code, said) = run(&["rebuild", file.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(code, i32::from(Fault::Missing.exit_code()), "{said}");
    assert!(!out.exists());
}
