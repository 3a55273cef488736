//! What only SQLite can get wrong: files, locks, damage on disk. Never uses a mock: damage is done
//! by a second, raw connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use strongroom_ledger::export::Reader;
use strongroom_ledger::{Chain, ChainError, Position, Timestamp};
use tempfile::TempDir;

use super::SqliteLog;
use crate::append::{Append, AppendError};
use crate::audit::AuditLog;
use crate::conformance::{append_to, verify};
use crate::log::{AppendLog, ReadLog};
use crate::open::{OpenError, Options};
use crate::read::ReadError;

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("log.db")
    }

    fn open(&self) -> SqliteLog {
        SqliteLog::open(self.path()).unwrap()
    }

    /// A log of six entries, two for each of three streams, closed.
    fn with_six(&self) {
        let log = self.open();
        let append = || {
            for sequence in 0..2 {
                let streams = [("a", sequence), ("b", sequence), ("c", sequence)];
                log.append_blocking(append_to(&streams)).unwrap();
            }
        };
        // On a thread of its own: an async test must not block.
        std::thread::scope(|threads| threads.spawn(append).join().unwrap());
    }

    /// Someone with the file and an editor.
    fn tamper(&self, sql: &str) {
        let raw = Connection::open(self.path()).unwrap();
        raw.execute_batch("DROP TRIGGER entries_stay; DROP TRIGGER entries_remain;").unwrap();
        raw.execute_batch(sql).unwrap();
    }
}

fn at(position: u64) -> Position {
    Position::new(position).unwrap()
}

#[test]
fn a_log_has_one_writer() {
    let place = Place::new();
    let log = place.open();
    let second = SqliteLog::open(place.path());
    assert!(matches!(second, Err(OpenError::Locked { .. })));
    drop(log);
    place.open();
}

#[tokio::test]
async fn a_log_goes_on_where_it_was_closed() {
    let place = Place::new();
    place.with_six();
    let log = place.open();
    assert_eq!(log.head().position, at(6));
    let refused = log.append(append_to(&[("a", 0)])).await;
    assert!(matches!(refused, Err(AppendError::Conflict { found: 2, .. })));
    log.append(append_to(&[("a", 2)])).await.unwrap();
    assert_eq!(verify(&log).await.len(), 7);
    assert_eq!(log.verify_all().unwrap(), log.head());
}

#[tokio::test]
async fn time_never_runs_backwards_even_where_the_clock_does() {
    let place = Place::new();
    let now = Arc::new(AtomicU64::new(1_795_367_880_000_000));
    let clock = Arc::clone(&now);
    let options = Options {
        clock: Arc::new(move || {
            Timestamp::from_micros(clock.fetch_sub(1_000_000, Ordering::Relaxed)).unwrap()
        }),
        ..Options::default()
    };
    for sequence in 0..3 {
        let log = SqliteLog::open_with(place.path(), &options).unwrap();
        log.append(append_to(&[("a", sequence)])).await.unwrap();
    }
    let records = verify(&place.open()).await;
    assert!(records.iter().all(|one| one.entry.time == records[0].entry.time));
}

#[test]
fn entries_cannot_be_changed_or_removed_by_accident() {
    let place = Place::new();
    place.with_six();
    let raw = Connection::open(place.path()).unwrap();
    raw.execute_batch("PRAGMA recursive_triggers = ON").unwrap();
    for sql in [
        "UPDATE entries SET payload = x'00' WHERE position = 2",
        "DELETE FROM entries WHERE position = 6",
        "REPLACE INTO entries SELECT * FROM entries WHERE position = 2",
        "UPDATE streams SET name = 'z'",
        "DELETE FROM streams",
    ] {
        let error = raw.execute(sql, []).unwrap_err().to_string();
        assert!(error.contains("append-only"), "{sql}: {error}");
    }
}

/// What opening, paging and auditing say of a log that was tampered with.
async fn verdicts(sql: &str) -> [ReadError; 3] {
    let place = Place::new();
    let log = {
        place.with_six();
        place.open()
    };
    place.tamper(sql);
    let page = log.read_from(at(1), 10).await.unwrap_err();
    drop(log);
    let Err(OpenError::Damaged(opening)) = SqliteLog::open(place.path()) else {
        panic!("a damaged log is not opened: {sql}");
    };
    let audit = AuditLog::open_read_only(place.path()).unwrap().verify_all().unwrap_err();
    [opening, page, audit]
}

