//! Given some events, when a command comes, then these events or that refusal: the form of every
//! aggregate's tests. It takes no short cut past `decide` and `evolve`.

use crate::{Aggregate, Corrupt, Refusal, Rule};
use std::fmt::Debug;

/// An aggregate with a history.
pub(crate) struct Given<A>(A);

/// What came of a command.
pub(crate) struct When<A: Aggregate>(A, Result<Vec<A::Event>, Refusal>);

/// An aggregate to which this happened.
pub(crate) fn given<A: Aggregate>(history: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut aggregate = A::default();
    for event in history {
        aggregate.evolve(&event).expect("a history that can have happened");
    }
    Given(aggregate)
}

impl<A: Aggregate> Given<A>
where
    A::Event: PartialEq + Debug,
{
    pub(crate) fn when(self, command: A::Command) -> When<A> {
        let outcome = self.0.decide(command);
        When(self.0, outcome)
    }

    /// The log says that this came next, and it can't have.
    pub(crate) fn cannot_be_followed_by(mut self, event: impl Into<A::Event>) -> Corrupt {
        self.0.evolve(&event.into()).expect_err("a damaged history")
    }

    pub(crate) fn is(&self) -> &A {
        &self.0
    }
}

impl<A: Aggregate> When<A>
where
    A::Event: PartialEq + Debug,
{
    /// Exactly these events, which can be recorded.
    #[track_caller]
    pub(crate) fn then(mut self, events: impl IntoIterator<Item = A::Event>) -> A {
        let expected: Vec<_> = events.into_iter().collect();
        assert_eq!(self.1, Ok(expected.clone()));
        for event in &expected {
            self.0.evolve(event).expect("what was decided can happen");
        }
        self.0
    }

    #[track_caller]
    pub(crate) fn then_nothing(self) -> A {
        self.then([])
    }

    #[track_caller]
    pub(crate) fn then_refused(self, rule: Rule) {
        match self.1 {
            Err(refusal) => assert_eq!(refusal.rule, rule, "{refusal}"),
            Ok(events) => panic!("not refused: {events:?}"),
        }
    }
}
