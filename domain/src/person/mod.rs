//! What the log keeps of a person besides their rights: sealed personal data, and that it was
//! erased. It never holds a word of it in clear, nor the key that opens it.

mod event;

#[cfg(test)]
mod tests;

pub use event::{Described, Erased, PersonEvent};

use crate::{Aggregate, Corrupt, Refusal, Rule};
use serde::Serialize;

/// The longest description, sealed, in bytes.
const LONGEST: usize = 4_096;

/// A person's data.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize)]
pub enum Personal {
    /// The log holds none.
    #[default]
    None,
    /// The log holds some, sealed.
    Described,
    /// Its key is destroyed: what the log holds can't be read by anybody any more.
    Erased,
}

/// A request to change it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Describe the person, again if need be.
    Describe(Described),
    /// The key was destroyed.
    Erase(Erased),
}

impl Personal {
    /// What it is, in a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Described => "described",
            Self::Erased => "erased",
        }
    }
}

impl Aggregate for Personal {
    const KIND: &'static str = "person";
    type Command = Command;
    type Event = PersonEvent;

    fn decide(&self, command: Command) -> Result<Vec<PersonEvent>, Refusal> {
        let refuse = |because: String| Err(Refusal::new(Rule::PersonState, because));
        match (self, command) {
            (Self::Erased, _) => refuse("the person was erased".to_owned()),
            (Self::None | Self::Described, Command::Describe(described)) => {
                let length = described.sealed.as_slice().len();
                if !(1..=LONGEST).contains(&length) {
                    return refuse(format!("a sealed description has 1 to {LONGEST} bytes"));
                }
                Ok(vec![described.into()])
            }
            (Self::None, Command::Erase(_)) => {
                refuse("nothing is known about this person".to_owned())
            }
            (Self::Described, Command::Erase(erased)) => Ok(vec![erased.into()]),
        }
    }

    fn evolve(&mut self, event: &PersonEvent) -> Result<(), Corrupt> {
        *self = match (*self, event) {
            (Self::None | Self::Described, PersonEvent::Described(_)) => Self::Described,
            (Self::Described, PersonEvent::Erased(_)) => Self::Erased,
            (Self::Erased, _) | (Self::None, PersonEvent::Erased(_)) => {
                let (state, event) = (self.name(), event.kind().0);
                return Err(Corrupt { aggregate: Self::KIND, state, event });
            }
        };
        Ok(())
    }
}
