//! Reminders, told through the webhooks. Never an entry of the log: nothing follows from one.

use std::{sync::Arc, time::Duration};

use strongroom_commands::{
    Bus,
    reminders::{About, Deliver, Reminder, Reminders},
};

use crate::webhooks::{Announcement, Webhooks};

/// How often to look for what is due.
const EVERY: Duration = Duration::from_secs(2);

struct Told(Webhooks);

impl Deliver for Told {
    fn deliver(&self, reminder: Reminder) {
        let (kind, transfer, ids) = match reminder.about {
            About::Proposal(id) => {
                let ids = vec![("proposal".to_owned(), id.to_string())];
                ("reminder.proposal-expires", None, ids)
            }
            About::TimeLock(id) => ("reminder.time-lock-ends", Some(id), Vec::new()),
        };
        let (id, kind) = (reminder.name(), format!("{kind}.{}", reminder.milestone.name()));
        let said = Announcement { id, kind, at: reminder.at, transfer, ids };
        if let Err(error) = self.0.announce(&said) {
            tracing::error!(%error, reminder = said.id, "a reminder is not told");
        }
    }
}

/// Starts telling.
pub(super) fn start(bus: &Bus, webhooks: &Webhooks) -> Reminders {
    Reminders::start(bus.clone(), Arc::new(Told(webhooks.clone())), EVERY)
}
