//! Whether an attempt stands on a quorum, as a signer must know before it uses a key. What the
//! transaction's bytes do is never checked here: that is `chains`' part.

use super::{near, refuse};
use crate::{
    Command, Event, Intent, Recorded, Refusal, Rule, Spends, State, Stream, Timestamp, TransferId,
    WalletId, decision,
    key::Active,
    policy::{InForce, Quorums},
    proposal::{Answers, Approved, Proposal, Subject},
    transfer::{
        Asked, AttemptAuthorised, Attempts, Returns, SignedAttempt, Transfer, TransferEvent,
    },
    wallet::{Funds, Holding},
};
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// An attempt that stands on a quorum, with all that a signer needs to check its bytes. Only
/// [`super::Audited::authorised`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Authorised<'log> {
    intent: &'log Intent,
    attempt: &'log AttemptAuthorised,
    wallet: WalletId,
    holding: &'log Holding,
    key: &'log Active,
    successor: Option<(&'log Holding, &'log Active)>,
    attempts: &'log Attempts,
    delay_s: u64,
}

impl<'log> Authorised<'log> {
    /// How long it waits after it was approved, as it was asked and as the policy in force has it.
    pub const fn delay_s(&self) -> u64 {
        self.delay_s
    }

    /// What may be paid.
    pub const fn intent(&self) -> &'log Intent {
        self.intent
    }

    /// What this attempt must do: of a sweep, whose fee comes out of what arrives, it depends on the
    /// fee.
    pub fn pays(&self) -> Result<Intent, Refusal> {
        self.attempts.asked.pays(self.attempt.fee)
    }

    /// Of a sweep: the wallet and key whose address the destination must be.
    pub const fn successor(&self) -> Option<(&'log Holding, &'log Active)> {
        self.successor
    }

    /// The transaction that should do it.
    pub const fn attempt(&self) -> &'log AttemptAuthorised {
        self.attempt
    }

    /// What it is for, if it pays nobody.
    pub const fn returns(&self) -> Option<Returns> {
        self.attempts.returns
    }

    /// Every attempt of its transfer that was signed before.
    pub const fn complete(&self) -> &'log BTreeMap<u32, SignedAttempt> {
        &self.attempts.complete
    }

    /// The wallet that pays.
    pub const fn wallet(&self) -> WalletId {
        self.wallet
    }

    /// What that wallet holds.
    pub const fn holding(&self) -> &'log Holding {
        self.holding
    }

    /// The wallet's key.
    pub const fn key(&self) -> &'log Active {
        self.key
    }
}

/// The wallet and key that an attempt must use, if it names them.
fn check_attempt<'log>(
    state: &'log State,
    transfer: &'log Transfer,
    attempt: &AttemptAuthorised,
) -> Result<(&'log Intent, &'log Holding, &'log Active), Refusal> {
    let Some(asked) = transfer.asked() else { return transfer.not_now() };
    let intent = &asked.intent;
    let holding = match state.wallets.get(&intent.wallet) {
        Some(wallet) => wallet.holding()?,
        None => return refuse(Rule::WalletState, "there is no such wallet"),
    };
    let Some(key) = state.keys.get(&holding.key) else {
        return refuse(Rule::SignerKey, "there is no such key");
    };
    let key = key.active().map_err(|refusal| Refusal::new(Rule::SignerKey, refusal.because))?;
    if attempt.key != holding.key || key.wallet != Some(intent.wallet) {
        return refuse(Rule::SignerKey, "the attempt names another key than its wallet's");
    }
    if key.retired && asked.sweep.is_none() {
        return refuse(Rule::SignerKey, "the key is retired: it signs sweeps and nothing else");
    }
    if holding.network != intent.network() {
        return refuse(Rule::SignerIntentMismatch, "the wallet is on another network");
    }
    decision::check_signers(attempt, key)?;
    decision::check_trusted(state, &attempt.signers)?;
    if !holding.funds.is_reserved(intent.transfer) {
        return refuse(Rule::WalletReserved, "nothing is set aside for this transfer");
    }
    Ok((intent, holding, key))
}

