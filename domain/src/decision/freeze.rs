//! Freezes over everything that they concern. Setting one takes one officer; nothing here lifts one
//! without a quorum.

use super::Decision;
use crate::{
    Aggregate as _, FreezeId, Intent, ProposalId, Refusal, Rule, State, Stream,
    charter::Role,
    freeze::{self, FreezeScope},
};

/// One officer stops payments, at once.
pub(super) fn set(state: &State, set: freeze::Set) -> Result<Decision, Refusal> {
    state.charter.standing()?.demand(set.by, Role::Officer)?;
    check_scope(state, &set.scope)?;
    let events = state.freezes.decide(freeze::Command::Set(set))?;
    Ok(Decision::weighing([Stream::Charter]).with(Stream::Freezes, events))
}

/// A freeze of what does not exist would let an officer believe that something is frozen.
fn check_scope(state: &State, scope: &FreezeScope) -> Result<(), Refusal> {
    match scope {
        FreezeScope::Wallet(id) if !state.wallets.contains_key(id) => {
            Err(Refusal::new(Rule::WalletState, "there is no such wallet"))
        }
        FreezeScope::Client(id) => {
            let theirs = |claim: &crate::account::Claim| claim.client == *id;
            let known = state.accounts.values().any(|of| of.claim().is_ok_and(theirs));
            if known {
                return Ok(());
            }
            Err(Refusal::new(Rule::AccountState, "no account is this client's"))
        }
        FreezeScope::Wallet(_) | FreezeScope::Destination { .. } | FreezeScope::Everything => {
            Ok(())
        }
    }
}

/// The events that follow where a quorum agreed that a freeze ends.
pub(super) fn lift(
    state: &State,
    freeze: FreezeId,
    proposal: ProposalId,
) -> Result<Vec<freeze::FreezeEvent>, Refusal> {
    state.freezes.decide(freeze::Command::Lift { freeze, proposal })
}

/// The refusal, if a freeze covers a payment.
pub fn check(state: &State, intent: &Intent) -> Result<(), Refusal> {
    let account = state.accounts.get(&intent.account);
    let claim = account
        .ok_or_else(|| Refusal::new(Rule::AccountState, "there is no such account"))?
        .claim()?;
    state.freezes.check(intent, claim.client)
}
