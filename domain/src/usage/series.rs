//! One series of transfers by time, with sums over any part of it in a few steps. Never moves an
//! entry, and never counts one that was freed.

use crate::{Amount, Timestamp};
use serde::Serialize;

/// How long an entry is kept at least, in seconds: the largest window (31 days) before the oldest
/// request that can still be signed (open for 30 days, then waiting for 30), and a day.
const KEEP_S: u64 = 92 * 86_400;
/// A series shorter than this forgets nothing.
const SHORT: usize = 64;

/// Sums over transfers.
///
/// They saturate: only more money than 2^128 base units, which no chain has, could reach that.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Tally {
    pub(super) transfers: u64,
    pub(super) amount: Amount,
    pub(super) value: Amount,
    pub(super) unpriced: Amount,
}

impl Tally {
    /// One transfer, and what it was worth if a price was known.
    pub fn one(amount: Amount, value: Option<Amount>) -> Self {
        let unpriced = if value.is_some() { Amount::ZERO } else { amount };
        Self { transfers: 1, amount, value: value.unwrap_or_default(), unpriced }
    }

    /// How many.
    pub const fn transfers(&self) -> u64 {
        self.transfers
    }

    /// Base units.
    pub const fn amount(&self) -> Amount {
        self.amount
    }

    /// Minor units of the reference, as priced when each was asked for.
    pub const fn value(&self) -> Amount {
        self.value
    }

    /// Base units of those for which no price was known.
    pub const fn unpriced(&self) -> Amount {
        self.unpriced
    }

    #[must_use]
    fn plus(self, other: Self) -> Self {
        let add = |a: Amount, b: Amount| Amount::new(a.units().saturating_add(b.units()));
        Self {
            transfers: self.transfers.saturating_add(other.transfers),
            amount: add(self.amount, other.amount),
            value: add(self.value, other.value),
            unpriced: add(self.unpriced, other.unpriced),
        }
    }

    #[must_use]
    fn minus(self, other: Self) -> Self {
        let sub = |a: Amount, b: Amount| Amount::new(a.units().saturating_sub(b.units()));
        Self {
            transfers: self.transfers.saturating_sub(other.transfers),
            amount: sub(self.amount, other.amount),
            value: sub(self.value, other.value),
            unpriced: sub(self.unpriced, other.unpriced),
        }
    }
}

/// Entries in the order of the log, over a Fenwick tree (Fenwick 1994): appending, freeing and
/// summing take a number of steps that grows with the logarithm of the length.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Series {
    /// Each entry's time, and its number among the entries of all series. Both only grow.
    entries: Vec<(Timestamp, u64)>,
    /// Node `i`, counted from 1, sums the `i & -i` entries that end with entry `i`.
    tree: Vec<Tally>,
}

/// The node that covers what node `i` does not, to its left. 0 at the end.
const fn left(i: usize) -> usize {
    i & i.wrapping_sub(1)
}

impl Series {
    /// Appends an entry.
    pub(super) fn push(&mut self, (time, number): (Timestamp, u64), tally: Tally) {
        // The audit refuses a log whose time runs back; the search below must not depend on it.
        let time = self.entries.last().map_or(time, |(last, _)| time.max(*last));
        self.forget(time);
        self.append((time, number), tally);
    }

    fn append(&mut self, entry: (Timestamp, u64), tally: Tally) {
        self.entries.push(entry);
        let own = self.entries.len();
        let (mut sum, mut child) = (tally, own.saturating_sub(1));
        while child > left(own) {
            sum = sum.plus(self.node(child));
            child = left(child);
        }
        self.tree.push(sum);
    }

    /// Forgets the older half if no window can need it: each entry is moved once on average.
    fn forget(&mut self, now: Timestamp) {
        let half = self.entries.len() / 2;
        let old = self.entries.get(half).is_some_and(|(time, _)| time.plus_seconds(KEEP_S) < now);
        if self.entries.len() < SHORT || !old {
            return;
        }
        let tallies: Vec<_> = (half..self.entries.len())
            .map(|at| self.first(at.saturating_add(1)).minus(self.first(at)))
            .collect();
        let entries = self.entries.split_off(half);
        *self = Self::default();
        for (entry, tally) in entries.into_iter().zip(tallies) {
            self.append(entry, tally);
        }
    }

    /// The entry counts no more. No news where it is forgotten.
    pub(super) fn free(&mut self, number: u64, tally: Tally) {
        let Ok(at) = self.entries.binary_search_by_key(&number, |(_, number)| *number) else {
            return;
        };
        let mut node = at.saturating_add(1);
        while let Some(sum) = node.checked_sub(1).and_then(|below| self.tree.get_mut(below)) {
            *sum = sum.minus(tally);
            node = node.saturating_add(node & node.wrapping_neg());
        }
    }

    /// What was asked for after `after`, without entry number `before` and what follows it.
    pub(super) fn sum(&self, after: Option<Timestamp>, before: Option<u64>) -> Tally {
        let past = |after| self.entries.partition_point(|(time, _)| *time <= after);
        let earlier = |before| self.entries.partition_point(|(_, number)| *number < before);
        let (from, to) = (after.map_or(0, past), before.map_or(self.entries.len(), earlier));
        self.first(to).minus(self.first(from.min(to)))
    }

    /// The sum of the first so many.
    fn first(&self, many: usize) -> Tally {
        let (mut sum, mut node) = (Tally::default(), many);
        while node > 0 {
            sum = sum.plus(self.node(node));
            node = left(node);
        }
        sum
    }

    fn node(&self, node: usize) -> Tally {
        node.checked_sub(1).and_then(|at| self.tree.get(at)).copied().unwrap_or_default()
    }
}
