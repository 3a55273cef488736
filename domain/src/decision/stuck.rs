//! A payment that its chain does not take: what follows it, pulls it along or makes it impossible.
//! Nothing here pays anybody whom people have not approved.

use super::{
    Decision, check_signers, check_trusted, custody, freeze,
    payment::{burn, find, find_asked, settle},
    proposal,
    request::judge_again,
};
use crate::{
    Aggregate as _, Amount, Family, Intent, ProposalId, Refusal, Rule, State, Stream, TransferId,
    account,
    policy::InForce,
    proposal::{Fulfilled, ProposalEvent},
    transfer::{
        self, Abandoned, AbandonmentApproved, FeeCapRaised, ReturnAuthorised, Returns,
        SignedAttempt, Transfer,
    },
    wallet::{self, AccountNonceRaised, Coin},
};

/// A transaction that pays nobody, for what is set aside already.
pub(super) fn authorise_return(
    state: &State,
    id: TransferId,
    returned: ReturnAuthorised,
) -> Result<Decision, Refusal> {
    let (transfer, asked) = find_asked(state, id)?;
    let intent = &asked.intent;
    freeze::check(state, intent)?;
    let holding = custody::wallet(state, intent.wallet)?.holding()?;
    let unknown = || Refusal::new(Rule::KeyState, "there is no such key");
    let key = state.keys.get(&holding.key).ok_or_else(unknown)?;
    if returned.attempt.key != holding.key {
        return Err(Refusal::new(Rule::AttemptState, "the wallet's key is another one"));
    }
    check_signers(&returned.attempt, key.active()?)?;
    check_trusted(state, &returned.attempt.signers)?;
    let trusted: Vec<_> = returned.attempt.signers.iter().copied().map(Stream::Signer).collect();
    if !holding.funds.is_reserved(id) {
        let because = "nothing is set aside for this transfer";
        return Err(Refusal::new(Rule::WalletReserved, because));
    }
    if matches!(returned.returns, Returns::Child { .. })
        && holding.network.family() != Family::Bitcoin
    {
        let because = "a transaction of an account has no change that a child could spend";
        return Err(Refusal::new(Rule::AttemptState, because));
    }
    let gap = holding.funds.is_gap(id);
    let events = transfer.decide(transfer::Command::Return { returned, gap })?;
    let weighed = [Stream::Key(holding.key), Stream::Wallet(intent.wallet), Stream::Freezes];
    let weighed = weighed.into_iter().chain(trusted);
    Ok(Decision::weighing(weighed).with(Stream::Transfer(id), events))
}

/// Others wait for the account nonce of a transfer that can't go on. The server says so, and gains
/// nothing by a lie: what follows pays nobody, and costs no more than people approved.
pub(super) fn find_gap(state: &State, id: TransferId) -> Result<Decision, Refusal> {
    let transfer = find(state, id)?;
    let Transfer::Signing(attempts) = transfer else { return transfer.not_now() };
    if !attempts.complete.is_empty() {
        let because = "it is signed: its own transaction fills its place";
        return Err(Refusal::new(Rule::TransferState, because));
    }
    let wallet = attempts.asked.intent.wallet;
    let find = wallet::Command::FindGap { transfer: id };
    let events = custody::wallet(state, wallet)?.decide(find)?;
    Ok(Decision::weighing([Stream::Transfer(id)]).with(Stream::Wallet(wallet), events))
}

/// Whether a transfer that fails would leave later ones waiting for its account nonce for ever.
pub(super) fn check_gap(state: &State, id: TransferId) -> Result<(), Refusal> {
    let Ok((_, asked)) = find_asked(state, id) else { return Ok(()) };
    let holding = custody::wallet(state, asked.intent.wallet)?.holding()?;
    if holding.funds.leaves_gap(id) {
        let because = "later transfers wait for its account nonce: cancel it on its chain";
        return Err(Refusal::new(Rule::NonceGap, because));
    }
    Ok(())
}

/// What follows when its quorum lets a transfer cost more: account and wallet set more aside.
pub(super) fn raise(
    state: &State,
    id: TransferId,
    raised: FeeCapRaised,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let (transfer, asked) = find_asked(state, id)?;
    let intent = &asked.intent;
    let amount = intent.amount.checked_add(raised.fee_cap).ok_or_else(|| {
        Refusal::new(Rule::AmountInvalid, "amount and fee cap together pass 2^128 base units")
    })?;
    let events = transfer.decide(transfer::Command::RaiseFeeCap(raised))?;
    decision.add(Stream::Transfer(id), events);
    let raise = account::Command::RaiseHold { transfer: id, amount };
    let events = custody::account(state, intent.account)?.decide(raise)?;
    decision.add(Stream::Account(intent.account), events);
    let wallet = custody::wallet(state, intent.wallet)?;
    let holding = wallet.holding()?;
    if holding.network.family() == Family::Ethereum && holding.funds.is_reserved(id) {
        let raised = AccountNonceRaised { transfer: id, amount };
        let events = wallet.decide(wallet::Command::RaiseNonce(raised))?;
        decision.add(Stream::Wallet(intent.wallet), events);
    }
    Ok(())
}

