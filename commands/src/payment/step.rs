//! What comes next for a transfer: pure functions of what the log says and what was seen. Nothing
//! here waits, asks or appends.

use std::collections::BTreeSet;
use strongroom_domain::{Refusal, Rule, SignerId, protocol::Reply, transfer::Transfer};
use strongroom_nodes::{Inclusion, RejectionReason, TransactionStatus};

/// What the log asks to be done next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing is approved yet.
    NotYet,
    /// Choose coins or an account nonce, and authorise the first attempt.
    Plan,
    /// Get the current attempt signed. The pivot lies in here: see the module's page.
    Sign,
    /// Hand the signed transaction to a node.
    Submit,
    /// Wait for its chain.
    Watch,
    /// Nothing more.
    Over,
}

impl Step {
    /// What the log asks for.
    pub const fn of(transfer: &Transfer) -> Self {
        match transfer {
            Transfer::Unknown | Transfer::AwaitingApproval(_) => Self::NotYet,
            Transfer::Approved(_) => Self::Plan,
            Transfer::Signing(_) => Self::Sign,
            Transfer::Signed(_) => Self::Submit,
            Transfer::Broadcast(_) => Self::Watch,
            Transfer::Closed(_) => Self::Over,
        }
    }
}

/// Why an order to sign gave no signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The same order may succeed in a moment: the signer is behind, or lost its session.
    Again(String),
    /// The signer did not answer, or can't work now.
    Away(String),
    /// A rule forbids it. The log keeps it.
    Refused(Refusal),
    /// The signer is proven wrong, or says so of itself: nobody uses the key until a quorum
    /// decides.
    Abort {
        /// What happened.
        because: String,
        /// Who is proven to have cheated.
        culprit: Option<SignerId>,
    },
}

/// What an answer means that is not the one that was hoped for.
pub fn trouble(signer: SignerId, reply: Reply) -> Trouble {
    match reply {
        Reply::Refused(refusal) if passes(refusal.rule) => Trouble::Again(refusal.to_string()),
        Reply::Refused(refusal) if is_about_the_log(refusal.rule) => {
            Trouble::Away(refusal.to_string())
        }
        Reply::Refused(refusal) => Trouble::Refused(refusal),
        Reply::Unavailable { because } => Trouble::Away(because),
        Reply::Corrupt { because, culprit: culprit @ Some(_) } => {
            Trouble::Abort { because, culprit }
        }
        // Its own disk or token is damaged: that is a signer's affair. The others go on with the key.
        Reply::Corrupt { because, culprit: None } => {
            Trouble::Away(format!("signer {signer} says that it is damaged: {because}"))
        }
        Reply::Status { .. }
        | Reply::RoundOne { .. }
        | Reply::RoundTwo { .. }
        | Reply::Confirmed { .. }
        | Reply::Committed { .. }
        | Reply::Shares { .. }
        | Reply::Abstained { .. }
        | Reply::Cosigned { .. }
        | Reply::WitnessConflict { .. }
        | Reply::Usable
        | Reply::Covered { .. }
        | Reply::EpochConfirmed { .. }
        | Reply::Spoke { .. }
        // A fault of a program, and no cryptography: nothing is proven against the key.
        | Reply::Signatures { .. } => {
            Trouble::Away(format!("signer {signer} answered something else than was asked"))
        }
    }
}

/// Behind the order's position; or restarted, with its signing nonces gone; or its fold shows a
/// later state than we saw when we asked.
const fn passes(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::SignerLogBehind
            | Rule::SignerNotCovered
            | Rule::SignerProtocol
            | Rule::SignerClock
            | Rule::TransferState
            | Rule::AttemptState
            // Others are asked; and it may be trusted again.
            | Rule::SignerQuarantined
            // It read of a freeze before we did, or its clock is behind ours. Neither is a word
            // against the transfer: once the freeze is lifted or the lock is over, it signs.
            | Rule::Frozen
            | Rule::TimeLock
    )
}

/// About the log, its charter or its checkpoints: no word about this transfer.
const fn is_about_the_log(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::LogUnlawful
            | Rule::SignerLogFork
            | Rule::SignerGenesis
            | Rule::SignerCharter
            | Rule::SignerCheckpoint
    )
}

/// What is known when an attempt did not get signed.
#[derive(Clone, Copy, Debug)]
pub struct Setback<'a> {
    /// The key's holders that are trusted, in the order of their numbers.
    pub holders: &'a [SignerId],
    /// How many of them sign.
    pub threshold: usize,
    /// The current attempt's signers.
    pub current: &'a [SignerId],
    /// Who refused this transaction, in whichever attempt.
    pub refused: &'a BTreeSet<SignerId>,
    /// Who can be reached.
    pub live: &'a BTreeSet<SignerId>,
    /// Who did not answer, or could not work, the last time.
    pub away: &'a BTreeSet<SignerId>,
    /// How often in a row the current signers have failed.
    pub tries: u32,
    /// Whether as many holders as it takes have given their part: a signature may exist.
    pub complete: bool,
    /// Whether its approval's time is over: who has not consumed it will not sign it any more.
    pub over: bool,
}

