//! Personal data, which an administrator looks after. Who may do what is never decided here.

use super::Decision;
use crate::{
    Aggregate as _, PersonId, Refusal, State, Stream,
    aggregate::so_far,
    charter::Role,
    person::{self, Described, Erased},
};

pub(super) fn describe(
    state: &State,
    person: PersonId,
    described: Described,
    by: PersonId,
) -> Result<Decision, Refusal> {
    state.charter.standing()?.may(by, &[Role::Administrator])?;
    let decision = described_person(state, person, described)?;
    Ok(decision.weigh(Stream::Charter))
}

/// For readers: who asked is not in the event, and what is sealed gives nobody anything.
pub(crate) fn described_person(
    state: &State,
    person: PersonId,
    described: Described,
) -> Result<Decision, Refusal> {
    let personal = so_far(&state.personal, &person);
    let events = personal.decide(person::Command::Describe(described))?;
    Ok(Decision::default().with(Stream::Person(person), events))
}

pub(super) fn erase(
    state: &State,
    person: PersonId,
    erased: Erased,
    by: PersonId,
) -> Result<Decision, Refusal> {
    state.charter.standing()?.may(by, &[Role::Administrator])?;
    let decision = erased_person(state, person, erased)?;
    Ok(decision.weigh(Stream::Charter))
}

/// For readers, as [`described_person`].
pub(crate) fn erased_person(
    state: &State,
    person: PersonId,
    erased: Erased,
) -> Result<Decision, Refusal> {
    let personal = so_far(&state.personal, &person);
    let events = personal.decide(person::Command::Erase(erased))?;
    Ok(Decision::default().with(Stream::Person(person), events))
}
