//! A payment's way through the ledger. No transaction is built or read here: what one does is
//! for `chains` to say and for signers to check.

use super::{Decision, custody, freeze, proposal, rotation, signers, stuck};
use crate::{
    Aggregate as _, Amount, Family, Intent, Refusal, Rule, SignerId, State, Stream, Timestamp,
    TransferId, account,
    command::Spends,
    key::{Active, Custody, Key},
    proposal::{Fulfilled, ProposalEvent},
    statement,
    transfer::{
        self, Abstention, Asked, AttemptAuthorised, AttemptFound, AttemptRefused, AttemptSigned,
        Attempts, Confirmed, PartiallySigned, Transfer,
    },
    wallet::{self, AccountNonceReserved, Coin, CoinsReserved},
};
use std::collections::BTreeSet;

pub(super) fn find(state: &State, id: TransferId) -> Result<&Transfer, Refusal> {
    state
        .transfers
        .get(&id)
        .ok_or_else(|| Refusal::new(Rule::TransferState, "there is no such transfer"))
}

pub(super) fn find_asked(state: &State, id: TransferId) -> Result<(&Transfer, &Asked), Refusal> {
    let transfer = find(state, id)?;
    match transfer.asked() {
        Some(asked) => Ok((transfer, asked)),
        None => transfer.not_now(),
    }
}

/// Amount and fee cap together: what is set aside.
pub fn set_aside(intent: &Intent) -> Result<Amount, Refusal> {
    intent.amount.checked_add(intent.fee_cap).ok_or_else(|| {
        Refusal::new(Rule::AmountInvalid, "amount and fee cap together pass 2^128 base units")
    })
}

/// Whether an attempt names its wallet's key and exactly enough of its holders. Of a multisig key any of
/// its holders, who must be enough together with the cosigners that no signer is.
pub(crate) fn check_signers(attempt: &AttemptAuthorised, key: &Active) -> Result<(), Refusal> {
    let distinct: BTreeSet<_> = attempt.signers.iter().collect();
    let holders = attempt.signers.iter().all(|id| key.index_of(*id).is_some());
    let threshold = usize::from(key.plan.threshold);
    let enough = match key.plan.protocol.custody() {
        Custody::Shares | Custody::Whole => distinct.len() == threshold,
        Custody::Cosigners => distinct.len().saturating_add(key.cosigners.len()) >= threshold,
    };
    if !holders || !enough || distinct.len() != attempt.signers.len() {
        let because = match key.plan.protocol.custody() {
            Custody::Shares | Custody::Whole => {
                format!("an attempt names {threshold} distinct holders of its key")
            }
            Custody::Cosigners => format!(
                "an attempt names distinct holders of its key, so many that {threshold} can sign \
                 with the {} cosigners besides",
                key.cosigners.len()
            ),
        };
        return Err(Refusal::new(Rule::AttemptState, because));
    }
    Ok(())
}

/// Whether the time lock is over: `delay_s` after the entry that approved the transfer.
pub(crate) fn check_released(asked: &Asked, delay_s: u64, now: Timestamp) -> Result<(), Refusal> {
    if delay_s == 0 {
        return Ok(());
    }
    let Some(approved_at) = asked.approved_at else {
        return Err(Refusal::new(Rule::TimeLock, "the entry that approves it is not durable yet"));
    };
    let released_at = approved_at.plus_seconds(delay_s);
    if now < released_at {
        return Err(Refusal::new(Rule::TimeLock, format!("it waits until {released_at}")));
    }
    Ok(())
}

pub(super) fn authorise(
    state: &State,
    id: TransferId,
    attempt: AttemptAuthorised,
    spends: Spends,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let (transfer, asked) = find_asked(state, id)?;
    let intent = &asked.intent;
    freeze::check(state, intent)?;
    check_released(asked, asked.delay_s, now)?;
    let wallet = custody::wallet(state, intent.wallet)?;
    let key_id = wallet.holding()?.key;
    let key = state
        .keys
        .get(&key_id)
        .ok_or_else(|| Refusal::new(Rule::KeyState, "there is no such key"))?;
    if attempt.key != key_id {
        return Err(Refusal::new(Rule::AttemptState, "the wallet's key is another one"));
    }
    check_signers(&attempt, key.active()?)?;
    signers::check_trusted(state, &attempt.signers)?;
    let trusted = attempt.signers.iter().copied().map(Stream::Signer);
    let weighed = trusted.chain([Stream::Key(key_id), Stream::Freezes]).collect::<Vec<_>>();
    let reserve = match spends {
        Spends::Coins(outpoints) => {
            rotation::check_coins(asked, &outpoints)?;
            wallet::Command::ReserveCoins(CoinsReserved { transfer: id, outpoints })
        }
        Spends::AccountNonce(account_nonce) => {
            let amount = asked.reserved()?;
            wallet::Command::ReserveNonce(AccountNonceReserved {
                transfer: id,
                account_nonce,
                amount,
            })
        }
    };
    let reserved = wallet.decide(reserve)?;
    let events = transfer.decide(transfer::Command::Authorise(attempt))?;
    Ok(Decision::weighing(weighed)
        .with(Stream::Wallet(intent.wallet), reserved)
        .with(Stream::Transfer(id), events))
}

