//! Differences and who answers for them. Nothing here corrects a number.

use super::Decision;
use crate::{
    Aggregate as _, Refusal, Rule, State, Stream,
    charter::Role,
    reconciliation::{self, DifferenceFound, DifferenceResolved, What},
};

pub(super) fn find(state: &State, found: DifferenceFound) -> Result<Decision, Refusal> {
    let standing = state.charter.standing()?;
    if !standing.people.contains_key(&found.owner) {
        let because = format!("its owner {} is not in the charter", found.owner);
        return Err(Refusal::new(Rule::RoleMissing, because));
    }
    if let What::Balance { wallet, .. } = &found.what
        && !state.wallets.contains_key(wallet)
    {
        return Err(Refusal::new(Rule::WalletState, "there is no such wallet"));
    }
    let events = state.reconciliation.decide(reconciliation::Command::Find(found))?;
    Ok(Decision::weighing([Stream::Charter]).with(Stream::Reconciliation, events))
}

pub(super) fn resolve(state: &State, resolved: DifferenceResolved) -> Result<Decision, Refusal> {
    let owner = state.reconciliation.get(resolved.difference).map(|known| known.owner);
    let standing = state.charter.standing()?;
    // The owner may have left the institution.
    if owner.is_some_and(|owner| owner != resolved.by)
        || !standing.people.contains_key(&resolved.by)
    {
        standing.demand(resolved.by, Role::Officer)?;
    }
    let events = state.reconciliation.decide(reconciliation::Command::Resolve(resolved))?;
    Ok(Decision::weighing([Stream::Charter]).with(Stream::Reconciliation, events))
}
