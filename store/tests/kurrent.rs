//! The log on KurrentDB: the conformance suites on a real server where one is named, always on
//! `ProtocolStandIn`, and what a server or those who run it can do to a log. Never lets a suite
//! that did not run look like one that did.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "kurrent/faults.rs"]
mod faults;
#[path = "kurrent/link.rs"]
mod link;
#[path = "kurrent/login.rs"]
mod login;
#[path = "kurrent/stand_in.rs"]
mod stand_in;
#[path = "kurrent/tampering.rs"]
mod tampering;
#[path = "kurrent/wire.rs"]
mod wire;

use std::cell::Cell;
use std::io::Write;
use std::path::PathBuf;

use kurrentdb::{Client, StreamPosition, SubscribeToStreamOptions};
use stand_in::ProtocolStandIn;
use strongroom_store::conformance::{append_to, durable_suite, suite, verify};
use strongroom_store::ledger::payload_hash;
use strongroom_store::{Append, AppendLog, Idempotency, KurrentLog, LogLocation, Options};
use uuid::Uuid;

/// The variable that names a real server, such as `kurrentdb://localhost:2113?tls=false`.
const REAL: &str = "STRONGROOM_KURRENTDB_URL";
/// The variable that names the file with the password of the URL's user.
const PASSWORD_FILE: &str = "STRONGROOM_KURRENTDB_PASSWORD_FILE";

async fn open(server: &ProtocolStandIn, stream: &str) -> KurrentLog {
    KurrentLog::open(&server.url(stream), &Options::default()).await.unwrap()
}

fn keyed(append: Append, key: &str) -> Append {
    let idempotency = Idempotency {
        caller: "tester".to_owned(),
        key: key.to_owned(),
        request_sha256: payload_hash(b"body"),
        outcome: key.as_bytes().to_vec(),
    };
    Append { idempotency: Some(idempotency), ..append }
}

/// Runs only where a server is named; where none is, says so whatever the test runner hides.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_conforms_if_one_is_named() {
    let Ok(url) = std::env::var(REAL) else {
        let line = format!("NOT RUN: {REAL} is not set; KurrentDB itself was not tested\n");
        // Not `println!`, which the test runner swallows.
        std::io::stderr().lock().write_all(line.as_bytes()).unwrap();
        return;
    };
    let password_file = std::env::var_os(PASSWORD_FILE).map(PathBuf::from);
    let options = Options { password_file, ..Options::default() };
    let run = Uuid::new_v4().simple();
    let (url, options) = (url.as_str(), &options);
    let open = async |name: &str| {
        let and = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{and}stream=test-{run}-{name}");
        KurrentLog::open(&url, options).await.unwrap()
    };
    let number = Cell::new(0);
    suite(async || {
        number.set(number.get() + 1);
        open(&number.get().to_string()).await
    })
    .await;
    durable_suite(&open).await;
}

#[tokio::test]
async fn the_log_conforms_on_the_stand_in() {
    let server = ProtocolStandIn::start().await;
    let number = Cell::new(0);
    suite(async || {
        number.set(number.get() + 1);
        open(&server, &format!("suite-{}", number.get())).await
    })
    .await;
    durable_suite(async |name: &str| open(&server, &format!("durable-{name}")).await).await;
    assert_eq!(server.not_of_the_leader(), 0, "a follower may lag behind");
}

#[tokio::test]
async fn the_log_conforms_with_one_append_a_batch() {
    let server = ProtocolStandIn::start().await;
    let number = Cell::new(0);
    let options = Options { batch: 1, ..Options::default() };
    suite(async || {
        number.set(number.get() + 1);
        KurrentLog::open(&server.url(&format!("one-{}", number.get())), &options).await.unwrap()
    })
    .await;
}

#[tokio::test]
async fn an_entry_is_an_event_with_its_line_as_metadata_and_an_id_of_its_bytes() {
    let server = ProtocolStandIn::start().await;
    let log = open(&server, "ledger").await;
    log.append(keyed(append_to(&[("a", 0), ("b", 0)]), "k")).await.unwrap();
    let (records, events) = (verify(&log).await, server.events("ledger"));
    assert_eq!(events.len(), 2);
    for (record, event) in records.iter().zip(&events) {
        assert_eq!(event.revision + 1, record.entry.position.get());
        assert_eq!(event.metadata.get("type"), Some(&record.entry.r#type));
        assert_eq!(event.data, record.payload);
        let line = event.custom_metadata.split(|byte| *byte == b'\n').next().unwrap();
        assert_eq!(line, record.bytes);
    }
    // Only the last event of an append carries its outcome.
    assert_eq!(events[0].custom_metadata, records[0].bytes);
    assert!(events[1].custom_metadata.len() > records[1].bytes.len());
}

#[tokio::test]
async fn a_location_opens_the_log_and_its_audit() {
    let server = ProtocolStandIn::start().await;
    let place: LogLocation = server.url("ledger").parse().unwrap();
    let mut audit = place.audit(&Options::default()).await.unwrap();
    assert_eq!(audit.head().await.unwrap().position.get(), 0);
    assert_eq!(audit.raw_after(0, 10).await.unwrap(), []);
    let log = place.open(&Options::default()).await.unwrap();
    log.append(append_to(&[("a", 0), ("b", 0), ("c", 0)])).await.unwrap();
    assert_eq!(audit.head().await.unwrap(), log.head());
    let rows = audit.raw_after(1, 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.filed).collect::<Vec<_>>(), [2, 3]);
    let records = verify(&*log).await;
    assert_eq!((&rows[0].entry, &rows[0].payload), (&records[1].bytes, &records[1].payload));
    assert_eq!(audit.raw_after(3, 10).await.unwrap(), []);
}

/// By the server's own subscription, as any other program would.
#[tokio::test]
async fn another_program_can_follow_the_log() {
    let server = ProtocolStandIn::start().await;
    let log = open(&server, "ledger").await;
    log.append(append_to(&[("a", 0), ("b", 0)])).await.unwrap();
    let settings = format!("esdb://127.0.0.1:{}?tls=false&discoveryInterval=1", server.link.port);
    let client = Client::new(settings.parse().unwrap()).unwrap();
    let options = SubscribeToStreamOptions::default().start_from(StreamPosition::Start);
    let mut events = client.subscribe_to_stream("ledger", &options).await;
    for revision in 0..2 {
        assert_eq!(events.next().await.unwrap().get_original_event().revision, revision);
    }
    let coming = log.append(append_to(&[("a", 1)]));
    let event = events.next().await.unwrap();
    coming.await.unwrap();
    let record = verify(&log).await.pop().unwrap();
    assert_eq!(event.get_original_event().custom_metadata, record.bytes);
}
