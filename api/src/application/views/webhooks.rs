//! Webhooks and their messages, as their operator sees them.

use super::views;
use crate::webhooks::Message;

views! {
    /// A webhook in figures.
    Webhook {
        /// Its id in the configuration.
        webhook: String,
        /// Scheme, host and port that it posts to.
        origin: String,
        /// Which events it asks for; none: all.
        events: Vec<String>,
        /// The last entry of the log that was looked at for it.
        position: u64,
        /// Messages that wait.
        waiting: u64,
        /// Messages that were given up.
        given_up: u64,
    }
    /// A message to a webhook.
    WebhookMessage from Message as row {
        /// The header `webhook-id`: the same each time that it is sent.
        message: String = row.id,
        /// The event's type.
        kind: String = row.kind,
        /// The entry's place in the log; 0 for what is not in it.
        position: u64 = row.position,
        /// What it keeps its order with: a payment, or a stream.
        lane: String = row.lane,
        /// `waiting`, `delivered` or `given-up`.
        state: String = row.delivery.name().to_owned(),
        /// How many times it was tried.
        attempts: u32 = row.attempts,
        /// What the last try came to: an HTTP status, or what went wrong.
        last: Option<String> = row.last,
        /// What is sent.
        body: String = row.body,
    }
    /// A page of messages.
    WebhookMessagePage {
        /// The messages.
        items: Vec<WebhookMessage>,
        /// `after` of the next page, where there may be one.
        next: Option<u64>,
    }
}
