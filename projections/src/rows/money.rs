//! Balances. Never an amount without its asset.

use serde::Serialize;
use strongroom_domain::{
    AccountId, Amount, Asset, ClientId, Timestamp, TransferId, account::LedgerAccount,
};

/// A client's account with its balance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AccountRow {
    /// Which.
    pub account: AccountId,
    /// Where it began.
    pub position: u64,
    /// When.
    pub opened_at: Timestamp,
    /// Whose.
    pub client: ClientId,
    /// In what.
    pub asset: Asset,
    /// What we owe the client, holds included.
    pub total: Amount,
    /// What holds have set aside.
    pub pending: Amount,
    /// What can still be set aside.
    pub available: Amount,
    /// What the client owes us after a reorganisation.
    pub shortfall: Amount,
}

/// What is set aside for a transfer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HoldRow {
    /// Where it was placed.
    pub position: u64,
    /// Of which account.
    pub account: AccountId,
    /// For what.
    pub transfer: TransferId,
    /// Payment and fee cap.
    pub amount: Amount,
}

/// The two sides of an account. Either may be the larger one: a reorganisation can take back from
/// a wallet more than is left in it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Sides {
    /// All that it was debited.
    pub debits: Amount,
    /// All that it was credited.
    pub credits: Amount,
}

impl Sides {
    /// Debits less credits: what we hold or are owed. `None` where credits are more.
    pub fn debit_balance(self) -> Option<Amount> {
        self.debits.checked_sub(self.credits)
    }

    /// Credits less debits: what we owe. `None` where debits are more.
    pub fn credit_balance(self) -> Option<Amount> {
        self.credits.checked_sub(self.debits)
    }
}

/// An account of the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LedgerRow {
    /// Its place in this list.
    pub number: u64,
    /// Which account: what we owe, hold, or are owed.
    pub account: LedgerAccount,
    /// In what.
    pub asset: Asset,
    /// What it was debited and credited.
    pub sides: Sides,
}

/// The trial balance of one asset: both sides are equal, or something is very wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TrialRow {
    /// Of what.
    pub asset: Asset,
    /// Of all accounts.
    pub all: Sides,
    /// Of wallets: what we hold, by debits.
    pub custody: Sides,
    /// Of clients: what we owe, by credits.
    pub clients: Sides,
    /// Of clients' shortfalls: what they owe us, by debits.
    pub shortfall: Sides,
}