fn on_transfer(
    state: &State,
    id: TransferId,
    command: transfer::Command,
) -> Result<Decision, Refusal> {
    let events = find(state, id)?.decide(command)?;
    Ok(Decision::default().with(Stream::Transfer(id), events))
}

pub(super) fn refused(
    state: &State,
    id: TransferId,
    refused: AttemptRefused,
) -> Result<Decision, Refusal> {
    on_transfer(state, id, transfer::Command::RecordRefusal(refused))
}

/// A cosigner's part, of a place that the wallet's key has. What it signs is for `chains` to say.
pub(super) fn partial(
    state: &State,
    id: TransferId,
    partial: PartiallySigned,
) -> Result<Decision, Refusal> {
    let refuse = |because: String| Err(Refusal::new(Rule::AttemptState, because));
    let transfer = find(state, id)?;
    let Some(attempts) = transfer.attempts() else { return transfer.not_now() };
    let unknown = || Refusal::new(Rule::KeyState, "there is no such key");
    let key = state.keys.get(&attempts.current.key).ok_or_else(unknown)?.existing()?;
    let places = match key.plan.protocol.custody() {
        Custody::Cosigners => key.holders.len().saturating_add(key.cosigners.len()),
        Custody::Shares | Custody::Whole => {
            return refuse("its wallet has one key: there are no cosigners".to_owned());
        }
    };
    if !(1..=places).contains(&usize::from(partial.place)) {
        return refuse(format!("the wallet has places 1 to {places}, and no {}", partial.place));
    }
    on_transfer(state, id, transfer::Command::RecordPartial(partial))
}

pub(super) fn signed(
    state: &State,
    id: TransferId,
    signed: AttemptSigned,
) -> Result<Decision, Refusal> {
    on_transfer(state, id, transfer::Command::RecordSigned(signed))
}

/// An earlier attempt that the network has. Whether it is that one is for `chains` to say.
pub(super) fn found(
    state: &State,
    id: TransferId,
    found: AttemptFound,
) -> Result<Decision, Refusal> {
    on_transfer(state, id, transfer::Command::RecordFound(found))
}

pub(super) fn broadcast(state: &State, id: TransferId, attempt: u32) -> Result<Decision, Refusal> {
    on_transfer(state, id, transfer::Command::RecordBroadcast { attempt })
}

pub(super) fn confirm(
    state: &State,
    id: TransferId,
    confirmed: Confirmed,
    change: Vec<Coin>,
) -> Result<Decision, Refusal> {
    // The saga repeats its steps.
    if matches!(find(state, id)?, Transfer::Closed(transfer::Closed::Confirmed)) {
        return Ok(Decision::default());
    }
    let (transfer, asked) = find_asked(state, id)?;
    let (paid, fee) = (confirmed.paid, confirmed.fee);
    let transaction = stuck::change_of(transfer, confirmed.attempt, confirmed.child);
    let events = transfer.decide(transfer::Command::Confirm(confirmed))?;
    let mut decision = Decision::default().with(Stream::Transfer(id), events);
    settle(state, id, asked, (paid, fee), &mut decision)?;
    let arrived = (paid, transaction.unwrap_or_default());
    rotation::arrive(state, asked, arrived, &mut decision)?;
    let change = (change, transaction.unwrap_or_default());
    stuck::come_back(state, asked.intent.wallet, change, &mut decision)?;
    if let Some(proposal) = asked.proposal {
        let fulfilled = ProposalEvent::from(Fulfilled {});
        decision.add(Stream::Proposal(proposal), vec![fulfilled]);
    }
    stuck::too_late(state, transfer, &mut decision)?;
    Ok(decision)
}

/// Posts the hold and marks the funds as spent.
pub(super) fn settle(
    state: &State,
    id: TransferId,
    asked: &Asked,
    (paid, fee): (Amount, Amount),
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let intent = &asked.intent;
    let taken = paid.checked_add(fee).ok_or_else(|| {
        Refusal::new(Rule::AmountInvalid, "payment and fee together pass 2^128 base units")
    })?;
    // What a sweep moves is nobody's claim.
    let paid = if asked.sweep.is_some() { Amount::ZERO } else { paid };
    let post = account::Command::PostHold {
        account: intent.account,
        transfer: id,
        wallet: intent.wallet,
        paid,
        fee,
    };
    let posted = custody::account(state, intent.account)?.decide(post)?;
    decision.add(Stream::Account(intent.account), posted);
    let spend = wallet::Command::Spend { transfer: id, spent: taken };
    let used = custody::wallet(state, intent.wallet)?.decide(spend)?;
    decision.add(Stream::Wallet(intent.wallet), used);
    Ok(())
}

