//! Follows the log for transfers that something is to be done about, and keeps one task for each.
//! Never remembers anything that the log should: a task that ends is replaced where the log asks for
//! another step.

use super::{
    drive::{Ended, drive},
    saga::Saga,
    step::Step,
};
use std::{collections::BTreeSet, sync::Arc};
use strongroom_domain::{Stream, TransferId, transfer::Transfer};
use strongroom_store::{Position, Record};
use tokio::task::JoinSet;

/// The events that set a transfer in motion, or again.
const WAKING: [&str; 6] = [
    "transfer.approved",
    "transfer.sweep-requested",
    "transfer.attempt-authorised",
    "transfer.return-authorised",
    "transfer.abandonment-approved",
    "transfer.fee-cap-raised",
];

/// Events after which something that stood still may go on.
const THAWS: [&str; 2] = ["freeze.lifted", "key.released"];

/// Never returns, unless the log or the bus has stopped.
pub(super) async fn follow(saga: Arc<Saga>) {
    // The subscription first: what happens between the two looks is seen twice, never missed.
    let next = saga.bus.log().head().position.next().unwrap_or(Position::FIRST);
    let mut news = saga.bus.log().subscribe(next);
    let mut tasks = JoinSet::new();
    let mut driven: BTreeSet<TransferId> = saga.bus.read(|state| {
        let alive = state.transfers.iter().filter(|(_, transfer)| is_driven(transfer));
        alive.map(|(id, _)| *id).collect()
    });
    tracing::info!(transfers = driven.len(), "the payment saga starts");
    for id in &driven {
        tasks.spawn(drive(Arc::clone(&saga), *id));
    }
    loop {
        tokio::select! {
            batch = news.next_batch() => match batch {
                Ok(batch) => {
                    if batch.iter().any(|record| THAWS.contains(&record.entry.r#type.as_str())) {
                        saga.thaws.send_modify(|thaws| *thaws = thaws.wrapping_add(1));
                    }
                    for id in batch.iter().filter_map(woken) {
                        if driven.insert(id) {
                            tasks.spawn(drive(Arc::clone(&saga), id));
                        }
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the payment saga can't follow the log");
                    return;
                }
            },
            Some(ended) = tasks.join_next() => match ended {
                // Its network's watcher may have begun another attempt while it ended.
                Ok(Ended::HandedOver(id)) if is_due(&saga, id) => {
                    tasks.spawn(drive(Arc::clone(&saga), id));
                }
                Ok(Ended::HandedOver(id) | Ended::Over(id)) => drop(driven.remove(&id)),
                Err(error) => tracing::error!(%error, "a transfer's task died: a bug"),
            },
        }
    }
}

fn is_driven(transfer: &Transfer) -> bool {
    match Step::of(transfer) {
        Step::Plan | Step::Sign | Step::Submit | Step::Watch => true,
        Step::NotYet | Step::Over => false,
    }
}

/// Whether a step is to be taken that is more than to watch.
fn is_due(saga: &Saga, id: TransferId) -> bool {
    saga.bus.read(|state| {
        state.transfers.get(&id).is_some_and(|transfer| match Step::of(transfer) {
            Step::Plan | Step::Sign | Step::Submit => true,
            Step::Watch | Step::NotYet | Step::Over => false,
        })
    })
}

fn woken(record: &Record) -> Option<TransferId> {
    if !WAKING.contains(&record.entry.r#type.as_str()) {
        return None;
    }
    match record.entry.stream.parse() {
        Ok(Stream::Transfer(id)) => Some(id),
        _ => None,
    }
}
