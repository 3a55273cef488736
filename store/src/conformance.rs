//! What every backend must do, as tests that run on any of them. Never knows which one it is.
//!
//! A backend's own test calls [`suite`] with a function that makes an empty log, and one whose logs
//! outlive their process calls [`durable_suite`] too. Each rule panics with its own words when it is
//! broken.

#![expect(clippy::unwrap_used, reason = "this is test code that other crates' tests call")]
#![expect(
    clippy::indexing_slicing,
    reason = "this is test code: a missing record is a broken rule"
)]
#![expect(clippy::assigning_clones, reason = "a test says what it changes in the shortest way")]
#![expect(clippy::missing_panics_doc, reason = "panicking is how a rule says that it is broken")]

mod copying;
mod tree;

use std::sync::Arc;

use strongroom_ledger::{Chain, Hash, Position, payload_hash};
use uuid::Uuid;

use crate::append::{
    Append, AppendError, EVENTS_LIMIT, Expected, Idempotency, NewEvent, Positions,
};
use crate::log::{AppendLog, ReadLog};
use crate::read::{PAGE_LIMIT, ReadError, Record};

pub use tree::{
    a_reopened_empty_log_is_empty, a_reopened_log_goes_on_as_the_same,
    the_tree_is_that_of_the_entries, what_lies_beyond_the_head_is_refused,
};

/// Runs every rule, each on an empty log of its own.
pub async fn suite<L: AppendLog>(fresh: impl AsyncFn() -> L) {
    an_empty_log_is_empty(&fresh().await).await;
    entries_verify_from_the_first_on(&fresh().await).await;
    an_append_over_several_streams_is_one(&fresh().await).await;
    a_stream_that_moved_on_is_a_conflict_and_leaves_no_trace(&fresh().await).await;
    a_stream_that_was_only_read_is_fenced_too(&fresh().await).await;
    a_repeated_request_gets_the_first_answer(&fresh().await).await;
    a_refusal_is_kept_without_events(&fresh().await).await;
    a_key_with_another_body_is_refused(&fresh().await).await;
    a_failed_append_uses_no_key(&fresh().await).await;
    what_no_log_takes_is_invalid(&fresh().await).await;
    pages_join_without_a_gap(&fresh().await).await;
    one_of_many_writers_wins(&fresh().await).await;
    writers_of_different_streams_do_not_disturb_each_other(&fresh().await).await;
    a_subscription_sees_what_was_and_what_comes(&fresh().await).await;
    a_dropped_append_is_made_all_the_same(&fresh().await).await;
    copying::a_log_is_copied_byte_for_byte_with_its_answers(&fresh().await).await;
    copying::an_interrupted_copy_goes_on(&fresh().await).await;
    copying::another_log_is_not_written_over(&fresh().await).await;
    copying::what_does_not_follow_is_not_adopted(&fresh().await).await;
    the_tree_is_that_of_the_entries(&fresh().await).await;
    what_lies_beyond_the_head_is_refused(&fresh().await).await;
}

/// Runs the rules of logs that are closed and opened again. `open` opens the log of a name, or makes
/// it; it is not called while a handle of the same log is held.
pub async fn durable_suite<L: AppendLog>(open: impl AsyncFn(&str) -> L) {
    a_reopened_log_goes_on_as_the_same(&open).await;
    a_reopened_empty_log_is_empty(&open).await;
}

/// An append of one event to each of `streams`, given as (stream, expected sequence).
pub fn append_to(streams: &[(&str, u64)]) -> Append {
    let expected = streams
        .iter()
        .map(|(stream, sequence)| Expected { stream: (*stream).to_owned(), sequence: *sequence });
    let events = streams.iter().map(|(stream, sequence)| NewEvent {
        stream: (*stream).to_owned(),
        r#type: "test.happened".to_owned(),
        version: 1,
        payload: format!(r#"{{"after":{sequence}}}"#).into_bytes(),
    });
    Append {
        expected: expected.collect(),
        events: events.collect(),
        actor: "person:test".to_owned(),
        command: Uuid::from_u128(1),
        correlation: Uuid::from_u128(2),
        causation: Some(Uuid::from_u128(3)),
        idempotency: None,
    }
}

fn keyed(append: Append, key: &str, body: &[u8], outcome: &[u8]) -> Append {
    let idempotency = Idempotency {
        caller: "tester".to_owned(),
        key: key.to_owned(),
        request_sha256: payload_hash(body),
        outcome: outcome.to_vec(),
    };
    Append { idempotency: Some(idempotency), ..append }
}

fn position(position: u64) -> Position {
    Position::new(position).unwrap()
}

async fn all(log: &(impl ReadLog + ?Sized)) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    loop {
        let next = position(u64::try_from(records.len()).unwrap() + 1);
        let page = log.read_from(next, PAGE_LIMIT).await.unwrap();
        if page.is_empty() {
            return records;
        }
        records.extend(page);
    }
}