/// Whether so many holders have sworn off the transfer that the others can't sign it: then no
/// signature exists or ever will, whatever the server says. Each word is durable at its signer.
fn check_abstentions(
    state: &State,
    attempts: &Attempts,
    abstentions: &[Abstention],
) -> Result<(), Refusal> {
    let refuse = |because: String| Err(Refusal::new(Rule::TransferAbstentions, because));
    let standing = state.charter.standing()?;
    let Some(key) = state.keys.get(&attempts.current.key) else {
        return refuse("there is no such key".to_owned());
    };
    let (Key::Active(active) | Key::Quarantined(active)) = key else {
        return refuse(format!("the key is {}", key.name()));
    };
    let transfer = attempts.asked.intent.transfer;
    let since = state.attempted_in.get(&transfer).copied().unwrap_or(1);
    let epochs: Vec<_> = active.holders_since(since).collect();
    let mut sworn: BTreeSet<SignerId> = BTreeSet::new();
    for Abstention { signer, signature } in abstentions {
        let text = statement::abstention(standing.log, transfer, *signer);
        let enrolled = standing.signers.get(signer);
        let holder = epochs.iter().any(|holders| holders.values().any(|id| id == signer));
        let good = enrolled.is_some_and(|of| statement::verify(&of.identity_key, &text, signature));
        if !holder || !good || !sworn.insert(*signer) {
            return refuse(format!("{signer} is no holder, or did not say this, or said it twice"));
        }
    }
    // The shares of different epochs don't sign together, so each epoch counts for itself; but
    // whoever was dropped may have kept their share of theirs, and those who stayed may have signed.
    for holders in epochs {
        let left = holders.values().filter(|id| !sworn.contains(id)).count();
        // Whoever is no signer swears nothing, and may sign at any time.
        let left = left.saturating_add(active.cosigners.len());
        if left >= usize::from(active.plan.threshold) {
            let because = format!("{left} holders have not sworn it off: they could sign it");
            return refuse(because);
        }
    }
    Ok(())
}

pub(crate) fn fail(
    state: &State,
    id: TransferId,
    because: String,
    abstentions: Vec<Abstention>,
) -> Result<Decision, Refusal> {
    let (transfer, asked) = find_asked(state, id)?;
    let intent = &asked.intent;
    if let Transfer::Signing(attempts) = transfer {
        check_abstentions(state, attempts, &abstentions)?;
    }
    let events =
        transfer.decide(transfer::Command::Fail { because: because.clone(), abstentions })?;
    let mut decision = Decision::default().with(Stream::Transfer(id), events);
    let void = account::Command::VoidHold { transfer: id };
    let voided = custody::account(state, intent.account)?.decide(void)?;
    decision.add(Stream::Account(intent.account), voided);
    let wallet = custody::wallet(state, intent.wallet)?;
    if wallet.holding()?.funds.is_reserved(id) {
        let released = wallet.decide(wallet::Command::Release { transfer: id })?;
        decision.add(Stream::Wallet(intent.wallet), released);
    }
    burn(state, asked, because, &mut decision)?;
    Ok(decision)
}

/// One officer stops a transfer. Once signers may have heard of it, only [`fail`] ends it.
pub(super) fn stop(
    state: &State,
    id: TransferId,
    stopped: transfer::Stopped,
) -> Result<Decision, Refusal> {
    state.charter.standing()?.demand(stopped.by, crate::charter::Role::Officer)?;
    let (transfer, asked) = find_asked(state, id)?;
    let because = format!("an officer stopped it: {}", stopped.because);
    let events = transfer.decide(transfer::Command::Stop(stopped))?;
    let mut decision = Decision::weighing([Stream::Charter]).with(Stream::Transfer(id), events);
    let void = account::Command::VoidHold { transfer: id };
    let voided = custody::account(state, asked.intent.account)?.decide(void)?;
    decision.add(Stream::Account(asked.intent.account), voided);
    burn(state, asked, because, &mut decision)?;
    Ok(decision)
}

pub(super) fn burn(
    state: &State,
    asked: &Asked,
    because: String,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    if let Some(id) = asked.proposal {
        let burnt =
            proposal::find(state, id)?.decide(crate::proposal::Command::Burn { because })?;
        decision.add(Stream::Proposal(id), burnt);
    }
    Ok(())
}

pub(super) fn fail_on_chain(
    state: &State,
    id: TransferId,
    attempt: u32,
    (fee, because): (Amount, String),
) -> Result<Decision, Refusal> {
    let (transfer, asked) = find_asked(state, id)?;
    // Else a server that hides a signed transaction could free its hold at the price of a word.
    if matches!(asked.intent.network().family(), Family::Bitcoin) {
        let because = "a transaction of this family is in a block or not: it can't fail there";
        return Err(Refusal::new(Rule::TransferState, because));
    }
    let command = transfer::Command::FailOnChain { attempt, fee, because: because.clone() };
    let mut decision = Decision::default().with(Stream::Transfer(id), transfer.decide(command)?);
    settle(state, id, asked, (Amount::ZERO, fee), &mut decision)?;
    burn(state, asked, because, &mut decision)?;
    Ok(decision)
}
