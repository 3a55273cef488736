//! What became of a command: kept with its idempotency key, byte for byte. Never says more than
//! the log does.

use super::CommandError;
use serde::{Deserialize, Serialize};
use strongroom_domain::Refusal;
use strongroom_store::{Positions, StoredOutcome};

/// What became of a command.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// What the request kept with it.
    pub subject: serde_json::Value,
    /// The events, in order. Empty where the command was no news.
    pub events: Vec<Happened>,
    /// The rule that forbade it.
    pub refusal: Option<Refusal>,
    /// First and last position of its events, once they have any.
    #[serde(skip)]
    pub positions: Option<(u64, u64)>,
}

/// An event of an outcome.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Happened {
    /// Whose history.
    pub stream: String,
    /// Its stored type.
    pub event: String,
}

impl Outcome {
    /// Reads what was stored.
    pub(super) fn stored(stored: &StoredOutcome) -> Result<Self, CommandError> {
        let outcome: Self = serde_json::from_slice(&stored.outcome).map_err(|error| {
            CommandError::Corrupt { because: format!("a stored outcome can't be read: {error}") }
        })?;
        outcome.at(stored.positions).answer()
    }

    pub(super) fn at(mut self, positions: Option<Positions>) -> Self {
        self.positions = positions.map(|of| (of.first.get(), of.last.get()));
        self
    }

    /// A refusal is an error to the caller, also when it was stored.
    pub(super) fn answer(self) -> Result<Self, CommandError> {
        match self.refusal {
            Some(refusal) => Err(CommandError::Refused(refusal)),
            None => Ok(self),
        }
    }

    /// Whether an event of this type happened.
    pub fn has(&self, event: &str) -> bool {
        self.events.iter().any(|happened| happened.event == event)
    }
}
