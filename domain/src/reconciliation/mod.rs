//! Differences between the log, the chains and the read models: each is somebody's affair until
//! a person says what became of it. Nothing here corrects a number.

mod event;

pub use event::{DifferenceFound, DifferenceResolved, ReconciliationEvent, What};

use crate::{
    Aggregate, Amount, Corrupt, DifferenceId, PersonId, Refusal, Rule, Timestamp, WalletId,
    freeze::check_reason, policy::Label,
};
use serde::Serialize;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Every difference that nobody has explained, and how far explained ones go.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Reconciliation {
    open: BTreeMap<DifferenceId, Difference>,
    /// The last explained one of each subject: it is no news for as long as the gap is the same.
    explained: BTreeMap<String, (DifferenceId, Gap)>,
    /// Ids of all that were explained: an id is never used again.
    resolved: std::collections::BTreeSet<DifferenceId>,
}

/// A difference that nobody has explained.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Difference {
    /// Which, and by how much when it was found.
    pub what: What,
    /// Whose affair it is.
    pub owner: PersonId,
    /// When it was looked at.
    pub at: Timestamp,
}

/// What does not agree, whatever the numbers are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum About {
    /// A wallet's funds on its chain.
    Wallet(WalletId),
    /// A counter of the read models.
    Counter(Label),
}

/// By how much the other record is away from the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum Gap {
    /// They agree.
    None,
    /// The other record has so much that the log does not know.
    More(Amount),
    /// The other record lacks so much that the log has.
    Less(Amount),
}

/// A request to change reconciliation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Two records do not agree.
    Find(DifferenceFound),
    /// A person explains it. That they may was checked by the caller.
    Resolve(DifferenceResolved),
}

impl What {
    /// What does not agree.
    pub fn about(&self) -> About {
        match self {
            Self::Balance { wallet, .. } => About::Wallet(*wallet),
            Self::ReadModel { counter, .. } => About::Counter(counter.clone()),
        }
    }

    /// By how much.
    pub fn gap(&self) -> Gap {
        let (ledger, other) = match self {
            Self::Balance { ledger, chain, .. } => (*ledger, *chain),
            Self::ReadModel { ledger, model, .. } => (*ledger, *model),
        };
        match (other.checked_sub(ledger), ledger.checked_sub(other)) {
            (Some(Amount::ZERO), _) | (None, None) => Gap::None,
            (Some(more), _) => Gap::More(more),
            (None, Some(less)) => Gap::Less(less),
        }
    }
}

impl std::fmt::Display for About {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Wallet(id) => write!(f, "wallet {id}"),
            Self::Counter(label) => write!(f, "counter {label}"),
        }
    }
}

impl Reconciliation {
    /// Every difference that nobody has explained.
    pub fn open(&self) -> impl Iterator<Item = (DifferenceId, &Difference)> {
        self.open.iter().map(|(id, difference)| (*id, difference))
    }

    /// One that nobody has explained.
    pub fn get(&self, id: DifferenceId) -> Option<&Difference> {
        self.open.get(&id)
    }

    /// Whether it would be news: no open one is about the same, and the last explanation does not
    /// cover it.
    pub fn is_news(&self, what: &What) -> bool {
        let (about, gap) = (what.about(), what.gap());
        let open = self.open.values().any(|known| known.what.about() == about);
        let explained = self.explained.get(&about.to_string());
        gap != Gap::None && !open && explained.is_none_or(|(_, known)| *known != gap)
    }
}

impl Aggregate for Reconciliation {
    const KIND: &'static str = "reconciliation";
    type Command = Command;
    type Event = ReconciliationEvent;

    fn decide(&self, command: Command) -> Result<Vec<ReconciliationEvent>, Refusal> {
        match command {
            Command::Find(found) => {
                if self.open.contains_key(&found.difference)
                    || self.resolved.contains(&found.difference)
                {
                    let because = "there is or was a difference with this id already";
                    return Err(Refusal::new(Rule::IdTaken, because));
                }
                // The saga looks again and again.
                if self.is_news(&found.what) { Ok(vec![found.into()]) } else { Ok(Vec::new()) }
            }
            Command::Resolve(resolved) => {
                check_reason(&resolved.because)?;
                if self.open.contains_key(&resolved.difference) {
                    return Ok(vec![resolved.into()]);
                }
                let because = format!("no difference {} is open", resolved.difference);
                Err(Refusal::new(Rule::DifferenceState, because))
            }
        }
    }

    fn evolve(&mut self, event: &ReconciliationEvent) -> Result<(), Corrupt> {
        let corrupt = |state| Err(Corrupt { aggregate: Self::KIND, state, event: event.kind().0 });
        match event {
            ReconciliationEvent::DifferenceFound(found) => {
                let DifferenceFound { difference, what, owner, at } = found;
                let open = Difference { what: what.clone(), owner: *owner, at: *at };
                if self.open.insert(*difference, open).is_some() {
                    return corrupt("open already");
                }
            }
            ReconciliationEvent::DifferenceResolved(resolved) => {
                let Some(closed) = self.open.remove(&resolved.difference) else {
                    return corrupt("not open");
                };
                let about = closed.what.about().to_string();
                self.explained.insert(about, (resolved.difference, closed.what.gap()));
                self.resolved.insert(resolved.difference);
            }
        }
        Ok(())
    }
}
