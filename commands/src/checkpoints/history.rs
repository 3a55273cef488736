//! Checkpoints that counted earlier, ever thinner the older they are. They prove to a signer that was
//! away how old the entries are that it missed. Never forgets the newest ones first, and never outlives
//! the process: without them a signer only waits longer.

use super::Counting;
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// The most that are kept.
const MOST: usize = 1_024;
/// How far apart they are at least, before they are thinned out.
const APART: Duration = Duration::from_secs(20);
/// Of its age: how far apart an older one may be from the next.
const FRACTION: u32 = 64;

#[derive(Debug, Default)]
pub(super) struct History(VecDeque<Arc<Counting>>);

impl History {
    /// Takes note of the next one.
    pub(super) fn note(&mut self, next: &Arc<Counting>) {
        if self.0.back().is_some_and(|last| last.origin != next.origin) {
            self.0.clear();
        }
        let is_near = |last: &Arc<Counting>| {
            // A clock that was set back tells nothing.
            next.since.duration_since(last.since).is_ok_and(|apart| apart < APART)
        };
        if self.0.back().is_some_and(is_near) {
            return;
        }
        if self.0.len() >= MOST {
            self.thin(next.since);
        }
        self.0.push_back(Arc::clone(next));
    }

    /// Keeps those that are apart by a part of their age: a year of them is some 700.
    fn thin(&mut self, now: SystemTime) {
        let (mut kept, mut last) = (VecDeque::new(), None::<SystemTime>);
        while let Some(one) = self.0.pop_back() {
            let age = now.duration_since(one.since).unwrap_or_default();
            let apart = last.map(|last| last.duration_since(one.since).unwrap_or_default());
            if apart.is_none_or(|apart| apart >= age / FRACTION) {
                last = Some(one.since);
                kept.push_front(one);
            }
        }
        while kept.len() >= MOST {
            kept.pop_front();
        }
        self.0 = kept;
    }

    /// Those that cover an entry after this one, the smallest first.
    pub(super) fn after(&self, position: u64) -> VecDeque<Arc<Counting>> {
        self.0.iter().filter(|one| one.head.size > position).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, time::UNIX_EPOCH};
    use strongroom_ledger::TreeHead;

    fn counting(origin: &str, size: u64, seconds: u64) -> Arc<Counting> {
        Arc::new(Counting {
            origin: origin.to_owned(),
            head: TreeHead { size, ..TreeHead::EMPTY },
            text: String::new(),
            cosigned_by: BTreeSet::new(),
            since: UNIX_EPOCH + Duration::from_secs(seconds),
        })
    }

    fn sizes(history: &History, after: u64) -> Vec<u64> {
        history.after(after).iter().map(|one| one.head.size).collect()
    }

    #[test]
    fn what_counted_is_kept_apart_and_told_from_a_position_on() {
        let mut history = History::default();
        for (size, seconds) in [(1, 0), (2, 5), (3, 20), (9, 39), (12, 40)] {
            history.note(&counting("a", size, seconds));
        }
        assert_eq!(sizes(&history, 0), [1, 3, 12]);
        assert_eq!(sizes(&history, 3), [12]);
        history.note(&counting("b", 4, 100));
        assert_eq!(sizes(&history, 0), [4], "another name, another history");
    }

    #[test]
    fn months_are_kept_in_a_bounded_number_and_the_newest_stay() {
        let mut history = History::default();
        for number in 1..=20_000 {
            history.note(&counting("a", number, number * 20));
            assert!(history.0.len() <= MOST);
            assert_eq!(history.0.back().map(|one| one.head.size), Some(number));
        }
        assert!(history.0.len() > MOST / 4);
        assert!(sizes(&history, 0)[0] < 20_000 / 10, "what is old is thinner, not gone");
    }
}
