//! Whether an attempt stands on a quorum, as a signer must know before it uses a key. What the
//! transaction's bytes do is never checked here: that is `chains`' part.

use super::{lawful, refuse};
use crate::{
    Intent, Refusal, Rule, State, Timestamp, TransferId, WalletId, decision,
    key::Active,
    proposal::Proposal,
    transfer::{AttemptAuthorised, Transfer},
    wallet::Holding,
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
pub(super) fn check_attempt<'log>(
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
    let answers = match asked.proposal.and_then(|id| state.proposals.get(&id)) {
        Some(Proposal::QuorumReached(answers)) => answers,
        _ => return refuse(Rule::SignerQuorum, "its quorum does not stand"),
    };
    lawful::approved_this(answers, asked)?;
    if answers.opened.maker != asked.maker {
        return refuse(Rule::SignerQuorum, "the proposal was made by somebody else");
    }
    if now >= answers.opened.expires_at {
        let because = format!("its approval expired at {}", answers.opened.expires_at);
        return refuse(Rule::SignerExpired, because);
    }
    lawful::satisfied(answers, &answers.opened.quorum)?;
    let decided = state.charter.standing()?.policy.evaluate(&asked.intent);
    let current = decided.allowed().map_err(|refusal| {
        let because = format!("{}: {}", refusal.rule, refusal.because);
        Refusal::new(Rule::SignerPolicy, because)
    })?;
    lawful::satisfied(answers, current)
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
