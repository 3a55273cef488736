//! Follows a log. Never goes on from a place that the log does not confirm.

use crate::{Projections, RunError, fold::Item};
use std::sync::Arc;
use std::time::Duration;
use strongroom_domain::{EntryParts, Head, Recorded, UnreadableEntry};
use strongroom_store::{Position, ReadError, ReadLog, Record};

/// How long to wait before a log that can't be read now is read again.
const AGAIN: Duration = Duration::from_millis(250);

impl Projections {
    /// Folds all of the log, and then what comes, until the log is closed (`Ok`) or something is
    /// wrong for good. Run it once at a time. Dropping the future stops it between two batches:
    /// nothing is lost.
    pub async fn run(&self, log: Arc<dyn ReadLog>) -> Result<(), RunError> {
        let head = self.confirmed(&*log).await?;
        let next = head.position.checked_add(1).and_then(Position::new);
        let mut entries = log.subscribe(next.unwrap_or(Position::LAST));
        loop {
            let batch = match entries.next_batch().await {
                Ok(batch) => batch,
                Err(ReadError::Closed) => return Ok(()),
                Err(ReadError::Unavailable { reason }) => {
                    tracing::warn!(reason, "the log cannot be read now: the read model waits");
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
                Err(error @ (ReadError::Corrupt { .. } | ReadError::Chain(_))) => {
                    return Err(error.into());
                }
            };
            let items = batch.iter().map(item).collect::<Result<Vec<_>, _>>()?;
            let head = self.apply(items).await?;
            tracing::debug!(position = head.position, "the read model has moved");
        }
    }

    /// The place to go on from: the tables' head if it is an entry of this log, else the start.
    async fn confirmed(&self, log: &dyn ReadLog) -> Result<Head, RunError> {
        let head = self.settled().await?;
        if head.position == 0 {
            return Ok(head);
        }
        let at = Position::new(head.position).unwrap_or(Position::LAST);
        if at > log.head().position {
            let log = log.head().position.get();
            tracing::warn!(
                position = head.position,
                log,
                "the read model is ahead of its log: it is made again"
            );
            return self.empty().await;
        }
        let entry = log.read_from(at, 1).await?;
        let leaf = entry.first().map(|record| *record.leaf().as_bytes());
        if leaf != Some(head.leaf.0) {
            tracing::warn!(position = head.position, leaf = %head.leaf, "the read model is of another log: it is made again");
            return self.empty().await;
        }
        Ok(head)
    }
}

fn item(record: &Record) -> Result<Item, UnreadableEntry> {
    let entry = &record.entry;
    let time = entry.time.to_string();
    let recorded = Recorded::read(EntryParts {
        position: entry.position.get(),
        leaf: *record.leaf().as_bytes(),
        time: &time,
        stream: &entry.stream,
        sequence: entry.sequence,
        kind: &entry.r#type,
        version: entry.version,
        payload: &record.payload,
    })?;
    Ok(Item { recorded, actor: entry.actor.clone() })
}
