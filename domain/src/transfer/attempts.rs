//! The transactions of one transfer: which follow which, and which of them may be its end. At most
//! one of them that pays somebody can ever take effect; signers see to that, by the bytes.

use super::{
    Abandoned, AbandonmentApproved, Asked, AttemptAuthorised, AttemptRefused, AttemptSigned,
    Command, Confirmed, ConfirmedV1, Failed, FeeCapRaised, PartiallySigned, ReturnAuthorised,
    Returns, Superseded, Transfer, TransferEvent,
};
use crate::{Amount, Bytes, Intent, ProposalId, Refusal, Rule};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What was asked, and the transactions that would do it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Attempts {
    /// What was asked.
    pub asked: Asked,
    /// The current attempt.
    pub current: AttemptAuthorised,
    /// What the current attempt is for, if it pays nobody.
    pub returns: Option<Returns>,
    /// Signers that refused the current attempt.
    pub refused: BTreeSet<crate::SignerId>,
    /// Of a multisig wallet: what cosigners signed of the current transaction, by place.
    pub partials: BTreeMap<u16, Vec<Bytes>>,
    /// The current attempt's signed transaction, once it exists.
    pub signed: Option<AttemptSigned>,
    /// Every attempt that was signed, by its number: the chain may take any of them.
    pub complete: BTreeMap<u32, SignedAttempt>,
    /// Attempts with other transactions that the log has not complete. Whoever was shown one may have
    /// completed it besides us.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub superseded: BTreeMap<u32, Superseded>,
    /// The quorum's word that the payment is to be cancelled.
    pub abandoned_by: Option<ProposalId>,
}

/// A transaction that its chain may take.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SignedAttempt {
    /// What it is for, if it pays nobody.
    pub returns: Option<Returns>,
    /// As it was authorised.
    pub authorised: AttemptAuthorised,
    /// As it was signed.
    pub signed: AttemptSigned,
    /// Whether others completed it, besides the server.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub found: bool,
}

impl Asked {
    /// What people were asked: the intent with the fee cap that it had then.
    pub fn approved(&self) -> Intent {
        Intent { fee_cap: self.approved_fee_cap, ..self.intent.clone() }
    }
}

impl Transfer {
    /// Records what changes nothing about how far the transfer is. `None` for every other event,
    /// `false` where the log is damaged.
    pub(super) fn amend(&mut self, event: &TransferEvent) -> Option<bool> {
        if let TransferEvent::FeeCapRaised(raised) = event {
            Some(self.raise(raised.fee_cap))
        } else if let TransferEvent::AbandonmentApproved(approved) = event {
            Some(self.abandon(approved.proposal))
        } else if let TransferEvent::AttemptFound(found) = event {
            Some(self.found(found))
        } else {
            None
        }
    }

    fn raise(&mut self, fee_cap: Amount) -> bool {
        let asked = match self {
            Self::Approved(asked) => asked,
            Self::Signing(attempts) | Self::Signed(attempts) | Self::Broadcast(attempts) => {
                &mut attempts.asked
            }
            Self::Unknown | Self::AwaitingApproval(_) | Self::Closed(_) => return false,
        };
        asked.intent.fee_cap = fee_cap;
        true
    }

    fn abandon(&mut self, proposal: ProposalId) -> bool {
        match self {
            Self::Signing(attempts) | Self::Signed(attempts) | Self::Broadcast(attempts) => {
                attempts.abandoned_by.replace(proposal).is_none()
            }
            Self::Unknown | Self::AwaitingApproval(_) | Self::Approved(_) | Self::Closed(_) => {
                false
            }
        }
    }
}

impl Attempts {
    pub(super) fn first(asked: Asked, current: AttemptAuthorised) -> Self {
        Self {
            asked,
            current,
            returns: None,
            refused: BTreeSet::new(),
            partials: BTreeMap::new(),
            signed: None,
            complete: BTreeMap::new(),
            superseded: BTreeMap::new(),
            abandoned_by: None,
        }
    }

    pub(super) fn followed_by(self, current: AttemptAuthorised, returns: Option<Returns>) -> Self {
        // The same transaction for other signers: what cosigners signed of it they need not sign again.
        let same = current.unsigned == self.current.unsigned;
        let partials = if same { self.partials } else { BTreeMap::new() };
        let mut superseded = self.superseded;
        if !same && self.signed.is_none() {
            let before = Superseded { returns: self.returns, authorised: self.current };
            superseded.insert(before.authorised.attempt, before);
        }
        let refused = BTreeSet::new();
        Self { current, returns, refused, partials, signed: None, superseded, ..self }
    }

    pub(super) fn signed_by(mut self, signed: AttemptSigned) -> Self {
        let (returns, authorised) = (self.returns, self.current.clone());
        let complete = SignedAttempt { returns, authorised, signed: signed.clone(), found: false };
        self.complete.insert(signed.attempt, complete);
        Self { signed: Some(signed), ..self }
    }

