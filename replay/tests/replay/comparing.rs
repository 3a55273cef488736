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
    assert!(said.contains("the read model says 1 of litecoin-regtest/ltc"), "{said}");
    assert!(
        said.contains("the log says awaiting-approval; the read model says approved"),
        "{said}"
    );
    assert!(said.contains("the log says credited; the read model says nothing"), "{said}");
    assert!(said.contains("the read model says debits 9,"), "{said}");
    assert!(said.contains("4 rows differ"), "{said}");
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