/// Whether the entry is an attempt that the rules allow for `id`, whose funds are set aside.
pub(super) fn is_next_attempt(
    state: &State,
    id: TransferId,
    recorded: &Recorded,
) -> Result<(), Refusal> {
    let (Stream::Transfer(of), Event::Transfer(TransferEvent::AttemptAuthorised(attempt))) =
        (recorded.stream, &recorded.event)
    else {
        return refuse(Rule::LogUnlawful, "funds were set aside, and no attempt follows");
    };
    let Some(transfer) = state.transfers.get(&id) else {
        return refuse(Rule::TransferState, "there is no such transfer");
    };
    let (intent, holding, _) = check_attempt(state, transfer, attempt)?;
    let spends = match &holding.funds {
        Funds::Coins(coins) => {
            let mine = coins.reserved.get(&intent.transfer).into_iter().flatten();
            Spends::Coins(mine.map(|(outpoint, _)| outpoint.clone()).collect())
        }
        Funds::Balance(balance) => match balance.reserved.get(&intent.transfer) {
            Some(reserved) => Spends::AccountNonce(reserved.account_nonce),
            None => return refuse(Rule::WalletReserved, "no account nonce is set aside"),
        },
    };
    let command = Command::AuthoriseAttempt { transfer: id, attempt: attempt.clone(), spends };
    // Signers measure a time lock by their own clock; here its end counts if it was near.
    let released_at = transfer.asked().and_then(Asked::released_at);
    let now = released_at.map_or(recorded.time, |at| near::since(recorded.time, at));
    let would = decision::decide(state, command, now)?.events;
    if of == id && would == [(recorded.stream, recorded.event.clone())] {
        Ok(())
    } else {
        refuse(Rule::AttemptState, "the rules allow another attempt than this")
    }
}

pub(super) fn authorised(
    state: &State,
    id: TransferId,
    attempt: u32,
    (now, again): (Timestamp, bool),
) -> Result<Authorised<'_>, Refusal> {
    let Some(transfer) = state.transfers.get(&id) else {
        return refuse(Rule::TransferState, "there is no such transfer");
    };
    // Once a signature is in the log nobody needs another.
    let Transfer::Signing(attempts) = transfer else { return transfer.not_now() };
    if attempts.current.attempt != attempt {
        return refuse(Rule::AttemptState, "another attempt is the current one");
    }
    let (intent, holding, key) = check_attempt(state, transfer, &attempts.current)?;
    decision::check_frozen(state, intent)?;
    decision::check_released(&attempts.asked, attempts.asked.delay_s, now)?;
    // What signed in time signs its own replacement after that time: it pays the same, or nobody.
    let limit = if again { Timestamp::default() } else { now };
    let mut delay_s = attempts.asked.delay_s;
    match attempts.returns {
        Some(Returns::Cancellation) => cancellation(state, attempts, holding, limit)?,
        // A server that goes on asking for the payment gets no further part of it.
        Some(Returns::Child { .. }) | None if attempts.is_abandoned() => {
            let because = "its quorum abandoned it: only a cancellation is signed";
            return refuse(Rule::TransferState, because);
        }
        // The quorum of the rotation agreed to every sweep; the log was not read past an unlawful one.
        Some(Returns::Child { .. }) | None if attempts.asked.sweep.is_some() => {
            holding.rotation()?;
        }
        Some(Returns::Child { .. }) | None => {
            delay_s = delay_s.max(quorum(state, attempts, (now, limit))?);
        }
    }
    hold(state, &attempts.asked)?;
    let successor = successor(state, &attempts.asked)?;
    let attempt = &attempts.current;
    let wallet = intent.wallet;
    Ok(Authorised { intent, attempt, wallet, holding, key, successor, attempts, delay_s })
}

/// Whether the payment may be made impossible: its quorum wants that, or later transactions wait for
/// its account nonce. It pays nobody, so nobody need agree to the second.
fn cancellation(
    state: &State,
    attempts: &Attempts,
    holding: &Holding,
    now: Timestamp,
) -> Result<(), Refusal> {
    if holding.funds.is_gap(attempts.asked.intent.transfer) {
        return Ok(());
    }
    let asked_in = attempts.abandoned_by.and_then(|id| state.proposals.get(&id));
    let Some(Proposal::QuorumReached(answers)) = asked_in else {
        return refuse(Rule::SignerQuorum, "no quorum stands that wants it cancelled");
    };
    if now >= answers.opened.ends_at() {
        let because = format!("the cancellation expired at {}", answers.opened.ends_at());
        return refuse(Rule::SignerExpired, because);
    }
    satisfied(state, answers, &answers.opened.quorums)
}

