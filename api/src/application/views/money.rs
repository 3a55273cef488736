//! Accounts and balances, as callers see them. Amounts in base units.

use strongroom_projections::{AccountRow, HoldRow, TrialRow};

use super::{custody::Address, views};

views! {
    /// A client's account with its balance.
    Account from AccountRow as row {
        /// Which.
        account: String = row.account.to_string(),
        /// Where it began.
        position: u64 = row.position,
        /// When.
        opened_at: String = row.opened_at.to_string(),
        /// Whose.
        client: String = row.client.to_string(),
        /// In what.
        asset: String = row.asset.to_string(),
        /// What we owe the client, holds included.
        total: String = row.total.to_string(),
        /// What holds have set aside.
        pending: String = row.pending.to_string(),
        /// What can still be set aside.
        available: String = row.available.to_string(),
        /// What the client owes us after a reorganisation.
        shortfall: String = row.shortfall.to_string(),
    }
    /// A page of accounts.
    AccountPage {
        /// The accounts.
        items: Vec<Account>,
        /// `after` of the next page, where there may be one.
        next: Option<u64>,
    }
    /// What is set aside for a payment.
    Hold from HoldRow as row {
        /// Where it was placed.
        position: u64 = row.position,
        /// For what.
        transaction: String = row.transfer.to_string(),
        /// Payment and fee cap.
        amount: String = row.amount.to_string(),
    }
    /// An account, what is set aside of it, and where its deposits arrive (the first 500 each).
    AccountDetail {
        /// The account.
        account: Account,
        /// Its holds.
        holds: Vec<Hold>,
        /// Its addresses.
        addresses: Vec<Address>,
    }
    /// The two sides of an account of the ledger.
    Sides from strongroom_projections::Sides as row {
        /// All that it was debited.
        debits: String = row.debits.to_string(),
        /// All that it was credited.
        credits: String = row.credits.to_string(),
    }
    /// The trial balance of an asset.
    TrialBalance from TrialRow as row {
        /// Of what.
        asset: String = row.asset.to_string(),
        /// Whether both sides are equal: anything else is an alarm.
        balanced: bool = row.all.debits == row.all.credits,
        /// Of all accounts.
        all: Sides = row.all.into(),
        /// Of wallets: what we hold, by debits.
        custody: Sides = row.custody.into(),
        /// Of clients: what we owe, by credits.
        clients: Sides = row.clients.into(),
        /// Of clients' shortfalls: what they owe us, by debits.
        shortfall: Sides = row.shortfall.into(),
    }
}
