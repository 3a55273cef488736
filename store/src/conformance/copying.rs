//! What every backend must do when entries of another log are copied into it. Never compares less
//! than the bytes.

use strongroom_ledger::Position;

use super::{all, append_to, keyed, position, verify};
use crate::adoption::Adoption;
use crate::append::{Append, AppendError};
use crate::copy::{CopyError, copy};
use crate::log::{AppendLog, ReadLog};
use crate::memory::MemoryLog;
use crate::raw::RawLog;

/// A log with everything that a copy has to bring along: plain appends, requests of one and of many
/// events with their answers, and refusals.
async fn source() -> MemoryLog {
    let log = MemoryLog::default();
    let append = async |append: Append| log.append(append).await.unwrap();
    append(append_to(&[("a", 0)])).await;
    append(keyed(append_to(&[("a", 1), ("b", 0)]), "two", b"2", b"two done")).await;
    append(keyed(append_to(&[]), "refused", b"no", b"refused")).await;
    let many: Vec<String> = (0..700).map(|number| format!("many:{number}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), 0)).collect();
    append(keyed(append_to(&many), "many", b"700", b"all of them")).await;
    for sequence in 0..600 {
        append(append_to(&[("long", sequence)])).await;
    }
    append(keyed(append_to(&[("a", 2)]), "last", b"1", b"last done")).await;
    log
}

/// Entries and answers.
pub(super) async fn a_log_is_copied_byte_for_byte_with_its_answers(log: &impl AppendLog) {
    let mut source = source().await;
    let copied = copy(&mut source, log, |_| ()).await.unwrap();
    assert_eq!((copied.entries, copied.outcomes), (1304, 4));
    assert_eq!(all(log).await, all(&source).await);
    verify(log).await;
    for key in ["two", "refused", "many", "last"] {
        let (kept, first) = (log.outcome("tester", key).await, source.outcome("tester", key).await);
        assert_eq!(kept, first, "the answer to {key}");
        assert!(kept.unwrap().is_some());
    }
    let repeated = log.append(keyed(append_to(&[("a", 1), ("b", 0)]), "two", b"2", b"again"));
    assert!(matches!(repeated.await, Err(AppendError::KeyUsed(_))));
    let again = copy(&mut source, log, |_| ()).await.unwrap();
    assert_eq!((again.entries, again.outcomes, again.head), (0, 0, copied.head));
    log.append(append_to(&[("a", 3)])).await.unwrap();
    verify(log).await;
}

/// It ends wherever it was cut, and nothing is written twice.
pub(super) async fn an_interrupted_copy_goes_on(log: &impl AppendLog) {
    let mut source = source().await;
    let rows = source.raw_after(0, 1).await.unwrap();
    log.adopt(Adoption { rows, idempotency: None }).await.unwrap();
    let copied = copy(&mut source, log, |_| ()).await.unwrap();
    assert_eq!(copied.entries, 1303);
    assert_eq!(all(log).await, all(&source).await);
}

/// A target that holds something else stays as it is.
pub(super) async fn another_log_is_not_written_over(log: &impl AppendLog) {
    log.append(append_to(&[("other", 0)])).await.unwrap();
    let before = log.head();
    let refused = copy(&mut source().await, log, |_| ()).await;
    assert!(
        matches!(refused, Err(CopyError::Parted { position }) if position == Position::FIRST),
        "{refused:?}"
    );
    assert_eq!(log.head(), before);
}

/// Neither out of place nor changed.
pub(super) async fn what_does_not_follow_is_not_adopted(log: &impl AppendLog) {
    let mut source = source().await;
    let rows = source.raw_after(0, 3).await.unwrap();
    let adopt = async |rows| log.adopt(Adoption { rows, idempotency: None }).await;
    let mut altered = rows.clone();
    altered[1].payload.push(b' ');
    let mut swapped = rows.clone();
    swapped.swap(0, 1);
    let gap = vec![rows[0].clone(), rows[2].clone()];
    for wrong in [altered, swapped, gap, Vec::new()] {
        let refused = adopt(wrong).await;
        assert!(matches!(refused, Err(AppendError::Invalid { .. })), "{refused:?}");
    }
    assert_eq!(log.head().position, Position::START);
    adopt(rows).await.unwrap();
    assert_eq!(log.head().position, position(3));
    // Two write, or the wrong end was given: the log stops.
    let foreign = source.raw_after(10, 1).await.unwrap();
    assert!(adopt(foreign).await.is_err());
    assert_eq!(log.head().position, position(3));
}