    /// One word of each place: the first counts, and the same again is no news.
    pub(super) fn partial(&self, partial: PartiallySigned) -> Result<Vec<TransferEvent>, Refusal> {
        self.current(partial.attempt)?;
        let whole = partial.signatures.iter().all(|signature| signature.as_slice().len() == 64);
        if partial.signatures.is_empty() || !whole {
            return refuse(Rule::AttemptState, "a cosigner signs each input with 64 bytes");
        }
        // The saga repeats its steps, and a cosigner may be late.
        if self.signed.is_some() || self.partials.contains_key(&partial.place) {
            return Ok(Vec::new());
        }
        Ok(vec![partial.into()])
    }

    /// Each signer refuses an attempt once.
    pub(super) fn refusal(&self, refused: AttemptRefused) -> Result<Vec<TransferEvent>, Refusal> {
        self.current(refused.attempt)?;
        let known = self.refused.contains(&refused.signer);
        Ok(if known { Vec::new() } else { vec![refused.into()] })
    }

    pub(super) fn current(&self, attempt: u32) -> Result<(), Refusal> {
        if attempt == self.current.attempt {
            return Ok(());
        }
        let because = format!("attempt {} is the current one, not {attempt}", self.current.attempt);
        refuse(Rule::AttemptState, because)
    }

    /// The signed children of an attempt.
    pub fn children(&self, of: u32) -> impl Iterator<Item = &SignedAttempt> {
        let child = Some(Returns::Child { parent: of });
        self.complete.values().filter(move |signed| signed.returns == child)
    }

    /// The highest fee among the signed attempts that exclude each other: a replacement costs more.
    pub fn highest_fee(&self) -> Option<Amount> {
        let exclusive = self.complete.values().filter(|signed| !signed.is_child());
        exclusive.map(|signed| signed.authorised.fee).max()
    }

    /// Whether the current attempt must be a cancellation: a quorum said so.
    pub const fn is_abandoned(&self) -> bool {
        self.abandoned_by.is_some()
    }

    pub(super) fn decide(
        &self,
        command: Command,
        state: &Transfer,
    ) -> Result<Vec<TransferEvent>, Refusal> {
        match command {
            Command::Authorise(attempt) => self.next(attempt),
            Command::Return { returned, gap } => self.next_return(returned, gap),
            Command::ApproveAbandonment(approved) => self.approve(approved),
            // Nothing that the chain could have.
            Command::Confirm(_) | Command::Abandon(_) | Command::FailOnChain { .. }
                if self.complete.is_empty() =>
            {
                state.not_now()
            }
            Command::RecordPartial(partial) => self.partial(partial),
            Command::RecordFound(found) => self.find(found),
            Command::Confirm(confirmed) => self.confirm(confirmed),
            Command::Abandon(abandoned) => self.abandon(abandoned),
            Command::FailOnChain { attempt, fee, because } => {
                self.payment(attempt)?;
                check_fee(&self.asked, fee)?;
                Ok(vec![Failed { because, abstentions: Vec::new() }.into()])
            }
            Command::Request { .. }
            | Command::Ask { .. }
            | Command::Sweep(_)
            | Command::Approve
            | Command::Reject
            | Command::Cancel { .. }
            | Command::Expire
            | Command::Stop(_)
            | Command::RaiseFeeCap(_)
            | Command::RecordRefusal(_)
            | Command::RecordSigned(_)
            | Command::RecordBroadcast { .. }
            | Command::Fail { .. } => state.not_now(),
        }
    }

    fn number(&self, next: &AttemptAuthorised) -> Result<(), Refusal> {
        if Some(next.attempt) == self.current.attempt.checked_add(1) {
            return Ok(());
        }
        let because = format!("attempt {} follows {}", next.attempt, self.current.attempt);
        refuse(Rule::AttemptState, because)
    }

    /// What would replace a signed transaction costs more: else nodes would not take it.
    fn outbids(&self, fee: Amount) -> Result<(), Refusal> {
        check_fee(&self.asked, fee)?;
        match self.highest_fee().filter(|highest| fee <= *highest) {
            None => Ok(()),
            Some(highest) => {
                let because = format!("it replaces one that costs {highest}: {fee} is not more");
                refuse(Rule::AttemptState, because)
            }
        }
    }

    fn next(&self, next: AttemptAuthorised) -> Result<Vec<TransferEvent>, Refusal> {
        if next == self.current && self.returns.is_none() {
            return Ok(Vec::new());
        }
        self.number(&next)?;
        if self.is_abandoned() {
            let because = "its quorum abandoned it: only a cancellation can follow";
            return refuse(Rule::TransferState, because);
        }
        self.outbids(next.fee)?;
        Ok(vec![next.into()])
    }

