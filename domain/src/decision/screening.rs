//! Screenings, held against the charter. What a screening means for a payment is the policy's part.

use super::{Decision, price::check_come};
use crate::{
    Aggregate as _, Refusal, Rule, State, Stream, Timestamp,
    charter::Role,
    screening::{self, Recorded},
    statement,
};

pub(super) fn record(
    state: &State,
    recorded: Recorded,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let standing = state.charter.standing()?;
    let person = standing.demand(recorded.by, Role::Compliance)?;
    check_come(recorded.at, now, Rule::ScreeningInvalid)?;
    let Some(key) = person.approval_key(&recorded.key) else {
        let because = format!("{} is not a key of {}", recorded.key, recorded.by);
        return Err(Refusal::new(Rule::ApprovalKeyUnknown, because));
    };
    let place = (recorded.network, &recorded.address);
    let (verdict, looked) = (recorded.verdict, (recorded.by, recorded.at));
    let text = statement::screening(standing.log, place, verdict, looked);
    if !key.verify(&text, &recorded.evidence) {
        let because = "the evidence is not this key's over this screening";
        return Err(Refusal::new(Rule::ApprovalSignature, because));
    }
    let events = state.screenings.decide(screening::Command(recorded))?;
    Ok(Decision::weighing([Stream::Charter]).with(Stream::Screenings, events))
}