/// Whether a higher fee cap can be asked for: more than it is, and no more than the policy lets
/// anybody pay.
pub(super) fn check_raise(state: &State, id: TransferId, fee_cap: Amount) -> Result<(), Refusal> {
    let (transfer, asked) = find_asked(state, id)?;
    let raised = FeeCapRaised { proposal: ProposalId(id.0), fee_cap };
    transfer.decide(transfer::Command::RaiseFeeCap(raised))?;
    let raised = Intent { fee_cap, ..asked.intent.clone() };
    match &state.charter.standing()?.policy {
        InForce::V1(policy) => policy.evaluate(&raised).allowed().map(drop),
        InForce::V2(policy) => judge_again(state, policy, &raised, asked)?.allowed().map(drop),
    }
}

/// Whether a cancellation can be asked for: once signers have heard of the payment. Before that it is
/// stopped, and costs nothing.
pub(super) fn check_abandon(state: &State, id: TransferId) -> Result<(), Refusal> {
    let approved = AbandonmentApproved { proposal: ProposalId(id.0) };
    find(state, id)?.decide(transfer::Command::ApproveAbandonment(approved)).map(drop)
}

/// What follows when its quorum wants a transfer cancelled: signers sign only what makes it impossible.
pub(super) fn approve_abandonment(
    state: &State,
    proposal: ProposalId,
    id: TransferId,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let approve = transfer::Command::ApproveAbandonment(AbandonmentApproved { proposal });
    decision.add(Stream::Transfer(id), find(state, id)?.decide(approve)?);
    Ok(())
}

/// A cancellation is final: the hold gives back everything but its fee.
pub(super) fn abandon(
    state: &State,
    id: TransferId,
    abandoned: Abandoned,
    change: Vec<Coin>,
) -> Result<Decision, Refusal> {
    // The saga repeats its steps.
    if matches!(find(state, id)?, Transfer::Closed(transfer::Closed::Abandoned)) {
        return Ok(Decision::default());
    }
    let (transfer, asked) = find_asked(state, id)?;
    let (fee, transaction) = (abandoned.fee, abandoned.transaction.clone());
    let events = transfer.decide(transfer::Command::Abandon(abandoned))?;
    let mut decision = Decision::default().with(Stream::Transfer(id), events);
    settle(state, id, asked, (Amount::ZERO, fee), &mut decision)?;
    come_back(state, asked.intent.wallet, (change, &transaction), &mut decision)?;
    burn(state, asked, "it was cancelled on its chain".to_owned(), &mut decision)?;
    if let Some(question) = transfer.attempts().and_then(|attempts| attempts.abandoned_by) {
        let fulfilled = ProposalEvent::from(Fulfilled {});
        decision.add(Stream::Proposal(question), vec![fulfilled]);
    }
    Ok(decision)
}

/// A quorum wanted it cancelled, and the payment was faster.
pub(super) fn too_late(
    state: &State,
    transfer: &Transfer,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    if let Some(question) = transfer.attempts().and_then(|attempts| attempts.abandoned_by) {
        let because = "the payment was final before it could be cancelled".to_owned();
        let burnt =
            proposal::find(state, question)?.decide(crate::proposal::Command::Burn { because })?;
        decision.add(Stream::Proposal(question), burnt);
    }
    Ok(())
}

/// What comes back to the wallet, out of one transaction.
pub(super) fn come_back(
    state: &State,
    id: crate::WalletId,
    (change, transaction): (Vec<Coin>, &str),
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let wallet = custody::wallet(state, id)?;
    for coin in change {
        if coin.outpoint.txid != transaction {
            let because = "change comes back from the transfer's own transaction";
            return Err(Refusal::new(Rule::WalletState, because));
        }
        decision.add(Stream::Wallet(id), wallet.decide(wallet::Command::AddCoin(coin))?);
    }
    Ok(())
}

/// The transaction that a confirmed payment's change comes back from: its child's, if it has one.
pub(crate) fn change_of(transfer: &Transfer, attempt: u32, child: Option<u32>) -> Option<&str> {
    let complete = &transfer.attempts()?.complete;
    let signed: &SignedAttempt = complete.get(&child.unwrap_or(attempt))?;
    Some(signed.signed.transaction.as_str())
}
