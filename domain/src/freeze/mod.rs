//! Freezes: one officer stops payments at once, and only a quorum lets them go on. A freeze never
//! moves money and never undoes what a signer has signed.

mod event;

pub use event::{FreezeEvent, FreezeScope, Lifted, Set};

use crate::{Aggregate, ClientId, Corrupt, FreezeId, Intent, PersonId, ProposalId, Refusal, Rule};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// The longest reason, in bytes: it is shown to people, and kept for ever.
pub const LONGEST_REASON: usize = 500;

/// Every freeze that stands.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Freezes {
    standing: BTreeMap<FreezeId, Frozen>,
    /// The same, by what they cover: an order must not wait for a look at all of them.
    #[serde(skip)]
    by_scope: BTreeMap<FreezeScope, BTreeSet<FreezeId>>,
    /// What stood once: an id is never used again.
    lifted: BTreeSet<FreezeId>,
}

/// A freeze that stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Frozen {
    /// What it covers.
    pub scope: FreezeScope,
    /// Which officer set it.
    pub by: PersonId,
    /// Why.
    pub because: String,
}

/// A request to change the freezes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Stop payments. That the person is an officer was checked by the caller.
    Set(Set),
    /// The quorum agreed.
    Lift {
        /// Which.
        freeze: FreezeId,
        /// Whose quorum.
        proposal: ProposalId,
    },
}

impl Freezes {
    /// Every freeze that stands.
    pub fn standing(&self) -> impl Iterator<Item = (FreezeId, &Frozen)> {
        self.standing.iter().map(|(id, frozen)| (*id, frozen))
    }

    /// A freeze that stands.
    pub fn get(&self, id: FreezeId) -> Option<&Frozen> {
        self.standing.get(&id)
    }

    /// The refusal, if a freeze covers a payment for this client.
    pub fn check(&self, intent: &Intent, client: ClientId) -> Result<(), Refusal> {
        let covering = covering(intent, client);
        let found =
            covering.iter().find_map(|scope| Some((scope, self.by_scope.get(scope)?.first()?)));
        match found {
            None => Ok(()),
            Some((scope, id)) => {
                let because = format!("freeze {id} covers {scope}: a quorum must lift it first");
                Err(Refusal::new(Rule::Frozen, because))
            }
        }
    }
}

impl FreezeScope {
    /// Whether it covers a payment for this client.
    pub fn covers(&self, intent: &Intent, client: ClientId) -> bool {
        covering(intent, client).contains(self)
    }
}

/// Every scope that a payment for this client falls under.
fn covering(intent: &Intent, client: ClientId) -> [FreezeScope; 4] {
    let (network, address) = (intent.network(), intent.destination.clone());
    [
        FreezeScope::Everything,
        FreezeScope::Wallet(intent.wallet),
        FreezeScope::Client(client),
        FreezeScope::Destination { network, address },
    ]
}

impl std::fmt::Display for FreezeScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Wallet(id) => write!(f, "wallet {id}"),
            Self::Client(id) => write!(f, "client {id}"),
            Self::Destination { network, address } => write!(f, "{address} on {network}"),
            Self::Everything => f.write_str("every payment"),
        }
    }
}

/// Whether people can read it, and the log can bear it.
pub(crate) fn check_reason(because: &str) -> Result<(), Refusal> {
    if because.trim().is_empty() || because.len() > LONGEST_REASON {
        let told = format!("say why, in 1 to {LONGEST_REASON} bytes");
        return Err(Refusal::new(Rule::ReasonMissing, told));
    }
    Ok(())
}

impl Aggregate for Freezes {
    const KIND: &'static str = "freezes";
    type Command = Command;
    type Event = FreezeEvent;

    fn decide(&self, command: Command) -> Result<Vec<FreezeEvent>, Refusal> {
        match command {
            Command::Set(set) => {
                check_reason(&set.because)?;
                let same =
                    Frozen { scope: set.scope.clone(), by: set.by, because: set.because.clone() };
                match self.standing.get(&set.freeze) {
                    // An officer in a hurry presses twice.
                    Some(known) if *known == same => Ok(Vec::new()),
                    None if !self.lifted.contains(&set.freeze) => Ok(vec![set.into()]),
                    Some(_) | None => {
                        let because = "there is or was a freeze with this id already";
                        Err(Refusal::new(Rule::IdTaken, because))
                    }
                }
            }
            Command::Lift { freeze, proposal } => {
                if self.standing.contains_key(&freeze) {
                    return Ok(vec![Lifted { freeze, proposal }.into()]);
                }
                Err(Refusal::new(Rule::FreezeState, format!("no freeze {freeze} stands")))
            }
        }
    }

    fn evolve(&mut self, event: &FreezeEvent) -> Result<(), Corrupt> {
        let corrupt = |state| Err(Corrupt { aggregate: Self::KIND, state, event: event.kind().0 });
        match event {
            FreezeEvent::Set(Set { freeze, scope, by, because }) => {
                if self.standing.contains_key(freeze) || self.lifted.contains(freeze) {
                    return corrupt("set already");
                }
                let frozen = Frozen { scope: scope.clone(), by: *by, because: because.clone() };
                self.standing.insert(*freeze, frozen);
                self.by_scope.entry(scope.clone()).or_default().insert(*freeze);
            }
            FreezeEvent::Lifted(Lifted { freeze, proposal: _ }) => {
                let Some(frozen) = self.standing.remove(freeze) else {
                    return corrupt("not set");
                };
                if let Some(ids) = self.by_scope.get_mut(&frozen.scope) {
                    ids.remove(freeze);
                    if ids.is_empty() {
                        self.by_scope.remove(&frozen.scope);
                    }
                }
                self.lifted.insert(*freeze);
            }
        }
        Ok(())
    }
}
