//! The conformance suite on SQLite and in memory. Never tests what only one of them does.

use strongroom_store::conformance::{append_to, as_object, durable_suite, suite};
use strongroom_store::{MemoryLog, Options, SqliteLog};

#[tokio::test]
async fn memory_conforms() {
    suite(async || MemoryLog::default()).await;
}

#[tokio::test]
async fn sqlite_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    suite(async || {
        number.set(number.get() + 1);
        SqliteLog::open(directory.path().join(format!("{}.db", number.get()))).unwrap()
    })
    .await;
}

#[tokio::test]
async fn sqlite_conforms_with_one_append_a_batch_and_no_cache() {
    let directory = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    let options = Options { batch: 1, streams: 0, readers: 1, ..Options::default() };
    suite(async || {
        number.set(number.get() + 1);
        SqliteLog::open_with(directory.path().join(format!("{}.db", number.get())), &options)
            .unwrap()
    })
    .await;
}

#[tokio::test]
async fn sqlite_is_durable() {
    let directory = tempfile::tempdir().unwrap();
    durable_suite(async |name: &str| SqliteLog::open(directory.path().join(name)).unwrap()).await;
}

#[tokio::test]
async fn the_ports_are_usable_as_objects() {
    let log = as_object(MemoryLog::default());
    log.append(append_to(&[("a", 0)])).await.unwrap();
    assert_eq!(log.head().position.get(), 1);
}
