//! What those who run a server can do to a log in it. Never a change that goes unnoticed.

use strongroom_store::conformance::append_to;
use strongroom_store::ledger::ChainError;
use strongroom_store::{
    AppendError, AppendLog, KurrentLog, OpenError, Options, Position, ReadError, ReadLog,
};

use crate::stand_in::ProtocolStandIn;
use crate::wire::Recorded;
use crate::{keyed, open};

/// A log of eight entries, of which the last append has an outcome, and one refusal.
async fn eight(server: &ProtocolStandIn) -> KurrentLog {
    let log = open(server, "ledger").await;
    for sequence in 0..3 {
        log.append(append_to(&[("a", sequence), ("b", sequence)])).await.unwrap();
    }
    log.append(keyed(append_to(&[("a", 3), ("b", 3)]), "done")).await.unwrap();
    log.append(keyed(append_to(&[]), "refused")).await.unwrap();
    log
}

async fn reopened(server: &ProtocolStandIn) -> ReadError {
    match KurrentLog::open(&server.url("ledger"), &Options::default()).await {
        Err(OpenError::Damaged(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a damaged log was opened"),
    }
}

async fn read(log: &KurrentLog) -> ReadError {
    log.read_from(Position::FIRST, 100).await.unwrap_err()
}

#[tokio::test]
async fn a_hole_is_a_gap() {
    let server = ProtocolStandIn::start().await;
    let log = eight(&server).await;
    server.tamper("ledger", |events| drop(events.remove(3)));
    let gap = ReadError::Chain(ChainError::Gap {
        expected: Position::new(4).unwrap(),
        found: Position::new(5).unwrap(),
    });
    assert_eq!(read(&log).await, gap);
    assert_eq!(log.read_stream("b", 1, 10).await.unwrap_err(), gap);
    assert_eq!(reopened(&server).await, gap);
}

#[tokio::test]
async fn every_part_of_an_event_that_is_changed_is_noticed() {
    let changes: [fn(&mut Recorded); 6] = [
        |event| event.data[3] ^= 1,
        |event| event.custom_metadata[20] ^= 1,
        |event| event.id = Some(crate::wire::Id::default()),
        |event| drop(event.metadata.insert("type".to_owned(), "test.other".to_owned())),
        |event| event.custom_metadata.extend_from_slice(b"\n{}"),
        |event| event.data.clear(),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let server = ProtocolStandIn::start().await;
        let log = eight(&server).await;
        server.tamper("ledger", |events| change(&mut events[2]));
        let found = read(&log).await;
        assert!(
            matches!(found, ReadError::Corrupt { .. } | ReadError::Chain(_)),
            "{number}: {found}"
        );
        reopened(&server).await;
    }
}

#[tokio::test]
async fn outcomes_that_are_changed_are_noticed() {
    let change = |event: &mut Recorded| {
        let bytes = if event.custom_metadata.is_empty() {
            &mut event.data
        } else {
            &mut event.custom_metadata
        };
        let at = bytes.len() - 4;
        bytes[at] ^= 1;
    };
    let server = ProtocolStandIn::start().await;
    let log = eight(&server).await;
    server.tamper("ledger", |events| change(events.last_mut().unwrap()));
    assert!(log.outcome("tester", "done").await.is_err());
    reopened(&server).await;
    let server = ProtocolStandIn::start().await;
    let log = eight(&server).await;
    server.tamper("ledger-outcomes", |events| change(events.last_mut().unwrap()));
    assert!(log.outcome("tester", "refused").await.is_err());
    let found = reopened(&server).await;
    assert!(found.to_string().contains("ledger-outcomes at revision 1"), "{found}");
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_noticed_while_it_is_open_and_by_refusals() {
    let server = ProtocolStandIn::start().await;
    let log = eight(&server).await;
    server.tamper("ledger", |events| drop(events.pop()));
    let found = read(&log).await;
    assert!(found.to_string().contains("truncated"), "{found}");
    let found = reopened(&server).await;
    assert!(found.to_string().contains("it was cut or replaced"), "{found}");
}

#[tokio::test]
async fn another_program_that_writes_to_the_stream_stops_the_log() {
    let server = ProtocolStandIn::start().await;
    let log = eight(&server).await;
    server.write_as_another("ledger", "something", b"{}");
    let refused = log.append(append_to(&[("c", 0)])).await;
    let Err(AppendError::Stopped { reason }) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("has revision 8, revision 7 was expected"), "{reason}");
    assert_eq!(log.stop_reason(), Some(reason));
    // What was durable is still read, and what came after is no part of it.
    assert_eq!(log.read_from(Position::FIRST, 100).await.unwrap().len(), 8);
    let found = reopened(&server).await;
    assert!(found.to_string().contains("entry 9 is malformed"), "{found}");
}

#[tokio::test]
async fn a_tombstone_is_tampering() {
    let server = ProtocolStandIn::start().await;
    let log = eight(&server).await;
    server.tombstone("ledger");
    let found = read(&log).await;
    assert!(found.to_string().contains("tombstone"), "{found}");
    assert!(reopened(&server).await.to_string().contains("tombstone"));
    let log = log.append(append_to(&[("c", 0)])).await;
    assert!(matches!(&log, Err(AppendError::Stopped { reason }) if reason.contains("tombstone")));
    let server = ProtocolStandIn::start().await;
    eight(&server).await;
    server.tombstone("ledger-outcomes");
    assert!(reopened(&server).await.to_string().contains("ledger-outcomes"));
}

#[tokio::test]
async fn a_stream_that_the_server_may_cut_is_refused() {
    for (stream, metadata) in [
        ("ledger", r#"{"$maxCount":2}"#),
        ("ledger", r#"{"$maxAge":60,"$acl":{}}"#),
        ("ledger", r#"{"$tb":3}"#),
        // A stream that was deleted, as it looks before it is scavenged.
        ("ledger", r#"{"$tb":9223372036854775807}"#),
        ("ledger-outcomes", r#"{"$maxCount":1}"#),
        ("ledger", "no json"),
    ] {
        let server = ProtocolStandIn::start().await;
        let log = eight(&server).await;
        server.set_metadata(stream, metadata);
        let found = reopened(&server).await.to_string();
        assert!(
            found.contains(&format!("metadata of {stream}")) || found.contains(stream),
            "{found}"
        );
        if stream == "ledger" && metadata.contains("$maxCount") || metadata.contains("$tb") {
            let found = read(&log).await;
            assert!(matches!(found, ReadError::Corrupt { .. } | ReadError::Chain(_)), "{found}");
        }
    }
    let server = ProtocolStandIn::start().await;
    eight(&server).await;
    server.set_metadata("ledger", r#"{"$cacheControl":1,"$acl":{"$w":"strongroom"}}"#);
    open(&server, "ledger").await;
}
