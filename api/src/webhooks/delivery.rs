//! Out of the outbox to the receivers. A message that may have been taken is sent again under the
//! same id: never lost, and never marked before the receiver has answered.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures::{StreamExt as _, stream::FuturesUnordered};
use rand::Rng as _;
use reqwest::{StatusCode, header::RETRY_AFTER};

use super::{Endpoint, Message, OutboxError, Webhooks};
use crate::clock;

/// Messages under way at once, to one webhook.
const PARALLEL: usize = 8;
/// Looked up at once: those under way, and as many more.
const LOOKED_UP: u32 = 16;
/// The longest pause between two tries.
const LONGEST: Duration = Duration::from_hours(6);
/// The longest pause that a receiver may ask for.
const ASKED: u64 = 3600;
/// After the outbox could not be used, and between two looks at an empty one.
const PAUSE: Duration = Duration::from_secs(30);

/// Delivers to all webhooks, for ever. Dropped at any moment, it loses nothing.
pub async fn deliver(webhooks: Webhooks) {
    let all = webhooks.endpoints().iter();
    let all = all.map(|endpoint| one(webhooks.clone(), Arc::clone(endpoint)));
    futures::future::join_all(all).await;
}

async fn one(webhooks: Webhooks, endpoint: Arc<Endpoint>) {
    let mut under_way = FuturesUnordered::new();
    let mut lanes = HashSet::new();
    loop {
        let woken = webhooks.0.due.notified();
        let mut woken = std::pin::pin!(woken);
        // What is put from now on is heard of.
        woken.as_mut().enable();
        let now = clock::now();
        let mut pause = PAUSE;
        match webhooks.outbox().due(endpoint.name(), now, LOOKED_UP) {
            Ok((due, next)) => {
                for message in due {
                    if lanes.len() < PARALLEL && lanes.insert(message.lane.clone()) {
                        under_way.push(attempt(webhooks.clone(), Arc::clone(&endpoint), message));
                    }
                }
                let left = next.map(|at| at.saturating_sub(now.micros()));
                pause = left.map_or(PAUSE, Duration::from_micros).min(PAUSE);
            }
            Err(error) => tracing::error!(%error, "webhooks: nothing is delivered, for now"),
        }
        tokio::select! {
            Some(lane) = under_way.next(), if !under_way.is_empty() => {
                lanes.remove(&lane);
            }
            () = woken => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Tries one message once; which lane is free then.
async fn attempt(webhooks: Webhooks, endpoint: Arc<Endpoint>, message: Message) -> String {
    let answer = send(&endpoint, &message).await;
    // A crash here leaves a message that was taken and is not marked: it is sent again, as it was.
    let lane = message.lane.clone();
    let told = (endpoint.name().to_owned(), message.id.clone());
    let marked = tokio::task::spawn_blocking(move || {
        let (name, outbox) = (endpoint.name(), webhooks.outbox());
        match answer {
            Ok(status) => outbox.delivered(message.place, &status),
            Err(refused) => {
                let tries = message.attempts.saturating_add(1);
                let again = tries < endpoint.attempts();
                if !again {
                    tracing::error!(webhook = name, message = message.id, "webhook: given up");
                }
                let pause = pause(endpoint.first_pause(), message.attempts, refused.after);
                let next = clock::now().micros().saturating_add(micros(pause));
                outbox.failed(message.place, &refused.because, again.then_some(next))
            }
        }
    });
    let marked: Result<Result<(), OutboxError>, _> = marked.await;
    if !matches!(marked, Ok(Ok(()))) {
        let (webhook, id) = told;
        tracing::error!(webhook, message = id, "webhook: what came of it could not be kept");
        tokio::time::sleep(PAUSE).await;
    }
    lane
}

/// Why a message was not taken.
struct Refused {
    because: String,
    /// Seconds that the receiver asked for.
    after: Option<u64>,
}

/// Posts a message in the Standard Webhooks form.
async fn send(endpoint: &Endpoint, message: &Message) -> Result<String, Refused> {
    let refused = |because: String| Refused { because, after: None };
    let secrets = endpoint.secrets().map_err(|error| refused(error.to_string()))?;
    let timestamp = clock::now().micros() / 1_000_000;
    let signature = secrets.sign(&message.id, timestamp, &message.body);
    drop(secrets);
    let request = endpoint
        .post()
        .header("content-type", "application/json")
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(message.body.clone());
    // The URL may hold what nobody else should know.
    let answer = request.send().await.map_err(|error| refused(said(&error.without_url())))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(format!("{}", status.as_u16()));
    }
    let waits = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status);
    let after = answer.headers().get(RETRY_AFTER).filter(|_| waits);
    let after = after.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    Err(Refused { because: format!("{}", status.as_u16()), after: after.map(|s| s.min(ASKED)) })
}

/// An error and what it came from, in short.
fn said(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text.chars().take(200).collect()
}

/// How long to wait after a failure: twice as long each time, and never the same for all who failed
/// together; never shorter than the receiver asked for.
fn pause(first: Duration, attempts: u32, asked: Option<u64>) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(attempts)).min(LONGEST);
    let most = micros(doubled);
    let some = rand::thread_rng().gen_range(most / 2..=most);
    Duration::from_micros(some).max(Duration::from_secs(asked.unwrap_or(0)))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
