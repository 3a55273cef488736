//! A payment judged once more by a reader's own clock, because dates are the writer's word. Never
//! allows what the dates forbid: it is asked besides. Says how long the payment waits by that judgement.

use super::{refuse, standing};
use crate::{
    Refusal, Rule, State, Timestamp, TransferId, decision,
    policy::InForce,
    proposal::Proposal,
    transfer::{Returns, Transfer},
    usage::Late,
};

pub(super) fn demand(
    state: &State,
    id: TransferId,
    (seen, late): (Option<Timestamp>, &Late),
) -> Result<u64, Refusal> {
    if seen.is_none() && late.is_empty() {
        return Ok(0);
    }
    let Some(attempts) = state.transfers.get(&id).and_then(Transfer::attempts) else {
        return refuse(Rule::TransferState, "there is no attempt of it");
    };
    let asked = &attempts.asked;
    // A cancellation pays nobody, and no limit is asked about a sweep.
    if matches!(attempts.returns, Some(Returns::Cancellation)) || asked.sweep.is_some() {
        return Ok(0);
    }
    let InForce::V2(policy) = &state.charter.standing()?.policy else { return Ok(0) };
    let decided = decision::judge_as_seen(state, policy, asked, (seen, late))?;
    let refused = |refusal: Refusal| {
        let because = format!(
            "the dates of the log let it pass, this signer's own clock does not: {}: {}",
            refusal.rule, refusal.because
        );
        Refusal::new(Rule::SignerClock, because)
    };
    let quorums = decided.allowed().map_err(refused)?;
    match asked.proposal.and_then(|id| state.proposals.get(&id)).and_then(Proposal::answers) {
        Some(answers) => standing::satisfied(state, answers, quorums).map(|()| decided.delay_s),
        None => refuse(Rule::SignerQuorum, "its quorum does not stand"),
    }
}
