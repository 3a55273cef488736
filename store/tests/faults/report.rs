//! What happened in many histories, counted. Never judges.

use std::collections::BTreeMap;

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) histories: u64,
    pub(crate) runs: u64,
    /// Runs in which a fault came to pass, by its name.
    pub(crate) faults: BTreeMap<&'static str, u64>,
    pub(crate) appends: u64,
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    pub(crate) repeats: u64,
    pub(crate) queue_full: u64,
    pub(crate) second_writers: u64,
    pub(crate) reads: u64,
    pub(crate) reads_refused: u64,
    pub(crate) opens_refused: u64,
    pub(crate) openings_interrupted: u64,
    pub(crate) stops: u64,
    pub(crate) reopened: u64,
    pub(crate) made_after_all: u64,
    pub(crate) never_made: u64,
    pub(crate) lies_found_at_opening: u64,
    pub(crate) lies_found_by_verifying: u64,
    pub(crate) lies_found_by_appending: u64,
    pub(crate) lies_cut_short: u64,
    pub(crate) noticed_by_a_witness: u64,
    pub(crate) lies_without_loss: u64,
}

impl Report {
    pub(crate) fn fired(&mut self, what: &'static str) {
        *self.faults.entry(what).or_default() += 1;
    }

    /// A history in which nothing goes wrong shows nothing.
    pub(crate) fn assert_that_everything_happened(&self) {
        let kinds = [
            "failing read",
            "failing sync",
            "failing write",
            "full disk",
            "kill",
            "lying sync",
            "power cut",
            "short read",
        ];
        for kind in kinds {
            assert!(self.faults.contains_key(kind), "no {kind} came to pass");
        }
        let counted = [
            ("repeated requests", self.repeats),
            ("full queues", self.queue_full),
            ("second writers", self.second_writers),
            ("stops", self.stops),
            ("unanswered appends that were made", self.made_after_all),
            ("unanswered appends that were not", self.never_made),
            ("lies found as damage", self.lies_found_at_opening + self.lies_found_by_verifying),
            ("lies found by a witness", self.noticed_by_a_witness),
        ];
        for (what, times) in counted {
            assert!(times > 0, "no {what}");
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (what, times) in &other.faults {
            *self.faults.entry(what).or_default() += times;
        }
        self.histories += other.histories;
        self.runs += other.runs;
        self.appends += other.appends;
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.repeats += other.repeats;
        self.queue_full += other.queue_full;
        self.second_writers += other.second_writers;
        self.reads += other.reads;
        self.reads_refused += other.reads_refused;
        self.opens_refused += other.opens_refused;
        self.openings_interrupted += other.openings_interrupted;
        self.stops += other.stops;
        self.reopened += other.reopened;
        self.made_after_all += other.made_after_all;
        self.never_made += other.never_made;
        self.lies_found_at_opening += other.lies_found_at_opening;
        self.lies_found_by_verifying += other.lies_found_by_verifying;
        self.lies_found_by_appending += other.lies_found_by_appending;
        self.lies_cut_short += other.lies_cut_short;
        self.noticed_by_a_witness += other.noticed_by_a_witness;
        self.lies_without_loss += other.lies_without_loss;
    }
}
