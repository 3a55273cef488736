//! A sweep: everything that it spends, less the fee, goes to the wallet's successor. Never to anybody
//! else: the quorum of the rotation agreed to that and to nothing more.

use super::{Asked, SweepRequested, TransferEvent};
use crate::{Amount, Intent, ProposalId, Refusal, Rule, WalletId, wallet::OutPoint};
use serde::Serialize;

/// What a sweep follows from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Sweep {
    /// Whose address the destination is.
    pub successor: WalletId,
    /// The quorum that agreed to the rotation.
    pub rotation: ProposalId,
    /// What is spent, where the chain has coins.
    pub coins: Vec<OutPoint>,
}

impl SweepRequested {
    /// Something must arrive whatever the network takes, within the cap.
    pub(super) fn check(self) -> Result<Vec<TransferEvent>, Refusal> {
        let Intent { amount, fee_cap, .. } = self.intent;
        if fee_cap.is_zero() || amount <= fee_cap {
            let because = format!("{amount} is not worth a sweep that may cost {fee_cap}");
            return Err(Refusal::new(Rule::Sweep, because));
        }
        Ok(vec![self.into()])
    }
}

impl From<&SweepRequested> for Asked {
    fn from(requested: &SweepRequested) -> Self {
        let SweepRequested { intent, coins, successor, rotation, maker } = requested.clone();
        Self {
            maker,
            proposal: None,
            at: None,
            client: None,
            priced: None,
            delay_s: 0,
            approved_at: None,
            approved_fee_cap: intent.fee_cap,
            sweep: Some(Sweep { successor, rotation, coins }),
            intent,
        }
    }
}

impl Asked {
    /// What a transaction that costs at most `fee` must do. Of a sweep the fee comes out of what
    /// arrives.
    pub fn pays(&self, fee: Amount) -> Result<Intent, Refusal> {
        let intent = self.intent.clone();
        if self.sweep.is_none() {
            return Ok(intent);
        }
        match intent.amount.checked_sub(fee).filter(|left| !left.is_zero()) {
            Some(amount) => Ok(Intent { amount, ..intent }),
            None => Err(Refusal::new(Rule::Sweep, "the fee would take all of it")),
        }
    }

    /// What the account sets aside.
    pub fn held(&self) -> Result<Amount, Refusal> {
        match self.sweep {
            None => both(&self.intent),
            Some(_) => Ok(self.intent.fee_cap),
        }
    }

    /// What the wallet sets aside with an account nonce.
    pub fn reserved(&self) -> Result<Amount, Refusal> {
        match self.sweep {
            None => both(&self.intent),
            Some(_) => Ok(self.intent.amount),
        }
    }
}

fn both(intent: &Intent) -> Result<Amount, Refusal> {
    crate::decision::set_aside(intent)
}