#[tokio::test]
async fn a_missing_entry_is_found() {
    let gap = ReadError::Chain(ChainError::Gap { expected: at(3), found: at(4) });
    let verdicts = verdicts("DELETE FROM entries WHERE position = 3").await;
    assert_eq!(verdicts, [gap.clone(), gap.clone(), gap]);
}

#[tokio::test]
async fn a_missing_end_is_found() {
    for verdict in verdicts("DELETE FROM entries WHERE position = 6").await {
        assert!(matches!(verdict, ReadError::Corrupt { position, .. } if position == at(6)));
    }
}

#[tokio::test]
async fn a_changed_payload_is_found() {
    for verdict in verdicts("UPDATE entries SET payload = x'7b7d' WHERE position = 5").await {
        let ReadError::Chain(ChainError::PayloadMismatch { position, .. }) = verdict else {
            panic!("{verdict}");
        };
        assert_eq!(position, at(5));
    }
}

#[tokio::test]
async fn a_changed_entry_is_found() {
    let sql = "UPDATE entries SET entry = CAST(replace(CAST(entry AS TEXT), 'person:test',
               'person:evil') AS BLOB) WHERE position = 4";
    for verdict in verdicts(sql).await {
        let ReadError::Chain(ChainError::PrevMismatch { position, .. }) = verdict else {
            panic!("{verdict}");
        };
        assert_eq!(position, at(5));
    }
}

#[tokio::test]
async fn swapped_entries_are_found() {
    let sql = "UPDATE entries SET position = 99 WHERE position = 2;
               UPDATE entries SET position = 2 WHERE position = 3;
               UPDATE entries SET position = 3 WHERE position = 99;";
    let [opening, page, audit] = verdicts(sql).await;
    for verdict in [opening, page] {
        assert!(matches!(verdict, ReadError::Corrupt { position, .. } if position == at(2)));
    }
    let gap = ChainError::Gap { expected: at(2), found: at(3) };
    assert_eq!(audit, ReadError::Chain(gap));
}

#[test]
fn a_head_that_does_not_match_and_an_added_entry_are_found() {
    for sql in [
        "UPDATE head SET leaf = zeroblob(32)",
        "UPDATE head SET position = 5",
        "INSERT INTO entries SELECT 7, stream, 99, entry, payload FROM entries WHERE position = 6",
    ] {
        let place = Place::new();
        place.with_six();
        place.tamper(sql);
        let opened = SqliteLog::open(place.path()).map(drop);
        assert!(matches!(opened, Err(OpenError::Damaged(_))), "{sql}: {opened:?}");
        let audit = AuditLog::open_read_only(place.path()).unwrap();
        assert!(audit.verify_all().is_err(), "{sql}");
    }
}

#[tokio::test]
async fn an_entry_filed_under_another_stream_is_found() {
    let place = Place::new();
    place.with_six();
    let log = place.open();
    place.tamper("UPDATE entries SET stream = 2, sequence = 3 WHERE position = 4");
    let found = log.read_stream("b", 1, 10).await.unwrap_err();
    assert!(matches!(found, ReadError::Corrupt { position, .. } if position == at(4)), "{found}");
    let found = log.verify_all().unwrap_err();
    assert!(matches!(found, ReadError::Corrupt { position, .. } if position == at(4)), "{found}");
}

#[tokio::test]
async fn a_hole_in_a_stream_is_found() {
    let place = Place::new();
    let log = place.open();
    for sequence in 0..3 {
        log.append(append_to(&[("a", sequence)])).await.unwrap();
    }
    place.tamper("DELETE FROM entries WHERE position = 2");
    let found = log.read_stream("a", 1, 10).await.unwrap_err();
    let ReadError::Chain(ChainError::SequenceGap { expected: 2, found: 3, .. }) = found else {
        panic!("{found}");
    };
}

#[tokio::test]
async fn a_log_that_failed_once_has_stopped_for_good() {
    let place = Place::new();
    let log = place.open();
    log.append(append_to(&[("a", 0)])).await.unwrap();
    let raw = Connection::open(place.path()).unwrap();
    let trigger = "CREATE TRIGGER full BEFORE INSERT ON entries
                   BEGIN SELECT RAISE(ABORT, 'the disk is gone'); END";
    raw.execute_batch(trigger).unwrap();
    let failed = log.append(append_to(&[("a", 1)])).await;
    let Err(AppendError::Stopped { reason }) = failed else { panic!("{failed:?}") };
    assert!(reason.contains("the disk is gone"), "{reason}");
    raw.execute_batch("DROP TRIGGER full").unwrap();
    let later = log.append(append_to(&[("a", 1)])).await;
    assert!(matches!(later, Err(AppendError::Stopped { .. })), "it never tries again: {later:?}");
    assert_eq!(log.read_from(at(1), 10).await.unwrap().len(), 1, "what is durable is readable");
    assert_eq!(log.stop_reason(), Some(reason));
    drop((log, raw));
    let log = place.open();
    log.append(append_to(&[("a", 1)])).await.unwrap();
}

