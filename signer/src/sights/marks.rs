//! How old entries are for certain. Never older than somebody other than the server has said: this
//! signer itself, or enough witnesses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strongroom_domain::Timestamp;

/// How much later than it is dated an entry may come and still count from its date, in seconds.
const PROMPT_S: u64 = 60;

/// Whether a date is as good as what was seen.
pub(super) fn is_prompt(dated: Timestamp, seen: Timestamp) -> bool {
    seen <= dated.plus_seconds(PROMPT_S)
}

/// A line of the journal: all entries up to here were there then.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The last of them.
    pub position: u64,
    /// By when: this signer had read them, or witnesses had cosigned them.
    pub by: Timestamp,
}

/// All marks of a journal.
#[derive(Default)]
pub(super) struct Marks(BTreeMap<u64, Timestamp>);

impl Marks {
    pub(super) fn new(marks: impl IntoIterator<Item = Mark>) -> Self {
        let mut all: BTreeMap<u64, Timestamp> = BTreeMap::new();
        for mark in marks {
            let by = all.entry(mark.position).or_insert(mark.by);
            *by = mark.by.min(*by);
        }
        // What holds for a later entry holds for those before it.
        let mut earliest = None;
        for by in all.values_mut().rev() {
            *by = earliest.map_or(*by, |earlier: Timestamp| earlier.min(*by));
            earliest = Some(*by);
        }
        Self(all)
    }

    /// When the entry was there for certain.
    pub(super) fn by(&self, position: u64) -> Option<Timestamp> {
        self.0.range(position..).next().map(|(_, by)| *by)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Something that starts a wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wait {
    pub(super) position: u64,
    pub(super) dated: Timestamp,
    pub(super) seen: Timestamp,
}

impl Wait {
    /// From when it counts.
    pub(super) fn from(&self) -> Timestamp {
        if self.is_late() { self.seen } else { self.dated }
    }

    pub(super) fn is_late(&self) -> bool {
        !is_prompt(self.dated, self.seen)
    }

    /// Returns whether that is news.
    pub(super) fn prove(&mut self, mark: Mark) -> bool {
        let news = self.is_late() && self.position <= mark.position && mark.by < self.seen;
        if news {
            self.seen = mark.by;
        }
        news
    }
}
