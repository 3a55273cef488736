//! Reminders: tells people when a question or a time lock has come half and nine tenths of its way,
//! and a minute before it ends. A reminder is no event: nothing follows from it, and one that is lost
//! changes nothing. It never decides anything.

mod due;

#[cfg(test)]
mod tests;

pub use due::{Span, due};

use crate::Bus;
use due::spans;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use strongroom_domain::{ProposalId, Timestamp, TransferId};
use strongroom_store::Position;
use tokio::{task::JoinSet, time::sleep};

/// What has a time that runs out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum About {
    /// A question that waits for answers: from its end on none counts.
    Proposal(ProposalId),
    /// A transfer that was approved and waits: from its end on it is paid.
    TimeLock(TransferId),
}

/// How far its time has run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Milestone {
    /// Half of it.
    Half,
    /// Nine tenths of it.
    NineTenths,
    /// All but its last minute.
    LastMinute,
}

impl Milestone {
    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Half => "half",
            Self::NineTenths => "nine-tenths",
            Self::LastMinute => "last-minute",
        }
    }
}

/// A reminder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reminder {
    /// Of what.
    pub about: About,
    /// How far its time has run.
    pub milestone: Milestone,
    /// When it came this far.
    pub at: Timestamp,
    /// When its time is over.
    pub ends_at: Timestamp,
}

impl Reminder {
    /// The same reminder always has the same name: who delivers it can tell one that comes twice.
    pub fn name(&self) -> String {
        match self.about {
            About::Proposal(id) => format!("proposal-{id}-{}", self.milestone.name()),
            About::TimeLock(id) => format!("time-lock-{id}-{}", self.milestone.name()),
        }
    }
}

/// Who delivers reminders. Must not block: a slow recipient is the deliverer's affair.
pub trait Deliver: Send + Sync {
    /// Takes one. It may come again after a restart.
    fn deliver(&self, reminder: Reminder);
}

/// The running reminders. Clones are handles of the same ones, which end with the last handle.
#[derive(Clone)]
pub struct Reminders(Arc<JoinSet<()>>);

impl Reminders {
    /// Looks at intervals for what is due. Must be called inside a Tokio runtime.
    pub fn start(bus: Bus, to: Arc<dyn Deliver>, every: Duration) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(run(bus, to, every));
        Self(Arc::new(tasks))
    }

    /// Whether it still looks.
    pub fn is_running(&self) -> bool {
        !self.0.is_empty()
    }
}

async fn run(bus: Bus, to: Arc<dyn Deliver>, every: Duration) {
    // What was due since the log's last entry is told again rather than never.
    let mut since = bus.read(|state| state.time);
    let mut opened = BTreeMap::new();
    loop {
        let now = bus.now();
        note_opened(&bus, &mut opened).await;
        let spans = bus.read(|state| spans(state, &opened));
        for reminder in due(&spans, since, now) {
            to.deliver(reminder);
        }
        since = now;
        sleep(every).await;
    }
}

/// When each open question was put: its entry says so. Those that are over are forgotten.
async fn note_opened(bus: &Bus, opened: &mut BTreeMap<ProposalId, Timestamp>) {
    let open = bus.read(|state| state.opened_at.clone());
    opened.retain(|id, _| open.contains_key(id));
    let log = bus.log();
    for (id, head) in open {
        let Some(position) = Position::new(head.position).filter(|_| !opened.contains_key(&id))
        else {
            continue;
        };
        // The next look tries again.
        let Ok(page) = log.read_from(position, 1).await else { continue };
        if let Some(record) = page.first() {
            opened.insert(id, Timestamp::from_micros(record.entry.time.micros()));
        }
    }
}
