//! A checkpoint that counts, as the rest of the server sees it. Made by [`super::Policy`] alone,
//! after it verified every signature.

use std::{collections::BTreeSet, time::SystemTime};
use strongroom_ledger::TreeHead;

/// A checkpoint that counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counting {
    /// The log's name in it.
    pub origin: String,
    /// What it is about.
    pub head: TreeHead,
    /// The signed note: both signatures of the log, then the cosignatures.
    pub text: String,
    /// The names of the witnesses whose cosignatures verify.
    pub cosigned_by: BTreeSet<String>,
    /// When this server saw it counting.
    pub since: SystemTime,
}

impl Counting {
    /// Whether it is of the same head as another.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        self.origin == other.origin && self.head == other.head
    }
}
