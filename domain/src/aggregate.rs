//! What every aggregate has in common. Nothing here knows any of them.

use crate::Refusal;
use std::{borrow::Cow, collections::BTreeMap};

/// The unit that handles commands consistently: one stream of the log each.
pub trait Aggregate: Default + Clone {
    /// First part of its stream's name.
    const KIND: &'static str;
    /// A request to change it.
    type Command;
    /// A fact about it, as stored.
    type Event: Clone;

    /// The events that follow from `command`, or the rule that forbids it. Changes nothing.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Refusal>;

    /// Records what happened. Never refuses: it fails only on a history that `decide` could not
    /// have produced, which means that the log is damaged.
    fn evolve(&mut self, event: &Self::Event) -> Result<(), Corrupt>;
}

/// What an aggregate's history has made of it so far: a new one where there is none. What exists
/// is never copied, because a wallet can hold thousands of coins.
pub(crate) fn so_far<'a, K: Ord, A: Aggregate>(all: &'a BTreeMap<K, A>, id: &K) -> Cow<'a, A> {
    all.get(id).map_or_else(|| Cow::Owned(A::default()), Cow::Borrowed)
}

/// The log says something that cannot have happened. Stop, and tell a person.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the log is damaged: {event} cannot follow while the {aggregate} is {state}")]
pub struct Corrupt {
    /// Which kind of aggregate.
    pub aggregate: &'static str,
    /// What it was before.
    pub state: &'static str,
    /// What the log says came next.
    pub event: &'static str,
}
