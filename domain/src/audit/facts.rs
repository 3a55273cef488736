//! Whether a freeze, a price, a screening or a difference was allowed, given everything before it.
//! Nothing here takes the writer's word: what people and sources signed is verified again.

use super::{
    due::Due,
    lawful::{again, alone},
    near, refuse,
};
use crate::{
    Command, Recorded, Refusal, Rule, State, freeze::FreezeEvent, price::PriceEvent,
    reconciliation::ReconciliationEvent, screening::ScreeningEvent,
};

pub(super) fn freeze(
    state: &State,
    recorded: &Recorded,
    event: &FreezeEvent,
) -> Result<Due, Refusal> {
    match event {
        FreezeEvent::Set(set) => again(state, recorded, Command::Freeze(set.clone())),
        FreezeEvent::Lifted(_) => alone(recorded),
    }
}

pub(super) fn price(
    state: &State,
    recorded: &Recorded,
    event: &PriceEvent,
) -> Result<Due, Refusal> {
    let PriceEvent::Quoted(quoted) = event;
    again(state, recorded, Command::QuotePrice(quoted.clone()))
}

pub(super) fn screening(
    state: &State,
    recorded: &Recorded,
    event: &ScreeningEvent,
) -> Result<Due, Refusal> {
    let ScreeningEvent::Recorded(found) = event;
    again(state, recorded, Command::RecordScreening(found.clone()))
}

pub(super) fn reconciliation(
    state: &State,
    recorded: &Recorded,
    event: &ReconciliationEvent,
) -> Result<Due, Refusal> {
    match event {
        ReconciliationEvent::DifferenceFound(found) => {
            if !near::is(recorded.time, found.at) {
                let because = format!("a difference of {} can't be found now", found.at);
                return refuse(Rule::LogUnlawful, because);
            }
            again(state, recorded, Command::FindDifference(found.clone()))
        }
        ReconciliationEvent::DifferenceResolved(resolved) => {
            again(state, recorded, Command::ResolveDifference(resolved.clone()))
        }
    }
}
