//! A signer's life as the server sees it, and whether it is trusted. No signer ever trusts what the
//! server says of its connections; that one is quarantined, all of them heed.

mod event;

pub use event::{Enrolled, Lost, Quarantined, Reached, Released, SignerEvent};

use crate::{Aggregate, Corrupt, Refusal, Rule, freeze::check_reason};
use serde::Serialize;

#[cfg(test)]
mod tests;

/// A signer's life.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Signer {
    /// Whether it answers.
    pub reach: Reach,
    /// Who no longer trusts it, and why: no other signer works with it, or signs what it has a part
    /// in.
    pub quarantine: Option<Quarantined>,
}

/// Whether a signer answers, says the server.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize)]
pub enum Reach {
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
    /// An officer trusts it no more. That they are one was checked by the caller.
    Quarantine(Quarantined),
    /// A quorum trusts it again.
    Release(Released),
}

impl Signer {
    /// What it is, in a word.
    pub const fn name(&self) -> &'static str {
        if self.quarantine.is_some() {
            return "quarantined";
        }
        match self.reach {
            Reach::Unknown => "unknown",
            Reach::Enrolled => "enrolled",
            Reach::Active => "active",
            Reach::Unreachable => "unreachable",
        }
    }
}

impl Aggregate for Signer {
    const KIND: &'static str = "signer";
    type Command = Command;
    type Event = SignerEvent;

    fn decide(&self, command: Command) -> Result<Vec<SignerEvent>, Refusal> {
        match (self.reach, command) {
            (Reach::Unknown, Command::Enrol(enrolled)) => Ok(vec![enrolled.into()]),
            (Reach::Unknown, _) | (_, Command::Enrol(_)) => {
                Err(Refusal::new(Rule::SignerState, format!("the signer is {}", self.name())))
            }
            (_, Command::Quarantine(quarantined)) => {
                check_reason(&quarantined.because)?;
                match self.quarantine {
                    None => Ok(vec![quarantined.into()]),
                    Some(_) => {
                        Err(Refusal::new(Rule::SignerState, "the signer is quarantined already"))
                    }
                }
            }
            (_, Command::Release(released)) if self.quarantine.is_some() => {
                Ok(vec![released.into()])
            }
            (_, Command::Release(_)) => {
                Err(Refusal::new(Rule::SignerState, "the signer is not quarantined"))
            }
            (Reach::Enrolled | Reach::Unreachable, Command::Reach) => Ok(vec![Reached {}.into()]),
            (Reach::Enrolled | Reach::Active, Command::Lose { because }) => {
                Ok(vec![Lost { because }.into()])
            }
            // Nothing new.
            (Reach::Active, Command::Reach) | (Reach::Unreachable, Command::Lose { .. }) => {
                Ok(Vec::new())
            }
        }
    }

    fn evolve(&mut self, event: &SignerEvent) -> Result<(), Corrupt> {
        use SignerEvent as E;
        let corrupt = Corrupt { aggregate: Self::KIND, state: self.name(), event: event.kind().0 };
        match (self.reach, event) {
            (Reach::Unknown, E::Enrolled(_)) => self.reach = Reach::Enrolled,
            (Reach::Enrolled | Reach::Unreachable, E::Reached(_)) => self.reach = Reach::Active,
            (Reach::Enrolled | Reach::Active, E::Lost(_)) => self.reach = Reach::Unreachable,
            (Reach::Enrolled | Reach::Active | Reach::Unreachable, E::Quarantined(quarantined))
                if self.quarantine.is_none() =>
            {
                self.quarantine = Some(quarantined.clone());
            }
            (_, E::Released(_)) if self.quarantine.is_some() => self.quarantine = None,
            (_, _) => return Err(corrupt),
        }
        Ok(())
    }
}
