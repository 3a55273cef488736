//! Messages as they are kept and listed. Never a secret, and never a URL.

use serde::Serialize;

/// How far a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Not taken yet.
    Waiting,
    /// Taken: the receiver answered with 2xx.
    Delivered,
    /// Tried so many times as was configured. It can be sent again by hand.
    GivenUp,
}

/// A message to a webhook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Its place in the outbox.
    pub place: u64,
    /// To whom.
    pub webhook: String,
    /// The header `webhook-id`.
    pub id: String,
    /// The event's type.
    pub kind: String,
    /// The entry's place in the log; 0 for what is not in it.
    pub position: u64,
    /// What it keeps its order with.
    pub lane: String,
    /// The JSON that is sent.
    pub body: String,
    /// How far it is.
    pub delivery: Delivery,
    /// How many times it was tried since it was put or sent again.
    pub attempts: u32,
    /// When it is tried next, in microseconds since 1970.
    pub next_at: u64,
    /// What the last try came to.
    pub last: Option<String>,
}

/// A webhook in figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// The last entry of the log that was looked at for it.
    pub cursor: u64,
    /// Messages that wait.
    pub waiting: u64,
    /// Messages that were given up.
    pub given_up: u64,
}

impl Delivery {
    /// As it is kept.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given-up",
        }
    }

    /// The state of that name.
    pub fn of(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Delivered, Self::GivenUp].into_iter().find(|one| one.name() == name)
    }
}
