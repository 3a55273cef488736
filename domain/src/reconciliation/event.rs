//! What happened to reconciliation. Stored for ever: a shape is never edited, only succeeded.

use crate::{Amount, DifferenceId, PersonId, Timestamp, WalletId, event::events, policy::Label};
use serde::{Deserialize, Serialize};

events! {
    /// Reconciliation's events.
    ReconciliationEvent {
        /// Two records of the same thing do not agree.
        DifferenceFound = "reconciliation.difference-found", 1;
        /// A person looked into it.
        DifferenceResolved = "reconciliation.difference-resolved", 1;
    }
}

/// Which two records disagree, and what each says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum What {
    /// A wallet's funds: the log against its chain, at the depth that counts as final.
    Balance {
        /// Whose.
        wallet: WalletId,
        /// What the log says, in base units.
        ledger: Amount,
        /// What the chain says, in base units.
        chain: Amount,
    },
    /// A read model's counter against the fold of the log at the same position.
    ReadModel {
        /// Which number.
        counter: Label,
        /// What the log says.
        ledger: Amount,
        /// What the read model says.
        model: Amount,
    },
}

/// Two records do not agree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DifferenceFound {
    /// Chosen by the caller.
    pub difference: DifferenceId,
    /// Which, and by how much.
    pub what: What,
    /// Whose affair it is.
    pub owner: PersonId,
    /// When it was looked at.
    pub at: Timestamp,
}

/// A person looked into it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DifferenceResolved {
    /// Which.
    pub difference: DifferenceId,
    /// Who.
    pub by: PersonId,
    /// What they found. Never personal data: the log is for ever.
    pub because: String,
}
