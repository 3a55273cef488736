//! From the log into the outbox. Never past an entry that was not looked at for every webhook: each
//! has its own cursor, moved in the same transaction that puts its messages.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use strongroom_commands::Bus;
use strongroom_domain::{Stream, TransferId};
use strongroom_store::{Position, ReadError, Record};
use uuid::Uuid;

use super::{
    OutboxError, Webhooks,
    message::{Facts, Written},
};

/// After the outbox could not be written.
const PAUSE: Duration = Duration::from_secs(5);

/// Follows the log for as long as there is one. What is wrong with the outbox is told and tried
/// again; what is wrong with the log ends the server.
pub async fn follow(webhooks: Webhooks, bus: Bus) -> Result<(), ReadError> {
    loop {
        match from_cursors(&webhooks, &bus).await {
            Err(Stopped::Log(ReadError::Closed)) => std::future::pending().await,
            Err(Stopped::Log(error)) => return Err(error),
            Err(Stopped::Outbox(error)) => {
                tracing::error!(%error, "webhooks: messages are not put, and will be later");
                tokio::time::sleep(PAUSE).await;
            }
            Err(Stopped::Died) => tokio::time::sleep(PAUSE).await,
            Ok(never) => match never {},
        }
    }
}

enum Stopped {
    Log(ReadError),
    Outbox(OutboxError),
    Died,
}

async fn from_cursors(webhooks: &Webhooks, bus: &Bus) -> Result<std::convert::Infallible, Stopped> {
    let log = bus.log();
    let head = log.head().position.get();
    let mut cursors = BTreeMap::new();
    for endpoint in webhooks.endpoints() {
        let start = endpoint.after().unwrap_or(head).min(head);
        let cursor = webhooks.outbox().begin(endpoint.name(), start).map_err(Stopped::Outbox)?;
        cursors.insert(endpoint.name().to_owned(), cursor);
    }
    let first = cursors.values().min().copied().unwrap_or(head);
    let from = Position::new(first.saturating_add(1)).unwrap_or(Position::FIRST);
    let mut entries = log.subscribe(from);
    loop {
        let batch = Arc::new(entries.next_batch().await.map_err(Stopped::Log)?);
        let name = bus.read(|state| state.charter.standing().map(|standing| standing.log.0));
        // Nothing comes before a charter, which names the log.
        let Ok(name) = name else { continue };
        let told = webhooks.clone();
        let known = cursors.clone();
        let put = tokio::task::spawn_blocking(move || tell(&told, name, &batch, known)).await;
        match put {
            Ok(moved) => cursors = moved.map_err(Stopped::Outbox)?,
            // A panic in there is a bug. The batch is read again from where the outbox stands: going on
            // to the next would lose it.
            Err(error) => {
                tracing::error!(%error, "webhooks: a batch was not put, and will be again");
                return Err(Stopped::Died);
            }
        }
        webhooks.wake();
    }
}

/// Puts what each webhook wants of a batch; where the cursors are then.
fn tell(
    webhooks: &Webhooks,
    log: Uuid,
    batch: &[Record],
    mut cursors: BTreeMap<String, u64>,
) -> Result<BTreeMap<String, u64>, OutboxError> {
    let mut written = Vec::with_capacity(batch.len());
    for record in batch {
        let facts = Facts::of(record);
        let about = payment(webhooks, record, &facts)?;
        written.push(Written::of(log, record, &facts, about));
    }
    let Some(last) = batch.last().map(|record| record.entry.position.get()) else {
        return Ok(cursors);
    };
    for endpoint in webhooks.endpoints() {
        let Some(cursor) = cursors.get_mut(endpoint.name()) else { continue };
        let wanted: Vec<_> = written
            .iter()
            .filter(|message| message.position > *cursor && endpoint.wants(&message.kind))
            .cloned()
            .collect();
        if last > *cursor {
            webhooks.outbox().advance(endpoint.name(), &wanted, last)?;
            *cursor = last;
        }
    }
    Ok(cursors)
}

/// Which payment an entry is about: its own, its proposal's, or that of its hold.
fn payment(
    webhooks: &Webhooks,
    record: &Record,
    facts: &Facts,
) -> Result<Option<TransferId>, OutboxError> {
    let stream: Option<Stream> = record.entry.stream.parse().ok();
    if let Some(Stream::Transfer(transfer)) = stream {
        return Ok(Some(transfer));
    }
    let Some(Stream::Proposal(proposal)) = stream else { return Ok(facts.transfer()) };
    if let Some(transfer) = facts.asked_about() {
        webhooks.outbox().asks_about(proposal, transfer)?;
        return Ok(Some(transfer));
    }
    webhooks.outbox().about(proposal)
}
