//! Webhooks as their operator sees them. Never a secret, and of a URL only its origin.

use serde::Deserialize;
use utoipa::IntoParams;

use super::{Application, Failure, Paging, views};
use crate::webhooks::{Delivery, Message, OutboxError};

/// Which messages.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MessageFilter {
    /// `waiting`, `delivered` or `given-up`. Default: all.
    pub state: Option<String>,
    /// At most so many: 1 to 500, default 100.
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub after: Option<u64>,
}

impl Application {
    /// Every configured webhook, in figures.
    pub fn webhooks(&self) -> Result<Vec<views::Webhook>, Failure> {
        let all = self.0.webhooks.endpoints().iter();
        let all = all.map(|endpoint| {
            let standing = self.0.webhooks.outbox().standing(endpoint.name())?;
            Ok(views::Webhook {
                webhook: endpoint.name().to_owned(),
                origin: endpoint.origin(),
                events: endpoint.events().to_vec(),
                position: standing.cursor,
                waiting: standing.waiting,
                given_up: standing.given_up,
            })
        });
        all.collect()
    }

    /// Messages of a webhook, oldest first.
    pub fn webhook_messages(
        &self,
        webhook: &str,
        filter: &MessageFilter,
    ) -> Result<views::WebhookMessagePage, Failure> {
        self.known_webhook(webhook)?;
        let paging = Paging { limit: filter.limit, after: filter.after, newest_first: None };
        let limit = paging.limit()?;
        let state = filter.state.as_ref().map(|name| {
            Delivery::of(name).ok_or_else(|| {
                Failure::Malformed("state is `waiting`, `delivered` or `given-up`".to_owned())
            })
        });
        let after = (filter.after.unwrap_or(0), limit);
        let found = self.0.webhooks.outbox().list(webhook, state.transpose()?, after)?;
        let full = u32::try_from(found.len()).is_ok_and(|found| found == limit);
        let next = found.last().filter(|_| full).map(|last| last.place);
        Ok(views::WebhookMessagePage { items: found.into_iter().map(Into::into).collect(), next })
    }

    /// Lets a message be sent once more, under the id that it had.
    pub fn resend_webhook_message(
        &self,
        webhook: &str,
        message: &str,
    ) -> Result<views::WebhookMessage, Failure> {
        self.known_webhook(webhook)?;
        let found: Option<Message> = self.0.webhooks.resend(webhook, message)?;
        let missing = || Failure::NotFound { what: "message", id: message.to_owned() };
        found.map(Into::into).ok_or_else(missing)
    }

    fn known_webhook(&self, webhook: &str) -> Result<(), Failure> {
        let known = self.0.webhooks.endpoints().iter().any(|one| one.name() == webhook);
        let missing = || Failure::NotFound { what: "webhook", id: webhook.to_owned() };
        if known { Ok(()) } else { Err(missing()) }
    }
}

impl From<OutboxError> for Failure {
    fn from(error: OutboxError) -> Self {
        tracing::error!(%error, "webhooks");
        Self::Unavailable("webhooks cannot be looked up now".to_owned())
    }
}
