//! Backups that are taken while the server writes. Never anything but one moment of the log.

use std::time::Duration;

use strongroom_store::conformance::append_to;
use strongroom_store::{AppendLog, Options, PostgresAudit, RawLog, ReadLog};

use crate::writer::{Acknowledged, Writer, check};
use crate::{database, open, shared};

/// What was acknowledged before the backup began is in it, and the log goes on from there.
async fn is_whole(url: &str, before: &Acknowledged) {
    check(url, before).await;
    let log = open(url).await;
    let sequence = log.stream_sequence("later").await.unwrap();
    log.append(append_to(&[("later", sequence)])).await.unwrap();
    assert_eq!(log.verify_all().await.unwrap(), log.head());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_under_load_restores_into_a_fresh_database() {
    let url = shared().database();
    let mut writer = Writer::start(&url, "writer");
    writer.serves();
    writer.acknowledges(600);
    let before = writer.acknowledged.clone();
    let dump = shared().program("pg_dump", &["--format=custom", "--dbname", database(&url)]);
    writer.acknowledges(100);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.dump");
    std::fs::write(&file, dump).unwrap();
    let fresh = shared().database();
    let arguments = ["--exit-on-error", "--single-transaction", "--dbname", database(&fresh)];
    let file = file.to_str().unwrap();
    shared().program("pg_restore", &[arguments.as_slice(), &[file]].concat());
    is_whole(&fresh, &before).await;
    // The protection came with it.
    let refused =
        shared().try_sql("postgres", database(&fresh), "DELETE FROM strongroom_log.events");
    assert!(refused.unwrap_err().contains("append-only"));
    writer.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_base_backup_under_load_starts_as_a_server_of_its_own() {
    let url = shared().database();
    let mut writer = Writer::start(&url, "writer");
    writer.serves();
    writer.acknowledges(300);
    let before = writer.acknowledged.clone();
    let restored = shared().backup();
    writer.acknowledges(100);
    is_whole(&restored.url("postgres", database(&url)), &before).await;
    writer.kill();
    // What it had sent when it died, the server may still commit.
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = ";
    let sessions = format!("{sessions}'{}'", database(&url));
    while shared().sql("postgres", &sessions) != "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The other one is untouched by what happened to its copy.
    let mut audit = PostgresAudit::open_read_only(&url, &Options::default()).await.unwrap();
    assert_eq!(audit.verify_all().await.unwrap(), audit.head().await.unwrap());
    check(&url, &writer.acknowledged).await;
}
