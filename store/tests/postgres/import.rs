//! Sealing what postgres-es wrote, as its own schema has it.

use sqlx::Connection;
use sqlx::postgres::PgConnection;
use strongroom_store::conformance::{append_to, verify};
use strongroom_store::{
    AppendLog, ImportError, MemoryLog, Options, Position, ReadLog, import_postgres_es,
};

use crate::shared;

/// As in postgres-es's db/init.sql.
const TABLE: &str = "CREATE TABLE events (
    aggregate_type text NOT NULL, aggregate_id text NOT NULL,
    sequence bigint CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL,
    event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence))";

async fn database() -> (String, PgConnection) {
    let url = shared().database();
    let mut db = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(TABLE).execute(&mut db).await.unwrap();
    let rows = "INSERT INTO events
        SELECT 'Account', 'Ärger & ' || (n / 5), n % 5, 'CustomerDepositedMoney', '1.0',
               ('{ \"n\": ' || n || ', \"e\": 1e2 }')::json, '{}' FROM generate_series(0, 999) n";
    sqlx::raw_sql(rows).execute(&mut db).await.unwrap();
    (url, db)
}

#[tokio::test]
async fn every_event_of_postgres_es_is_sealed_as_it_stands() {
    let (url, _db) = database().await;
    let log = MemoryLog::default();
    let sealed = import_postgres_es(&url, &Options::default(), &log, |_| ()).await;
    assert_eq!(sealed.unwrap(), 1000);
    let records = verify(&log).await;
    let first: serde_json::Value = serde_json::from_slice(&records[0].payload).unwrap();
    assert_eq!(first["aggregate_id"], "Ärger & 0");
    assert_eq!(first["event_type"], "CustomerDepositedMoney");
    assert_eq!(first["payload"], "{ \"n\": 0, \"e\": 1e2 }", "to the byte");
    assert_eq!(records[0].entry.r#type, "postgres-es.event");
    assert_eq!(records[4].entry.stream, records[0].entry.stream);
    assert_eq!((records[4].entry.sequence, first["sequence"].as_u64()), (5, Some(0)));
}

/// More than PostgreSQL or KurrentDB would take in one append.
#[tokio::test]
async fn large_events_are_sealed_in_appends_that_every_backend_takes() {
    let (url, mut db) = database().await;
    let rows = "INSERT INTO events SELECT 'Large', 'one', n, 'Grew', '1.0',
        to_json(repeat('x', 600000)), '{}' FROM generate_series(0, 149) n";
    sqlx::raw_sql(rows).execute(&mut db).await.unwrap();
    let log = crate::open(&shared().database()).await;
    let sealed = import_postgres_es(&url, &Options::default(), &log, |_| ()).await;
    assert_eq!(sealed.unwrap(), 1150);
    assert_eq!(log.head().position.get(), 1150);
}

#[tokio::test]
async fn an_interrupted_import_goes_on_and_another_log_is_not_added_to() {
    let (url, mut db) = database().await;
    let whole = MemoryLog::default();
    let options = Options::default();
    import_postgres_es(&url, &options, &whole, |_| ()).await.unwrap();
    assert_eq!(import_postgres_es(&url, &options, &whole, |_| ()).await.unwrap(), 0);
    // Half of it, as an interrupted one leaves.
    let half = MemoryLog::default();
    for record in whole.read_from(Position::FIRST, 300).await.unwrap() {
        let mut append = append_to(&[(&record.entry.stream, record.entry.sequence - 1)]);
        append.events[0].r#type = record.entry.r#type.clone();
        append.events[0].payload = record.payload;
        half.append(append).await.unwrap();
    }
    assert_eq!(import_postgres_es(&url, &options, &half, |_| ()).await.unwrap(), 700);
    let payloads = async |log| -> Vec<Vec<u8>> {
        verify(log).await.into_iter().map(|record| record.payload).collect()
    };
    assert_eq!(payloads(&half).await, payloads(&whole).await);
    sqlx::raw_sql("UPDATE events SET payload = '{}' WHERE aggregate_id = 'Ärger & 0'")
        .execute(&mut db)
        .await
        .unwrap();
    let refused = import_postgres_es(&url, &options, &half, |_| ()).await;
    assert!(matches!(refused, Err(ImportError::Parted { position }) if position.get() == 1));
}