/// The quorum as it was asked, and as the policy in force asks it now. Returns how long that lets it
/// wait.
fn quorum(
    state: &State,
    attempts: &Attempts,
    (now, limit): (Timestamp, Timestamp),
) -> Result<u64, Refusal> {
    let asked = &attempts.asked;
    let asked_in = asked.proposal.and_then(|id| state.proposals.get(&id));
    let Some(Proposal::QuorumReached(answers)) = asked_in else {
        return refuse(Rule::SignerQuorum, "its quorum does not stand");
    };
    approved_this(answers, asked)?;
    if answers.opened.maker != asked.maker {
        return refuse(Rule::SignerQuorum, "the proposal was made by somebody else");
    }
    if limit >= answers.opened.ends_at() {
        let because = format!("its approval expired at {}", answers.opened.ends_at());
        return refuse(Rule::SignerExpired, because);
    }
    satisfied(state, answers, &answers.opened.quorums)?;
    let (current, delay_s) = today(state, asked, now)?;
    satisfied(state, answers, &current)?;
    Ok(delay_s)
}

/// Who the policy in force says must agree: a policy that was tightened since holds at once, and so
/// does a time lock that has become longer.
fn today(state: &State, asked: &Asked, now: Timestamp) -> Result<(Quorums, u64), Refusal> {
    let refused = |refusal: Refusal| {
        let because = format!("{}: {}", refusal.rule, refusal.because);
        Refusal::new(Rule::SignerPolicy, because)
    };
    match &state.charter.standing()?.policy {
        InForce::V1(policy) => {
            let decided = policy.evaluate(&asked.intent);
            Ok((Quorums(vec![decided.allowed().map_err(refused)?.clone()]), 0))
        }
        InForce::V2(policy) => {
            let decided = decision::judge_again(state, policy, &asked.intent, asked)?;
            let quorums = decided.allowed().map_err(refused)?;
            decision::check_released(asked, decided.delay_s, now)?;
            Ok((quorums.clone(), decided.delay_s))
        }
    }
}

/// Of a sweep: whose address the destination must be.
fn successor<'log>(
    state: &'log State,
    asked: &Asked,
) -> Result<Option<(&'log Holding, &'log Active)>, Refusal> {
    let Some(sweep) = &asked.sweep else { return Ok(None) };
    let unknown = || Refusal::new(Rule::Sweep, "the successor is not in the log");
    let holding = state.wallets.get(&sweep.successor).ok_or_else(unknown)?.holding()?;
    let key = state.keys.get(&holding.key).ok_or_else(unknown)?.existing()?;
    Ok(Some((holding, key)))
}

fn hold(state: &State, asked: &Asked) -> Result<(), Refusal> {
    let (intent, needed) = (&asked.intent, asked.held()?);
    let held = state
        .accounts
        .get(&intent.account)
        .and_then(|account| account.claim().ok())
        .and_then(|claim| claim.holds.get(&intent.transfer));
    if held == Some(&needed) {
        Ok(())
    } else {
        refuse(Rule::HoldState, "the account has not set the amount and fee cap aside")
    }
}

/// Whether enough distinct people, none of them the maker, have approved, who still are approvers
/// and still have the key that they approved with. Their signatures were verified when the answers
/// were recorded.
pub(super) fn satisfied(
    state: &State,
    answers: &Answers,
    quorums: &Quorums,
) -> Result<(), Refusal> {
    let standing = state.charter.standing()?;
    let maker = answers.opened.maker;
    let counts = |by: &&Approved| by.approver != maker && standing.counts(by);
    let counted: BTreeSet<_> =
        answers.approvals.values().filter(counts).map(|by| by.approver).collect();
    if !quorums.satisfied_by(&counted) {
        let of = quorums.people().intersection(&counted).count();
        let because = format!("{of} approvals of the group, {} needed", quorums.approvals());
        return refuse(Rule::SignerQuorum, because);
    }
    Ok(())
}

/// Whether the question that was answered is the transfer that was asked for.
fn approved_this(answers: &Answers, asked: &Asked) -> Result<(), Refusal> {
    match &answers.opened.subject {
        Subject::Transfer { intent, .. } | Subject::Payment { intent, .. }
            if *intent == asked.approved() =>
        {
            Ok(())
        }
        Subject::Transfer { .. }
        | Subject::Payment { .. }
        | Subject::KeyCeremony(_)
        | Subject::MultisigKey { .. }
        | Subject::PolicyChange(_)
        | Subject::PolicyForm2(_)
        | Subject::People(_)
        | Subject::Unfreeze { .. }
        | Subject::ReleaseKey { .. }
        | Subject::RaiseFeeCap { .. }
        | Subject::Abandon { .. }
        | Subject::ChangeKey(_)
        | Subject::Rotate(_)
        | Subject::Signers(_)
        | Subject::ReleaseSigner { .. } => {
            refuse(Rule::SignerQuorum, "the quorum approved something else")
        }
    }
}