    fn next_return(
        &self,
        returned: ReturnAuthorised,
        gap: bool,
    ) -> Result<Vec<TransferEvent>, Refusal> {
        if returned.attempt == self.current && Some(returned.returns) == self.returns {
            return Ok(Vec::new());
        }
        self.number(&returned.attempt)?;
        let fee = returned.attempt.fee;
        match returned.returns {
            Returns::Cancellation if self.is_abandoned() || gap => self.outbids(fee)?,
            Returns::Cancellation => {
                let because = "it is cancelled by its quorum, or where others wait for its nonce";
                return refuse(Rule::TransferState, because);
            }
            Returns::Child { parent } => {
                let both = fee.checked_add(self.payment(parent)?.authorised.fee);
                let both = both.unwrap_or(Amount::new(u128::MAX));
                check_fee(&self.asked, both)?;
                let before = self.children(parent).map(|child| child.authorised.fee).max();
                if before.is_some_and(|before| fee <= before) {
                    return refuse(Rule::AttemptState, "an earlier child costs as much");
                }
            }
        }
        Ok(vec![returned.into()])
    }

    fn approve(&self, approved: AbandonmentApproved) -> Result<Vec<TransferEvent>, Refusal> {
        if self.is_abandoned() {
            return refuse(Rule::TransferState, "its quorum has abandoned it already");
        }
        Ok(vec![approved.into()])
    }

    fn signed(&self, attempt: u32) -> Result<&SignedAttempt, Refusal> {
        let none = || Refusal::new(Rule::AttemptState, format!("attempt {attempt} is not signed"));
        self.complete.get(&attempt).ok_or_else(none)
    }

    fn payment(&self, attempt: u32) -> Result<&SignedAttempt, Refusal> {
        match self.signed(attempt)? {
            payment @ SignedAttempt { returns: None, .. } => Ok(payment),
            SignedAttempt { returns: Some(_), .. } => {
                refuse(Rule::AttemptState, format!("attempt {attempt} pays nobody"))
            }
        }
    }

    /// What is final is what was approved: no signer signs anything else.
    fn confirm(&self, confirmed: Confirmed) -> Result<Vec<TransferEvent>, Refusal> {
        let payment = self.payment(confirmed.attempt)?;
        named(payment, &confirmed.transaction)?;
        let (paid, amount) = (confirmed.paid, self.asked.pays(payment.authorised.fee)?.amount);
        if paid != amount {
            let because = format!("the transfer pays {amount}, not {paid}");
            return refuse(Rule::AmountInvalid, because);
        }
        check_fee(&self.asked, confirmed.fee)?;
        let child = self.children(confirmed.attempt);
        let child = child.filter(|child| Some(child.authorised.attempt) == confirmed.child).last();
        if child.is_none() && (confirmed.child.is_some() || self.has_child(confirmed.attempt)) {
            return refuse(Rule::AttemptState, "name the child that is final with it");
        }
        if self.complete.len() == 1 && !payment.found {
            let Confirmed { attempt, block, paid, fee, .. } = confirmed;
            return Ok(vec![ConfirmedV1 { attempt, block, paid, fee }.into()]);
        }
        let own = Some(payment.authorised.fee);
        let most = match child {
            None => own,
            Some(child) => own.and_then(|own| own.checked_add(child.authorised.fee)),
        };
        if most.is_some_and(|most| confirmed.fee > most) {
            let because = format!("its transactions cost at most {}", most.unwrap_or_default());
            return refuse(Rule::FeeCap, because);
        }
        Ok(vec![confirmed.into()])
    }

    fn has_child(&self, attempt: u32) -> bool {
        self.children(attempt).next().is_some()
    }

    fn abandon(&self, abandoned: Abandoned) -> Result<Vec<TransferEvent>, Refusal> {
        let signed = self.signed(abandoned.attempt)?;
        if signed.returns != Some(Returns::Cancellation) {
            let because = format!("attempt {} is no cancellation", abandoned.attempt);
            return refuse(Rule::AttemptState, because);
        }
        named(signed, &abandoned.transaction)?;
        if abandoned.fee > signed.authorised.fee {
            let because = format!("it costs at most {}", signed.authorised.fee);
            return refuse(Rule::FeeCap, because);
        }
        Ok(vec![abandoned.into()])
    }
}

impl SignedAttempt {
    /// Whether it is on top of another attempt, and so does not exclude it.
    pub const fn is_child(&self) -> bool {
        matches!(self.returns, Some(Returns::Child { .. }))
    }
}

fn named(signed: &SignedAttempt, transaction: &str) -> Result<(), Refusal> {
    if signed.signed.transaction == transaction {
        return Ok(());
    }
    let because = format!("attempt {} is another transaction", signed.authorised.attempt);
    refuse(Rule::AttemptState, because)
}

pub(super) fn check_fee(asked: &Asked, fee: Amount) -> Result<(), Refusal> {
    if fee > asked.intent.fee_cap {
        let because = format!("fee {fee} is above the cap {}", asked.intent.fee_cap);
        return refuse(Rule::FeeCap, because);
    }
    Ok(())
}

pub(super) fn raise(asked: &Asked, raised: FeeCapRaised) -> Result<Vec<TransferEvent>, Refusal> {
    if raised.fee_cap <= asked.intent.fee_cap {
        let because = format!("the fee cap is {} already", asked.intent.fee_cap);
        return refuse(Rule::FeeCap, because);
    }
    Ok(vec![raised.into()])
}

fn refuse<T>(rule: Rule, because: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(rule, because))
}

#[cfg(test)]
mod tests;
