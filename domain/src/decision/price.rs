//! Prices, held against the policy's source. Nothing here compares a price with any other.

use super::Decision;
use crate::{
    Aggregate as _, Refusal, Rule, State, Stream, Timestamp,
    price::{self, Quote, Quoted},
    statement,
};

/// How far a signed moment may lie ahead of the server's clock, in seconds.
pub(super) const AHEAD_S: u64 = 60;

/// Whether a moment that somebody signed has come. Else it would count as the newest for ever.
pub(super) fn check_come(at: Timestamp, now: Timestamp, rule: Rule) -> Result<(), Refusal> {
    if at > now.plus_seconds(AHEAD_S) {
        return Err(Refusal::new(rule, format!("it is of {at}, and now it is {now}")));
    }
    Ok(())
}

pub(super) fn quote(state: &State, quoted: Quoted, now: Timestamp) -> Result<Decision, Refusal> {
    let refuse = |because: &str| Err(Refusal::new(Rule::PriceInvalid, because));
    let standing = state.charter.standing()?;
    let Some(source) = standing.policy.v2().and_then(|policy| policy.prices.as_ref()) else {
        return refuse("the policy names no source of prices");
    };
    if quoted.reference != source.reference {
        return refuse(&format!("the policy's prices are in {}", source.reference));
    }
    check_come(quoted.at, now, Rule::PriceInvalid)?;
    let text = statement::price(&Quote::from(&quoted));
    if !statement::verify(&source.key, &text, &quoted.signature) {
        return refuse("the signature is not the policy's price source's over this price");
    }
    let events = state.prices.decide(price::Command(quoted))?;
    Ok(Decision::weighing([Stream::Charter]).with(Stream::Prices, events))
}
