//! What happens in the log, told to other systems in the Standard Webhooks form: signed, repeated
//! until it is taken, in order for each payment. Never a payload of the log: type, place, time, ids.

mod address;
mod delivery;
mod endpoint;
mod follower;
mod message;
mod outbox;
mod rows;
mod secret;

pub use delivery::deliver;
pub use endpoint::{Endpoint, EndpointError, WebhookConfig};
pub use follower::follow;
pub use message::Announcement;
pub use outbox::{Outbox, OutboxError};
pub use rows::{Delivery, Message, Standing};
pub use secret::{SecretError, Secrets};

use std::sync::Arc;

use tokio::sync::Notify;

/// The configured webhooks and what waits for them. Clones are handles of the same.
#[derive(Clone)]
pub struct Webhooks(Arc<Parts>);

struct Parts {
    endpoints: Vec<Arc<Endpoint>>,
    outbox: Outbox,
    /// Something may be due.
    due: Notify,
}

impl Webhooks {
    /// Over an outbox that nobody else has open.
    pub fn new(endpoints: Vec<Endpoint>, outbox: Outbox) -> Self {
        let endpoints = endpoints.into_iter().map(Arc::new).collect();
        Self(Arc::new(Parts { endpoints, outbox, due: Notify::new() }))
    }

    /// Where messages go.
    pub fn endpoints(&self) -> &[Arc<Endpoint>] {
        &self.0.endpoints
    }

    /// What waits.
    pub fn outbox(&self) -> &Outbox {
        &self.0.outbox
    }

    /// Tells something that is no entry of the log, such as a reminder. Told twice under one id, it
    /// is sent once.
    pub fn announce(&self, said: &Announcement) -> Result<(), OutboxError> {
        for endpoint in &self.0.endpoints {
            if endpoint.wants(&said.kind) {
                self.0.outbox.put(endpoint.name(), &said.message())?;
            }
        }
        self.wake();
        Ok(())
    }

    /// Sends a message once more, under the id that it had.
    pub fn resend(&self, webhook: &str, message: &str) -> Result<Option<Message>, OutboxError> {
        let found = self.0.outbox.resend(webhook, message)?;
        self.wake();
        Ok(found)
    }

    fn wake(&self) {
        self.0.due.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