/// Reads the whole log, verifies it, and checks that it ends at the head.
pub async fn verify(log: &(impl ReadLog + ?Sized)) -> Vec<Record> {
    let head = log.head();
    let records = all(log).await;
    let mut chain = Chain::start();
    let mut seen = chain.head() == head;
    for record in &records {
        let entry = chain.extend(&record.bytes, &record.payload).unwrap();
        assert_eq!(entry.to_entry(), record.entry, "a record's entry is what its bytes say");
        seen |= chain.head() == head;
    }
    assert!(seen, "the head {head:?} is in the log");
    records
}

/// Head, pages, streams and outcomes of a log without entries.
pub async fn an_empty_log_is_empty(log: &impl AppendLog) {
    assert_eq!(log.head().position, Position::START);
    assert_eq!(log.head().leaf, Hash::ZERO);
    assert_eq!(log.read_from(Position::START, 10).await.unwrap(), []);
    assert_eq!(log.read_from(position(7), 10).await.unwrap(), []);
    assert_eq!(log.read_stream("nothing", 1, 10).await.unwrap(), []);
    assert_eq!(log.stream_sequence("nothing").await.unwrap(), 0);
    assert_eq!(log.outcome("nobody", "nothing").await.unwrap(), None);
}

/// Positions, sequences, times, hashes, and everything that the append said.
pub async fn entries_verify_from_the_first_on(log: &impl AppendLog) {
    for sequence in 0..5 {
        let appended = log.append(append_to(&[("a", sequence)])).await.unwrap();
        let at = position(sequence + 1);
        assert_eq!(appended.positions, Some(Positions { first: at, last: at }));
        assert_eq!(appended.head, log.head(), "an append that is answered is the head");
    }
    let records = verify(log).await;
    assert_eq!(records.len(), 5);
    let (entry, asked) = (&records[4].entry, append_to(&[("a", 4)]));
    assert_eq!((entry.stream.as_str(), entry.sequence), ("a", 5));
    assert_eq!((entry.r#type.as_str(), entry.version), ("test.happened", 1));
    assert_eq!(entry.actor, asked.actor);
    assert_eq!(
        (entry.command, entry.correlation, entry.causation),
        (asked.command, asked.correlation, asked.causation)
    );
    assert_eq!(records[4].payload, asked.events[0].payload);
}

/// Events of one append lie together, in their order; a stream may come more than once.
pub async fn an_append_over_several_streams_is_one(log: &impl AppendLog) {
    let mut append = append_to(&[("a", 0), ("b", 0)]);
    let again = append.events[0].clone();
    append.events.push(again);
    let appended = log.append(append).await.unwrap();
    let (first, last) = (position(1), position(3));
    assert_eq!(appended.positions, Some(Positions { first, last }));
    let of: Vec<_> =
        verify(log).await.into_iter().map(|one| (one.entry.stream, one.entry.sequence)).collect();
    assert_eq!(of, [("a".to_owned(), 1), ("b".to_owned(), 1), ("a".to_owned(), 2)]);
    assert_eq!(log.stream_sequence("a").await.unwrap(), 2);
}

/// Not even on those of its streams that were as expected.
pub async fn a_stream_that_moved_on_is_a_conflict_and_leaves_no_trace(log: &impl AppendLog) {
    log.append(append_to(&[("a", 0)])).await.unwrap();
    let refused = log.append(append_to(&[("b", 0), ("a", 0)])).await;
    let conflict = AppendError::Conflict { stream: "a".to_owned(), expected: 0, found: 1 };
    assert_eq!(refused, Err(conflict));
    let refused = log.append(append_to(&[("b", 3)])).await;
    let conflict = AppendError::Conflict { stream: "b".to_owned(), expected: 3, found: 0 };
    assert_eq!(refused, Err(conflict));
    assert_eq!(verify(log).await.len(), 1);
    assert_eq!(log.stream_sequence("b").await.unwrap(), 0);
    log.append(append_to(&[("b", 0), ("a", 1)])).await.unwrap();
}

/// An expected stream need not be written to.
pub async fn a_stream_that_was_only_read_is_fenced_too(log: &impl AppendLog) {
    log.append(append_to(&[("policy", 0)])).await.unwrap();
    let reading = |sequence| {
        let mut append = append_to(&[("a", 0)]);
        append.expected.push(Expected { stream: "policy".to_owned(), sequence });
        append
    };
    let refused = log.append(reading(0)).await;
    assert!(matches!(refused, Err(AppendError::Conflict { found: 1, .. })), "{refused:?}");
    log.append(reading(1)).await.unwrap();
    assert_eq!(log.stream_sequence("policy").await.unwrap(), 1);
}

/// Although the stream has moved on since.
pub async fn a_repeated_request_gets_the_first_answer(log: &impl AppendLog) {
    let request = || keyed(append_to(&[("a", 0)]), "k", b"body", b"\x00 answer\n");
    let first = log.append(request()).await.unwrap();
    log.append(append_to(&[("a", 1)])).await.unwrap();
    let Err(AppendError::KeyUsed(stored)) = log.append(request()).await else {
        panic!("a repeated request is answered from what is stored");
    };
    assert_eq!(stored.outcome, b"\x00 answer\n");
    assert_eq!(stored.positions, first.positions);
    assert_eq!(log.outcome("tester", "k").await.unwrap(), Some(stored));
    assert_eq!(verify(log).await.len(), 2);
}

/// An append without events keeps an outcome as one with events does.
pub async fn a_refusal_is_kept_without_events(log: &impl AppendLog) {
    let request = || keyed(append_to(&[]), "k", b"body", b"refused");
    let kept = log.append(request()).await.unwrap();
    assert_eq!((kept.positions, kept.head), (None, log.head()));
    let Err(AppendError::KeyUsed(stored)) = log.append(request()).await else {
        panic!("a repeated refusal is answered from what is stored");
    };
    assert_eq!((stored.outcome.as_slice(), stored.positions), (b"refused".as_slice(), None));
    assert_eq!(verify(log).await, []);
}

/// Whatever else the append says; another caller may use the same key.
pub async fn a_key_with_another_body_is_refused(log: &impl AppendLog) {
    log.append(keyed(append_to(&[("a", 0)]), "k", b"body", b"one")).await.unwrap();
    let refused = log.append(keyed(append_to(&[("a", 1)]), "k", b"other", b"two")).await;
    assert!(matches!(refused, Err(AppendError::KeyReused { .. })), "{refused:?}");
    let mut other = keyed(append_to(&[("a", 1)]), "k", b"other", b"two");
    if let Some(key) = other.idempotency.as_mut() {
        key.caller = "another".to_owned();
    }
    log.append(other).await.unwrap();
    assert_eq!(verify(log).await.len(), 2);
}

/// So that the caller can try again with the same key.
pub async fn a_failed_append_uses_no_key(log: &impl AppendLog) {
    let refused = log.append(keyed(append_to(&[("a", 7)]), "k", b"body", b"one")).await;
    assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
    assert_eq!(log.outcome("tester", "k").await.unwrap(), None);
    log.append(keyed(append_to(&[("a", 0)]), "k", b"body", b"one")).await.unwrap();
}

/// Names, sizes and streams that are written to unseen.
pub async fn what_no_log_takes_is_invalid(log: &impl AppendLog) {
    let with = |change: fn(&mut Append)| {
        let mut append = append_to(&[("a", 0)]);
        change(&mut append);
        append
    };
    let changes: [fn(&mut Append); 12] = [
        |append| append.expected.clear(),
        |append| append.expected.push(append.expected[0].clone()),
        |append| append.events[0].payload = b"two\nlines".to_vec(),
        |append| append.events[0].payload.clear(),
        |append| append.events[0].payload = vec![b'x'; 1024 * 1024 + 1],
        |append| append.events[0].r#type = "Upper".to_owned(),
        |append| append.events[0].version = 0,
        |append| append.actor = String::new(),
        |append| append.actor = "a\"b".to_owned(),
        |append| append.expected[0].stream = "white space".to_owned(),
        |append| append.events = vec![append.events[0].clone(); EVENTS_LIMIT + 1],
        |append| *append = keyed(append.clone(), "", b"body", b"one"),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let refused = log.append(with(change)).await;
        assert!(matches!(refused, Err(AppendError::Invalid { .. })), "{number}: {refused:?}");
    }
    assert_eq!(verify(log).await, []);
}

/// By position and by stream, whatever the size of a page.
pub async fn pages_join_without_a_gap(log: &impl AppendLog) {
    for sequence in 0..9 {
        log.append(append_to(&[("a", sequence), ("b", sequence)])).await.unwrap();
    }
    for (from, limit, expected) in [(1, 7, 1..=7), (8, 7, 8..=14), (15, 7, 15..=18)] {
        let page = log.read_from(position(from), limit).await.unwrap();
        let found: Vec<u64> = page.iter().map(|one| one.entry.position.get()).collect();
        assert_eq!(found, expected.collect::<Vec<_>>());
    }
    assert_eq!(log.read_from(position(19), 7).await.unwrap(), []);
    for (from, limit, expected) in [(0, 4, 1..=4), (5, 4, 5..=8), (9, 4, 9..=9)] {
        let page = log.read_stream("b", from, limit).await.unwrap();
        let found: Vec<u64> = page.iter().map(|one| one.entry.sequence).collect();
        assert_eq!(found, expected.collect::<Vec<_>>());
        assert!(page.iter().all(|one| one.entry.stream == "b"));
    }
    assert_eq!(log.read_stream("b", 10, 4).await.unwrap(), []);
}

/// Appends that expect the same sequence: exactly one is made.
pub async fn one_of_many_writers_wins(log: &impl AppendLog) {
    let racing: Vec<_> = (0..32).map(|_| log.append(append_to(&[("a", 0)]))).collect();
    let mut won = 0;
    for one in racing {
        match one.await {
            Ok(_) => won += 1,
            Err(AppendError::Conflict { found: 1, .. }) => {}
            Err(other) => panic!("a writer that lost is told of a conflict, not: {other}"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(verify(log).await.len(), 1);
}

/// A conflict in a batch is the affair of one writer.
pub async fn writers_of_different_streams_do_not_disturb_each_other(log: &impl AppendLog) {
    let names: Vec<String> = (0..64).map(|number| format!("stream:{number}")).collect();
    let racing: Vec<_> = names
        .iter()
        .map(|name| (log.append(append_to(&[(name, 0)])), log.append(append_to(&[(name, 5)]))))
        .collect();
    for (good, bad) in racing {
        good.await.unwrap();
        let refused = bad.await;
        assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
    }
    assert_eq!(verify(log).await.len(), 64);
}

/// From any position on, each entry once, in order.
pub async fn a_subscription_sees_what_was_and_what_comes(log: &impl AppendLog) {
    log.append(append_to(&[("a", 0), ("b", 0), ("c", 0)])).await.unwrap();
    let mut subscription = log.subscribe(position(2));
    let mut seen = Vec::new();
    let collect = |batch: Result<Vec<Record>, ReadError>, seen: &mut Vec<u64>| {
        seen.extend(batch.unwrap().iter().map(|one| one.entry.position.get()));
    };
    collect(subscription.next_batch().await, &mut seen);
    assert_eq!(seen, [2, 3]);
    let coming = log.append(append_to(&[("a", 1)]));
    collect(subscription.next_batch().await, &mut seen);
    coming.await.unwrap();
    log.append(append_to(&[("a", 2)])).await.unwrap();
    collect(subscription.next_batch().await, &mut seen);
    assert_eq!(seen, [2, 3, 4, 5]);
    assert_eq!(subscription.position(), position(6));
}

/// Dropping the future does not take the append back.
pub async fn a_dropped_append_is_made_all_the_same(log: &impl AppendLog) {
    drop(log.append(append_to(&[("a", 0)])));
    log.append(append_to(&[("b", 0)])).await.unwrap();
    assert_eq!(verify(log).await.len(), 2);
}

/// The ports can be used as trait objects: this compiles.
pub fn as_object<L: AppendLog + 'static>(log: L) -> Arc<dyn AppendLog> {
    Arc::new(log)
}
