//! Two processes on one database: one is active, the other waits. Never a gap, a fork, or an
//! acknowledgement that is not kept.

use strongroom_store::conformance::append_to;
use strongroom_store::{AppendError, AppendLog, OpenError, Options, PostgresLog, ReadLog};

use crate::writer::{Acknowledged, Writer, check};
use crate::{database, open, shared};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_sequencer_is_refused_while_the_first_lives() {
    let url = shared().database();
    let log = open(&url).await;
    let second = PostgresLog::open(&url, &Options::default()).await.map(|_| ());
    assert!(matches!(second, Err(OpenError::Locked { .. })), "{second:?}");
    log.append(append_to(&[("a", 0)])).await.unwrap();
    drop(log);
    let log = open(&url).await;
    log.append(append_to(&[("a", 1)])).await.unwrap();
    assert_eq!(log.verify_all().await.unwrap(), log.head());
}

/// The server hears of the session that writes also while nothing is written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_all_refused_do_not_cost_the_log() {
    let log = open(&shared().database()).await;
    log.append(append_to(&[("a", 0)])).await.unwrap();
    for _ in 0..14 {
        let refused = log.append(append_to(&[("a", 0)])).await;
        assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    assert_eq!(log.stop_reason(), None);
    log.append(append_to(&[("a", 1)])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_active_one_is_killed_the_other_takes_over() {
    let url = shared().database();
    let mut acknowledged = Acknowledged::new();
    let mut active = Writer::start(&url, "first");
    active.serves();
    for name in ["second", "third", "fourth"] {
        let mut standby = Writer::start(&url, name);
        active.acknowledges(150);
        active.kill();
        acknowledged.append(&mut active.acknowledged);
        standby.serves();
        standby.acknowledges(50);
        active = standby;
    }
    active.kill();
    acknowledged.append(&mut active.acknowledged);
    check(&url, &acknowledged).await;
}

/// Nobody ends its session by hand: the server does, because it hears nothing of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_hangs_loses_the_log_and_cannot_write_when_it_goes_on() {
    let url = shared().database();
    let mut old = Writer::start(&url, "old");
    old.serves();
    old.acknowledges(50);
    old.signal("STOP");
    let mut new = Writer::start(&url, "new");
    new.serves();
    new.acknowledges(50);
    old.signal("CONT");
    old.stops();
    new.acknowledges(50);
    new.kill();
    let mut acknowledged = std::mem::take(&mut old.acknowledged);
    acknowledged.append(&mut new.acknowledged);
    check(&url, &acknowledged).await;
}

/// The answer to a commit is lost: the log says that it has stopped, never that nothing happened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_session_stops_the_log_for_good() {
    let url = shared().database();
    let log = open(&url).await;
    log.append(append_to(&[("a", 0)])).await.unwrap();
    let ended = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    shared().sql(database(&url), ended);
    let refused = log.append(append_to(&[("a", 1)])).await;
    assert!(matches!(refused, Err(AppendError::Stopped { .. })), "{refused:?}");
    assert!(log.stop_reason().is_some());
    // Reading goes on: what was durable is.
    assert_eq!(strongroom_store::conformance::verify(&log).await.len(), 1);
    let again = open(&url).await;
    let refused = log.append(append_to(&[("a", 1)])).await;
    assert!(matches!(refused, Err(AppendError::Stopped { .. })), "{refused:?}");
    again.append(append_to(&[("a", again.stream_sequence("a").await.unwrap())])).await.unwrap();
    assert_eq!(again.verify_all().await.unwrap(), again.head());
}

/// A session that still lives, but whose term is over, as after a failover: the head says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_term_that_is_over_writes_nothing() {
    let url = shared().database();
    let log = open(&url).await;
    log.append(append_to(&[("a", 0)])).await.unwrap();
    let over = "ALTER TABLE strongroom_log.head DISABLE TRIGGER ALL;
      UPDATE strongroom_log.head SET term = term + 1;
      ALTER TABLE strongroom_log.head ENABLE ALWAYS TRIGGER ALL";
    let over = over.replace("ENABLE ALWAYS TRIGGER ALL", "ENABLE TRIGGER ALL");
    shared().sql(database(&url), &over);
    let refused = log.append(append_to(&[("a", 1)])).await;
    let Err(AppendError::Stopped { reason }) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("another sequencer"), "{reason}");
    drop(log);
    let log = open(&url).await;
    assert_eq!(log.head().position.get(), 1);
    assert_eq!(log.verify_all().await.unwrap(), log.head());
}
