//! Several quorums that must all be reached, each person counting for one of them only. Never
//! decides what the people are asked.

use super::{Label, Quorum, Requirement};
use crate::{PersonId, Refusal, Rule};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// Who may approve, by group: the approvers among a group's people.
pub type Groups = BTreeMap<Label, BTreeSet<PersonId>>;

/// Quorums that must all be reached by distinct people. In JSON a plain list.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quorums(pub Vec<Quorum>);

/// The smallest and the largest group of one part, and the fewest approvals of all together.
const PEOPLE: std::ops::RangeInclusive<usize> = 2..=10;
const AT_LEAST: usize = 2;

impl Quorums {
    /// The people of today for what rules require: one part for each group, in the order of their
    /// names, with the largest number that any rule asks of it. A group that nobody is in becomes
    /// an empty part, which [`Self::check`] refuses.
    pub fn resolve<'a>(
        requirements: impl IntoIterator<Item = &'a Requirement>,
        groups: &Groups,
    ) -> Self {
        let mut most: BTreeMap<&Label, u8> = BTreeMap::new();
        for Requirement { approvals, group } in requirements {
            let asked = most.entry(group).or_default();
            *asked = (*asked).max(*approvals);
        }
        let part = |(group, approvals)| Quorum {
            approvals,
            group: groups.get(group).cloned().unwrap_or_default(),
        };
        Self(most.into_iter().map(part).collect())
    }

    /// Parts of 2 to 10 people that can be met together by distinct people, two or more in all.
    pub fn check(&self) -> Result<(), Refusal> {
        let refuse = |because: String| Err(Refusal::new(Rule::PolicyInvalid, because));
        for part in &self.0 {
            let (needed, people) = (usize::from(part.approvals), part.group.len());
            if needed == 0 || !PEOPLE.contains(&people) || needed > people {
                return refuse(format!(
                    "a part of a quorum is 2 to 10 people, of whom 1 or more must approve; this \
                     one asks {needed} of {people}"
                ));
            }
        }
        if self.approvals() < AT_LEAST {
            return refuse(format!(
                "two people or more must approve; this asks {} of them",
                self.approvals()
            ));
        }
        if !self.still_possible_without(&BTreeSet::new()) {
            return refuse("the groups have too few people to meet it together".to_owned());
        }
        Ok(())
    }

    /// How many approvals it takes.
    pub fn approvals(&self) -> usize {
        self.0.iter().map(|part| usize::from(part.approvals)).sum()
    }

    /// Everyone who is asked.
    pub fn people(&self) -> BTreeSet<PersonId> {
        self.0.iter().flat_map(|part| part.group.iter().copied()).collect()
    }

    /// Whether these people, each counting for one part only, meet every part. Nothing is met by
    /// anybody where no part asks anything.
    pub fn satisfied_by(&self, approvers: &BTreeSet<PersonId>) -> bool {
        let seats: Vec<&BTreeSet<PersonId>> = self
            .0
            .iter()
            .flat_map(|part| std::iter::repeat_n(&part.group, usize::from(part.approvals)))
            .collect();
        // Kuhn's algorithm: each seat finds a person, moving those who sit to another seat.
        let mut seated: BTreeMap<PersonId, usize> = BTreeMap::new();
        let sits = |seat| sit(seat, &seats, approvers, &mut seated, &mut BTreeSet::new());
        !seats.is_empty() && (0..seats.len()).all(sits)
    }

    /// Whether it can still be met when these people never approve: the maker, and who declined.
    pub fn still_possible_without(&self, absent: &BTreeSet<PersonId>) -> bool {
        self.satisfied_by(&self.people().difference(absent).copied().collect())
    }
}

/// Whether `seat` finds somebody, among `approvers`, whom this search has not asked yet.
fn sit(
    seat: usize,
    seats: &[&BTreeSet<PersonId>],
    approvers: &BTreeSet<PersonId>,
    seated: &mut BTreeMap<PersonId, usize>,
    asked: &mut BTreeSet<PersonId>,
) -> bool {
    let Some(group) = seats.get(seat) else { return false };
    for person in group.intersection(approvers) {
        if !asked.insert(*person) {
            continue;
        }
        let moved = match seated.get(person).copied() {
            None => true,
            Some(other) => sit(other, seats, approvers, seated, asked),
        };
        if moved {
            seated.insert(*person, seat);
            return true;
        }
    }
    false
}
