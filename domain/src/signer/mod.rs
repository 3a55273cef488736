//! A signer's life as the server sees it. No signer ever trusts what is recorded here.

mod event;

pub use event::{Enrolled, Lost, Reached, SignerEvent};

use crate::{Aggregate, Corrupt, Refusal, Rule};
use serde::Serialize;

#[cfg(test)]
mod tests;

/// A signer's life.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize)]
pub enum Signer {
    /// Not in the charter.
    #[default]
    Unknown,
    /// In the charter, never reached.
    Enrolled,
    /// It answers.
    Active,
    /// It does not answer.
    Unreachable,
}

/// A request to change what is known of a signer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// The charter names it.
    Enrol(Enrolled),
    /// It answered.
    Reach,
    /// It did not answer.
    Lose {
        /// What the server saw.
        because: String,
    },
}

impl Signer {
    /// What it is, in a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Enrolled => "enrolled",
            Self::Active => "active",
            Self::Unreachable => "unreachable",
        }
    }
}

impl Aggregate for Signer {
    const KIND: &'static str = "signer";
    type Command = Command;
    type Event = SignerEvent;

    fn decide(&self, command: Command) -> Result<Vec<SignerEvent>, Refusal> {
        match (self, command) {
            (Self::Unknown, Command::Enrol(enrolled)) => Ok(vec![enrolled.into()]),
            (Self::Enrolled | Self::Unreachable, Command::Reach) => Ok(vec![Reached {}.into()]),
            (Self::Enrolled | Self::Active, Command::Lose { because }) => {
                Ok(vec![Lost { because }.into()])
            }
            // Nothing new.
            (Self::Active, Command::Reach) | (Self::Unreachable, Command::Lose { .. }) => {
                Ok(Vec::new())
            }
            (state, _) => {
                Err(Refusal::new(Rule::SignerState, format!("the signer is {}", state.name())))
            }
        }
    }

    fn evolve(&mut self, event: &SignerEvent) -> Result<(), Corrupt> {
        use SignerEvent as E;
        *self = match (*self, event) {
            (Self::Unknown, E::Enrolled(_)) => Self::Enrolled,
            (Self::Enrolled | Self::Unreachable, E::Reached(_)) => Self::Active,
            (Self::Enrolled | Self::Active, E::Lost(_)) => Self::Unreachable,
            (state, event) => {
                return Err(Corrupt {
                    aggregate: Self::KIND,
                    state: state.name(),
                    event: event.kind().0,
                });
            }
        };
        Ok(())
    }
}