/// How to go on from a setback.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// The same attempt once more, after a pause.
    Again,
    /// Another attempt: the same transaction by these signers.
    Attempt(Vec<SignerId>),
    /// Wait for signers to come back.
    Wait(String),
    /// It can't be signed, and nothing was.
    Fail(String),
}

/// Tries with the same signers before others are asked, where it is not one of a pool.
const GRACE: u32 = 2;

/// What to do after a setback.
pub fn after(setback: Setback<'_>) -> Next {
    let Setback { holders, threshold, current, refused, live, away, tries, complete, over } =
        setback;
    // Of a pool any one will do, and it would sign the same bytes: nobody is waited for.
    let grace = if threshold == 1 && holders.len() > 1 { 0 } else { GRACE };
    if holders.len() < threshold {
        let because =
            format!("{} holders of the key are trusted; {threshold} must sign", holders.len());
        return Next::Wait(because);
    }
    let willing: Vec<_> = holders.iter().filter(|id| !refused.contains(id)).copied().collect();
    if willing.len() < threshold {
        let because = format!(
            "{} of the key's {} holders refused; {threshold} must sign",
            refused.len(),
            holders.len()
        );
        // Past the pivot there is no way back: a signature may exist.
        return if complete { Next::Wait(because) } else { Next::Fail(because) };
    }
    // Who holds the key no more, or is quarantined, signs nothing.
    let whole = current.iter().all(|id| !refused.contains(id) && holders.contains(id));
    let here = current.iter().all(|id| live.contains(id));
    let gone = current.iter().any(|id| away.contains(id));
    if whole && here && (!gone || tries < grace) {
        return Next::Again;
    }
    if whole && !here && tries < grace {
        return Next::Wait("a signer of the current attempt can't be reached".to_owned());
    }
    let able = willing.iter().filter(|id| live.contains(id) && !away.contains(id));
    let able: Vec<_> = able.take(threshold).copied().collect();
    if able.len() == threshold {
        return if able == current { Next::Again } else { Next::Attempt(able) };
    }
    if whole && here {
        return Next::Again;
    }
    let because = format!(
        "{threshold} holders of the key must sign, {} of the willing ones can be reached",
        willing.iter().filter(|id| live.contains(id)).count()
    );
    // Those who are missing have no reason to sign when they come back. If one has consumed it, the
    // others may be too few to swear it off: then it waits after all.
    if over && !complete { Next::Fail(because) } else { Next::Wait(because) }
}

/// Who signs the first attempt: the first holders that can be reached.
pub fn first_signers(
    holders: &[SignerId],
    threshold: usize,
    live: &BTreeSet<SignerId>,
) -> Option<Vec<SignerId>> {
    let able: Vec<_> =
        holders.iter().filter(|id| live.contains(id)).take(threshold).copied().collect();
    (able.len() == threshold).then_some(able)
}

/// What a chain says of a broadcast transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sighting {
    /// Deep enough, and it did what it should.
    Final(Inclusion),
    /// Deep enough, and it failed there: only the fee is gone.
    FailedOnChain(Inclusion),
    /// Not deep enough: look again when the chain has this height.
    Wait {
        /// The first height at which it can be final.
        height: u64,
    },
    /// The node does not have it: hand it over again.
    Missing,
}

/// Whether a transaction is final after `required` confirmations.
pub fn sighting(status: TransactionStatus, required: u32) -> Sighting {
    match status {
        TransactionStatus::Unknown => Sighting::Missing,
        TransactionStatus::InMempool => Sighting::Wait { height: 0 },
        TransactionStatus::InBlock(found) if found.confirmations < u64::from(required) => {
            let more = u64::from(required).saturating_sub(1);
            Sighting::Wait { height: found.height.saturating_add(more) }
        }
        TransactionStatus::InBlock(found) if found.succeeded => Sighting::Final(found),
        TransactionStatus::InBlock(found) => Sighting::FailedOnChain(found),
    }
}

/// Whether a node that rejects a transaction may have it already, in a block: then its status
/// decides.
pub const fn may_be_mined(reason: RejectionReason) -> bool {
    match reason {
        RejectionReason::Superseded | RejectionReason::Conflicting => true,
        RejectionReason::FeeTooLow
        | RejectionReason::InsufficientFunds
        | RejectionReason::Invalid => false,
    }
}

#[cfg(test)]
mod tests;