/// Appends until the queue is full, while another connection keeps the sequencer from committing.
fn fill(log: &SqliteLog, append: impl Fn(u64) -> Append) -> (usize, AppendError) {
    for number in 0..100 {
        // Nobody waits for those that were taken; they are made all the same.
        if let Some(Err(error)) = now(log.append(append(number))) {
            return (usize::try_from(number).unwrap(), error);
        }
    }
    panic!("the queue has no end");
}

/// The answer of a future if it has one already.
fn now<T>(mut future: crate::log::BoxFuture<'static, T>) -> Option<T> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(answer) => Some(answer),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn a_full_queue_pushes_back_at_once_and_shares_one_commit() {
    let place = Place::new();
    let log =
        SqliteLog::open_with(place.path(), &Options { queue: 20, ..Options::default() }).unwrap();
    let raw = Connection::open(place.path()).unwrap();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (taken, error) = fill(&log, |number| append_to(&[(&format!("s:{number}"), 0)]));
    assert!(matches!(error, AppendError::Unavailable { .. }), "{error}");
    assert!(taken >= 20);
    raw.execute_batch("ROLLBACK").unwrap();
    drop(raw);
    let mut subscription = log.subscribe(at(1));
    let mut seen = 0;
    while seen < taken {
        seen += subscription.next_batch().await.unwrap().len();
    }
    assert!(log.commits() <= 3, "{} commits for {taken} appends", log.commits());
    log.append(append_to(&[("last", 0)])).await.unwrap();
    assert_eq!(verify(&log).await.len(), taken + 1);
}

#[tokio::test]
async fn a_subscription_ends_with_its_log_and_does_not_hold_it() {
    let place = Place::new();
    place.with_six();
    let log = place.open();
    let mut subscription = log.subscribe(Position::START);
    drop(log);
    place.open();
    assert_eq!(subscription.next_batch().await.unwrap().len(), 6);
    assert_eq!(subscription.next_batch().await, Err(ReadError::Closed));
}

#[tokio::test]
async fn a_log_can_be_audited_and_exported_while_it_is_written() {
    let place = Place::new();
    place.with_six();
    let log = place.open();
    let audit = AuditLog::open_read_only(place.path()).unwrap();
    log.append(append_to(&[("a", 2)])).await.unwrap();
    assert_eq!(audit.verify_all().unwrap(), log.head());
    assert_eq!(audit.read_from(at(7), 10).unwrap().len(), 1);
    assert_eq!(audit.read_stream("a", 1, 10).unwrap().len(), 3);
    assert_eq!(audit.raw_after(5, 10).unwrap().len(), 2);
    let mut export = Vec::new();
    assert_eq!(audit.export(&mut export).unwrap(), 7);
    let mut chain = Chain::start();
    for pair in Reader::new(&*export) {
        let pair = pair.unwrap();
        chain.extend(&pair.entry, &pair.payload).unwrap();
    }
    assert_eq!(chain.head(), log.head());
}

#[test]
fn a_file_that_is_no_log_is_left_alone() {
    let place = Place::new();
    Connection::open(place.path()).unwrap().execute_batch("CREATE TABLE other (a)").unwrap();
    assert!(matches!(SqliteLog::open(place.path()), Err(OpenError::NotALog)));
    assert!(matches!(AuditLog::open_read_only(place.path()), Err(OpenError::NotALog)));
    std::fs::write(place.path(), b"no database at all, but long enough to be looked at").unwrap();
    assert!(SqliteLog::open(place.path()).is_err());
    let missing = AuditLog::open_read_only(place.directory.path().join("missing.db"));
    assert!(matches!(missing, Err(OpenError::Unavailable(_))));
}

#[tokio::test]
async fn a_page_ends_by_bytes_and_the_next_goes_on() {
    let place = Place::new();
    let log = place.open();
    for sequence in 0..9 {
        let mut append = append_to(&[("a", sequence)]);
        append.events[0].payload = vec![b'1'; 1024 * 1024];
        log.append(append).await.unwrap();
    }
    let page = log.read_from(at(1), 100).await.unwrap();
    assert!(page.len() < 9, "{}", page.len());
    assert_eq!(verify(&log).await.len(), 9);
}
