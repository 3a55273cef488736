//! A deposit's life, from a block to a client's account and back if the chain takes it back.
//! Nothing here looks at a chain.

mod event;

pub use event::{BlockRef, Credited, DepositEvent, Reorganised, Seen, SeenAgain};

use crate::{Aggregate, Corrupt, Refusal, Rule};
use serde::Serialize;

#[cfg(test)]
mod tests;

/// A deposit's life.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub enum Deposit {
    /// Never seen.
    #[default]
    Unknown,
    /// In a block, not final.
    Confirming(Seen),
    /// The client's.
    Credited(Seen),
    /// On no block at the moment.
    Reorganised(Seen),
}

/// A request to change a deposit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// It is in a block.
    See(Seen),
    /// It is final.
    Credit {
        /// Blocks from its own to the tip, both counted.
        confirmations: u32,
        /// How many the policy asks.
        required: u32,
    },
    /// Its block is gone.
    Reorganise,
}

impl Deposit {
    /// What it is, in a word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Confirming(_) => "confirming",
            Self::Credited(_) => "credited",
            Self::Reorganised(_) => "reorganised",
        }
    }

    /// What was seen, where and when.
    pub fn seen(&self) -> Option<&Seen> {
        match self {
            Self::Unknown => None,
            Self::Confirming(seen) | Self::Credited(seen) | Self::Reorganised(seen) => Some(seen),
        }
    }
}

impl Aggregate for Deposit {
    const KIND: &'static str = "deposit";
    type Command = Command;
    type Event = DepositEvent;

    fn decide(&self, command: Command) -> Result<Vec<DepositEvent>, Refusal> {
        match (self, command) {
            (Self::Unknown, Command::See(seen)) => Ok(vec![seen.into()]),
            (Self::Reorganised(_), Command::See(seen)) => {
                Ok(vec![SeenAgain { block: seen.block }.into()])
            }
            // The watcher reads blocks again after a restart.
            (Self::Confirming(before) | Self::Credited(before), Command::See(seen))
                if before.block == seen.block =>
            {
                Ok(Vec::new())
            }
            (Self::Confirming(_), Command::Credit { confirmations, required })
                if confirmations < required =>
            {
                let because = format!("{confirmations} of {required} confirmations");
                Err(Refusal::new(Rule::DepositState, because))
            }
            (Self::Confirming(_), Command::Credit { confirmations, .. }) => {
                Ok(vec![Credited { confirmations }.into()])
            }
            (Self::Confirming(seen) | Self::Credited(seen), Command::Reorganise) => {
                Ok(vec![Reorganised { block: seen.block.clone() }.into()])
            }
            (state, _) => {
                Err(Refusal::new(Rule::DepositState, format!("the deposit is {}", state.name())))
            }
        }
    }

    fn evolve(&mut self, event: &DepositEvent) -> Result<(), Corrupt> {
        use DepositEvent as E;
        let name = self.name();
        *self = match (std::mem::take(self), event) {
            (Self::Unknown, E::Seen(seen)) => Self::Confirming(seen.clone()),
            (Self::Confirming(seen), E::Credited(_)) => Self::Credited(seen),
            (Self::Confirming(seen) | Self::Credited(seen), E::Reorganised(_)) => {
                Self::Reorganised(seen)
            }
            (Self::Reorganised(seen), E::SeenAgain(again)) => {
                Self::Confirming(Seen { block: again.block.clone(), ..seen })
            }
            (_, event) => {
                return Err(Corrupt { aggregate: Self::KIND, state: name, event: event.kind().0 });
            }
        };
        Ok(())
    }
}
