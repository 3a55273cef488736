//! A balance and the account nonces that spend it. A nonce is never set aside twice, and none that
//! others wait for is given back.

use super::event::{
    AccountNonceRaised, AccountNonceReleased, AccountNonceReserved, AccountNonceUsed,
    FundsReceived, FundsReversed, NonceGapFound, WalletEvent,
};
use crate::{Amount, Refusal, Rule, TransferId};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A balance and the account nonces that spend it.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Balance {
    /// Final receipts less final payments.
    pub amount: Amount,
    /// Reorganised away after it was spent.
    pub missing: Amount,
    /// The lowest nonce that was never set aside.
    pub next_nonce: u64,
    /// Set aside once and released: the next transfers take these first, because a gap would
    /// stop every later one.
    pub released: BTreeSet<u64>,
    /// Set aside, by transfer.
    pub reserved: BTreeMap<TransferId, ReservedNonce>,
    /// Transfers that can't go on and whose nonces later ones wait for.
    pub gaps: BTreeSet<TransferId>,
    /// The sum of what is set aside.
    held: Amount,
}

/// What a transfer has set aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct ReservedNonce {
    /// The nonce.
    pub account_nonce: u64,
    /// Payment and fee cap.
    pub amount: Amount,
}

impl Balance {
    pub(super) fn of(&self, transfer: TransferId) -> Result<ReservedNonce, Refusal> {
        self.reserved.get(&transfer).copied().ok_or_else(|| {
            Refusal::new(Rule::WalletReserved, "no account nonce is set aside for this transfer")
        })
    }

    /// `None` where nothing is set aside for the transfer: the log is damaged.
    fn let_go(&mut self, transfer: TransferId) -> Option<ReservedNonce> {
        let mine = self.reserved.remove(&transfer)?;
        self.gaps.remove(&transfer);
        self.held = self.held.checked_sub(mine.amount)?;
        Some(mine)
    }

    /// What is set aside for all transfers together.
    pub const fn held(&self) -> Amount {
        self.held
    }

    /// What no transfer has set aside.
    pub fn free(&self) -> Amount {
        self.amount.checked_sub(self.held).unwrap_or(Amount::ZERO)
    }

    /// The nonce that the next transfer takes.
    pub fn lowest_nonce(&self) -> u64 {
        self.released.first().copied().unwrap_or(self.next_nonce)
    }

    pub(super) fn receive(&self, received: FundsReceived) -> Result<Vec<WalletEvent>, Refusal> {
        self.amount.checked_add(received.amount).ok_or_else(|| {
            Refusal::new(Rule::AmountInvalid, "the balance would pass 2^128 base units")
        })?;
        Ok(vec![received.into()])
    }

    pub(super) fn reverse(&self, reversed: FundsReversed) -> Result<Vec<WalletEvent>, Refusal> {
        self.missing.checked_add(reversed.amount).ok_or_else(|| {
            Refusal::new(Rule::AmountInvalid, "the shortfall would pass 2^128 base units")
        })?;
        Ok(vec![reversed.into()])
    }

    pub(super) fn reserve(
        &self,
        reserved: AccountNonceReserved,
    ) -> Result<Vec<WalletEvent>, Refusal> {
        if let Some(mine) = self.reserved.get(&reserved.transfer) {
            if mine.account_nonce == reserved.account_nonce && mine.amount == reserved.amount {
                return Ok(Vec::new());
            }
            let because = format!("this transfer has account nonce {} already", mine.account_nonce);
            return Err(Refusal::new(Rule::WalletReserved, because));
        }
        if reserved.account_nonce != self.lowest_nonce() {
            let because = format!("the next account nonce is {}", self.lowest_nonce());
            return Err(Refusal::new(Rule::WalletReserved, because));
        }
        if reserved.amount > self.free() {
            let because = format!(
                "payment and fee cap come to {}, the wallet has {} free",
                reserved.amount,
                self.free()
            );
            return Err(Refusal::new(Rule::WalletFunds, because));
        }
        Ok(vec![reserved.into()])
    }

