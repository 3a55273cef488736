//! Requests that a reader of the log heard of so late that it does not take their dates on trust. It
//! counts them from when they were there for certain. Never takes one out of a sum by its date.

use super::{Of, Requested, Tally, Usage};
use crate::{Asset, Timestamp, TransferId};
use std::collections::BTreeMap;

/// How long one is kept, in seconds: as long as a request that can still be signed may need it.
const KEEP_S: u64 = 92 * 86_400;

#[derive(Clone, PartialEq, Eq, Debug)]
struct One {
    requested: Requested,
    position: u64,
    dated: Timestamp,
    from: Timestamp,
    signed: bool,
}

/// Those requests, by their number among all that were counted.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Late {
    all: BTreeMap<u64, One>,
    numbers: BTreeMap<TransferId, u64>,
}

/// An entry, by a reader's own clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sight {
    /// Where it stands.
    pub position: u64,
    /// What its date is.
    pub dated: Timestamp,
    /// When it was there for certain.
    pub from: Timestamp,
}

impl Late {
    /// Takes note of one that was just counted. No news where it is not.
    pub fn note(&mut self, usage: &Usage, requested: Requested, sight: Sight) {
        let Sight { position, dated, from } = sight;
        while let Some(first) = self.all.first_entry() {
            if first.get().from.plus_seconds(KEEP_S) >= from {
                break;
            }
            self.numbers.remove(&first.remove().requested.transfer);
        }
        let Some(number) = usage.number(requested.transfer) else { return };
        self.numbers.insert(requested.transfer, number);
        self.all.insert(number, One { requested, position, dated, from, signed: false });
    }

    /// Entries up to `position` were there at `by`. `is_prompt` says whether a date is good enough
    /// for something that was there then. Returns whether that is news.
    pub fn prove(
        &mut self,
        position: u64,
        by: Timestamp,
        is_prompt: impl Fn(Timestamp, Timestamp) -> bool,
    ) -> bool {
        let mut news = false;
        for one in self.all.values_mut().filter(|one| one.position <= position && one.from > by) {
            (one.from, news) = (by, true);
        }
        if news {
            self.all.retain(|_, one| !is_prompt(one.dated, one.from));
            let left = &self.all;
            self.numbers.retain(|_, number| left.contains_key(number));
        }
        news
    }

    /// When a request was there for certain, if it is one of these.
    pub fn from(&self, transfer: TransferId) -> Option<Timestamp> {
        self.all.get(self.numbers.get(&transfer)?).map(|one| one.from)
    }

    /// A signature of it may be outside: it counts, whatever becomes of it.
    pub fn signed(&mut self, transfer: TransferId) {
        let number = self.numbers.get(&transfer);
        if let Some(one) = number.and_then(|number| self.all.get_mut(number)) {
            one.signed = true;
        }
    }

    /// It came to nothing: it counts no more, unless it was signed.
    pub fn free(&mut self, transfer: TransferId) {
        let Some(number) = self.numbers.get(&transfer).copied() else { return };
        if self.all.get(&number).is_some_and(|one| !one.signed) {
            self.all.remove(&number);
            self.numbers.remove(&transfer);
        }
    }

    /// All dates are taken on trust.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What belongs into the window of [`Usage::within`] besides what is dated in it.
    pub fn within<'a>(
        &'a self,
        of: &'a Of,
        (at, window_s): (Timestamp, u64),
        before: Option<u64>,
    ) -> impl Iterator<Item = (Asset, Tally)> + 'a {
        let window = window_s.saturating_mul(1_000_000);
        let after = at.micros().checked_sub(window).map(Timestamp::from_micros);
        let numbers = self.all.range(..before.unwrap_or(u64::MAX)).map(|(_, one)| one);
        numbers
            // Without a beginning the window has every date in it already.
            .filter(move |one| after.is_some_and(|at| one.requested.time <= at && one.from > at))
            .filter(move |one| one.requested.is_of(of))
            .map(|one| {
                let Requested { asset, amount, value, .. } = one.requested;
                (asset, Tally::one(amount, value))
            })
    }
}
