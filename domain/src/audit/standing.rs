//! Whether an attempt stands on a quorum, as a signer must know before it uses a key. What the
//! transaction's bytes do is never checked here: that is `chains`' part.

use super::refuse;
use crate::{
    Command, Event, Intent, Recorded, Refusal, Rule, Spends, State, Stream, Timestamp, TransferId,
    WalletId, decision,
    key::Active,
    policy::Quorum,
    proposal::{Answers, Proposal, Subject},
    transfer::{Asked, AttemptAuthorised, Transfer, TransferEvent},
    wallet::{Funds, Holding},
};

/// An attempt that stands on a quorum, with all that a signer needs to check its bytes. Only
/// [`super::Audited::authorised`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Authorised<'log> {
    intent: &'log Intent,
    attempt: &'log AttemptAuthorised,
    wallet: WalletId,
    holding: &'log Holding,
    key: &'log Active,
}

impl<'log> Authorised<'log> {
    /// What may be paid.
    pub const fn intent(&self) -> &'log Intent {
        self.intent
    }

    /// The transaction that should do it.
    pub const fn attempt(&self) -> &'log AttemptAuthorised {
        self.attempt
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
    if holding.network != intent.network() {
        return refuse(Rule::SignerIntentMismatch, "the wallet is on another network");
    }
    decision::check_signers(attempt, key)?;
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
    let would = decision::decide(state, command, recorded.time)?.events;
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
    now: Timestamp,
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
    quorum(state, attempts, now)?;
    hold(state, intent)?;
    let attempt = &attempts.current;
    Ok(Authorised { intent, attempt, wallet: intent.wallet, holding, key })
}

/// The quorum as it was asked, and as the policy in force asks it now.
fn quorum(
    state: &State,
    attempts: &crate::transfer::Attempts,
    now: Timestamp,
) -> Result<(), Refusal> {
    let asked = &attempts.asked;
    let asked_in = asked.proposal.and_then(|id| state.proposals.get(&id));
    let Some(Proposal::QuorumReached(answers)) = asked_in else {
        return refuse(Rule::SignerQuorum, "its quorum does not stand");
    };
    approved_this(answers, asked)?;
    if answers.opened.maker != asked.maker {
        return refuse(Rule::SignerQuorum, "the proposal was made by somebody else");
    }
    if now >= answers.opened.expires_at {
        let because = format!("its approval expired at {}", answers.opened.expires_at);
        return refuse(Rule::SignerExpired, because);
    }
    satisfied(answers, &answers.opened.quorum)?;
    let decided = state.charter.standing()?.policy.evaluate(&asked.intent);
    let current = decided.allowed().map_err(|refusal| {
        let because = format!("{}: {}", refusal.rule, refusal.because);
        Refusal::new(Rule::SignerPolicy, because)
    })?;
    satisfied(answers, current)
}

fn hold(state: &State, intent: &Intent) -> Result<(), Refusal> {
    let needed = decision::set_aside(intent)?;
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

/// Whether enough distinct members of `quorum`, none of them the maker, have approved. Their
/// signatures were verified when the answers were recorded.
fn satisfied(answers: &Answers, quorum: &Quorum) -> Result<(), Refusal> {
    let opened = &answers.opened;
    let counted = answers
        .approvals
        .keys()
        .filter(|person| quorum.group.contains(person) && **person != opened.maker)
        .count();
    if counted < usize::from(quorum.approvals) {
        let because = format!("{counted} approvals of the group, {} needed", quorum.approvals);
        return refuse(Rule::SignerQuorum, because);
    }
    Ok(())
}

/// Whether the question that was answered is the transfer that was asked for.
fn approved_this(answers: &Answers, asked: &Asked) -> Result<(), Refusal> {
    match &answers.opened.subject {
        Subject::Transfer { intent, .. } if *intent == asked.intent => Ok(()),
        Subject::Transfer { .. } | Subject::KeyCeremony(_) | Subject::PolicyChange(_) => {
            refuse(Rule::SignerQuorum, "the quorum approved something else")
        }
    }
}
