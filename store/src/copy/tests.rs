//! Copies of a log that somebody still writes to. Never anything but real logs: what is written
//! meanwhile is written between two calls of the copy.

use strongroom_ledger::{Head, Timestamp, payload_hash};

use super::*;
use crate::conformance::append_to;
use crate::log::ReadLog;
use crate::memory::MemoryLog;
use crate::{Append, Positions};

fn keyed(append: Append, key: &str) -> Append {
    let idempotency = Idempotency {
        caller: "tester".to_owned(),
        key: key.to_owned(),
        request_sha256: payload_hash(key.as_bytes()),
        outcome: key.as_bytes().to_vec(),
    };
    Append { idempotency: Some(idempotency), ..append }
}

/// A source to which a request comes right after its answers were read the first time.
struct Busy {
    log: MemoryLog,
    meanwhile: Option<Append>,
}

impl RawLog for Busy {
    fn head(&mut self) -> BoxFuture<'_, Result<Head, ReadError>> {
        RawLog::head(&mut self.log)
    }

    fn raw_after(
        &mut self,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RawRow>, ReadError>> {
        self.log.raw_after(after, limit)
    }

    fn outcomes(&mut self) -> BoxFuture<'_, Result<Vec<RawOutcome>, ReadError>> {
        Box::pin(async move {
            let found = self.log.outcomes().await?;
            if let Some(append) = self.meanwhile.take() {
                self.log.append(append).await.unwrap();
            }
            Ok(found)
        })
    }
}

async fn busy(meanwhile: Append) -> Busy {
    let log = MemoryLog::default();
    log.append(keyed(append_to(&[("a", 0)]), "first")).await.unwrap();
    Busy { log, meanwhile: Some(meanwhile) }
}

#[tokio::test]
async fn an_entry_that_comes_meanwhile_is_not_copied_without_its_answer() {
    let mut source = busy(keyed(append_to(&[("a", 1)]), "second")).await;
    let target = MemoryLog::default();
    let first = copy(&mut source, &target, |_| ()).await;
    assert!(matches!(first, Err(CopyError::Grows { .. })), "{first:?}");
    let copied = copy(&mut source, &target, |_| ()).await.unwrap();
    assert_eq!((copied.entries, copied.outcomes), (1, 1));
    let kept = target.outcome("tester", "second").await.unwrap().unwrap();
    let at = Position::new(2).unwrap();
    assert_eq!(kept.positions, Some(Positions { first: at, last: at }));
}

#[tokio::test]
async fn a_refusal_that_comes_meanwhile_is_copied_too() {
    let mut source = busy(keyed(append_to(&[]), "refused")).await;
    let target = MemoryLog::default();
    let copied = copy(&mut source, &target, |_| ()).await.unwrap();
    assert_eq!((copied.entries, copied.outcomes), (1, 2));
    assert!(target.outcome("tester", "refused").await.unwrap().is_some());
}

#[tokio::test]
async fn a_target_that_has_the_entries_without_their_answers_is_no_copy() {
    let mut source = busy(append_to(&[])).await.log;
    let target = MemoryLog::default();
    let rows = source.raw_after(0, 1).await.unwrap();
    target.adopt(Adoption { rows, idempotency: None }).await.unwrap();
    let refused = copy(&mut source, &target, |_| ()).await;
    assert!(matches!(refused, Err(CopyError::Answer { ref key, .. }) if key == "first"));
}

/// The time of an answer without entries is nowhere: it must not hold against older entries.
#[tokio::test]
async fn entries_are_adopted_after_an_answer_that_has_none() {
    let clock = || Timestamp::from_micros(1_000_000).unwrap();
    let mut source = MemoryLog::new(std::sync::Arc::new(clock));
    source.append(append_to(&[("a", 0)])).await.unwrap();
    source.append(keyed(append_to(&[]), "refused")).await.unwrap();
    let target = MemoryLog::default();
    copy(&mut source, &target, |_| ()).await.unwrap();
    source.append(append_to(&[("a", 1)])).await.unwrap();
    let copied = copy(&mut source, &target, |_| ()).await.unwrap();
    assert_eq!((copied.entries, copied.outcomes), (1, 0));
}

/// As the copy of a signer that had not read everything, after that of one that had.
#[tokio::test]
async fn a_source_that_is_the_beginning_of_the_target_is_not_called_another_log() {
    let (mut short, mut long) = (MemoryLog::default(), MemoryLog::default());
    long.append(append_to(&[("a", 0)])).await.unwrap();
    copy(&mut long, &short, |_| ()).await.unwrap();
    long.append(append_to(&[("a", 1)])).await.unwrap();
    let refused = copy(&mut short, &long, |_| ()).await;
    let ends = (Position::FIRST, Position::new(2).unwrap());
    assert!(
        matches!(refused, Err(CopyError::Behind { source_end, target_end })
            if (source_end, target_end) == ends),
        "{refused:?}"
    );
    let mut other = MemoryLog::default();
    other.append(append_to(&[("b", 0)])).await.unwrap();
    let refused = copy(&mut other, &long, |_| ()).await;
    assert!(matches!(refused, Err(CopyError::Parted { .. })), "{refused:?}");
}