    /// Whether another transfer has a later nonce than this one: it can't confirm before this
    /// nonce is used.
    pub(super) fn is_waited_for(&self, transfer: TransferId) -> bool {
        let mine = self.reserved.get(&transfer);
        mine.is_some_and(|mine| {
            self.reserved.values().any(|other| other.account_nonce > mine.account_nonce)
        })
    }

    pub(super) fn find_gap(&self, transfer: TransferId) -> Result<Vec<WalletEvent>, Refusal> {
        let ReservedNonce { account_nonce, .. } = self.of(transfer)?;
        if self.gaps.contains(&transfer) {
            return Ok(Vec::new());
        }
        if !self.is_waited_for(transfer) {
            let because = format!("no transfer waits for account nonce {account_nonce}");
            return Err(Refusal::new(Rule::NonceGap, because));
        }
        Ok(vec![NonceGapFound { transfer, account_nonce }.into()])
    }

    pub(super) fn raise(&self, raised: AccountNonceRaised) -> Result<Vec<WalletEvent>, Refusal> {
        let mine = self.of(raised.transfer)?;
        let Some(more) = raised.amount.checked_sub(mine.amount).filter(|more| !more.is_zero())
        else {
            let because = format!("{} is set aside already", mine.amount);
            return Err(Refusal::new(Rule::WalletReserved, because));
        };
        if more > self.free() {
            let because =
                format!("{more} more would be set aside, the wallet has {} free", self.free());
            return Err(Refusal::new(Rule::WalletFunds, because));
        }
        Ok(vec![raised.into()])
    }

    pub(super) fn evolve(&mut self, event: &WalletEvent) -> Option<()> {
        use WalletEvent as E;
        match event {
            E::FundsReceived(received) => {
                let covered = received.amount.min(self.missing);
                self.missing = self.missing.checked_sub(covered)?;
                let rest = received.amount.checked_sub(covered)?;
                self.amount = self.amount.checked_add(rest)?;
                Some(())
            }
            E::FundsReversed(reversed) => {
                let there = reversed.amount.min(self.amount);
                self.amount = self.amount.checked_sub(there)?;
                let missing = reversed.amount.checked_sub(there)?;
                self.missing = self.missing.checked_add(missing)?;
                Some(())
            }
            E::AccountNonceReserved(AccountNonceReserved { transfer, account_nonce, amount }) => {
                if !self.released.remove(account_nonce) {
                    if *account_nonce != self.next_nonce {
                        return None;
                    }
                    self.next_nonce = self.next_nonce.checked_add(1)?;
                }
                let mine = ReservedNonce { account_nonce: *account_nonce, amount: *amount };
                self.held = self.held.checked_add(*amount)?;
                self.reserved.insert(*transfer, mine).is_none().then_some(())
            }
            E::AccountNonceRaised(AccountNonceRaised { transfer, amount }) => {
                let mine = self.reserved.get_mut(transfer)?;
                self.held = self.held.checked_sub(mine.amount)?.checked_add(*amount)?;
                mine.amount = *amount;
                Some(())
            }
            E::NonceGapFound(NonceGapFound { transfer, .. }) => {
                self.gaps.insert(*transfer).then_some(())
            }
            E::AccountNonceReleased(AccountNonceReleased { transfer }) => {
                let mine = self.let_go(*transfer)?;
                self.released.insert(mine.account_nonce).then_some(())
            }
            E::AccountNonceUsed(AccountNonceUsed { transfer, spent }) => {
                self.let_go(*transfer)?;
                let there = (*spent).min(self.amount);
                self.amount = self.amount.checked_sub(there)?;
                self.missing = self.missing.checked_add(spent.checked_sub(there)?)?;
                Some(())
            }
            E::Created(_)
            | E::RotationApproved(_)
            | E::Swept(_)
            | E::AddressDerived(_)
            | E::CoinAdded(_)
            | E::CoinRemoved(_)
            | E::CoinsReserved(_)
            | E::CoinsReleased(_)
            | E::CoinsSpent(_) => None,
        }
    }
}
