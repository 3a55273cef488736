//! What compliance found out about an address. Never says who is behind it.

mod event;

pub use event::{Recorded, ScreeningEvent, Verdict};

use crate::{Address, Aggregate, Corrupt, Network, PersonId, Refusal, Rule, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// The last word about each address that was looked at.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Screenings(BTreeMap<Network, BTreeMap<Address, Screening>>);

/// The last word about an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Screening {
    /// What was found.
    pub verdict: Verdict,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: PersonId,
}

/// A newer screening. That compliance signed it was checked by the caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command(pub Recorded);

impl From<&Recorded> for Screening {
    fn from(recorded: &Recorded) -> Self {
        Self { verdict: recorded.verdict, at: recorded.at, by: recorded.by }
    }
}

impl Screenings {
    /// The last word about an address.
    pub fn of(&self, network: Network, address: &Address) -> Option<&Screening> {
        self.0.get(&network)?.get(address)
    }

    /// Every last word.
    pub fn all(&self) -> impl Iterator<Item = (Network, &Address, &Screening)> {
        self.0.iter().flat_map(|(network, found)| {
            found.iter().map(|(address, screening)| (*network, address, screening))
        })
    }
}

impl FromIterator<(Network, Address, Screening)> for Screenings {
    fn from_iter<I: IntoIterator<Item = (Network, Address, Screening)>>(found: I) -> Self {
        let mut all = Self::default();
        for (network, address, screening) in found {
            all.0.entry(network).or_default().insert(address, screening);
        }
        all
    }
}

impl Aggregate for Screenings {
    const KIND: &'static str = "screenings";
    type Command = Command;
    type Event = ScreeningEvent;

    fn decide(&self, Command(recorded): Command) -> Result<Vec<ScreeningEvent>, Refusal> {
        match self.of(recorded.network, &recorded.address) {
            // The caller repeats itself when an answer was lost.
            Some(newest) if *newest == Screening::from(&recorded) => Ok(Vec::new()),
            Some(newest) if recorded.at <= newest.at => {
                let because =
                    format!("the last screening is of {}: a later one is needed", newest.at);
                Err(Refusal::new(Rule::ScreeningInvalid, because))
            }
            Some(_) | None => Ok(vec![recorded.into()]),
        }
    }

    fn evolve(&mut self, event: &ScreeningEvent) -> Result<(), Corrupt> {
        let ScreeningEvent::Recorded(recorded) = event;
        let newest = self.of(recorded.network, &recorded.address);
        if newest.is_some_and(|newest| recorded.at <= newest.at) {
            return Err(Corrupt {
                aggregate: Self::KIND,
                state: "newer already",
                event: event.kind().0,
            });
        }
        let found = self.0.entry(recorded.network).or_default();
        found.insert(recorded.address.clone(), recorded.into());
        Ok(())
    }
}
