//! What happened to an account. Stored for ever: a shape is never edited, only succeeded.

use crate::{AccountId, Amount, Asset, ClientId, DepositId, TransferId, WalletId, event::events};
use serde::{Deserialize, Serialize};

events! {
    /// An account's events.
    AccountEvent {
        /// A client's claim in one asset began.
        Opened = "account.opened", 1;
        /// Money moved between accounts of the ledger, outside a hold.
        Posted = "account.posted", 1;
        /// Part of the balance is set aside for a transfer.
        HoldPlaced = "account.hold-placed", 1;
        /// More is set aside for a transfer whose fee cap was raised.
        HoldRaised = "account.hold-raised", 1;
        /// The transfer is final: what it took has moved, the rest is available again.
        HoldPosted = "account.hold-posted", 1;
        /// The transfer came to nothing: all of the hold is available again.
        HoldVoided = "account.hold-voided", 1;
    }
}

/// A client's claim in one asset began.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// Whose claim.
    pub client: ClientId,
    /// In what.
    pub asset: Asset,
}

/// Journal entries outside a hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posted {
    /// The deposit that was credited or taken back.
    pub deposit: DepositId,
    /// What moved.
    pub entries: Vec<JournalEntry>,
}

/// A debit and a credit of the same amount, so debits equal credits after every event.
///
/// What we hold (`custody`) grows by debits; what we owe (`client`) grows by credits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalEntry {
    /// The account debited.
    pub debit: LedgerAccount,
    /// The account credited.
    pub credit: LedgerAccount,
    /// How much, in base units of the account's asset.
    pub amount: Amount,
    /// What it was for.
    pub purpose: Purpose,
}

/// A place for a balance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LedgerAccount {
    /// What we owe a client (a liability).
    Client(AccountId),
    /// What a wallet holds on its chain (an asset).
    Custody(WalletId),
    /// What a client owes us since a reorganisation took back a deposit that was spent
    /// (an asset).
    Shortfall(AccountId),
}

/// What a journal entry was for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A deposit became final.
    Deposit,
    /// A final deposit was reorganised away.
    Reversal,
    /// A deposit covered a shortfall first.
    ShortfallCovered,
    /// A transfer reached its destination.
    Payment,
    /// The network's fee for it.
    NetworkFee,
    /// What one wallet held, its successor holds.
    Sweep,
}

/// Part of the balance is set aside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldPlaced {
    /// For which transfer.
    pub transfer: TransferId,
    /// Amount and fee cap together.
    pub amount: Amount,
}

/// More of the balance is set aside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldRaised {
    /// For which transfer.
    pub transfer: TransferId,
    /// Amount and the new fee cap together: what is set aside from now on.
    pub amount: Amount,
}

/// What a transfer took.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldPosted {
    /// Which transfer.
    pub transfer: TransferId,
    /// Payment and fee: together never more than the hold.
    pub entries: Vec<JournalEntry>,
}

/// A hold came to nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldVoided {
    /// Which transfer.
    pub transfer: TransferId,
}
